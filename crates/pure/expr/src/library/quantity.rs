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
        Ok(Val::Int(i64::from(
            i8::from(of(&a[0])? > 0) - i8::from(of(&a[0])? < 0),
        )))
    }),
    member("isInteger", 0, |_, a| {
        Ok(Val::Bool(integer(of(&a[0])?).is_some()))
    }),
    member("asInteger", 0, |_, a| {
        integer(of(&a[0])?)
            .map(Val::Int)
            .ok_or_else(|| Raise::argument("the quantity is not a whole number of 64 bits"))
    }),
    member("asApproximateFloat", 0, |_, a| {
        Ok(Val::Double(approximate(of(&a[0])?)))
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
    member("add", 1, |_, a| sum(a, i128::checked_add)),
    member("sub", 1, |_, a| sum(a, i128::checked_sub)),
];

/// An amount in units of 10^-9, the finest a quantity has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity(pub(crate) i128);

const NANO: i128 = 1_000_000_000;

fn made<'a>(quantity: Quantity) -> Val<'a> {
    Val::Special(Rc::new(Special::Quantity(quantity)))
}

fn of(value: &Val<'_>) -> Result<i128, Raise> {
    match value {
        Val::Special(special) => match special.as_ref() {
            Special::Quantity(Quantity(nanos)) => Ok(*nanos),
            _ => Err(Raise::Types),
        },
        _ => Err(Raise::Types),
    }
}

fn integer(nanos: i128) -> Option<i64> {
    (nanos % NANO == 0)
        .then(|| i64::try_from(nanos / NANO).ok())
        .flatten()
}

#[expect(clippy::cast_precision_loss, reason = "approximate by name")]
fn approximate(nanos: i128) -> f64 {
    nanos as f64 / 1e9
}

fn compare(args: &[Val<'_>]) -> Result<Ordering, Raise> {
    if let (Val::Special(a), Val::Special(b)) = (&args[0], &args[1])
        && let (Special::Semver(a), Special::Semver(b)) = (a.as_ref(), b.as_ref())
    {
        return Ok(a.0.cmp_precedence(&b.0));
    }
    Ok(of(&args[0])?.cmp(&of(&args[1])?))
}

fn sum<'a>(args: &[Val<'a>], apply: fn(i128, i128) -> Option<i128>) -> Result<Val<'a>, Raise> {
    let other = match &args[1] {
        Val::Int(i) => i128::from(*i) * NANO,
        other => of(other)?,
    };
    apply(of(&args[0])?, other)
        .map(|nanos| made(Quantity(nanos)))
        .ok_or_else(|| Raise::arithmetic("the quantity is out of range"))
}

fn parse(text: &str) -> Result<Quantity, Raise> {
    amount(text)
        .map(Quantity)
        .ok_or_else(|| Raise::argument(format!("{text:?} is not a quantity like 500m or 1.5Gi")))
}

fn amount(text: &str) -> Option<i128> {
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
    if units.is_empty() && fraction.is_empty() || fraction.contains('.') || number.len() > 30 {
        return None;
    }
    let digits: i128 = format!("{units}{fraction}").parse().ok()?;
    let places = u32::try_from(fraction.len()).ok()?;
    // The value is digits × scale / 10^places; finer parts than 10^-9 round away from zero.
    let scaled = match scale(suffix)? {
        Scale::Binary(power) => digits.checked_mul(1 << power)?.checked_mul(NANO)?,
        Scale::Ten(power) if power >= -9 => {
            digits.checked_mul(10_i128.checked_pow(u32::try_from(power + 9).ok()?)?)?
        }
        Scale::Ten(_) => return None,
    };
    let divisor = 10_i128.checked_pow(places)?;
    let nanos = scaled / divisor + i128::from(scaled % divisor != 0);
    Some(if negative { -nanos } else { nanos })
}

enum Scale {
    Binary(u32),
    Ten(i32),
}

fn scale(suffix: &str) -> Option<Scale> {
    Some(match suffix {
        "" => Scale::Ten(0),
        "n" => Scale::Ten(-9),
        "u" => Scale::Ten(-6),
        "m" => Scale::Ten(-3),
        "k" => Scale::Ten(3),
        "M" => Scale::Ten(6),
        "G" => Scale::Ten(9),
        "T" => Scale::Ten(12),
        "P" => Scale::Ten(15),
        "E" => Scale::Ten(18),
        "Ki" => Scale::Binary(10),
        "Mi" => Scale::Binary(20),
        "Gi" => Scale::Binary(30),
        "Ti" => Scale::Binary(40),
        "Pi" => Scale::Binary(50),
        "Ei" => Scale::Binary(60),
        exponent => {
            let digits = exponent.strip_prefix(['e', 'E'])?;
            Scale::Ten(
                digits
                    .parse()
                    .ok()
                    .filter(|power: &i32| (-9..=18).contains(power))?,
            )
        }
    })
}

/// The amount as a plain decimal number.
pub(crate) fn show(Quantity(nanos): Quantity) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    let (units, rest) = (all / 1_000_000_000, all % 1_000_000_000);
    if rest == 0 {
        format!("{sign}{units}")
    } else {
        format!(
            "{sign}{units}.{}",
            format!("{rest:09}").trim_end_matches('0')
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, nanos) in [
            ("1", 1_000_000_000),
            ("500m", 500_000_000),
            ("1.5Gi", 1_610_612_736_000_000_000),
            ("1e3", 1_000_000_000_000),
            ("-2k", -2_000_000_000_000),
            (".5", 500_000_000),
            ("1n", 1),
        ] {
            assert_eq!(amount(text), Some(nanos), "{text}");
        }
        for text in ["", "m", "1.2.3", "1x", "1 Gi", "--1", "1e99"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }
}
