//! How much is this Kubernetes quantity (`500m`, `1Gi`, `1e3`)?

/// A parsed quantity: an amount of nanos at the finest, as `k8s.io/apimachinery` keeps it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    value: f64,
}

/// A text that is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number with an optional suffix.
    #[error("a quantity is a number with an optional suffix, like 500m, 1Gi or 1e3")]
    Format,
    /// A suffix that is none of Kubernetes'.
    #[error("the suffix is none of n u m k M G T P E Ki Mi Gi Ti Pi Ei or an exponent")]
    Suffix,
}

impl Quantity {
    /// Parses a quantity by the rules of `resource.ParseQuantity`.
    ///
    /// # Errors
    /// When the text is no number, or its suffix is unknown.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let negative = text.starts_with('-');
        let digits_of = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = unsigned.split_at(digits_of(unsigned));
        let (part, suffix) = match rest.strip_prefix('.') {
            Some(after) => after.split_at(digits_of(after)),
            None => ("", rest),
        };
        let (base, exponent) = suffix_of(suffix)?;
        if whole.is_empty() && part.is_empty() && !suffix.is_empty() {
            return Err(QuantityError::Format);
        }
        let value = amount(whole, part, base, exponent);
        Ok(Self {
            value: if negative { -value } else { value },
        })
    }

    /// The nearest number, as `AsApproximateFloat64` gives it.
    pub fn to_f64(self) -> f64 {
        self.value
    }
}

/// The base and the exponent a suffix stands for.
fn suffix_of(suffix: &str) -> Result<(u32, i32), QuantityError> {
    let known = match suffix {
        "n" => (10, -9),
        "u" => (10, -6),
        "m" => (10, -3),
        "" => (10, 0),
        "k" => (10, 3),
        "M" => (10, 6),
        "G" => (10, 9),
        "T" => (10, 12),
        "P" => (10, 15),
        "E" => (10, 18),
        "Ki" => (2, 10),
        "Mi" => (2, 20),
        "Gi" => (2, 30),
        "Ti" => (2, 40),
        "Pi" => (2, 50),
        "Ei" => (2, 60),
        _ => {
            let Some(exponent) = suffix.strip_prefix(['e', 'E']) else {
                let letters = suffix.bytes().all(|b| b"eEinumkKMGTP".contains(&b));
                return Err(if letters {
                    QuantityError::Suffix
                } else {
                    QuantityError::Format
                });
            };
            let exponent: i64 = exponent.parse().map_err(|_| QuantityError::Suffix)?;
            let exponent = i32::try_from(exponent).map_err(|_| QuantityError::Suffix)?;
            (10, exponent)
        }
    };
    Ok(known)
}

fn amount(whole: &str, part: &str, base: u32, exponent: i32) -> f64 {
    let scale = i32::try_from(part.len()).unwrap_or(i32::MAX);
    let digits = format!("{whole}{part}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return 0.0;
    }
    let (unscaled, power) = if base == 2 {
        let Ok(number) = digits.parse::<u128>() else {
            return if scale == 0 {
                9_223_372_036_854_775_807.0
            } else {
                approximate(digits, -scale)
            };
        };
        let Some(number) = number.checked_mul(1u128 << exponent.unsigned_abs()) else {
            return approximate(digits, -scale) * 2f64.powi(exponent);
        };
        // A binary quantity is capped at the largest 64-bit number.
        let cap = u128::from(i64::MAX.unsigned_abs());
        let limit = 10u128
            .checked_pow(scale.unsigned_abs())
            .and_then(|unit| cap.checked_mul(unit));
        match limit {
            Some(limit) if number > limit => return 9_223_372_036_854_775_807.0,
            _ => (number, -scale),
        }
    } else {
        match digits.parse::<u128>() {
            Ok(number) => (number, exponent.saturating_sub(scale)),
            Err(_) => return approximate(digits, exponent.saturating_sub(scale)),
        }
    };
    round_to_nano(unscaled, power)
}

/// Nothing finer than a nano is kept, and a rest is rounded up.
fn round_to_nano(mut unscaled: u128, mut power: i32) -> f64 {
    if power < -9 {
        let drop = 10u128.checked_pow((-9 - power).unsigned_abs());
        unscaled = drop.map_or(1, |unit| unscaled.div_ceil(unit));
        power = -9;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "the nearest double is what is asked for"
    )]
    let number = unscaled as f64;
    number * approximate("1", power)
}

/// A decimal number with an exponent, as the nearest double.
fn approximate(digits: &str, power: i32) -> f64 {
    format!("{digits}e{power}").parse().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::{Quantity, QuantityError};

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        for (text, value) in [
            ("1000m", 1.0),
            ("1Gi", 1_073_741_824.0),
            ("10Gi", 10_737_418_240.0),
            ("0.5", 0.5),
            (".5", 0.5),
            ("1.", 1.0),
            ("-1.5k", -1500.0),
            ("+7", 7.0),
            ("1e3", 1000.0),
            ("12E-1", 1.2),
            ("1E", 1e18),
            ("1.5Ki", 1536.0),
            ("100n", 1e-7),
            ("0.1n", 1e-9),
            ("100Ei", 9_223_372_036_854_775_807.0),
            ("0", 0.0),
            ("00m", 0.0),
        ] {
            let quantity = Quantity::parse(text).expect(text);
            assert!(
                (quantity.to_f64() - value).abs() <= value.abs() * 1e-15,
                "{text}"
            );
        }
        for (text, error) in [
            ("", QuantityError::Format),
            ("bad", QuantityError::Format),
            ("1000 blabla", QuantityError::Format),
            ("1.2.3", QuantityError::Format),
            ("1K", QuantityError::Suffix),
            ("1e", QuantityError::Suffix),
            ("1MM", QuantityError::Suffix),
        ] {
            assert_eq!(Quantity::parse(text), Err(error), "{text}");
        }
    }
}
