//! Which fields of a value changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// The longest list whose elements are matched; longer ones are compared position by position.
const ALIGNED: usize = 2_000;

/// One field that is new, gone, or different.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// Where it is, as Crossplane writes field paths: `spec.forProvider.tags[team]`.
    pub path: String,
    /// What it was; none when the field is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it is; none when the field is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// Lists every field that differs, ordered by path as written in the old value, new fields after old ones.
///
/// Elements of lists are matched by their `name` (or `step`, `key` or `type`) when every element has its own, so that an
/// insertion is one change and not a shift of all that follow; otherwise equal
/// elements are found wherever they moved to. Numbers are equal when their value
/// is: `1` is `1.0`.
pub fn fields(old: &Value, new: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare("", Some(old), Some(new), &mut found);
    found
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<FieldChange>) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            compare_objects(path, old, new, found);
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            compare_lists(path, old, new, found);
        }
        (Some(old), Some(new)) if same_scalar(old, new) => {}
        (None, None) => {}
        (old, new) => found.push(FieldChange {
            path: path.to_owned(),
            old: old.cloned(),
            new: new.cloned(),
        }),
    }
}

fn compare_objects(
    path: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    found: &mut Vec<FieldChange>,
) {
    for (key, value) in old {
        compare(&child(path, key), Some(value), new.get(key), found);
    }
    for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        compare(&child(path, key), None, Some(value), found);
    }
}

fn compare_lists(path: &str, old: &[Value], new: &[Value], found: &mut Vec<FieldChange>) {
    let key = ["name", "step", "key", "type"].into_iter().find(|key| {
        is_keyed(old, key) && is_keyed(new, key) && !(old.is_empty() && new.is_empty())
    });
    let Some(key) = key else {
        compare_by_position(path, old, new, found);
        return;
    };
    let by_name = |list: &'_ [Value]| -> BTreeMap<String, Value> {
        list.iter()
            .filter_map(|item| Some((item.get(key)?.as_str()?.to_owned(), item.clone())))
            .collect()
    };
    let (old_by, new_by) = (by_name(old), by_name(new));
    let order = old
        .iter()
        .chain(new)
        .filter_map(|item| item.get(key)?.as_str());
    let mut seen = BTreeSet::new();
    for name in order.filter(|name| seen.insert(*name)) {
        let place = format!("{path}[{name}]");
        compare(&place, old_by.get(name), new_by.get(name), found);
    }
    let names = |list: &[Value], other: &BTreeMap<String, Value>| -> Vec<Value> {
        list.iter()
            .filter_map(|item| item.get(key))
            .filter(|name| name.as_str().is_some_and(|name| other.contains_key(name)))
            .cloned()
            .collect()
    };
    let (before, after) = (names(old, &new_by), names(new, &old_by));
    if before != after {
        found.push(FieldChange {
            path: format!("{path} (order)"),
            old: Some(Value::Array(before)),
            new: Some(Value::Array(after)),
        });
    }
}

/// Compares elements that have no name: equal ones are found wherever they moved to, so that an insertion is one change;
/// what stands between them is compared in order. New elements have their new position, gone ones their old.
fn compare_by_position(path: &str, old: &[Value], new: &[Value], found: &mut Vec<FieldChange>) {
    let at = |index: usize| format!("{path}[{index}]");
    if old.len().max(new.len()) > ALIGNED {
        for index in 0..old.len().max(new.len()) {
            compare(&at(index), old.get(index), new.get(index), found);
        }
        return;
    }
    let text = |list: &[Value]| -> Vec<String> { list.iter().map(canonical).collect() };
    for part in capture_diff_slices(Algorithm::Myers, &text(old), &text(new)) {
        let (olds, news) = (part.old_range(), part.new_range());
        if part.tag() == DiffTag::Equal {
            continue;
        }
        for offset in 0..olds.len().max(news.len()) {
            let before = olds.clone().nth(offset);
            let after = news.clone().nth(offset);
            let index = after.or(before).unwrap_or_default();
            let (before, after) = (
                before.and_then(|i| old.get(i)),
                after.and_then(|i| new.get(i)),
            );
            compare(&at(index), before, after, found);
        }
    }
}

/// The same text for values that are equal: `1` for `1.0`.
fn canonical(value: &Value) -> String {
    fn normal(value: &Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
            Value::Array(list) => list.iter().map(normal).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), normal(value)))
                .collect(),
            Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
        }
    }
    normal(value).to_string()
}

/// Whether every element is an object with its own text under `key`.
fn is_keyed(list: &[Value], key: &str) -> bool {
    let mut seen = BTreeSet::new();
    list.iter().all(|item| {
        item.get(key)
            .and_then(Value::as_str)
            .is_some_and(|name| seen.insert(name))
    })
}

fn same_scalar(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => old == new,
    }
}

fn child(path: &str, key: &str) -> String {
    let plain = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'));
    match (path.is_empty(), plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{key}]"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(old: &Value, new: &Value, expect: &[&str]) {
        let shown: Vec<String> = fields(old, new)
            .into_iter()
            .map(|change| {
                let word = |value: Option<Value>| value.map_or("-".to_owned(), |v| v.to_string());
                format!("{} {} {}", change.path, word(change.old), word(change.new))
            })
            .collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn changed_new_and_gone_fields_are_listed_with_their_paths() {
        check(
            &json!({"spec": {"a": 1, "tags": {"app.io/x": "1"}, "gone": true}}),
            &json!({"spec": {"a": 1.0, "tags": {"app.io/x": "2"}, "fresh": [1]}}),
            &[
                "spec.gone true -",
                "spec.tags[app.io/x] \"1\" \"2\"",
                "spec.fresh - [1]",
            ],
        );
        check(&json!([1, 2]), &json!([1, 3, 4]), &["[1] 2 3", "[2] - 4"]);
        check(&json!({}), &json!([]), &[" {} []"]);
        check(&json!({"a": null}), &json!({}), &["a null -"]);
    }

    #[test]
    fn named_elements_are_matched_by_name() {
        check(
            &json!({"l": [{"name": "a", "v": 1}, {"name": "b", "v": 1}]}),
            &json!({"l": [{"name": "x"}, {"name": "a", "v": 1}, {"name": "b", "v": 2}]}),
            &["l[b].v 1 2", "l[x] - {\"name\":\"x\"}"],
        );
        check(
            &json!([{"step": "a"}, {"step": "b"}]),
            &json!([{"step": "b"}, {"step": "a"}]),
            &[" (order) [\"a\",\"b\"] [\"b\",\"a\"]"],
        );
        // An insertion is one change, and what surrounds it is not.
        check(
            &json!(["a", {"b": 1}, "c"]),
            &json!(["a", "new", {"b": 2}, "c", "d"]),
            &["[1] {\"b\":1} \"new\"", "[2] - {\"b\":2}", "[4] - \"d\""],
        );
        check(&json!([1, 2.0, 3]), &json!([0, 1.0, 2, 3]), &["[0] - 0"]);
        check(&json!([1, 2, 3]), &json!([1, 3]), &["[1] 2 -"]);
        // Names that repeat cannot be matched by.
        check(
            &json!([{"name": "a"}, {"name": "a", "v": 1}]),
            &json!([{"name": "a"}]),
            &["[1] {\"name\":\"a\",\"v\":1} -"],
        );
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9i64..9).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("(name|[a-c]|x/y)", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_never_differs_from_itself_and_different_values_always_do(a in any_value(), b in any_value()) {
            prop_assert!(fields(&a, &a).is_empty());
            prop_assert_eq!(fields(&a, &b).is_empty(), a == b);
        }
    }
}
