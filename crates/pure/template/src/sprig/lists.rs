//! Sprig's functions of lists.

use super::{MAX_ITEMS, Made, arg, f, int, math::whole, rest};
use crate::library::{Call, Function, Param};
use crate::value::{Elements, List, Value, deep_equal};

use Param::{Any, Int};

pub(super) static FUNCTIONS: &[Function] = &[
    rest("list", &[], Any, make),
    rest("tuple", &[], Any, make),
    f("first", &[Any], first),
    f("mustFirst", &[Any], first),
    f("last", &[Any], last),
    f("mustLast", &[Any], last),
    f("rest", &[Any], tail),
    f("mustRest", &[Any], tail),
    f("initial", &[Any], initial),
    f("mustInitial", &[Any], initial),
    f("append", &[Any, Any], append),
    f("push", &[Any, Any], append),
    f("mustAppend", &[Any, Any], append),
    f("mustPush", &[Any, Any], append),
    f("prepend", &[Any, Any], prepend),
    f("mustPrepend", &[Any, Any], prepend),
    f("reverse", &[Any], reverse),
    f("mustReverse", &[Any], reverse),
    f("uniq", &[Any], uniq),
    f("mustUniq", &[Any], uniq),
    rest("without", &[Any], Any, without),
    rest("mustWithout", &[Any], Any, without),
    f("has", &[Any, Any], has),
    f("mustHas", &[Any, Any], has),
    f("compact", &[Any], compact),
    f("mustCompact", &[Any], compact),
    rest("slice", &[Any], Any, slice),
    rest("mustSlice", &[Any], Any, slice),
    rest("concat", &[], Any, concat),
    f("chunk", &[Int, Any], chunk),
    f("mustChunk", &[Int, Any], chunk),
    f("until", &[Int], |_, a| {
        let stop = int(a, 0);
        numbers(0, stop, if stop < 0 { -1 } else { 1 }).map(ints)
    }),
    f("untilStep", &[Int, Int, Int], |_, a| {
        numbers(int(a, 0), int(a, 1), int(a, 2)).map(ints)
    }),
    rest("seq", &[], Int, |_, a| {
        let numbers = match a {
            [_] => {
                let end = int(a, 0);
                let step = if end < 1 { -1 } else { 1 };
                numbers(1, end.saturating_add(step), step)?
            }
            [_, _] => {
                let (start, end) = (int(a, 0), int(a, 1));
                let step = if end < start { -1 } else { 1 };
                numbers(start, end.saturating_add(step), step)?
            }
            [_, _, _] => {
                let (start, step, end) = (int(a, 0), int(a, 1), int(a, 2));
                if end < start && step > 0 {
                    return Ok("".into());
                }
                let one = if end < start { -1 } else { 1 };
                numbers(start, end.saturating_add(one), step)?
            }
            _ => Vec::new(),
        };
        let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
        Ok(words.join(" ").into())
    }),
];

fn ints(numbers: Vec<i64>) -> Value {
    Value::List(List::of(
        Elements::Ints,
        numbers.into_iter().map(Value::int).collect(),
    ))
}

/// `untilStep`.
fn numbers(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, String> {
    let mut found = Vec::new();
    let down = stop < start;
    if (down && step >= 0) || (!down && step <= 0) {
        return Ok(found);
    }
    let mut at = start;
    while (down && at > stop) || (!down && at < stop) {
        if found.len() >= MAX_ITEMS {
            return Err(format!(
                "the list would have more than {MAX_ITEMS} elements"
            ));
        }
        found.push(at);
        at = match at.checked_add(step) {
            Some(next) => next,
            None => break,
        };
    }
    Ok(found)
}

fn items<'v>(value: &'v Value, verb: &str) -> Result<&'v [Value], String> {
    match value {
        Value::List(list) => Ok(list.items()),
        other => Err(format!("cannot {verb} on type {}", other.kind())),
    }
}

fn bounded(items: Vec<Value>) -> Made {
    if items.len() > MAX_ITEMS {
        return Err(format!(
            "the list would have more than {MAX_ITEMS} elements"
        ));
    }
    Ok(Value::list(items))
}

#[expect(clippy::unnecessary_wraps, reason = "the type that all functions have")]
fn make(_: &mut dyn Call, a: &[Value]) -> Made {
    Ok(Value::list(a.to_vec()))
}

fn first(_: &mut dyn Call, a: &[Value]) -> Made {
    Ok(items(arg(a, 0), "find first")?
        .first()
        .cloned()
        .unwrap_or(Value::Nil))
}

