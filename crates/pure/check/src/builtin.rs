//! What are the fields of the kinds that every Kubernetes has?
//!
//! Their API reference as a table, `builtin.txt`; a schema is made of it when it is needed. What must be set is not in it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use purlin_schema::Schema;
use serde_json::{Map, Value, json};

use crate::set::{Known, group_version};

/// The types by name, each with its fields and their types.
static TYPES: LazyLock<BTreeMap<&str, Vec<(&str, &str)>>> = LazyLock::new(|| {
    lines()
        .filter(|line| !line.starts_with("kind "))
        .filter_map(|line| {
            let mut words = line.split(' ');
            let name = words.next()?;
            Some((
                name,
                words.filter_map(|field| field.split_once(':')).collect(),
            ))
        })
        .collect()
});

fn lines() -> impl Iterator<Item = &'static str> {
    let table = include_str!("builtin.txt");
    table.lines().filter(|line| !line.starts_with('#'))
}

/// The kinds.
pub(crate) fn known() -> Vec<Known> {
    lines().filter_map(kind).collect()
}

fn kind(line: &'static str) -> Option<Known> {
    let mut words = line.strip_prefix("kind ")?.split(' ');
    let (group, version) = group_version(words.next()?);
    let kind = words.next()?;
    let namespaced = words.next()? == "namespaced";
    let name = words.next()?;
    Some(Known {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        namespaced,
        deprecated: false,
        file: String::new(),
        digest: 0,
        load: Arc::new(move || {
            let mut whole = object(name);
            // Every object has these, whatever its kind.
            if let Some(fields) = whole["properties"].as_object_mut() {
                fields.remove("metadata");
            }
            Schema::parse(&whole).ok()
        }),
    })
}

fn object(name: &str) -> Value {
    let fields = TYPES.get(name).into_iter().flatten();
    let fields = fields.map(|(field, ty)| ((*field).to_owned(), of(ty)));
    json!({"type": "object", "nullable": true, "properties": fields.collect::<Map<_, _>>()})
}

/// The schema of a type as the table writes it.
fn of(ty: &str) -> Value {
    let inside = |open: char, close: char| ty.strip_prefix(open)?.strip_suffix(close);
    if let Some(item) = inside('[', ']') {
        return json!({"type": "array", "nullable": true, "items": of(item)});
    }
    if let Some(value) = inside('{', '}') {
        return json!({"type": "object", "nullable": true, "additionalProperties": of(value)});
    }
    match ty {
        "s" => json!({"type": "string", "nullable": true}),
        "i" => json!({"type": "integer", "nullable": true}),
        "n" => json!({"type": "number", "nullable": true}),
        "b" => json!({"type": "boolean", "nullable": true}),
        "q" => json!({"x-kubernetes-int-or-string": true, "nullable": true}),
        "o" => json!({"x-kubernetes-preserve-unknown-fields": true, "nullable": true}),
        name => object(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_table_is_in_it() {
        for (name, fields) in TYPES.iter() {
            for (field, ty) in fields {
                let inner = ty.trim_matches(['[', ']', '{', '}']);
                let letter = matches!(inner, "s" | "i" | "n" | "b" | "q" | "o");
                assert!(letter || TYPES.contains_key(inner), "{name}.{field}: {ty}");
            }
        }
        let kinds = known();
        assert!(kinds.len() > 20);
        for kind in kinds {
            assert!((kind.load)().is_some(), "{kind:?}");
        }
    }
}
