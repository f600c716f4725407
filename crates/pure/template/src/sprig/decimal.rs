//! Arithmetic on decimals, as `shopspring/decimal` does it: 0.1 and 0.2 make 0.3.
//!
//! What does not fit 38 digits is computed on doubles.

/// Digits behind the point that a division keeps.
const DIVISION: u32 = 16;

#[derive(Clone, Copy)]
struct Decimal {
    digits: i128,
    /// `digits / 10^scale`.
    scale: u32,
}

fn read(value: f64) -> Result<Option<Decimal>, String> {
    if !value.is_finite() {
        return Err(format!("Cannot create a Decimal from {value}"));
    }
    let text = format!("{value}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{part}").parse().ok();
    let scale = u32::try_from(part.len()).unwrap_or(u32::MAX);
    Ok(digits.map(|digits| Decimal { digits, scale }))
}

fn write(value: Decimal) -> f64 {
    let scale = value.scale;
    format!("{}e-{scale}", value.digits)
        .parse()
        .unwrap_or_default()
}

impl Decimal {
    fn to_scale(self, scale: u32) -> Option<i128> {
        let power = 10i128.checked_pow(scale.checked_sub(self.scale)?)?;
        self.digits.checked_mul(power)
    }
}

fn apply(
    a: f64,
    b: f64,
    exact: fn(Decimal, Decimal) -> Option<Decimal>,
    rough: fn(f64, f64) -> f64,
) -> Result<f64, String> {
    let made = match (read(a)?, read(b)?) {
        (Some(a), Some(b)) => exact(a, b),
        _ => None,
    };
    Ok(made.map_or_else(|| rough(a, b), write))
}

pub(super) fn add(a: f64, b: f64) -> Result<f64, String> {
    let exact = |a: Decimal, b: Decimal| {
        let scale = a.scale.max(b.scale);
        let digits = a.to_scale(scale)?.checked_add(b.to_scale(scale)?)?;
        Some(Decimal { digits, scale })
    };
    apply(a, b, exact, |a, b| a + b)
}

pub(super) fn sub(a: f64, b: f64) -> Result<f64, String> {
    add(a, -b)
}

pub(super) fn mul(a: f64, b: f64) -> Result<f64, String> {
    let exact = |a: Decimal, b: Decimal| {
        Some(Decimal {
            digits: a.digits.checked_mul(b.digits)?,
            scale: a.scale.checked_add(b.scale)?,
        })
    };
    apply(a, b, exact, |a, b| a * b)
}

pub(super) fn div(a: f64, b: f64) -> Result<f64, String> {
    if b == 0.0 {
        return Err("decimal division by 0".to_owned());
    }
    let exact = |a: Decimal, b: Decimal| {
        // a.digits/10^a.scale over b.digits/10^b.scale, in units of 10^-16, rounded half away from zero.
        let up = 10i128.checked_pow(DIVISION.checked_add(b.scale)?)?;
        let over = b.digits.checked_mul(10i128.checked_pow(a.scale)?)?;
        let top = a.digits.checked_mul(up)?;
        let (quotient, left) = (top / over, top % over);
        let round = i128::from(left.unsigned_abs() * 2 >= over.unsigned_abs());
        let sign = if (top < 0) == (over < 0) { 1 } else { -1 };
        Some(Decimal {
            digits: quotient + sign * round,
            scale: DIVISION,
        })
    };
    apply(a, b, exact, |a, b| a / b)
}
