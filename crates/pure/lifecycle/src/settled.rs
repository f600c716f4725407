//! Would applying this change anything? A steady state asks the API server for nothing.
//!
//! The live object's `managedFields` say what the manager applied last. When the patch names exactly those fields and
//! the live object holds exactly those values, a server-side apply is a no-op. Every doubt answers "no, apply it".

use serde_json::{Map, Value};

/// Metadata a server-side apply neither owns nor changes.
const SERVER_METADATA: [&str; 9] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
    "selfLink",
];

/// Whether a forced server-side apply of `patch` by `manager` would leave `live` as it is.
pub fn is_applied(live: &Value, patch: &Value, manager: &str, subresource: &str) -> bool {
    let Some(fields) = applied_fields(live, manager, subresource) else {
        return false;
    };
    let (Some(patch), true) = (patch.as_object(), live.is_object()) else {
        return false;
    };
    let mut owned = 0;
    for (key, value) in patch {
        if key == "apiVersion" || key == "kind" {
            continue;
        }
        if key == "metadata" {
            let mut metadata = value.as_object().cloned().unwrap_or_default();
            metadata.retain(|key, _| !SERVER_METADATA.contains(&key.as_str()));
            let there = fields.get("f:metadata").and_then(Value::as_object);
            match there {
                None if metadata.is_empty() => continue,
                None => return false,
                Some(there) => {
                    let live = live.get("metadata").unwrap_or(&Value::Null);
                    if !same_map(there, &metadata, live) {
                        return false;
                    }
                }
            }
        } else {
            let Some(there) = fields.get(&format!("f:{key}")).and_then(Value::as_object) else {
                return false;
            };
            let Some(held) = live.get(key) else {
                return false;
            };
            if !same(there, value, held) {
                return false;
            }
        }
        owned += 1;
    }
    owned == fields.keys().filter(|k| k.starts_with("f:")).count()
}

/// Whether a manager applied a field, or something in it.
pub fn owns(live: &Value, manager: &str, path: &[&str]) -> bool {
    applied_fields(live, manager, "").is_some_and(|fields| {
        let mut here = Some(fields);
        path.iter().all(|key| {
            here = here
                .and_then(|fields| fields.get(&format!("f:{key}")))
                .and_then(Value::as_object);
            here.is_some()
        })
    })
}

/// The fields a manager applied last.
fn applied_fields<'a>(
    live: &'a Value,
    manager: &str,
    subresource: &str,
) -> Option<&'a Map<String, Value>> {
    let entries = purlin_api::meta::at(live, &["metadata", "managedFields"])?.as_array()?;
    let word =
        |entry: &'a Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    entries
        .iter()
        .find(|entry| {
            word(entry, "manager") == manager
                && word(entry, "operation") == "Apply"
                && word(entry, "subresource") == subresource
        })?
        .get("fieldsV1")?
        .as_object()
}

fn same(fields: &Map<String, Value>, patch: &Value, live: &Value) -> bool {
    let leaf = fields.keys().all(|key| key == ".");
    match patch {
        Value::Object(patch) if !leaf => same_map(fields, patch, live),
        Value::Array(patch) if !leaf => same_list(fields, patch, live),
        Value::Object(_)
        | Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => leaf && equal(patch, live),
    }
}

fn same_map(fields: &Map<String, Value>, patch: &Map<String, Value>, live: &Value) -> bool {
    let owned = fields.keys().filter(|key| key.as_str() != ".").count();
    owned == patch.len()
        && patch.iter().all(|(key, value)| {
            let there = fields.get(&format!("f:{key}")).and_then(Value::as_object);
            matches!((there, live.get(key)), (Some(there), Some(live)) if same(there, value, live))
        })
}

