//! Are the members of sets and of keyed lists unique?
//!
//! Mirrors k8s.io/apiextensions-apiserver (pkg/apiserver/schema/listtype): a set compares whole members, where `1` and
//! `1.0` differ; a keyed list compares keys, where they do not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::{FieldError, child, element};
use crate::structural::{ListType, Schema};

/// One error for every value that is there more than once, at its second appearance.
pub(crate) fn check(value: &Value, schema: &Schema, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(value, schema, path, &mut errors);
    errors
}

fn walk(value: &Value, schema: &Schema, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(map) => {
            for (name, member) in map {
                if let Some(known) = schema.field(name) {
                    walk(member, known, &child(path, name), errors);
                }
            }
        }
        Value::Array(list) => {
            match schema.list_type {
                ListType::Atomic => {}
                ListType::Set => repeated(list, path, Value::to_string, errors),
                ListType::Map => {
                    let keys = |member: &Value| key(member, &schema.list_map_keys);
                    repeated(list, path, keys, errors);
                }
            }
            if let Some(items) = schema.items.as_deref() {
                for (index, member) in list.iter().enumerate() {
                    walk(member, items, &element(path, index), errors);
                }
            }
        }
        _ => {}
    }
}

fn repeated(
    list: &[Value],
    path: &str,
    identity: impl Fn(&Value) -> String,
    errors: &mut Vec<FieldError>,
) {
    let mut seen = BTreeSet::new();
    let mut told = BTreeSet::new();
    for (index, member) in list.iter().enumerate() {
        let one = identity(&sorted(member));
        if !seen.insert(one.clone()) && told.insert(one) {
            errors.push(FieldError::duplicate(element(path, index), member));
        }
    }
}

fn key(member: &Value, keys: &[String]) -> String {
    let parts = keys.iter().map(|key| match member.get(key.as_str()) {
        Some(Value::Number(number)) => number.as_f64().map_or_else(String::new, |f| f.to_string()),
        Some(other) => other.to_string(),
        None => String::new(),
    });
    parts.collect::<Vec<_>>().join("\u{0}")
}

/// The same value with the fields of its objects in order, so that equal values have equal texts.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields.into_iter();
            Value::Object(fields.map(|(name, v)| (name.clone(), sorted(v))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(sorted).collect()),
        scalar => scalar.clone(),
    }
}
