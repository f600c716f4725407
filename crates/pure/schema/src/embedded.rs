//! Are embedded resources (`x-kubernetes-embedded-resource`) resources, and is their metadata metadata?
//!
//! Mirrors k8s.io/apiextensions-apiserver (pkg/apiserver/schema/objectmeta).

use serde_json::{Map, Value};

use crate::error::{FieldError, child, element};
use crate::structural::Schema;

/// The shape of a field of `metadata`.
#[derive(Clone, Copy)]
enum Meta {
    Text,
    Number,
    Texts,
    TextMap,
    Any,
}

static META: &[(&str, Meta)] = &[
    ("annotations", Meta::TextMap),
    ("creationTimestamp", Meta::Text),
    ("deletionGracePeriodSeconds", Meta::Number),
    ("deletionTimestamp", Meta::Text),
    ("finalizers", Meta::Texts),
    ("generateName", Meta::Text),
    ("generation", Meta::Number),
    ("labels", Meta::TextMap),
    ("managedFields", Meta::Any),
    ("name", Meta::Text),
    ("namespace", Meta::Text),
    ("ownerReferences", Meta::Any),
    ("resourceVersion", Meta::Text),
    ("selfLink", Meta::Text),
    ("uid", Meta::Text),
];

/// `apiVersion` and `kind` of embedded resources must be well formed.
pub(crate) fn check(object: &Value, schema: &Schema) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(object, schema, "", &mut |resource, path| {
        if let Some(version) = resource.get("apiVersion")
            && version.as_str().is_some_and(|text| !is_api_version(text))
        {
            let detail = "must be a version, or a group and a version";
            errors.push(FieldError::invalid(
                child(path, "apiVersion"),
                version,
                detail,
            ));
        }
        if let Some(kind) = resource.get("kind")
            && kind.as_str().is_some_and(|text| !is_kind(text))
        {
            let detail = "must be a DNS label in any case, for example Bucket";
            errors.push(FieldError::invalid(child(path, "kind"), kind, detail));
        }
    });
    errors
}

/// Removes fields that metadata does not have, at the root and in embedded resources, and returns their paths.
///
/// # Errors
/// Metadata fields of the wrong type: a server answers those with 400, since it cannot read the object at all.
pub fn coerce_metadata(
    object: &mut Value,
    schema: &Schema,
) -> Result<Vec<String>, Vec<FieldError>> {
    let mut unknown = Vec::new();
    let mut wrong = Vec::new();
    if let Some(root) = object.as_object_mut() {
        metadata(root, "", &mut unknown, &mut wrong);
    }
    walk_mut(object, schema, "", &mut |resource, path| {
        metadata(resource, path, &mut unknown, &mut wrong);
    });
    if wrong.is_empty() {
        Ok(unknown)
    } else {
        Err(wrong)
    }
}

fn metadata(
    resource: &mut Map<String, Value>,
    path: &str,
    unknown: &mut Vec<String>,
    wrong: &mut Vec<FieldError>,
) {
    let at = child(path, "metadata");
    let fields = match resource.get_mut("metadata") {
        None | Some(Value::Null) => return,
        Some(Value::Object(fields)) => fields,
        Some(other) => {
            wrong.push(FieldError::type_invalid(at, other, "must be an object"));
            return;
        }
    };
    fields.retain(|name, value| {
        let at = child(&at, name);
        let Ok(found) = META.binary_search_by(|(known, _)| (*known).cmp(name.as_str())) else {
            unknown.push(at);
            return false;
        };
        if !value.is_null() && !is_meta(value, META[found].1) {
            wrong.push(FieldError::type_invalid(
                at,
                value,
                "has the wrong type for metadata",
            ));
        }
        true
    });
}

fn is_meta(value: &Value, shape: Meta) -> bool {
    match shape {
        Meta::Text => value.is_string(),
        Meta::Number => value.is_i64(),
        Meta::Texts => value
            .as_array()
            .is_some_and(|l| l.iter().all(Value::is_string)),
        Meta::TextMap => value
            .as_object()
            .is_some_and(|m| m.values().all(|v| v.is_string() || v.is_null())),
        Meta::Any => true,
    }
}

fn is_api_version(text: &str) -> bool {
    !text.is_empty() && text.matches('/').count() <= 1
}

fn is_kind(text: &str) -> bool {
    crate::names::is_dns_1035(&text.to_ascii_lowercase())
}

fn walk(
    value: &Value,
    schema: &Schema,
    path: &str,
    visit: &mut impl FnMut(&Map<String, Value>, &str),
) {
    match value {
        Value::Object(map) => {
            if schema.embedded {
                visit(map, path);
            }
            for (name, member) in map {
                if let Some(known) = schema.field(name) {
                    walk(member, known, &child(path, name), visit);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.items.as_deref() {
                for (index, member) in list.iter().enumerate() {
                    walk(member, items, &element(path, index), visit);
                }
            }
        }
        _ => {}
    }
}

fn walk_mut(
    value: &mut Value,
    schema: &Schema,
    path: &str,
    visit: &mut impl FnMut(&mut Map<String, Value>, &str),
) {
    match value {
        Value::Object(map) => {
            if schema.embedded {
                visit(map, path);
            }
            for (name, member) in map.iter_mut() {
                if let Some(known) = schema.field(name) {
                    walk_mut(member, known, &child(path, name), visit);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.items.as_deref() {
                for (index, member) in list.iter_mut().enumerate() {
                    walk_mut(member, items, &element(path, index), visit);
                }
            }
        }
        _ => {}
    }
}
