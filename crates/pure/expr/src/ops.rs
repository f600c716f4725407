//! What do the operators of two operands give?

use std::cmp::Ordering;
use std::rc::Rc;

use crate::ast::Binary;
use crate::key::Key;
use crate::list::List;
use crate::map::Map;
use crate::meter::Meter;
use crate::outcome::Raise;
use crate::shape::{Keyed, Shape};
use crate::time;
use crate::value::Val;

/// Applies `operator`; both operands are there.
pub(crate) fn binary<'a>(
    meter: &mut Meter,
    operator: Binary,
    left: &Val<'a>,
    right: &Val<'a>,
) -> Result<Val<'a>, Raise> {
    match operator {
        Binary::Add => add(meter, left, right),
        Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Modulo => {
            arithmetic(meter.mixes(), operator, left, right)
        }
        Binary::Equal => Ok(Val::Bool(equal(meter, left, right)?)),
        Binary::NotEqual => Ok(Val::Bool(!equal(meter, left, right)?)),
        Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
            let order = compare(meter, left, right)?;
            Ok(Val::Bool(match operator {
                Binary::Less => order == Some(Ordering::Less),
                Binary::LessEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                Binary::Greater => order == Some(Ordering::Greater),
                _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            }))
        }
        Binary::In => contains(meter, left, right),
    }
}

fn contains<'a>(meter: &mut Meter, needle: &Val<'a>, range: &Val<'a>) -> Result<Val<'a>, Raise> {
    match range {
        Val::List(list) => {
            for item in list.walk() {
                meter.spend(1)?;
                if equal(meter, needle, &item)? {
                    return Ok(Val::Bool(true));
                }
            }
            Ok(Val::Bool(false))
        }
        Val::Map(map) => match Key::from_val(needle) {
            Some(key) => Ok(Val::Bool(map.get(&key).is_some())),
            // No key is a number with a fraction.
            None if matches!(needle, Val::Double(_)) => Ok(Val::Bool(false)),
            None => Err(Raise::Types),
        },
        _ => Err(Raise::Types),
    }
}