fn same_list(fields: &Map<String, Value>, patch: &[Value], live: &Value) -> bool {
    let Some(live) = live.as_array() else {
        return false;
    };
    let owned = fields.iter().filter(|(key, _)| key.as_str() != ".");
    let mut count = 0;
    for (key, there) in owned {
        count += 1;
        let found = match key.split_once(':') {
            Some(("k", keys)) => {
                let Ok(keys) = serde_json::from_str::<Map<String, Value>>(keys) else {
                    return false;
                };
                let is = |item: &&Value| {
                    keys.iter()
                        .all(|(k, v)| item.get(k).is_some_and(|held| equal(held, v)))
                };
                match (
                    patch.iter().find(is),
                    live.iter().find(is),
                    there.as_object(),
                ) {
                    (Some(patch), Some(live), Some(there)) => same(there, patch, live),
                    _ => false,
                }
            }
            Some(("v", value)) => serde_json::from_str::<Value>(value).is_ok_and(|value| {
                patch.iter().any(|item| equal(item, &value))
                    && live.iter().any(|item| equal(item, &value))
            }),
            _ => false,
        };
        if !found {
            return false;
        }
    }
    count == patch.len()
}

/// Equality in which `1` and `1.0` are the same, as they are in JSON.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y || (x.as_f64().is_some() && x.as_f64() == y.as_f64())
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(key, x)| y.get(key).is_some_and(|y| equal(x, y)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live() -> Value {
        json!({
            "metadata": {
                "name": "a", "labels": {"x": "1", "other": "2"},
                "ownerReferences": [{"uid": "u", "kind": "X", "controller": true}],
                "managedFields": [{"manager": "m", "operation": "Apply", "fieldsV1": {
                    "f:metadata": {
                        "f:labels": {"f:x": {}},
                        "f:ownerReferences": {"k:{\"uid\":\"u\"}": {}}},
                    "f:spec": {"f:n": {}, "f:list": {}, "f:ports": {
                        "k:{\"port\":1}": {".": {}, "f:port": {}, "f:name": {}}}},
                }}]},
            "spec": {"n": 1, "list": [1, 2], "foreign": true, "ports": [{"port": 1, "name": "a"}, {"port": 2}]},
        })
    }

    fn patch() -> Value {
        json!({"apiVersion": "v1", "kind": "K", "metadata": {"name": "a", "labels": {"x": "1"},
            "ownerReferences": [{"uid": "u", "kind": "X", "controller": true}]},
            "spec": {"n": 1.0, "list": [1, 2], "ports": [{"port": 1, "name": "a"}]}})
    }

    #[test]
    fn the_same_fields_with_the_same_values_need_no_apply() {
        assert!(is_applied(&live(), &patch(), "m", ""));
    }

    #[test]
    fn what_was_applied_is_owned() {
        assert!(owns(&live(), "m", &["spec", "n"]));
        assert!(!owns(&live(), "m", &["spec", "foreign"]));
        assert!(!owns(&live(), "other", &["spec", "n"]));
    }

    #[test]
    fn another_manager_or_subresource_needs_an_apply() {
        assert!(!is_applied(&live(), &patch(), "other", ""));
        assert!(!is_applied(&live(), &patch(), "m", "status"));
    }

    #[test]
    fn any_difference_needs_an_apply() {
        type Change = fn(&mut Value, &mut Value);
        let changes: [Change; 8] = [
            |_, patch| patch["spec"]["n"] = json!(2),
            |live, _| live["spec"]["n"] = json!(2),
            |_, patch| patch["spec"]["more"] = json!(2),
            |_, patch| drop(patch["spec"].as_object_mut().unwrap().remove("n")),
            |_, patch| patch["spec"]["list"] = json!([1]),
            |live, _| live["spec"]["ports"][0]["name"] = json!("b"),
            |live, _| live["metadata"]["ownerReferences"] = json!([]),
            |_, patch| drop(patch.as_object_mut().unwrap().remove("spec")),
        ];
        for (index, change) in changes.iter().enumerate() {
            let (mut live, mut patch) = (live(), patch());
            change(&mut live, &mut patch);
            assert!(!is_applied(&live, &patch, "m", ""), "change {index}");
        }
    }
}
