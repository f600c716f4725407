//! Kubernetes quantities such as `500m` and `1.5Gi`, as its quantity library defines them.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Function, global, member, text};
use crate::outcome::Raise;
use crate::special::Special;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("quantity", 1, |_, a| Ok(made(parse(text(&a[0])?)?))),
    global("isQuantity", 1, |_, a| {
        Ok(Val::Bool(parse(text(&a[0])?).is_ok()))
    }),
    member("sign", 0, |_, a| {
        Ok(Val::Int(
            i64::try_from(of(&a[0])?.nanos.signum()).unwrap_or(0),
        ))
    }),
    member("isInteger", 0, |_, a| {
        Ok(Val::Bool(of(&a[0])?.integer().is_some()))
    }),
    member("asInteger", 0, |_, a| {
        of(&a[0])?
            .integer()
            .map(Val::Int)
            .ok_or_else(|| Raise::argument("the quantity is not a whole number of 64 bits"))
    }),
    member("asApproximateFloat", 0, |_, a| {
        Ok(Val::Double(of(&a[0])?.approximate()))
    }),
    member("isGreaterThan", 1, |_, a| {
        Ok(Val::Bool(compare(a)? == Ordering::Greater))
    }),
    member("isLessThan", 1, |_, a| {
        Ok(Val::Bool(compare(a)? == Ordering::Less))
    }),
    member("compareTo", 1, |_, a| {
        Ok(Val::Int(i64::from(compare(a)? as i8)))
    }),
    member("add", 1, |_, a| sum(a, false)),
    member("sub", 1, |_, a| sum(a, true)),
];

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `1.5k`
    Decimal,
    /// `1Ki`
    Binary,
    /// `1e3`
    Exponent,
}

/// An amount in units of 10^-9, the finest a quantity has.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    pub(crate) nanos: i128,
    /// The power of ten of its last digit, when the reference keeps it as digits and a power: only then does it say
    /// that it is an integer.
    scale: Option<i32>,
    form: Form,
}

const NANO: i128 = 1_000_000_000;
/// The largest amount of an unusual form; larger ones are this.
const LARGEST: i128 = i64::MAX as i128 * NANO;
/// Digits that the reference keeps in 64 bits.
const DIGITS: i32 = 18;

fn made<'a>(quantity: Quantity) -> Val<'a> {
    Val::Special(Rc::new(Special::Quantity(quantity)))
}

fn of(value: &Val<'_>) -> Result<Quantity, Raise> {
    match value {
        Val::Special(special) => match special.as_ref() {
            Special::Quantity(quantity) => Ok(*quantity),
            _ => Err(Raise::Types),
        },
        _ => Err(Raise::Types),
    }
}

impl Quantity {
    fn integer(self) -> Option<i64> {
        let whole = self.scale? >= 0 && self.nanos % NANO == 0;
        whole
            .then(|| i64::try_from(self.nanos / NANO).ok())
            .flatten()
    }

    #[expect(clippy::cast_precision_loss, reason = "approximate by name")]
    fn approximate(self) -> f64 {
        let scale = self.scale.unwrap_or(-9);
        let divisor = u32::try_from(scale + 9)
            .ok()
            .and_then(|p| 10_i128.checked_pow(p));
        let digits = divisor.map_or(self.nanos, |divisor| self.nanos / divisor);
        let factor: f64 = format!("1e{scale}").parse().unwrap_or(1.0);
        digits as f64 * factor
    }
}