fn add<'a>(meter: &mut Meter, left: &Val<'a>, right: &Val<'a>) -> Result<Val<'a>, Raise> {
    Ok(match (left, right) {
        (Val::String(a), Val::String(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            meter.make(a.len() + b.len())?;
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(a);
            text.push_str(b);
            Val::text(text)
        }
        (Val::Bytes(a), Val::Bytes(b)) => {
            meter.make(a.len() + b.len())?;
            Val::Bytes(a.iter().chain(b.iter()).copied().collect())
        }
        (Val::List(a), Val::List(b)) => Val::List(join(meter, a, b)?),
        (Val::Timestamp(t), Val::Duration(d)) | (Val::Duration(d), Val::Timestamp(t)) => {
            time::timestamp(t + i128::from(*d))?
        }
        (Val::Duration(a), Val::Duration(b)) => Val::Duration(
            a.checked_add(*b)
                .ok_or_else(|| Raise::arithmetic("the duration is out of range"))?,
        ),
        _ => return arithmetic(meter.mixes(), Binary::Add, left, right),
    })
}

/// `+` of two lists; lists that a schema calls sets or maps are merged, the right one winning.
fn join<'a>(meter: &mut Meter, left: &List<'a>, right: &List<'a>) -> Result<List<'a>, Raise> {
    meter.values(left.len() + right.len())?;
    let mut items = left.items();
    let Some(shape) = left
        .shape()
        .or(right.shape())
        .filter(|shape| *shape.keyed() != Keyed::Atomic)
    else {
        items.extend(right.items());
        return Ok(List::owned(items));
    };
    for item in right.items() {
        let mut at = None;
        for (index, have) in items.iter().enumerate() {
            meter.spend(1)?;
            if same_element(meter, shape, have, &item)? {
                at = Some(index);
                break;
            }
        }
        match at {
            Some(at) => items[at] = item,
            None => items.push(item),
        }
    }
    Ok(List::owned(items))
}

/// Whether two elements of a keyed list are the same element.
fn same_element(meter: &mut Meter, shape: &Shape, a: &Val<'_>, b: &Val<'_>) -> Result<bool, Raise> {
    match shape.keyed() {
        Keyed::Map(keys) => {
            for key in keys {
                let (Val::Map(a), Val::Map(b)) = (a, b) else {
                    return Ok(false);
                };
                match (a.field(key), b.field(key)) {
                    (Some(a), Some(b)) if equal(meter, &a, &b)? => {}
                    (None, None) => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        Keyed::Set | Keyed::Atomic => equal(meter, a, b),
    }
}

fn overflow() -> Raise {
    Raise::arithmetic("the result is beyond 64 bits")
}

fn arithmetic<'a>(
    mixed: bool,
    operator: Binary,
    left: &Val<'a>,
    right: &Val<'a>,
) -> Result<Val<'a>, Raise> {
    Ok(match (left, right) {
        (Val::Int(a), Val::Int(b)) => Val::Int(int(operator, *a, *b)?),
        (Val::UInt(a), Val::UInt(b)) => Val::UInt(uint(operator, *a, *b)?),
        (Val::Double(a), Val::Double(b)) => Val::Double(double(operator, *a, *b)?),
        (Val::Int(a), Val::Double(b)) if mixed => Val::Double(double(operator, to_double(*a), *b)?),
        (Val::Double(a), Val::Int(b)) if mixed => Val::Double(double(operator, *a, to_double(*b))?),
        (Val::Timestamp(a), Val::Timestamp(b)) if operator == Binary::Subtract => Val::Duration(
            i64::try_from(a - b).map_err(|_| Raise::arithmetic("the duration is out of range"))?,
        ),
        (Val::Timestamp(t), Val::Duration(d)) if operator == Binary::Subtract => {
            time::timestamp(t - i128::from(*d))?
        }
        (Val::Duration(a), Val::Duration(b)) if operator == Binary::Subtract => Val::Duration(
            a.checked_sub(*b)
                .ok_or_else(|| Raise::arithmetic("the duration is out of range"))?,
        ),
        _ => return Err(Raise::Types),
    })
}

#[expect(clippy::cast_precision_loss, reason = "what CEL's double(int) does")]
pub(crate) fn to_double(i: i64) -> f64 {
    i as f64
}

#[expect(clippy::cast_precision_loss, reason = "what CEL's double(uint) does")]
pub(crate) fn unsigned_to_double(u: u64) -> f64 {
    u as f64
}

fn int(operator: Binary, a: i64, b: i64) -> Result<i64, Raise> {
    match operator {
        Binary::Add => a.checked_add(b).ok_or_else(overflow),
        Binary::Subtract => a.checked_sub(b).ok_or_else(overflow),
        Binary::Multiply => a.checked_mul(b).ok_or_else(overflow),
        Binary::Divide if b == 0 => Err(Raise::arithmetic("division by zero")),
        Binary::Divide => a.checked_div(b).ok_or_else(overflow),
        Binary::Modulo if b == 0 => Err(Raise::arithmetic("the rest of a division by zero")),
        Binary::Modulo => a.checked_rem(b).ok_or_else(overflow),
        _ => Err(Raise::Types),
    }
}

fn uint(operator: Binary, a: u64, b: u64) -> Result<u64, Raise> {
    match operator {
        Binary::Add => a.checked_add(b).ok_or_else(overflow),
        Binary::Subtract => a.checked_sub(b).ok_or_else(overflow),
        Binary::Multiply => a.checked_mul(b).ok_or_else(overflow),
        Binary::Divide => a
            .checked_div(b)
            .ok_or_else(|| Raise::arithmetic("division by zero")),
        Binary::Modulo => a
            .checked_rem(b)
            .ok_or_else(|| Raise::arithmetic("the rest of a division by zero")),
        _ => Err(Raise::Types),
    }
}

fn double(operator: Binary, a: f64, b: f64) -> Result<f64, Raise> {
    match operator {
        Binary::Add => Ok(a + b),
        Binary::Subtract => Ok(a - b),
        Binary::Multiply => Ok(a * b),
        Binary::Divide => Ok(a / b),
        // CEL has no rest of floating numbers.
        _ => Err(Raise::Types),
    }
}

/// Whether two values are equal; values of different kinds are not, numbers are compared across their types.
#[expect(
    clippy::match_same_arms,
    reason = "one arm per kind of value reads better"
)]
pub(crate) fn equal(meter: &mut Meter, left: &Val<'_>, right: &Val<'_>) -> Result<bool, Raise> {
    meter.spend(1)?;
    Ok(match (left, right) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::String(a), Val::String(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            meter.read(a.len().min(b.len()))?;
            a == b
        }
        (Val::Bytes(a), Val::Bytes(b)) => a == b,
        (Val::Timestamp(a), Val::Timestamp(b)) => a == b,
        (Val::Type(a), Val::Type(b)) => a == b,
        (Val::Special(a), Val::Special(b)) => Rc::ptr_eq(a, b) || a.equals(b),
        (Val::Optional(None), Val::Optional(None)) => true,
        (Val::Optional(Some(a)), Val::Optional(Some(b))) => equal(meter, a, b)?,
        (Val::List(a), Val::List(b)) => equal_lists(meter, a, b)?,
        (Val::Map(a), Val::Map(b)) => equal_maps(meter, a, b)?,
        (Val::Duration(a), Val::Duration(b)) => a == b,
        _ => numbers(left, right) == Some(Some(Ordering::Equal)),
    })
}

