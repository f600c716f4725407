//! The normal form in which snapshots are compared, and the comparison.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::names::{Names, references, text};

/// An object without what differs from run to run.
pub(crate) fn normal(object: &Value, names: &Names) -> Value {
    let mut object = object.clone();
    metadata(&mut object["metadata"]);
    if let Some(status) = object.get_mut("status") {
        walk(status);
    }
    match text(&object, &["kind"]) {
        "Secret" => {
            let data = object["data"].as_object().cloned().unwrap_or_default();
            let data = data.into_iter().map(|(key, value)| {
                let bytes = BASE64_STANDARD
                    .decode(value.as_str().unwrap_or_default())
                    .unwrap_or_default();
                (
                    key,
                    Value::from(String::from_utf8_lossy(&bytes).into_owned()),
                )
            });
            object["data"] = Value::Object(data.collect());
        }
        "CompositionRevision" => {
            let steps = object["spec"]["pipeline"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let steps: Vec<Value> = steps.iter().map(|step| step["step"].clone()).collect();
            object["spec"] = json!({
                "revision": object["spec"]["revision"], "compositeTypeRef": object["spec"]["compositeTypeRef"],
                "steps": steps, "mode": object["spec"]["mode"],
            });
        }
        "CompositeResourceDefinition" => {
            let versions = object["spec"]["versions"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let versions: Vec<Value> = versions
                .iter()
                .map(|v| json!([v["name"], v["served"], v["referenceable"]]))
                .collect();
            object["spec"] = json!({"versions": versions});
        }
        _ => {}
    }
    let order: Vec<[String; 4]> = references(&object)
        .iter()
        .map(|r| ["apiVersion", "kind", "namespace", "name"].map(|key| text(r, &[key]).to_owned()))
        .collect();
    if !order.is_empty() {
        object["metadata"]["x-refs-sorted-by-kind-and-name"] = order.is_sorted().into();
    }
    let mut object = names.swap(&object);
    for pointer in ["/spec/resourceRefs", "/spec/crossplane/resourceRefs"] {
        if let Some(Value::Array(list)) = object.pointer_mut(pointer) {
            list.sort_by_key(canonical);
        }
    }
    object
}

fn metadata(metadata: &mut Value) {
    let hashed = Regex::new("/[0-9a-f]{40,}$").expect("the pattern is right");
    let Some(fields) = metadata.as_object_mut() else {
        return;
    };
    for dropped in [
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "selfLink",
        "deletionGracePeriodSeconds",
    ] {
        fields.remove(dropped);
    }
    if fields.contains_key("deletionTimestamp") {
        fields.insert("deletionTimestamp".into(), "TIME".into());
    }
    let entries = fields.remove("managedFields");
    let mut managers: Vec<String> = entries
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|entry| {
            let manager = hashed
                .replace(text(entry, &["manager"]), "/HASH")
                .into_owned();
            format!(
                "{manager}|{}|{}",
                text(entry, &["operation"]),
                text(entry, &["subresource"])
            )
        })
        .collect();
    managers.sort();
    managers.dedup();
    fields.insert("managedFields".into(), managers.into());
    if fields
        .get("annotations")
        .and_then(Value::as_object)
        .is_some_and(Map::is_empty)
    {
        fields.remove("annotations");
    }
    if let Some(Value::Array(list)) = fields.get_mut("finalizers") {
        list.sort_by_key(canonical);
    }
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(conditions)) = map.get_mut("conditions") {
                let mut kept: Vec<Value> = conditions
                    .iter()
                    .map(|c| json!({"type": c["type"], "status": c["status"], "reason": c["reason"]}))
                    .collect();
                kept.sort_by_key(|c| text(c, &["type"]).to_owned());
                *conditions = kept;
            }
            for (key, value) in map.iter_mut() {
                if matches!(key.as_str(), "lastPublishedTime" | "lastTransitionTime")
                    && value.is_string()
                {
                    *value = "TIME".into();
                } else {
                    walk(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// JSON with sorted keys, for ordering.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let fields: Vec<String> = keys
                .into_iter()
                .map(|key| format!("\"{key}\": {}", canonical(&map[key])))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(canonical).collect::<Vec<_>>().join(", ")
        ),
        other => other.to_string(),
    }
}

/// What differs between the recorded snapshot and this one; nothing when nothing does.
pub(crate) fn differences(want: &Value, got: &Value, unstable: &[Value]) -> Vec<String> {
    let maybe = want["events_sometimes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let (mut want, mut got) = (want.clone(), got.clone());
    for side in [&mut want, &mut got] {
        if let Some(fields) = side.as_object_mut() {
            fields.remove("events_sometimes");
        }
        if let Some(Value::Array(events)) = side.get_mut("events") {
            // A fresh revision may be used before it was validated: one passing Warning, pure timing.
            events.retain(|e| {
                let soft = e[0] == "Warning" && e[1] == "ComposeResources";
                !soft && !maybe.contains(e)
            });
        }
        for path in unstable {
            cut(side, path.as_str().unwrap_or_default());
        }
    }
    let mut out = Vec::new();
    compare("", &want, &got, &mut out);
    out
}

/// Removes one `/a/0/b` path.
fn cut(value: &mut Value, path: &str) {
    let Some((parent, last)) = path.rsplit_once('/') else {
        return;
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(last)),
        Some(Value::Array(items)) => {
            if let Some(item) = last.parse::<usize>().ok().and_then(|i| items.get_mut(i)) {
                *item = Value::Null;
            }
        }
        _ => {}
    }
}

fn compare(path: &str, want: &Value, got: &Value, out: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(w), Value::Object(g)) => {
            for (key, value) in w {
                match g.get(key) {
                    Some(other) => compare(&format!("{path}/{key}"), value, other, out),
                    None => out.push(format!("- {path}/{key}: {value}")),
                }
            }
            for (key, value) in g.iter().filter(|(key, _)| !w.contains_key(*key)) {
                out.push(format!("+ {path}/{key}: {value}"));
            }
        }
        (Value::Array(w), Value::Array(g)) if w.len() == g.len() => {
            for (index, (w, g)) in w.iter().zip(g).enumerate() {
                compare(&format!("{path}/{index}"), w, g, out);
            }
        }
        (Value::Number(w), Value::Number(g)) if w.as_f64() == g.as_f64() => {}
        _ if want == got => {}
        _ => out.push(format!("~ {path}: recorded {want}, now {got}")),
    }
}