fn compare(args: &[Val<'_>]) -> Result<Ordering, Raise> {
    if let (Val::Special(a), Val::Special(b)) = (&args[0], &args[1])
        && let (Special::Semver(a), Special::Semver(b)) = (a.as_ref(), b.as_ref())
    {
        return Ok(a.0.cmp_precedence(&b.0));
    }
    Ok(of(&args[0])?.nanos.cmp(&of(&args[1])?.nanos))
}

fn sum<'a>(args: &[Val<'a>], subtract: bool) -> Result<Val<'a>, Raise> {
    let a = of(&args[0])?;
    let b = match &args[1] {
        Val::Int(i) => Quantity {
            nanos: i128::from(*i) * NANO,
            scale: Some(0),
            form: Form::Exponent,
        },
        other => of(other)?,
    };
    let nanos = if subtract {
        a.nanos.checked_sub(b.nanos)
    } else {
        a.nanos.checked_add(b.nanos)
    };
    let nanos = nanos.ok_or_else(|| Raise::arithmetic("the quantity is out of range"))?;
    // Nothing plus something is written as the something is.
    let form = if a.nanos == 0 { b.form } else { a.form };
    let scale = match (a.scale, b.scale) {
        (Some(_), Some(scale)) if a.nanos == 0 => Some(scale),
        (Some(a), Some(b)) => Some(a.min(b)),
        _ => None,
    };
    Ok(made(Quantity { nanos, scale, form }))
}

fn parse(text: &str) -> Result<Quantity, Raise> {
    amount(text)
        .ok_or_else(|| Raise::argument(format!("{text:?} is not a quantity like 500m or 1.5Gi")))
}

fn amount(text: &str) -> Option<Quantity> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (units, fraction) = number.split_once('.').unwrap_or((number, ""));
    if units.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let units = units.trim_start_matches('0');
    let (form, scale) = suffix_of(suffix)?;
    let count = i32::try_from(units.len() + fraction.len()).ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let digits = format!("0{units}{fraction}");
    let short = match scale {
        Scale::Ten(power) => count <= DIGITS && power - places >= -9,
        Scale::Binary(power) => places == 0 && 15 - count - i32::try_from(power * 3 / 10).ok()? > 0,
    };
    let exact = match scale {
        Scale::Ten(power) => scaled(&digits, power - places),
        Scale::Binary(power) => scaled(&digits, -places)
            .and_then(|(nanos, rest)| Some((nanos.checked_mul(1 << power)?, rest)))
            // Digits beyond the finest unit may come back when they are multiplied.
            .filter(|(_, rest)| !rest)
            .or_else(|| binary(&digits, places, power)),
    };
    // Finer parts round away from zero, and what is too large is the largest.
    let nanos = match exact {
        Some((nanos, rest)) => nanos.saturating_add(i128::from(rest)),
        None => LARGEST,
    };
    let nanos = if short { nanos } else { nanos.min(LARGEST) };
    Some(Quantity {
        nanos: if negative { -nanos } else { nanos },
        scale: short.then_some(match scale {
            Scale::Ten(power) => power - places,
            Scale::Binary(_) => 0,
        }),
        form,
    })
}

/// Digits times a power of ten in units of 10^-9, and whether something finer is left. None when it is too large.
fn scaled(digits: &str, power: i32) -> Option<(i128, bool)> {
    let shift = power.checked_add(9)?;
    if digits.bytes().all(|b| b == b'0') {
        return Some((0, false));
    }
    if shift >= 0 {
        let value: i128 = digits.parse().ok()?;
        let factor = 10_i128.checked_pow(u32::try_from(shift).ok()?)?;
        return Some((value.checked_mul(factor)?, false));
    }
    let cut = usize::try_from(-shift).ok()?.min(digits.len());
    let (kept, rest) = digits.split_at(digits.len() - cut);
    let value: i128 = if kept.is_empty() {
        0
    } else {
        kept.parse().ok()?
    };
    Some((value, rest.bytes().any(|b| b != b'0')))
}

/// A fraction times a power of two.
fn binary(digits: &str, places: i32, power: u32) -> Option<(i128, bool)> {
    let value: i128 = digits.parse().ok()?;
    let scaled = value.checked_mul(1 << power)?.checked_mul(NANO)?;
    let divisor = 10_i128.checked_pow(u32::try_from(places).ok()?)?;
    Some((scaled / divisor, scaled % divisor != 0))
}

