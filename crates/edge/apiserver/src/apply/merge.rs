//! Merging an applied value into a live one, and taking paths out of a value.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::path::{Element, item_element};
use super::set::Set;
use super::shape::{Form, Identity, ListShape, MapShape, Shape};

/// The live value with everything the applied one says.
pub(crate) fn merge(shape: &Shape, live: &Value, applied: &Value) -> Value {
    step(shape, Some(live), Some(applied)).unwrap_or(Value::Null)
}

fn step(shape: &Shape, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    // A null takes the form of the other side, so that it does not erase a struct's other content.
    let deciding = match applied {
        None | Some(Value::Null) if live.is_some_and(|v| !v.is_null()) => live,
        other => other,
    };
    match shape.form(deciding) {
        Form::Scalar(_) => applied.or(live).cloned(),
        Form::Map(map) => merge_maps(map, live, applied),
        Form::List(list) => merge_lists(list, live, applied),
    }
}

fn merge_maps(map: &MapShape, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let before = live.and_then(Value::as_object).filter(|m| !m.is_empty());
    let wanted = applied.and_then(Value::as_object).filter(|m| !m.is_empty());
    if map.atomic || (before.is_none() && wanted.is_none()) {
        return applied.or(live).cloned();
    }
    let empty = Map::new();
    let (before, wanted) = (before.unwrap_or(&empty), wanted.unwrap_or(&empty));
    let mut out = Map::new();
    let added = wanted.keys().filter(|name| !before.contains_key(*name));
    for name in before.keys().chain(added) {
        let shape = map.field(name).cloned().unwrap_or_else(Shape::deduced);
        if let Some(value) = step(&shape, before.get(name), wanted.get(name)) {
            out.insert(name.clone(), value);
        }
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

fn merge_lists(list: &ListShape, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let before = live
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let wanted = applied
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if list.identity == Identity::Atomic || (before.is_empty() && wanted.is_empty()) {
        return applied.or(live).cloned();
    }
    let out = merge_items(list, before, wanted);
    (!out.is_empty()).then_some(Value::Array(out))
}

/// Shared items take the applied order; items only the live list has keep their place.
fn merge_items(list: &ListShape, live: &[Value], applied: &[Value]) -> Vec<Value> {
    let known = |items: &[Value]| -> Vec<(Element, Value)> {
        let known = items
            .iter()
            .filter_map(|item| Some((item_element(list, item).ok()?, item.clone())));
        known.collect()
    };
    let (live, applied) = (known(live), known(applied));
    let wanted: BTreeMap<&Element, &Value> = applied.iter().map(|(e, v)| (e, v)).collect();
    let mut seen: BTreeMap<&Element, Option<&Value>> = BTreeMap::new();
    for (element, value) in &live {
        // A live duplicate has no single partner to merge with.
        seen.entry(element)
            .and_modify(|v| *v = None)
            .or_insert(Some(value));
    }
    let mut shared: VecDeque<&Element> = applied
        .iter()
        .map(|(e, _)| e)
        .filter(|e| seen.contains_key(e))
        .collect();
    let mut next = shared.pop_front();
    let mut merged: BTreeSet<&Element> = BTreeSet::new();
    let mut out = Vec::new();
    let mut emit =
        |live: Option<&Value>, applied: Option<&Value>| out.extend(step(&list.item, live, applied));
    let (mut l, mut r) = (0, 0);
    while l < live.len() || r < applied.len() {
        if let (Some((mine, _)), Some((theirs, value))) = (live.get(l), applied.get(r)) {
            if mine == theirs {
                merged.insert(theirs);
                emit(seen.get(mine).copied().flatten(), Some(value));
                l += 1;
                r += 1;
                next = shared.pop_front();
                continue;
            }
            if wanted.contains_key(mine) && next.is_some_and(|n| n != mine) {
                l += 1;
                continue;
            }
        }
        if let Some((mine, value)) = live.get(l) {
            if !wanted.contains_key(mine) {
                emit(Some(value), None);
                l += 1;
                continue;
            }
            if merged.contains(mine) {
                l += 1;
            }
        }
        if let Some((theirs, value)) = applied.get(r) {
            merged.insert(theirs);
            emit(seen.get(theirs).copied().flatten(), Some(value));
            r += 1;
            if next == Some(theirs) {
                next = shared.pop_front();
            }
        }
    }
    out
}

/// The value without the given paths. A list that loses all its items becomes null, a map stays.
pub(crate) fn remove(shape: &Shape, value: &Value, paths: &Set) -> Value {
    match (shape.form(Some(value)), value) {
        (Form::Map(map), Value::Object(fields)) if !fields.is_empty() => {
            if map.atomic {
                return Value::Null;
            }
            let mut out = Map::new();
            for (name, value) in fields {
                let element = Element::field(name);
                if paths.has(&element) {
                    continue;
                }
                let value = match (paths.below(&element), map.field(name)) {
                    (Some(below), Some(shape)) => remove(shape, value, below),
                    _ => value.clone(),
                };
                out.insert(name.clone(), value);
            }
            Value::Object(out)
        }
        (Form::List(list), Value::Array(items)) if !items.is_empty() => {
            if list.identity == Identity::Atomic {
                return Value::Null;
            }
            let kept = items.iter().filter_map(|item| {
                let Ok(element) = item_element(list, item) else {
                    return Some(item.clone());
                };
                if paths.has(&element) {
                    return None;
                }
                Some(match paths.below(&element) {
                    Some(below) => remove(&list.item, item, below),
                    None => item.clone(),
                })
            });
            let kept: Vec<Value> = kept.collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Array(kept)
            }
        }
        (Form::Scalar(_), scalar) => scalar.clone(),
        (_, Value::Object(empty)) => Value::Object(empty.clone()),
        // An empty or null list.
        _ => Value::Null,
    }
}
