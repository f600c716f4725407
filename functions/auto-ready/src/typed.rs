//! Can this object be held by Kubernetes' type for its kind?
//!
//! Upstream reads some kinds through their Go types, and one wrong field anywhere makes the whole object unreadable and
//! so not ready. The types are written down in `types.txt`; fields that are not in them are harmless.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use purlin_object::{Instant, ObjectRef, Quantity, ValueRef};

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Type {
    Text,
    Bool,
    Int32,
    Int64,
    Time,
    Quantity,
    /// A number or a text.
    IntOrText,
    /// Anything.
    Any,
    List(Box<Type>),
    Map(Box<Type>),
    Struct(&'static str),
}

type Types = BTreeMap<&'static str, BTreeMap<&'static str, Type>>;

/// Whether the object fits the type of this name.
pub(crate) fn fits(name: &str, object: ObjectRef<'_>) -> bool {
    static TYPES: OnceLock<Types> = OnceLock::new();
    let types = TYPES.get_or_init(|| read(include_str!("types.txt")));
    fits_struct(types, name, object)
}

fn fits_struct(types: &Types, name: &str, object: ObjectRef<'_>) -> bool {
    let Some(fields) = types.get(name) else {
        return true;
    };
    object.iter().all(|(name, value)| {
        fields
            .get(name)
            .is_none_or(|wanted| fits_type(types, wanted, value))
    })
}

fn fits_type(types: &Types, wanted: &Type, value: ValueRef<'_>) -> bool {
    match (wanted, value) {
        (_, ValueRef::Null) | (Type::Any, _) | (Type::IntOrText, ValueRef::String(_)) => true,
        (Type::Text, value) => value.as_str().is_some(),
        (Type::Bool, value) => value.as_bool().is_some(),
        (Type::Int64, value) => value.as_i64().is_some(),
        (Type::Int32 | Type::IntOrText, value) => {
            value.as_i64().is_some_and(|n| i32::try_from(n).is_ok())
        }
        (Type::Time, value) => value
            .as_str()
            .is_some_and(|text| Instant::parse(text).is_some()),
        (Type::Quantity, ValueRef::String(text)) => Quantity::parse(text).is_ok(),
        (Type::Quantity, value) => value.as_f64().is_some(),
        (Type::List(item), ValueRef::List(list)) => {
            list.iter().all(|value| fits_type(types, item, value))
        }
        (Type::Map(item), ValueRef::Object(map)) => {
            map.iter().all(|(_, value)| fits_type(types, item, value))
        }
        (Type::Struct(name), ValueRef::Object(object)) => fits_struct(types, name, object),
        (Type::List(_) | Type::Map(_) | Type::Struct(_), _) => false,
    }
}

/// Reads the types: a line each, `Name field:type …`, where a type is a letter, `[type]`, `{type}` or a name.
fn read(text: &'static str) -> Types {
    let mut types = Types::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else {
            continue;
        };
        let fields = words.filter_map(|word| {
            let (field, wanted) = word.split_once(':')?;
            Some((field, read_type(wanted)))
        });
        types.entry(name).or_default().extend(fields);
    }
    types
}

fn read_type(text: &'static str) -> Type {
    if let Some(item) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        return Type::List(Box::new(read_type(item)));
    }
    if let Some(item) = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    {
        return Type::Map(Box::new(read_type(item)));
    }
    match text {
        "s" => Type::Text,
        "b" => Type::Bool,
        "n" => Type::Int32,
        "i" => Type::Int64,
        "t" => Type::Time,
        "q" => Type::Quantity,
        "p" => Type::IntOrText,
        "a" => Type::Any,
        name => Type::Struct(name),
    }
}

#[cfg(test)]
mod tests {
    use purlin_object::Object;
    use serde_json::{Value as Json, json};

    use super::{Type, fits, read};

    fn named(wanted: &Type) -> Option<&'static str> {
        match wanted {
            Type::Struct(name) => Some(name),
            Type::List(item) | Type::Map(item) => named(item),
            _ => None,
        }
    }

    #[test]
    fn every_type_that_is_named_is_written_down() {
        let types = read(include_str!("types.txt"));
        for (name, fields) in &types {
            assert!(!fields.is_empty(), "{name}");
            for wanted in fields.values().filter_map(named) {
                assert!(types.contains_key(wanted), "{name} needs {wanted}");
            }
        }
    }

    fn check(kind: &str, object: Json, expect: bool) {
        let object = Object::from_json(object).expect("an object");
        assert_eq!(fits(kind, object.as_ref()), expect, "{object:?}");
    }

    #[test]
    fn one_wrong_field_anywhere_makes_an_object_unreadable() {
        check(
            "Pod",
            json!({"metadata": {"labels": {"a": "b"}}, "unknown": 1}),
            true,
        );
        check("Pod", json!({"metadata": {"labels": {"a": 1}}}), false);
        check("Pod", json!({"metadata": {"generation": "1"}}), false);
        check(
            "Pod",
            json!({"spec": {"containers": [{"ports": [{"containerPort": "80"}]}]}}),
            false,
        );
        let limits =
            |cpu: Json| json!({"spec": {"containers": [{"resources": {"limits": {"cpu": cpu}}}]}});
        check("Pod", limits(json!("100m")), true);
        check("Pod", limits(json!(1)), true);
        check("Pod", limits(json!("lots")), false);
        let probe = |port: Json| json!({"spec": {"containers": [{"livenessProbe": {"httpGet": {"port": port}}}]}});
        check("Pod", probe(json!("http")), true);
        check("Pod", probe(json!(8080.0)), true);
        check("Pod", probe(json!(1.5)), false);
        check("Job", json!({"status": {"startTime": ""}}), false);
        check("Job", json!({"status": {"conditions": [null]}}), true);
        check("ReplicaSet", json!({"spec": {"replicas": 1.5}}), false);
    }
}