enum Scale {
    Binary(u32),
    Ten(i32),
}

/// Suffixes of powers of ten, by the power.
const TENS: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const TWOS: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

fn suffix_of(suffix: &str) -> Option<(Form, Scale)> {
    if let Some((_, power)) = TENS.iter().find(|(known, _)| *known == suffix) {
        return Some((Form::Decimal, Scale::Ten(*power)));
    }
    if let Some(at) = TWOS.iter().position(|known| *known == suffix) {
        let power = u32::try_from(at + 1).ok()? * 10;
        return Some((Form::Binary, Scale::Binary(power)));
    }
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    (-1000..=1000)
        .contains(&power)
        .then_some((Form::Exponent, Scale::Ten(power)))
}

/// The amount in its shortest form.
pub(crate) fn show(quantity: Quantity) -> String {
    let sign = if quantity.nanos < 0 { "-" } else { "" };
    let all = quantity.nanos.unsigned_abs();
    if all == 0 {
        return "0".to_owned();
    }
    if quantity.form == Form::Binary && all >= 1024 * NANO.unsigned_abs() {
        let mut number = all.div_ceil(NANO.unsigned_abs());
        let mut power = 0;
        while number.is_multiple_of(1024) && power < TWOS.len() {
            number /= 1024;
            power += 1;
        }
        let suffix = if power == 0 { "" } else { TWOS[power - 1] };
        return format!("{sign}{number}{suffix}");
    }
    let (mut number, mut power) = (all, -9);
    while number.is_multiple_of(10) {
        number /= 10;
        power += 1;
    }
    while power % 3 != 0 {
        number *= 10;
        power -= 1;
    }
    let known = TENS.iter().find(|(_, known)| *known == power);
    match known {
        _ if power == 0 => format!("{sign}{number}"),
        Some((suffix, _)) if quantity.form != Form::Exponent => format!("{sign}{number}{suffix}"),
        _ => format!("{sign}{number}e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, nanos, shown) in [
            ("1", 1_000_000_000, "1"),
            ("500m", 500_000_000, "500m"),
            ("1.5Gi", 1_610_612_736_000_000_000, "1536Mi"),
            ("1e3", 1_000_000_000_000, "1e3"),
            ("-2k", -2_000_000_000_000, "-2k"),
            (".5", 500_000_000, "500m"),
            ("1n", 1, "1n"),
            ("0.1n", 1, "1n"),
            ("-0.0000000001", -1, "-1n"),
            ("1000m", 1_000_000_000, "1"),
            ("1000Ki", 1_024_000_000_000_000, "1000Ki"),
            ("512Ki", 524_288_000_000_000, "512Ki"),
            ("00012", 12_000_000_000, "12"),
            ("0Gi", 0, "0"),
            ("0.0009765625Ki", 1_000_000_000, "1"),
        ] {
            let found = amount(text).unwrap();
            assert_eq!(
                (found.nanos, show(found)),
                (nanos, shown.to_owned()),
                "{text}"
            );
        }
        for text in [
            "", "m", "1.2.3", "1x", "1 Gi", "--1", ".", "1e", "1ki", "e3",
        ] {
            assert!(amount(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_what_is_kept_as_digits_and_a_power_is_an_integer() {
        for (text, whole) in [
            ("12", Some(12)),
            ("50k", Some(50_000)),
            ("1Mi", Some(1_048_576)),
            ("1e3", Some(1_000)),
            ("50m", None),
            ("1000m", None),
            ("1.0", None),
            ("1.5Gi", None),
            ("9999999999999999999999999999999999999G", None),
        ] {
            assert_eq!(amount(text).unwrap().integer(), whole, "{text}");
        }
        let large = amount("9999999999999999999999999999999999999G").unwrap();
        assert_eq!(large.nanos, LARGEST);
    }
}
