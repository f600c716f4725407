//! Functions of numbers.

use std::cmp::Ordering;

use super::{Asked, Function, function, global};
use crate::ops;
use crate::outcome::Raise;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    function("math.greatest", false, (1, 64), greatest).not_in_rules(),
    function("math.least", false, (1, 64), least).not_in_rules(),
    global("math.ceil", 1, |k, a| on_double(k, a, f64::ceil)).not_in_rules(),
    global("math.floor", 1, |k, a| on_double(k, a, f64::floor)).not_in_rules(),
    global("math.round", 1, |k, a| on_double(k, a, f64::round)).not_in_rules(),
    global("math.trunc", 1, |k, a| on_double(k, a, f64::trunc)).not_in_rules(),
    global("math.sqrt", 1, sqrt).not_in_rules(),
    global("math.abs", 1, abs).not_in_rules(),
    global("math.sign", 1, sign).not_in_rules(),
    global("math.isNaN", 1, |k, a| ask_double(k, a, f64::is_nan)).not_in_rules(),
    global("math.isInf", 1, |k, a| ask_double(k, a, f64::is_infinite)).not_in_rules(),
    global("math.isFinite", 1, |k, a| ask_double(k, a, f64::is_finite)).not_in_rules(),
    global("math.bitAnd", 2, |_, a| on_bits(a, |x, y| x & y)).not_in_rules(),
    global("math.bitOr", 2, |_, a| on_bits(a, |x, y| x | y)).not_in_rules(),
    global("math.bitXor", 2, |_, a| on_bits(a, |x, y| x ^ y)).not_in_rules(),
    global("math.bitNot", 1, bit_not).not_in_rules(),
    global("math.bitShiftLeft", 2, shift_left).not_in_rules(),
    global("math.bitShiftRight", 2, shift_right).not_in_rules(),
];

fn extreme<'a>(
    asked: &mut Asked<'_>,
    args: &[Val<'a>],
    wanted: Ordering,
) -> Result<Val<'a>, Raise> {
    let items = match args {
        [Val::List(list)] => list.items(),
        args => args.to_vec(),
    };
    let mut items = items.into_iter();
    let mut best = items
        .next()
        .ok_or_else(|| Raise::argument("there is no number in the list"))?;
    let is_number = |value: &Val<'_>| matches!(value, Val::Int(_) | Val::UInt(_) | Val::Double(_));
    if !is_number(&best) {
        return Err(Raise::Types);
    }
    for item in items {
        if !is_number(&item) {
            return Err(Raise::Types);
        }
        if ops::compare(asked.meter, &item, &best)? == Some(wanted) {
            best = item;
        }
    }
    Ok(best)
}

fn greatest<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    extreme(asked, args, Ordering::Greater)
}

fn least<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    extreme(asked, args, Ordering::Less)
}

/// Whole numbers are taken too: data does not say which of them it holds.
fn double(asked: &Asked<'_>, value: &Val<'_>) -> Result<f64, Raise> {
    match value {
        Val::Double(d) => Ok(*d),
        Val::Int(i) if asked.meter.mixes() => Ok(ops::to_double(*i)),
        _ => Err(Raise::Types),
    }
}

fn on_double<'a>(
    asked: &Asked<'_>,
    args: &[Val<'a>],
    apply: fn(f64) -> f64,
) -> Result<Val<'a>, Raise> {
    Ok(Val::Double(apply(double(asked, &args[0])?)))
}

fn ask_double<'a>(
    asked: &Asked<'_>,
    args: &[Val<'a>],
    ask: fn(f64) -> bool,
) -> Result<Val<'a>, Raise> {
    Ok(Val::Bool(ask(double(asked, &args[0])?)))
}

/// The root of a number of any type.
fn sqrt<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Double(match &args[0] {
        Val::Double(d) => d.sqrt(),
        Val::Int(i) => ops::to_double(*i).sqrt(),
        Val::UInt(u) => ops::unsigned_to_double(*u).sqrt(),
        _ => return Err(Raise::Types),
    }))
}

fn abs<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(match &args[0] {
        Val::Int(i) => Val::Int(
            i.checked_abs()
                .ok_or_else(|| Raise::arithmetic("the result is beyond 64 bits"))?,
        ),
        Val::UInt(u) => Val::UInt(*u),
        Val::Double(d) => Val::Double(d.abs()),
        _ => return Err(Raise::Types),
    })
}

fn sign<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(match &args[0] {
        Val::Int(i) => Val::Int(i.signum()),
        Val::UInt(u) => Val::UInt(u64::from(*u > 0)),
        Val::Double(d) if d.is_nan() || *d == 0.0 => Val::Double(*d),
        Val::Double(d) => Val::Double(d.signum()),
        _ => return Err(Raise::Types),
    })
}

fn on_bits<'a>(args: &[Val<'a>], apply: fn(u64, u64) -> u64) -> Result<Val<'a>, Raise> {
    Ok(match (&args[0], &args[1]) {
        (Val::Int(a), Val::Int(b)) => {
            Val::Int(apply(a.cast_unsigned(), b.cast_unsigned()).cast_signed())
        }
        (Val::UInt(a), Val::UInt(b)) => Val::UInt(apply(*a, *b)),
        _ => return Err(Raise::Types),
    })
}

fn bit_not<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(match &args[0] {
        Val::Int(i) => Val::Int(!i),
        Val::UInt(u) => Val::UInt(!u),
        _ => return Err(Raise::Types),
    })
}

fn distance(value: &Val<'_>) -> Result<u32, Raise> {
    let Val::Int(by) = value else {
        return Err(Raise::Types);
    };
    match u32::try_from(*by) {
        Ok(by) => Ok(by),
        Err(_) if *by < 0 => Err(Raise::argument("a shift is not negative")),
        Err(_) => Ok(u32::MAX),
    }
}

fn shift_left<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let by = distance(&args[1])?;
    Ok(match &args[0] {
        Val::Int(i) => Val::Int(i.cast_unsigned().checked_shl(by).unwrap_or(0).cast_signed()),
        Val::UInt(u) => Val::UInt(u.checked_shl(by).unwrap_or(0)),
        _ => return Err(Raise::Types),
    })
}

fn shift_right<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let by = distance(&args[1])?;
    Ok(match &args[0] {
        // The bits move, not the number: zeros come in from the left, as in CEL's math extension.
        Val::Int(i) => Val::Int(i.cast_unsigned().checked_shr(by).unwrap_or(0).cast_signed()),
        Val::UInt(u) => Val::UInt(u.checked_shr(by).unwrap_or(0)),
        _ => return Err(Raise::Types),
    })
}