fn last(_: &mut dyn Call, a: &[Value]) -> Made {
    Ok(items(arg(a, 0), "find last")?
        .last()
        .cloned()
        .unwrap_or(Value::Nil))
}

/// Nil for an empty list, as upstream.
fn part(items: &[Value], range: std::ops::Range<usize>) -> Value {
    match items.get(range) {
        Some(part) if !items.is_empty() => Value::list(part.to_vec()),
        _ => Value::List(List::nil()),
    }
}

fn tail(_: &mut dyn Call, a: &[Value]) -> Made {
    let items = items(arg(a, 0), "find rest")?;
    if items.is_empty() {
        return Ok(Value::List(List::nil()));
    }
    Ok(part(items, 1..items.len().max(1)))
}

fn initial(_: &mut dyn Call, a: &[Value]) -> Made {
    let items = items(arg(a, 0), "find initial")?;
    if items.is_empty() {
        return Ok(Value::List(List::nil()));
    }
    Ok(part(items, 0..items.len().saturating_sub(1)))
}

fn append(_: &mut dyn Call, a: &[Value]) -> Made {
    let mut all = items(arg(a, 0), "push")?.to_vec();
    all.push(arg(a, 1).clone());
    bounded(all)
}

fn prepend(_: &mut dyn Call, a: &[Value]) -> Made {
    let mut all = vec![arg(a, 1).clone()];
    all.extend_from_slice(items(arg(a, 0), "prepend")?);
    bounded(all)
}

fn reverse(_: &mut dyn Call, a: &[Value]) -> Made {
    let mut all = items(arg(a, 0), "find reverse")?.to_vec();
    all.reverse();
    Ok(Value::list(all))
}

fn holds(items: &[Value], value: &Value) -> bool {
    items.iter().any(|item| deep_equal(item, value, 0))
}

fn uniq(_: &mut dyn Call, a: &[Value]) -> Made {
    let mut kept: Vec<Value> = Vec::new();
    for item in items(arg(a, 0), "find uniq")? {
        if !holds(&kept, item) {
            if kept.len() > 20_000 {
                return Err("the list is too long to compare every pair".to_owned());
            }
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn without(_: &mut dyn Call, a: &[Value]) -> Made {
    let left_out = a.get(1..).unwrap_or_default();
    let items = items(arg(a, 0), "find without")?.iter();
    Ok(Value::list(
        items
            .filter(|item| !holds(left_out, item))
            .cloned()
            .collect(),
    ))
}

fn has(_: &mut dyn Call, a: &[Value]) -> Made {
    if arg(a, 1).is_nil() {
        return Ok(false.into());
    }
    Ok(holds(items(arg(a, 1), "find has")?, arg(a, 0)).into())
}

fn compact(_: &mut dyn Call, a: &[Value]) -> Made {
    let items = items(arg(a, 0), "compact")?.iter();
    Ok(Value::list(
        items.filter(|item| item.truth()).cloned().collect(),
    ))
}

fn slice(_: &mut dyn Call, a: &[Value]) -> Made {
    let Value::List(list) = arg(a, 0) else {
        return Err(format!(
            "list should be type of slice or array but {}",
            arg(a, 0).kind()
        ));
    };
    let items = list.items();
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let at = |index: usize, default: usize| match a.get(index) {
        Some(value) => usize::try_from(whole(value)),
        None => Ok(default),
    };
    let range = at(1, 0)
        .and_then(|start| Ok(start..at(2, items.len())?))
        .map_err(|_| "slice index out of bounds")?;
    let part = items.get(range).ok_or("slice index out of bounds")?;
    Ok(Value::List(List::of(list.elements(), part.to_vec())))
}

fn concat(_: &mut dyn Call, a: &[Value]) -> Made {
    let mut all = Vec::new();
    for list in a {
        all.extend_from_slice(items(list, "concat")?);
    }
    if all.is_empty() {
        return Ok(Value::List(List::nil()));
    }
    bounded(all)
}

fn chunk(_: &mut dyn Call, a: &[Value]) -> Made {
    let items = items(arg(a, 1), "chunk")?;
    let size = usize::try_from(int(a, 0)).ok().filter(|size| *size > 0);
    let size = size.ok_or("integer divide by zero")?;
    let chunks = items.chunks(size).map(|chunk| Value::list(chunk.to_vec()));
    Ok(Value::List(List::of(Elements::Lists, chunks.collect())))
}