fn equal_lists(meter: &mut Meter, a: &List<'_>, b: &List<'_>) -> Result<bool, Raise> {
    let shape = a
        .shape()
        .or(b.shape())
        .filter(|shape| *shape.keyed() != Keyed::Atomic);
    let Some(shape) = shape else {
        let (mut a, mut b) = (a.walk(), b.walk());
        return loop {
            match (a.next(), b.next()) {
                (None, None) => break Ok(true),
                (Some(a), Some(b)) if equal(meter, &a, &b)? => {}
                _ => break Ok(false),
            }
        };
    };
    if a.len() != b.len() {
        return Ok(false);
    }
    let (a, b) = (a.items(), b.items());
    for a in &a {
        let mut found = false;
        for b in &b {
            meter.spend(1)?;
            if same_element(meter, shape, a, b)? {
                found = equal(meter, a, b)?;
                break;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_maps(meter: &mut Meter, a: &Map<'_>, b: &Map<'_>) -> Result<bool, Raise> {
    let (Some(entries), Some(other)) = (a.entries(), b.len()) else {
        return Ok(false);
    };
    if entries.len() != other {
        return Ok(false);
    }
    for (key, value) in entries {
        match b.get(&key) {
            Some(other) if equal(meter, &value, &other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The order of two values; `Some(None)` only for NaN.
///
/// # Errors
/// Values that have no order.
pub(crate) fn compare(
    meter: &mut Meter,
    left: &Val<'_>,
    right: &Val<'_>,
) -> Result<Option<Ordering>, Raise> {
    meter.spend(1)?;
    Ok(match (left, right) {
        (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
        (Val::String(a), Val::String(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            meter.read(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Val::Bytes(a), Val::Bytes(b)) => Some(a.cmp(b)),
        (Val::Duration(a), Val::Duration(b)) => Some(a.cmp(b)),
        (Val::Timestamp(a), Val::Timestamp(b)) => Some(a.cmp(b)),
        _ => return numbers(left, right).ok_or(Raise::Types),
    })
}

/// The order of two numbers of any types; the outer `None` when they are not both numbers.
#[expect(
    clippy::option_option,
    reason = "not numbers, and no order among them, are two answers"
)]
fn numbers(left: &Val<'_>, right: &Val<'_>) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
        (Val::UInt(a), Val::UInt(b)) => Some(a.cmp(b)),
        (Val::Double(a), Val::Double(b)) => a.partial_cmp(b),
        (Val::Int(a), Val::UInt(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::UInt(a), Val::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        // As the reference does: the whole number is made floating first, rounded if it is large.
        (Val::Int(a), Val::Double(b)) => to_double(*a).partial_cmp(b),
        (Val::Double(a), Val::Int(b)) => a.partial_cmp(&to_double(*b)),
        (Val::UInt(a), Val::Double(b)) => unsigned_to_double(*a).partial_cmp(b),
        (Val::Double(a), Val::UInt(b)) => a.partial_cmp(&unsigned_to_double(*b)),
        _ => return None,
    })
}
