//! Which fields does a schema not know, and what is left without them?
//!
//! Mirrors pruning in k8s.io/apiextensions-apiserver (pkg/apiserver/schema/pruning and defaulting/prune).

use serde_json::{Map, Value};

use crate::error::{child, element};
use crate::structural::Schema;

/// Fields every resource has, whatever its schema says.
const OBJECT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Removes the fields of a whole object that its schema does not know, and returns their paths in the order they were
/// found, for `fieldValidation` `Warn` and `Strict`.
pub fn prune(object: &mut Value, schema: &Schema) -> Vec<String> {
    let mut unknown = Vec::new();
    walk(object, Some(schema), "", true, &mut unknown);
    unknown
}

/// The paths [`prune`] would remove; the object stays as it is.
pub fn unknown_fields(object: &Value, schema: &Schema) -> Vec<String> {
    prune(&mut object.clone(), schema)
}

/// Removes unknown fields from a part of an object, for example a `default`.
pub(crate) fn prune_part(value: &mut Value, schema: &Schema, is_object: bool) -> Vec<String> {
    let mut unknown = Vec::new();
    walk(value, Some(schema), "", is_object, &mut unknown);
    unknown
}

fn walk(
    value: &mut Value,
    schema: Option<&Schema>,
    path: &str,
    is_object: bool,
    unknown: &mut Vec<String>,
) {
    if let Some(schema) = schema.filter(|schema| schema.preserve_unknown) {
        keep(value, schema, path, unknown);
        return;
    }
    let is_object = is_object || schema.is_some_and(|schema| schema.embedded);
    match value {
        Value::Object(map) => object(map, schema, path, is_object, unknown),
        Value::Array(list) => {
            let items = schema.and_then(|schema| schema.items.as_deref());
            for (index, member) in list.iter_mut().enumerate() {
                walk(member, items, &element(path, index), false, unknown);
            }
        }
        _ => {}
    }
}

fn object(
    map: &mut Map<String, Value>,
    schema: Option<&Schema>,
    path: &str,
    is_object: bool,
    unknown: &mut Vec<String>,
) {
    map.retain(|name, member| {
        if is_object && OBJECT_FIELDS.contains(&name.as_str()) {
            return true;
        }
        let at = child(path, name);
        if let Some(property) = schema.and_then(|schema| schema.properties.get(name)) {
            walk(member, Some(property), &at, false, unknown);
            return true;
        }
        if let Some(additional) = schema.and_then(|schema| schema.additional.as_ref()) {
            walk(member, additional.schema(), &at, false, unknown);
            return true;
        }
        unknown.push(at);
        false
    });
}

/// Under `x-kubernetes-preserve-unknown-fields` what is not declared stays; what is declared is pruned again.
fn keep(value: &mut Value, schema: &Schema, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, member) in map {
                if schema.embedded && OBJECT_FIELDS.contains(&name.as_str()) {
                    continue;
                }
                if let Some(known) = schema.field(name) {
                    walk(member, Some(known), &child(path, name), false, unknown);
                }
            }
        }
        Value::Array(list) => {
            let Some(items) = schema.items.as_deref() else {
                return;
            };
            for (index, member) in list.iter_mut().enumerate() {
                keep(member, items, &element(path, index), unknown);
            }
        }
        _ => {}
    }
}

/// Removes `null` from fields that are not nullable and have no default: there it means that the field is absent.
pub fn drop_nulls(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(map) => map.retain(|name, member| {
            let Some(known) = schema.field(name) else {
                return true;
            };
            if member.is_null() && known.drops_null() && known.default.is_none() {
                return false;
            }
            drop_nulls(member, known);
            true
        }),
        Value::Array(list) => {
            if let Some(items) = schema.items.as_deref() {
                for member in list {
                    drop_nulls(member, items);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_fields_go_and_their_paths_are_told() {
        let schema = Schema::parse(&json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "parts": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}}},
            "m": {"type": "object", "additionalProperties": {"type": "object", "properties": {"b": {"type": "string"}}}},
            "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"shut": {"type": "object"}}}}}}}))
        .unwrap();
        let mut object = json!({"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "a"}, "other": 1, "spec": {
            "parts": [{"a": 1, "z": 2}, {"z": 3}], "m": {"k": {"b": "x", "y": 1}}, "open": {"u": {"v": 1}, "shut": {"w": 1}}}});
        let mut unknown = prune(&mut object, &schema);
        unknown.sort();
        assert_eq!(
            unknown,
            [
                "other",
                "spec.m.k.y",
                "spec.open.shut.w",
                "spec.parts[0].z",
                "spec.parts[1].z"
            ]
        );
        assert_eq!(
            object["spec"],
            json!({"parts": [{"a": 1}, {}], "m": {"k": {"b": "x"}}, "open": {"u": {"v": 1}, "shut": {}}})
        );
        assert!(unknown_fields(&object, &schema).is_empty());
    }

    #[test]
    fn null_is_absence_unless_nullable_or_unknown() {
        let schema = Schema::parse(&json!({"type": "object", "properties": {
            "s": {"type": "string"}, "n": {"type": "string", "nullable": true}, "d": {"type": "integer", "default": 1},
            "m": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"x-kubernetes-preserve-unknown-fields": true}}}))
        .unwrap();
        let mut value = json!({"s": null, "n": null, "d": null, "m": {"a": null, "b": "x"}, "any": {"b": null}, "zz": null});
        drop_nulls(&mut value, &schema);
        assert_eq!(
            value,
            json!({"n": null, "d": null, "m": {"b": "x"}, "any": {"b": null}, "zz": null})
        );
    }
}
