//! What would a Composition of the mode Resources be as an input of patch-and-transform?
//!
//! Only what has another name or a default there is changed, so that every field keeps its path below `spec`.

use serde_json::{Map, Value, json};

/// Whether a Composition has resources of its own instead of a pipeline.
pub(crate) fn is_legacy(object: &Value) -> bool {
    let spec = &object["spec"];
    let has = |field: &str| spec[field].is_array();
    match spec["mode"].as_str() {
        Some("Resources") => !has("pipeline"),
        None => !has("pipeline") && has("resources"),
        Some(_) => false,
    }
}

/// The input.
pub(crate) fn input(spec: &Value) -> Value {
    let mut input = Map::new();
    for field in ["patchSets", "resources"] {
        if let Some(value) = spec.get(field) {
            input.insert(field.to_owned(), value.clone());
        }
    }
    if spec["environment"]["patches"].is_array() {
        let patches = spec["environment"]["patches"].clone();
        input.insert("environment".to_owned(), json!({ "patches": patches }));
    }
    let mut input = Value::Object(input);
    for list in ["patchSets", "resources"] {
        for (index, one) in items(&mut input[list]).enumerate() {
            if list == "resources" {
                resource(one, index);
            }
            items(&mut one["patches"]).for_each(patch);
        }
    }
    if input["environment"].is_object() {
        items(&mut input["environment"]["patches"]).for_each(patch);
    }
    clean(&mut input);
    input
}

fn items(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_array_mut().into_iter().flatten()
}

/// Looking for a field with `[]` leaves null where there is none.
fn clean(value: &mut Value) {
    if let Some(map) = value.as_object_mut() {
        for name in ["patchSets", "resources", "environment"] {
            if map.get(name).is_some_and(Value::is_null) {
                map.remove(name);
            }
        }
    }
}

fn resource(resource: &mut Value, index: usize) {
    let Some(map) = resource.as_object_mut() else {
        return;
    };
    let name = map.entry("name").or_insert(Value::Null);
    if name.as_str().is_none_or(str::is_empty) {
        *name = format!("resources[{index}]").into();
    }
    map.entry("patches").or_insert_with(|| json!([]));
    if let Some(details) = map.get_mut("connectionDetails") {
        items(details).for_each(detail);
    }
    // Null is what other tools leave of a field that is not set.
    map.retain(|_, value| !value.is_null());
}

fn detail(detail: &mut Value) {
    let Some(map) = detail.as_object_mut() else {
        return;
    };
    let kind = [
        ("fromConnectionSecretKey", "FromConnectionSecretKey"),
        ("fromFieldPath", "FromFieldPath"),
        ("value", "FromValue"),
    ];
    let kind = kind.iter().find(|(field, _)| map.contains_key(*field));
    let key = map.get("fromConnectionSecretKey").cloned();
    if let Some((_, kind)) = kind {
        map.entry("type").or_insert_with(|| (*kind).into());
    }
    if let Some(key) = key {
        map.entry("name").or_insert(key);
    }
}

fn patch(patch: &mut Value) {
    let Some(map) = patch.as_object_mut() else {
        return;
    };
    if let Some(policy) = map.get_mut("policy").and_then(Value::as_object_mut) {
        policy.remove("mergeOptions");
    }
    if let Some(transforms) = map.get_mut("transforms") {
        for transform in items(transforms) {
            for (name, kind) in [("string", "Format"), ("math", "Multiply")] {
                if let Some(config) = transform.get_mut(name).and_then(Value::as_object_mut) {
                    config.entry("type").or_insert_with(|| kind.into());
                }
            }
        }
    }
}
