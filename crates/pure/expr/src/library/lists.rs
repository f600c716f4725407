//! Functions of lists.

use super::{Asked, Function, count, global, int, member};
use crate::each::sort as stable_sort;
use crate::list::List;
use crate::ops;
use crate::outcome::Raise;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("lists.range", 1, range),
    member("slice", 2, slice),
    member("flatten", 0, flatten).up_to(1),
    member("distinct", 0, distinct),
    member("sort", 0, sort),
    member("isSorted", 0, is_sorted),
    member("sum", 0, sum),
    member("min", 0, min),
    member("max", 0, max),
    member("includes", 1, includes),
    global("lists.setAtIndex", 3, set_at).not_in_rules(),
    global("lists.insertAtIndex", 3, insert_at).not_in_rules(),
    global("lists.removeAtIndex", 2, remove_at).not_in_rules(),
    member("first", 0, first).not_in_rules(),
    member("last", 0, last).not_in_rules(),
];

fn items<'a>(asked: &mut Asked<'_>, value: &Val<'a>) -> Result<Vec<Val<'a>>, Raise> {
    let Val::List(list) = value else {
        return Err(Raise::Types);
    };
    asked.meter.spend(list.len() as u64)?;
    Ok(list.items())
}

fn made<'a>(asked: &mut Asked<'_>, items: Vec<Val<'a>>) -> Result<Val<'a>, Raise> {
    asked.meter.values(items.len())?;
    Ok(Val::List(List::owned(items)))
}

fn range<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let end = int(&args[0])?.max(0);
    asked
        .meter
        .values(usize::try_from(end).unwrap_or(usize::MAX))?;
    Ok(Val::List(List::owned((0..end).map(Val::Int).collect())))
}

fn slice<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let items = items(asked, &args[0])?;
    let (from, to) = (int(&args[1])?, int(&args[2])?);
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) if from <= to && to <= items.len() => {
            made(asked, items[from..to].to_vec())
        }
        _ => Err(Raise::range(format!(
            "the part from {from} to {to} is outside of a list of {}",
            items.len()
        ))),
    }
}

fn flatten<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let depth = match args.get(1) {
        Some(depth) => int(depth)?,
        None => 1,
    };
    if depth < 0 {
        return Err(Raise::argument("the depth of `flatten` is not negative"));
    }
    let mut flat = items(asked, &args[0])?;
    for _ in 0..depth {
        let mut next = Vec::with_capacity(flat.len());
        let mut changed = false;
        for item in flat {
            if let Val::List(_) = &item {
                changed = true;
                next.extend(items(asked, &item)?);
            } else {
                next.push(item);
            }
        }
        flat = next;
        if !changed {
            break;
        }
    }
    made(asked, flat)
}

fn distinct<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let mut kept: Vec<Val<'a>> = Vec::new();
    for item in items(asked, &args[0])? {
        if !has(asked, &kept, &item)? {
            kept.push(item);
        }
    }
    made(asked, kept)
}

fn has(asked: &mut Asked<'_>, items: &[Val<'_>], wanted: &Val<'_>) -> Result<bool, Raise> {
    for item in items {
        if ops::equal(asked.meter, item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn sort<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let items = items(asked, &args[0])?;
    let sorted = stable_sort(items, |a, b| ops::compare(asked.meter, a, b))?;
    made(asked, sorted)
}

fn is_sorted<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    for pair in items(asked, &args[0])?.windows(2) {
        if ops::compare(asked.meter, &pair[0], &pair[1])?.is_some_and(std::cmp::Ordering::is_gt) {
            return Ok(Val::Bool(false));
        }
    }
    Ok(Val::Bool(true))
}

fn sum<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let mut items = items(asked, &args[0])?.into_iter();
    let Some(mut total) = items.next() else {
        return Ok(Val::Int(0));
    };
    if !matches!(
        total,
        Val::Int(_) | Val::UInt(_) | Val::Double(_) | Val::Duration(_)
    ) {
        return Err(Raise::Types);
    }
    for item in items {
        total = ops::binary(asked.meter, crate::ast::Binary::Add, &total, &item)?;
    }
    Ok(total)
}

fn extreme<'a>(
    asked: &mut Asked<'_>,
    args: &[Val<'a>],
    wanted: std::cmp::Ordering,
    name: &str,
) -> Result<Val<'a>, Raise> {
    let mut items = items(asked, &args[0])?.into_iter();
    let Some(mut best) = items.next() else {
        return Err(Raise::argument(format!("`{name}` of an empty list")));
    };
    for item in items {
        if ops::compare(asked.meter, &item, &best)? == Some(wanted) {
            best = item;
        }
    }
    Ok(best)
}

fn min<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    extreme(asked, args, std::cmp::Ordering::Less, "min")
}

fn max<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    extreme(asked, args, std::cmp::Ordering::Greater, "max")
}

pub(super) fn index_of<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    for (at, item) in items(asked, &args[0])?.iter().enumerate() {
        if ops::equal(asked.meter, item, &args[1])? {
            return Ok(Val::Int(count(at)));
        }
    }
    Ok(Val::Int(-1))
}

pub(super) fn last_index_of<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    for (at, item) in items(asked, &args[0])?.iter().enumerate().rev() {
        if ops::equal(asked.meter, item, &args[1])? {
            return Ok(Val::Int(count(at)));
        }
    }
    Ok(Val::Int(-1))
}

fn includes<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    // What is no list holds itself.
    if !matches!(args[0], Val::List(_)) {
        return Ok(Val::Bool(ops::equal(asked.meter, &args[0], &args[1])?));
    }
    let items = items(asked, &args[0])?;
    Ok(Val::Bool(has(asked, &items, &args[1])?))
}

/// A place in a list of `len`, or behind its end when `end` is true.
fn place(value: &Val<'_>, len: usize, end: bool) -> Result<usize, Raise> {
    let index = int(value)?;
    usize::try_from(index)
        .ok()
        .filter(|at| *at < len || end && *at == len)
        .ok_or_else(|| Raise::range(format!("index {index} is outside of a list of {len}")))
}

fn set_at<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let mut items = items(asked, &args[0])?;
    let at = place(&args[1], items.len(), false)?;
    items[at] = args[2].clone();
    made(asked, items)
}

fn insert_at<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let mut items = items(asked, &args[0])?;
    let at = place(&args[1], items.len(), true)?;
    items.insert(at, args[2].clone());
    made(asked, items)
}

fn remove_at<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let mut items = items(asked, &args[0])?;
    let at = place(&args[1], items.len(), false)?;
    items.remove(at);
    made(asked, items)
}

fn first<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Optional(
        items(asked, &args[0])?
            .into_iter()
            .next()
            .map(std::rc::Rc::new),
    ))
}

fn last<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    Ok(Val::Optional(
        items(asked, &args[0])?
            .into_iter()
            .next_back()
            .map(std::rc::Rc::new),
    ))
}
