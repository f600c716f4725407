//! Does the cost grow in a straight line? The line of least squares, and how far the figures are from it.

/// A cost: `start + slope * count`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    start: f64,
    slope: f64,
    /// The largest distance of a figure from the line, as a part of the largest figure.
    residual: f64,
}

impl Line {
    /// The line through at least three counts with their costs.
    pub(crate) fn fit(points: &[(usize, f64)]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let points: Vec<(f64, f64)> = points
            .iter()
            .map(|(count, cost)| Some((f64::from(u32::try_from(*count).ok()?), *cost)))
            .collect::<Option<_>>()?;
        let number = f64::from(u32::try_from(points.len()).ok()?);
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / number;
        let (middle, height) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = points.iter().map(|(x, _)| (x - middle).powi(2)).sum();
        let together: f64 = points
            .iter()
            .map(|(x, y)| (x - middle) * (y - height))
            .sum();
        let slope = together / spread;
        let start = height - slope * middle;
        let largest = points.iter().map(|(_, y)| *y).fold(0.0, f64::max);
        let away = points.iter().map(|(x, y)| (start + slope * x - y).abs());
        Some(Self {
            start,
            slope,
            residual: away.fold(0.0, f64::max) / largest,
        })
    }
}

impl Line {
    /// The line in words; `unit` is what was counted.
    pub(crate) fn words(&self, measure: &str, unit: &str) -> String {
        format!(
            "fitted: {:.1} {measure} + {:.2} {measure} for each {unit}; the figure furthest from that line is off by {:.1} % of the largest",
            self.start,
            self.slope,
            self.residual * 100.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn a_line_is_found_and_what_is_none_is_told() {
        let line = Line::fit(&[(1, 12.0), (10, 30.0), (100, 210.0)]).unwrap();
        assert!((line.slope - 2.0).abs() < 1e-9 && (line.start - 10.0).abs() < 1e-9);
        assert!(line.residual < 1e-9);
        let curve = Line::fit(&[(1, 1.0), (10, 100.0), (50, 2500.0), (100, 10_000.0)]).unwrap();
        assert!(curve.residual > 0.05, "{}", curve.residual);
        assert!(Line::fit(&[(1, 1.0), (2, 2.0)]).is_none());
    }
}
