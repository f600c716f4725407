//! What is the result of merging one value into another?
//!
//! The rules Crossplane's patches follow (crossplane-runtime's merge options, which are mergo 1.0's): an *empty* value
//! (`""`, 0, false, `[]`, `{}`, null) counts as absent, objects merge member by member, nothing is ever removed.

use std::collections::BTreeSet;

use crate::{List, Object, Value, ValueRef};

/// How to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergeOptions {
    /// What is there and not empty stays; else the new value wins.
    pub keep: bool,
    /// Lists are joined; else one of them wins.
    pub append: bool,
}

/// A list that was to be appended to something that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a list cannot be appended to {found}{}", place(.at))]
pub struct MergeError {
    /// The member, with the members it is in, dotted; empty at the root.
    pub at: String,
    /// What was found there.
    pub found: &'static str,
}

fn place(at: &str) -> String {
    if at.is_empty() {
        String::new()
    } else {
        format!(" at `{at}`")
    }
}

/// Merges `new` into `old`. At the root, items of `new` that `old` already holds are not appended again.
///
/// # Errors
/// When lists are to be appended and something there is neither a list nor null.
pub fn merge(old: Value, new: Value, options: MergeOptions) -> Result<Value, MergeError> {
    let new = match (&old, new) {
        (Value::List(old), Value::List(new)) if options.append => match missing(old, &new) {
            // Nothing joined to nothing is null, as upstream.
            new if new.is_empty() && old.is_empty() => return Ok(Value::Null),
            new => Value::List(new),
        },
        (_, new) => new,
    };
    let mut path = Vec::new();
    merge_at(Some(old), new, options, &mut path)
}

/// The items of `new` that `old` does not hold.
fn missing(old: &List, new: &List) -> List {
    // Comparing each with each is quickest for short lists, and takes for ever with long ones.
    if old.len().saturating_mul(new.len()) < 10_000 {
        return new
            .iter()
            .filter(|item| !old.iter().any(|there| there == *item))
            .map(ValueRef::to_owned)
            .collect();
    }
    let hash = |item: ValueRef<'_>| Object::from_iter([("", item)]).canonical_hash();
    let held: BTreeSet<[u8; 32]> = old.iter().map(hash).collect();
    new.iter()
        .filter(|item| !held.contains(&hash(*item)))
        .map(ValueRef::to_owned)
        .collect()
}

/// Merges a value that is not null into what stands there, if anything does.
fn merge_at(
    old: Option<Value>,
    new: Value,
    options: MergeOptions,
    path: &mut Vec<String>,
) -> Result<Value, MergeError> {
    match (old, new) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            let merged = merge_objects(old, &new, options, path)?;
            // What is empty after merging counts as absent too.
            Ok(Value::Object(if merged.is_empty() { new } else { merged }))
        }
        (Some(Value::List(old)), Value::List(new)) if options.append => Ok(Value::List(
            old.iter()
                .chain(new.iter())
                .map(ValueRef::to_owned)
                .collect::<List>(),
        )),
        (Some(old), Value::List(_)) if options.append && !matches!(old, Value::Null) => {
            Err(MergeError {
                at: path.join("."),
                found: old.as_ref().kind(),
            })
        }
        (Some(old), _) if options.keep && !is_empty(&old) => Ok(old),
        (_, new) => Ok(new),
    }
}

fn merge_objects(
    mut old: Object,
    new: &Object,
    options: MergeOptions,
    path: &mut Vec<String>,
) -> Result<Object, MergeError> {
    for (key, value) in new {
        if matches!(value, ValueRef::Null) {
            if !options.keep {
                old.insert(key, Value::Null);
            }
            continue;
        }
        path.push(key.to_owned());
        let before = old.get_mut(key).map(std::mem::take);
        let merged = merge_at(before, value.to_owned(), options, path)?;
        path.pop();
        old.insert(key, merged);
    }
    Ok(old)
}

