//! Functions of optional values.

use std::rc::Rc;

use super::{Asked, Function, Lazy, global, member};
use crate::list::List;
use crate::outcome::Raise;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("optional.of", 1, |_, a| {
        Ok(Val::Optional(Some(Rc::new(a[0].clone()))))
    }),
    global("optional.none", 0, |_, _| Ok(Val::Optional(None))),
    global("optional.ofNonZeroValue", 1, of_non_zero),
    member("hasValue", 0, has_value),
    member("value", 0, value),
    member("unwrapOpt", 0, unwrap).not_in_rules(),
    global("optional.unwrap", 1, unwrap).not_in_rules(),
    // Nothing: the field or element it fills is left out.
    global("omit", 0, |_, _| Ok(Val::Optional(None))).not_in_rules(),
    // Both are evaluated by the machine: what stands behind them is only looked at when it is needed.
    member("or", 1, unreachable_lazy).lazy(Lazy::Or),
    member("orValue", 1, unreachable_lazy).lazy(Lazy::OrValue),
];

fn unreachable_lazy<'a>(_: &mut Asked<'_>, _: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Err(Raise::Types)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
fn of_non_zero<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let zero = match &args[0] {
        Val::Null | Val::Optional(None) => true,
        Val::Bool(b) => !b,
        Val::Int(i) | Val::Duration(i) => *i == 0,
        Val::UInt(u) => *u == 0,
        Val::Double(d) => *d == 0.0,
        Val::String(text) => text.as_str().is_empty(),
        Val::Bytes(bytes) => bytes.is_empty(),
        Val::List(list) => list.len() == 0,
        Val::Map(map) => map.len() == Some(0),
        Val::Optional(Some(_)) | Val::Timestamp(_) | Val::Type(_) | Val::Special(_) => false,
    };
    Ok(Val::Optional((!zero).then(|| Rc::new(args[0].clone()))))
}

fn has_value<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    match &args[0] {
        Val::Optional(inner) => Ok(Val::Bool(inner.is_some())),
        _ => Err(Raise::Types),
    }
}

fn value<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    match &args[0] {
        Val::Optional(Some(inner)) => Ok((**inner).clone()),
        Val::Optional(None) => Err(Raise::argument("the optional has no value")),
        _ => Err(Raise::Types),
    }
}

/// The values of a list of optionals that have one.
fn unwrap<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let Val::List(list) = &args[0] else {
        return Err(Raise::Types);
    };
    asked.meter.values(list.len())?;
    let mut kept = Vec::new();
    for item in list.items() {
        match item {
            Val::Optional(inner) => kept.extend(inner.map(|inner| (*inner).clone())),
            _ => return Err(Raise::Types),
        }
    }
    Ok(Val::List(List::owned(kept)))
}
