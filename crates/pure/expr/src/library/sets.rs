//! Lists seen as sets.

use super::{Asked, Function, global};
use crate::ops;
use crate::outcome::Raise;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("sets.contains", 2, contains),
    global("sets.equivalent", 2, equivalent),
    global("sets.intersects", 2, intersects),
];

fn pair<'a>(args: &[Val<'a>]) -> Result<(Vec<Val<'a>>, Vec<Val<'a>>), Raise> {
    match args {
        [Val::List(a), Val::List(b)] => Ok((a.items(), b.items())),
        _ => Err(Raise::Types),
    }
}

fn has(asked: &mut Asked<'_>, items: &[Val<'_>], wanted: &Val<'_>) -> Result<bool, Raise> {
    for item in items {
        if ops::equal(asked.meter, item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn holds(asked: &mut Asked<'_>, items: &[Val<'_>], all: &[Val<'_>]) -> Result<bool, Raise> {
    for wanted in all {
        if !has(asked, items, wanted)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn contains<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (a, b) = pair(args)?;
    Ok(Val::Bool(holds(asked, &a, &b)?))
}

fn equivalent<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (a, b) = pair(args)?;
    Ok(Val::Bool(holds(asked, &a, &b)? && holds(asked, &b, &a)?))
}

fn intersects<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (a, b) = pair(args)?;
    for item in &b {
        if has(asked, &a, item)? {
            return Ok(Val::Bool(true));
        }
    }
    Ok(Val::Bool(false))
}