/// Whether the value counts as absent.
fn is_empty(value: &Value) -> bool {
    match value.as_ref() {
        ValueRef::Null => true,
        ValueRef::Bool(value) => !value,
        ValueRef::Int(value) => value == 0,
        ValueRef::Double(value) => value == 0.0,
        ValueRef::String(text) => text.is_empty(),
        ValueRef::List(list) => list.is_empty(),
        ValueRef::Object(object) => object.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{MergeOptions, merge};
    use crate::Value;

    const KEEP: MergeOptions = MergeOptions {
        keep: true,
        append: false,
    };
    const KEEP_APPEND: MergeOptions = MergeOptions {
        keep: true,
        append: true,
    };
    const FORCE: MergeOptions = MergeOptions {
        keep: false,
        append: false,
    };
    const FORCE_APPEND: MergeOptions = MergeOptions {
        keep: false,
        append: true,
    };

    fn merged(old: Json, new: Json, options: MergeOptions) -> Option<Json> {
        merge(Value::from_json(old), Value::from_json(new), options)
            .ok()
            .map(|value| value.to_json())
    }

    #[test]
    fn objects_merge_member_by_member() {
        let (old, new) = (
            json!({"a": 1, "e": "", "l": [1], "z": 0, "o": {"x": 1}}),
            json!({"a": 2, "e": "n", "l": [2], "z": 5, "o": {"x": 2, "y": null}}),
        );
        let expect = [
            (
                KEEP,
                json!({"a": 1, "e": "n", "l": [1], "z": 5, "o": {"x": 1}}),
            ),
            (
                KEEP_APPEND,
                json!({"a": 1, "e": "n", "l": [1, 2], "z": 5, "o": {"x": 1}}),
            ),
            (
                FORCE,
                json!({"a": 2, "e": "n", "l": [2], "z": 5, "o": {"x": 2, "y": null}}),
            ),
            (
                FORCE_APPEND,
                json!({"a": 2, "e": "n", "l": [1, 2], "z": 5, "o": {"x": 2, "y": null}}),
            ),
        ];
        for (options, result) in expect {
            assert_eq!(merged(old.clone(), new.clone(), options), Some(result));
        }
    }

    #[test]
    fn items_that_are_there_are_not_appended_again_at_the_root() {
        let (old, new) = (json!(["d", "s"]), json!(["s", "t"]));
        assert_eq!(
            merged(old.clone(), new.clone(), FORCE_APPEND),
            Some(json!(["d", "s", "t"]))
        );
        assert_eq!(merged(old.clone(), new.clone(), FORCE), Some(new.clone()));
        assert_eq!(merged(old.clone(), new, KEEP), Some(old));
        assert_eq!(
            merged(json!([]), json!([]), FORCE_APPEND),
            Some(json!(null))
        );
        let nested = merged(json!({"a": [1]}), json!({"a": [1]}), FORCE_APPEND);
        assert_eq!(nested, Some(json!({"a": [1, 1]})));
    }

    #[test]
    fn long_lists_are_joined_like_short_ones() {
        let old: Vec<Json> = (0..200).map(|n| json!({"n": n})).collect();
        let new: Vec<Json> = (100..300).map(|n| json!({"n": f64::from(n)})).collect();
        let joined: Vec<Json> = (0..300).map(|n| json!({"n": n})).collect();
        assert_eq!(
            merged(json!(old), json!(new), FORCE_APPEND),
            Some(json!(joined))
        );
    }

    #[test]
    fn other_kinds_win_or_lose_and_a_list_is_not_appended_to_them() {
        assert_eq!(merged(json!("x"), json!({"a": 1}), KEEP), Some(json!("x")));
        assert_eq!(
            merged(json!("x"), json!({"a": 1}), FORCE),
            Some(json!({"a": 1}))
        );
        assert_eq!(merged(json!("x"), json!([1]), FORCE), Some(json!([1])));
        assert_eq!(merged(json!("x"), json!([1]), FORCE_APPEND), None);
        assert_eq!(
            merged(json!({"a": 1}), json!({"a": [1]}), KEEP_APPEND),
            None
        );
        assert_eq!(merged(json!([1]), json!("x"), KEEP), Some(json!([1])));
        assert_eq!(merged(json!(""), json!([1]), FORCE_APPEND), None);
        assert_eq!(
            merged(json!({}), json!({"a": null, "b": 1}), KEEP),
            Some(json!({"b": 1}))
        );
        assert_eq!(
            merged(json!({}), json!({"a": null}), KEEP),
            Some(json!({"a": null}))
        );
    }
}
