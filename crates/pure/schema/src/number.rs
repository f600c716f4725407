//! Does a number fit its bounds and its format?

use serde_json::{Number, Value};

use crate::error::{FieldError, WHOLE};
use crate::structural::Schema;

/// Whether a value is an integer, or a float without a fraction that a JSON number can hold exactly.
pub(crate) fn is_whole(value: &Value) -> bool {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    match value {
        Value::Number(number) if number.is_f64() => number
            .as_f64()
            .is_some_and(|f| f.fract() == 0.0 && f.abs() <= LARGEST),
        Value::Number(_) => true,
        _ => false,
    }
}

pub(crate) fn check(
    number: &Number,
    value: &Value,
    schema: &Schema,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    let Some(float) = number.as_f64() else {
        return;
    };
    if let Some(format) = schema.format.as_deref()
        && !in_range(number, float, format)
    {
        let detail = format!("must be in the range of format {format}");
        errors.push(FieldError::invalid(WHOLE, value, &detail));
    }
    if let Some(factor) = schema
        .multiple_of
        .filter(|factor| !is_multiple(float, *factor))
    {
        let detail = format!("should be a multiple of {factor}");
        errors.push(FieldError::invalid(path, value, &detail));
    }
    if let Some(max) = schema.maximum
        && (float > max || (schema.exclusive_maximum && float >= max))
    {
        let or_equal = if schema.exclusive_maximum {
            ""
        } else {
            " or equal to"
        };
        let detail = format!("should be less than{or_equal} {max}");
        errors.push(FieldError::invalid(path, value, &detail));
    }
    if let Some(min) = schema.minimum
        && (float < min || (schema.exclusive_minimum && float <= min))
    {
        let or_equal = if schema.exclusive_minimum {
            ""
        } else {
            " or equal to"
        };
        let detail = format!("should be greater than{or_equal} {min}");
        errors.push(FieldError::invalid(path, value, &detail));
    }
}

fn in_range(number: &Number, float: f64, format: &str) -> bool {
    match format {
        "int32" => (-2_147_483_648.0..=2_147_483_647.0).contains(&float),
        "uint32" => (0.0..=4_294_967_295.0).contains(&float),
        "int64" => number.is_i64() || (number.is_f64() && float.abs() < 9.3e18),
        "uint64" => float >= 0.0,
        "float" | "float32" => float.abs() <= f64::from(f32::MAX),
        _ => true,
    }
}

/// Whole after division, within the rounding of floats: `0.3` is a multiple of `0.1`.
fn is_multiple(float: f64, factor: f64) -> bool {
    if factor <= 0.0 {
        return false;
    }
    let times = if factor < 1.0 {
        1.0 / factor * float
    } else {
        float / factor
    };
    let nearest = times.round();
    (times - nearest).abs() <= 1e-9 * times.abs().max(1.0)
}
