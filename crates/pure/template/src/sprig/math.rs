//! Sprig's arithmetic: on `int64` unless the name ends in `f`.

use super::{Made, arg, decimal, f, int, rest};
use crate::gofmt::parse_float;
use crate::library::{Function, Param};
use crate::value::{Value, Whole};

use Param::{Any, Float, Int, Text};

pub(super) static FUNCTIONS: &[Function] = &[
    f("add1", &[Any], |_, a| {
        Ok(Value::int64(whole(arg(a, 0)).wrapping_add(1)))
    }),
    rest("add", &[], Any, |_, a| {
        Ok(Value::int64(a.iter().map(whole).fold(0, i64::wrapping_add)))
    }),
    f("sub", &[Any, Any], |_, a| {
        Ok(Value::int64(
            whole(arg(a, 0)).wrapping_sub(whole(arg(a, 1))),
        ))
    }),
    f("div", &[Any, Any], |_, a| match whole(arg(a, 1)) {
        0 => Err("runtime error: integer divide by zero".to_owned()),
        by => Ok(Value::int64(whole(arg(a, 0)).wrapping_div(by))),
    }),
    f("mod", &[Any, Any], |_, a| match whole(arg(a, 1)) {
        0 => Err("runtime error: integer divide by zero".to_owned()),
        by => Ok(Value::int64(whole(arg(a, 0)).wrapping_rem(by))),
    }),
    rest("mul", &[Any], Any, |_, a| {
        Ok(Value::int64(a.iter().map(whole).fold(1, i64::wrapping_mul)))
    }),
    f("add1f", &[Any], |_, a| {
        decimals(float(arg(a, 0)), &[Value::int(1)], decimal::add)
    }),
    rest("addf", &[], Any, |_, a| decimals(0.0, a, decimal::add)),
    rest("subf", &[Any], Any, |_, a| from_first(a, decimal::sub)),
    rest("mulf", &[Any], Any, |_, a| from_first(a, decimal::mul)),
    rest("divf", &[Any], Any, |_, a| from_first(a, decimal::div)),
    rest("max", &[Any], Any, |_, a| {
        Ok(Value::int64(a.iter().map(whole).max().unwrap_or_default()))
    }),
    rest("biggest", &[Any], Any, |_, a| {
        Ok(Value::int64(a.iter().map(whole).max().unwrap_or_default()))
    }),
    rest("min", &[Any], Any, |_, a| {
        Ok(Value::int64(a.iter().map(whole).min().unwrap_or_default()))
    }),
    rest("maxf", &[Any], Any, |_, a| {
        Ok(Value::Float(
            a.iter().map(float).fold(f64::NEG_INFINITY, f64::max),
        ))
    }),
    rest("minf", &[Any], Any, |_, a| {
        Ok(Value::Float(
            a.iter().map(float).fold(f64::INFINITY, f64::min),
        ))
    }),
    f("ceil", &[Any], |_, a| {
        Ok(Value::Float(float(arg(a, 0)).ceil()))
    }),
    f("floor", &[Any], |_, a| {
        Ok(Value::Float(float(arg(a, 0)).floor()))
    }),
    rest("round", &[Any, Int], Float, |_, a| {
        let on = if a.len() > 2 { float(arg(a, 2)) } else { 0.5 };
        let places = i32::try_from(int(a, 1)).unwrap_or_default();
        let power = 10f64.powi(places);
        let digits = power * float(arg(a, 0));
        let rounded = if digits.fract() >= on {
            digits.ceil()
        } else {
            digits.floor()
        };
        Ok(Value::Float(rounded / power))
    }),
    f("int", &[Any], |_, a| Ok(Value::int(whole(arg(a, 0))))),
    f("int64", &[Any], |_, a| Ok(Value::int64(whole(arg(a, 0))))),
    f("float64", &[Any], |_, a| Ok(Value::Float(float(arg(a, 0))))),
    f("atoi", &[Text], |_, a| {
        Ok(Value::int(super::text(a, 0).parse().unwrap_or_default()))
    }),
    f("toDecimal", &[Any], |_, a| {
        let shown = arg(a, 0).shown();
        let text = std::str::from_utf8(&shown).unwrap_or_default();
        Ok(Value::int64(
            i64::from_str_radix(text, 8).unwrap_or_default(),
        ))
    }),
];

fn from_first(a: &[Value], apply: fn(f64, f64) -> Result<f64, String>) -> Made {
    decimals(float(arg(a, 0)), a.get(1..).unwrap_or_default(), apply)
}

fn decimals(first: f64, others: &[Value], apply: fn(f64, f64) -> Result<f64, String>) -> Made {
    let result = (others.iter()).try_fold(first, |held, value| apply(held, float(value)));
    result.map(Value::Float)
}

/// `cast.ToInt64`: nought for what is no number.
pub(super) fn whole(value: &Value) -> i64 {
    match value {
        Value::Int(value, _) => *value,
        Value::Float(value) => truncated(*value),
        Value::Bool(value) => i64::from(*value),
        Value::Text(text) => std::str::from_utf8(text).ok().map_or(0, whole_text),
        _ => 0,
    }
}

/// `int64(value)`: what does not fit is the smallest number, as on the processors that servers mostly have.
#[expect(clippy::cast_possible_truncation, reason = "as Go converts")]
fn truncated(value: f64) -> i64 {
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    if (-ABOVE..ABOVE).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

/// `strconv.ParseInt(text, 0, 0)`, a fraction of noughts cut off before.
fn whole_text(text: &str) -> i64 {
    let text = match text.split_once('.') {
        Some((whole, part)) if !part.is_empty() && part.bytes().all(|b| b == b'0') => whole,
        _ => text,
    };
    let negative = text.starts_with('-');
    let unsigned = text
        .strip_prefix(['+', '-'])
        .unwrap_or(text)
        .to_ascii_lowercase();
    let (radix, digits) = match unsigned.get(..2) {
        Some("0x") => (16, unsigned.get(2..)),
        Some("0o") => (8, unsigned.get(2..)),
        Some("0b") => (2, unsigned.get(2..)),
        _ if unsigned.len() > 1 && unsigned.starts_with('0') => (8, unsigned.get(1..)),
        _ => (10, Some(unsigned.as_str())),
    };
    let digits = digits.unwrap_or_default();
    if digits.starts_with(['+', '-']) {
        return 0;
    }
    let digits = if text.len() > 1 && text.starts_with('0') {
        digits.replace('_', "")
    } else {
        digits.to_owned()
    };
    match u64::from_str_radix(&digits, radix) {
        Ok(size) if negative => 0i64.checked_sub_unsigned(size).unwrap_or_default(),
        Ok(size) => i64::try_from(size).unwrap_or_default(),
        Err(_) => 0,
    }
}

/// A number without the underscores between its digits; nothing when one stands elsewhere.
fn grouped(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('_').collect();
    let digit = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_digit());
    let between = parts.windows(2).all(|pair| match pair {
        [before, after] => digit(before.bytes().last()) && digit(after.bytes().next()),
        _ => true,
    });
    (parts.len() > 1 && between).then(|| parts.concat())
}

/// `cast.ToFloat64`: nought for what is no number.
#[expect(clippy::cast_precision_loss, reason = "as Go converts")]
pub(super) fn float(value: &Value) -> f64 {
    match value {
        Value::Int(value, Whole::Uint64) => value.cast_unsigned() as f64,
        Value::Int(value, _) => *value as f64,
        Value::Float(value) => *value,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Text(text) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| parse_float(text).or_else(|| parse_float(&grouped(text)?)))
            .unwrap_or_default(),
        _ => 0.0,
    }
}
