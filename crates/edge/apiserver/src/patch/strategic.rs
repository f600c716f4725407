//! Strategic merge patch: a merge patch that knows which lists of a built-in kind are merged, and by what.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::apply::shape::{Identity, ListShape, Shape};
use crate::failure::{Failure, Outcome};

const PATCH: &str = "$patch";
const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";
const RETAIN: &str = "$retainKeys";

/// Applies a patch to an object of the given shape.
pub(crate) fn apply(target: &mut Value, patch: &Value, shape: &Arc<Shape>) -> Outcome<()> {
    if !patch.is_object() {
        return Err(Failure::bad_request(
            "error decoding patch: a merge patch is an object",
        ));
    }
    merge(target, patch, Some(shape)).map_err(Failure::bad_request)
}

#[expect(
    clippy::too_many_lines,
    reason = "the directives of one object, one after the other"
)]
fn merge(target: &mut Value, patch: &Value, shape: Option<&Arc<Shape>>) -> Result<(), String> {
    let Some(changes) = patch.as_object() else {
        *target = patch.clone();
        return Ok(());
    };
    match changes.get(PATCH).and_then(Value::as_str) {
        Some("replace") => {
            let rest = changes.iter().filter(|(k, _)| *k != PATCH);
            *target = Value::Object(rest.map(|(k, v)| (k.clone(), v.clone())).collect());
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(format!("unknown patch type found: {other}")),
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else {
        return Ok(());
    };
    if let Some(kept) = changes.get(RETAIN).and_then(Value::as_array) {
        fields.retain(|key, _| kept.iter().any(|k| k.as_str() == Some(key)));
    }
    for (key, change) in changes {
        if key == PATCH || key == RETAIN || key.starts_with(ORDER) {
            continue;
        }
        if let Some(field) = key.strip_prefix(DELETE) {
            if let (Some(Value::Array(list)), Some(gone)) =
                (fields.get_mut(field), change.as_array())
            {
                list.retain(|item| !gone.contains(item));
            }
            continue;
        }
        let child = shape.and_then(|s| s.child(&crate::apply::path::Element::field(key)));
        if change.is_null() {
            fields.remove(key);
        } else if let (Some(Shape::List(list)), Some(items)) =
            (child.map(|s| &**s), change.as_array())
        {
            let order = changes
                .get(&format!("{ORDER}{key}"))
                .and_then(Value::as_array);
            merge_list(
                fields.entry(key.clone()).or_insert(Value::Null),
                items,
                list,
                order,
            )?;
        } else {
            merge(
                fields.entry(key.clone()).or_insert(Value::Null),
                change,
                child,
            )?;
        }
    }
    for (key, order) in changes {
        let field = key
            .strip_prefix(ORDER)
            .filter(|field| !changes.contains_key(*field));
        if let (Some(field), Some(order)) = (field, order.as_array())
            && let Some(Shape::List(list)) = shape
                .and_then(|s| s.child(&crate::apply::path::Element::field(field)))
                .map(|s| &**s)
            && let Some(Value::Array(items)) = fields.get_mut(field)
        {
            let before = items.clone();
            reorder(items, list, order, &before);
        }
    }
    Ok(())
}

/// The merge key of a list, when it has one.
fn merge_key(list: &ListShape) -> Option<&str> {
    match &list.identity {
        Identity::Keys(keys) => keys.first().map(|(key, _)| key.as_str()),
        Identity::Atomic | Identity::Set => None,
    }
}

fn merge_list(
    target: &mut Value,
    changes: &[Value],
    list: &ListShape,
    order: Option<&Vec<Value>>,
) -> Result<(), String> {
    let directive = |change: &Value| change.get(PATCH).and_then(Value::as_str).map(str::to_owned);
    let replace = changes
        .iter()
        .any(|c| directive(c).as_deref() == Some("replace"));
    if list.identity == Identity::Atomic || replace {
        let plain = changes.iter().filter(|c| c.get(PATCH).is_none());
        *target = Value::Array(plain.cloned().collect());
        return Ok(());
    }
    if !target.is_array() {
        *target = Value::Array(Vec::new());
    }
    let Some(items) = target.as_array_mut() else {
        return Ok(());
    };
    let before = items.clone();
    let mut named = Vec::new();
    for change in changes {
        let Some(key) = merge_key(list) else {
            if !items.contains(change) {
                items.push(change.clone());
            }
            named.push(change.clone());
            continue;
        };
        let name = change
            .get(key)
            .ok_or_else(|| format!("map: {change} does not contain declared merge key: {key}"))?;
        if directive(change).as_deref() == Some("delete") {
            items.retain(|item| item.get(key) != Some(name));
            continue;
        }
        named.push(change.clone());
        match items.iter_mut().find(|item| item.get(key) == Some(name)) {
            Some(item) => merge(item, change, Some(&list.item))?,
            None => items.push(change.clone()),
        }
    }
    reorder(items, list, order.unwrap_or(&named), &before);
    Ok(())
}

/// Where an item stands in a list, by its identity.
fn place(list: &ListShape, item: &Value, among: &[Value]) -> Option<usize> {
    among.iter().position(|other| match merge_key(list) {
        Some(key) => other.get(key) == item.get(key),
        None => other == item,
    })
}

/// Puts the named items into the given order. The others keep theirs, and stand before a named item when they did so
/// `before`.
fn reorder(items: &mut Vec<Value>, list: &ListShape, order: &[Value], before: &[Value]) {
    let (mut named, others): (Vec<Value>, Vec<Value>) = std::mem::take(items)
        .into_iter()
        .partition(|item| place(list, item, order).is_some());
    named.sort_by_key(|item| place(list, item, order));
    let mut named = named.into_iter().peekable();
    for other in others {
        let rank = place(list, &other, before);
        while let Some(next) = named.next_if(|next| match (rank, place(list, next, before)) {
            (Some(mine), Some(theirs)) => theirs < mine,
            _ => true,
        }) {
            items.push(next);
        }
        items.push(other);
    }
    items.extend(named);
}
