//! What is this number multiplied or clamped?

use purlin_object::Value;

use super::Data;
use crate::fault::Fault;
use purlin_template::gofmt::Arg;

/// A compiled `math` transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Math {
    Multiply(i64),
    ClampMin(i64),
    ClampMax(i64),
}

impl Math {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "as Go converts"
    )]
    pub(super) fn apply(self, data: Data<'_>) -> Result<Data<'_>, Fault> {
        // A double is clamped by its whole part: 2.9 is not above 2, and stays 2.9. Upstream's rule.
        let whole = match data.arg() {
            Arg::Int(number) => number,
            Arg::Float(number) => number as i64,
            other => {
                return Err(Fault::of(
                    other,
                    "math needs a number; convert the value to int64 or float64 first",
                ));
            }
        };
        let result = match self {
            Self::Multiply(factor) => match data.arg() {
                Arg::Float(number) => Value::Double(number * factor as f64),
                _ => Value::Int(whole.wrapping_mul(factor)),
            },
            Self::ClampMin(least) if whole < least => Value::Int(least),
            Self::ClampMax(most) if whole > most => Value::Int(most),
            Self::ClampMin(_) | Self::ClampMax(_) => return Ok(data),
        };
        Ok(Data::Owned(result))
    }
}
