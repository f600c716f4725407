//! The rules of each built-in kind: what the server fills in and keeps.

use serde_json::{Map, Value, json};

use super::Which;
use super::names::Naming;

const LABEL: &str = "kubernetes.io/metadata.name";
pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// How objects of a kind may be named.
pub(crate) fn naming(which: Which) -> Naming {
    match which {
        Which::Namespace => Naming::Label,
        Which::Role | Which::ClusterRole | Which::RoleBinding | Which::ClusterRoleBinding => {
            Naming::PathSegment
        }
        Which::ConfigMap
        | Which::Secret
        | Which::ServiceAccount
        | Which::Event
        | Which::NewEvent
        | Which::Lease
        | Which::Definition
        | Which::Review => Naming::Subdomain,
    }
}

/// Fills in what decoding the kind always fills in, before anybody is said to own a field.
pub(crate) fn default(which: Which, object: &mut Value) {
    match which {
        Which::Secret => {
            merge_string_data(object);
            let untyped = object
                .get("type")
                .and_then(Value::as_str)
                .is_none_or(str::is_empty);
            if untyped {
                object["type"] = "Opaque".into();
            }
        }
        Which::Namespace => {
            if let Some(name) = text(object, "/metadata/name") {
                let name = name.to_owned();
                label(object, &name);
            }
        }
        Which::RoleBinding | Which::ClusterRoleBinding => default_binding(object),
        _ => {}
    }
}

pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|t| !t.is_empty())
}

fn label(object: &mut Value, name: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let labels = metadata
            .entry("labels")
            .or_insert_with(|| Value::Object(Map::new()));
        labels[LABEL] = name.into();
    }
}

fn merge_string_data(object: &mut Value) {
    use base64::Engine as _;
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = fields.remove("stringData") else {
        return;
    };
    let data = fields
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    for (key, value) in plain {
        let bytes = value.as_str().unwrap_or_default().as_bytes();
        data[key] = base64::engine::general_purpose::STANDARD
            .encode(bytes)
            .into();
    }
}

fn default_binding(object: &mut Value) {
    if let Some(reference) = object.get_mut("roleRef").and_then(Value::as_object_mut)
        && reference
            .get("apiGroup")
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
    {
        reference.insert("apiGroup".into(), RBAC.into());
    }
    for subject in object
        .get_mut("subjects")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let kind = subject
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let plain = subject
            .get("apiGroup")
            .and_then(Value::as_str)
            .is_none_or(str::is_empty);
        if plain && matches!(kind, "User" | "Group") {
            subject["apiGroup"] = RBAC.into();
        }
    }
}

/// What a create sets, whatever the client sent.
pub(crate) fn before_create(which: Which, object: &mut Value) {
    match which {
        Which::Role | Which::ClusterRole => no_empty_rules(object),
        Which::Namespace => {
            let mut finalizers = object["spec"]["finalizers"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            if !finalizers.iter().any(|f| f.as_str() == Some("kubernetes")) {
                finalizers.push("kubernetes".into());
            }
            object["spec"]["finalizers"] = finalizers.into();
            object["status"] = json!({"phase": "Active"});
        }
        Which::Definition => {
            let stored = object["spec"]["versions"].as_array().into_iter().flatten();
            let stored: Vec<Value> = stored
                .filter(|v| v["storage"] == Value::Bool(true))
                .map(|v| v["name"].clone())
                .collect();
            object["status"] = json!({
                "conditions": null,
                "acceptedNames": {"plural": "", "kind": ""},
                "storedVersions": stored,
            });
        }
        _ => {}
    }
}

/// What an update keeps of the old object. `sub` is the subresource written, if any.
pub(crate) fn before_update(which: Which, object: &mut Value, old: &Value, sub: &str) {
    let keep = |object: &mut Value, field: &str| match old.get(field) {
        Some(value) => object[field] = value.clone(),
        None => {
            if let Some(fields) = object.as_object_mut() {
                fields.remove(field);
            }
        }
    };
    match (which, sub) {
        (Which::Namespace, "finalize") => keep(object, "status"),
        (Which::Namespace, "status") => keep(object, "spec"),
        (Which::Definition, "status") => {
            keep(object, "spec");
            if object["status"]["storedVersions"]
                .as_array()
                .is_none_or(Vec::is_empty)
            {
                object["status"]["storedVersions"] = json!([]);
                add_stored_version(object);
            }
        }
        (Which::Namespace, _) => {
            keep(object, "spec");
            keep(object, "status");
        }
        (Which::Role | Which::ClusterRole, _) => no_empty_rules(object),
        (Which::Definition, _) => {
            keep(object, "status");
            add_stored_version(object);
        }
        _ => {}
    }
}

/// Roles without rules are stored with none, not with an empty list.
fn no_empty_rules(object: &mut Value) {
    if object["rules"].as_array().is_some_and(Vec::is_empty) {
        object["rules"] = Value::Null;
    }
}

/// A version that becomes the storage version is listed as stored at once.
fn add_stored_version(object: &mut Value) {
    let versions = object["spec"]["versions"].as_array();
    let storage = versions
        .into_iter()
        .flatten()
        .find(|v| v["storage"] == Value::Bool(true))
        .map(|v| v["name"].clone());
    if let Some(storage) = storage
        && let Some(stored) = object
            .pointer_mut("/status/storedVersions")
            .and_then(Value::as_array_mut)
        && !stored.contains(&storage)
    {
        stored.push(storage);
    }
}
