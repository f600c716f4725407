//! What of a live object matters: its readiness, and what is taken over from it?

use purlin_object::{List, Object, Value, ValueRef};

use crate::template::Tree;

/// Takes out what only the API server writes, and a kept value may have brought along.
pub(crate) fn strip(object: &mut Object, manifest: &Tree) {
    const SERVER: [&str; 8] = [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    ];
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.retain(|key, _| !SERVER.contains(&key));
    }
    if let Tree::Hole(_) = manifest {
        object.remove("status");
    }
}

/// A value that was made while something was missing, so that nothing of what is live at its place is lost: objects keep the
/// members that the new one lacks; a list that would lose something is kept whole, because its elements have no place of
/// their own to be found at.
pub(crate) fn cover(new: Value, live: Option<ValueRef<'_>>) -> Value {
    match (new, live) {
        (Value::Object(mut new), Some(ValueRef::Object(live))) => {
            for (key, live) in live {
                let value = match new.get(key) {
                    Some(value) => cover(value.to_owned(), Some(live)),
                    None => live.to_owned(),
                };
                new.insert(key, value);
            }
            Value::Object(new)
        }
        (Value::List(new), Some(ValueRef::List(live))) => {
            let live = live.to_owned();
            Value::List(if loses(&new, &live) { live } else { new })
        }
        // Nothing, because of what is missing.
        (Value::Null, Some(live)) => live.to_owned(),
        (new, _) => new,
    }
}

fn loses(new: &List, live: &List) -> bool {
    fn any(new: ValueRef<'_>, live: ValueRef<'_>) -> bool {
        match (new, live) {
            (ValueRef::Object(new), ValueRef::Object(live)) => live
                .iter()
                .any(|(key, live)| new.get(key).is_none_or(|new| any(new, live))),
            (ValueRef::List(new), ValueRef::List(live)) => {
                new.len() < live.len() || new.iter().zip(live.iter()).any(|(a, b)| any(a, b))
            }
            (ValueRef::Null, live) => !live.is_null(),
            _ => false,
        }
    }
    any(ValueRef::List(new.as_ref()), ValueRef::List(live.as_ref()))
}

/// Whether the object has the condition `Ready` with the status `True`.
pub(crate) fn is_ready(object: ValueRef<'_>) -> bool {
    let conditions = object
        .as_object()
        .and_then(|object| object.get_path(&["status", "conditions"]));
    let is = |condition: ValueRef<'_>, key: &str, wanted: &str| {
        condition
            .as_object()
            .and_then(|condition| condition.get(key))
            .and_then(ValueRef::as_str)
            == Some(wanted)
    };
    conditions.and_then(ValueRef::as_list).is_some_and(|list| {
        list.iter()
            .any(|condition| is(condition, "type", "Ready") && is(condition, "status", "True"))
    })
}

/// Writes `new` over `old`, object by object.
pub(crate) fn merge(old: &mut Object, new: &Object) {
    let fields: Vec<(String, Value)> = new
        .iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    for (key, value) in fields {
        match value {
            Value::Object(below) if matches!(old.get(&key), Some(ValueRef::Object(_))) => {
                merge(old.object_mut(&key), &below);
            }
            value => drop(old.insert(key, value)),
        }
    }
}
