//! What do the files hold of what a function asks for?

use std::collections::BTreeMap;

use purlin_composition::{Matching, Selector};
use purlin_object::{Object, ValueRef};
use purlin_pipeline::{Fetch, Fetched, SchemaOf};
use serde_json::{Map, Value};

use crate::inputs::Inputs;

/// How deep a schema's references are written out; deeper ones become objects of any shape.
const SCHEMA_DEPTH: usize = 32;
/// How many values one written-out schema may have.
const SCHEMA_NODES: usize = 200_000;

/// Answers a look-up from the files. Secrets that are missing are simply not in the answer: the pass says so.
pub(crate) fn look_up(fetch: &Fetch, inputs: &Inputs) -> Fetched {
    let resources = |selectors: &BTreeMap<String, Selector>| {
        let each = selectors.iter();
        each.map(|(name, selector)| (name.clone(), matching(selector, &inputs.required)))
            .collect()
    };
    Fetched {
        resources: resources(&fetch.resources),
        extra_resources: resources(&fetch.extra_resources),
        schemas: fetch
            .schemas
            .iter()
            .filter_map(|(name, wanted)| Some((name.clone(), schema(wanted, &inputs.schemas)?)))
            .collect(),
        secrets: fetch
            .secrets
            .iter()
            .filter_map(|(name, wanted)| {
                let key = (wanted.namespace.clone(), wanted.name.clone());
                Some((name.clone(), inputs.secrets.get(&key)?.clone()))
            })
            .collect(),
    }
}

/// The objects a selector picks, sorted by `namespace/name`.
fn matching(selector: &Selector, objects: &[Object]) -> Vec<Object> {
    let wanted_namespace = selector.namespace.as_deref();
    let fits = |object: &&Object| {
        let text = |path: &[&str]| {
            let value = object.get_path(path);
            value.and_then(ValueRef::as_str).unwrap_or_default()
        };
        let namespace = text(&["metadata", "namespace"]);
        let kind =
            text(&["apiVersion"]) == selector.api_version && text(&["kind"]) == selector.kind;
        kind && match &selector.matching {
            Matching::Name(name) => {
                text(&["metadata", "name"]) == name
                    && namespace == wanted_namespace.unwrap_or_default()
            }
            Matching::Labels(labels) => {
                wanted_namespace.is_none_or(|wanted| wanted == namespace)
                    && labels
                        .iter()
                        .all(|(label, value)| text(&["metadata", "labels", label]) == value)
            }
            Matching::All => wanted_namespace.is_none_or(|wanted| wanted == namespace),
        }
    };
    let mut found: Vec<Object> = objects.iter().filter(fits).cloned().collect();
    found.sort_by_key(|object| {
        let text = |field| {
            let value = object.get_path(&["metadata", field]);
            value
                .and_then(ValueRef::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        format!("{}/{}", text("namespace"), text("name"))
    });
    found
}

/// The schema of a kind, with its references written out. A component that stands for several kinds is nobody's.
fn schema(wanted: &SchemaOf, documents: &[Value]) -> Option<Object> {
    let (group, version) = wanted
        .api_version
        .split_once('/')
        .unwrap_or(("", &wanted.api_version));
    let is_wanted = |component: &Value| {
        let kinds = component
            .get("x-kubernetes-group-version-kind")
            .and_then(Value::as_array);
        let Some([kind]) = kinds.map(Vec::as_slice) else {
            return false;
        };
        let text = |field| kind.get(field).and_then(Value::as_str).unwrap_or_default();
        text("group") == group && text("version") == version && text("kind") == wanted.kind
    };
    documents.iter().find_map(|document| {
        let components = document.pointer("/components/schemas")?.as_object()?;
        let component = components.values().find(|component| is_wanted(component))?;
        let mut nodes = 0;
        let whole = inline(component, components, 0, &mut nodes);
        Object::from_json(whole).ok()
    })
}

fn inline(
    value: &Value,
    components: &Map<String, Value>,
    depth: usize,
    nodes: &mut usize,
) -> Value {
    *nodes += 1;
    if depth > SCHEMA_DEPTH || *nodes > SCHEMA_NODES {
        return serde_json::json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    }
    match value {
        Value::Object(map) => {
            let target = map.get("$ref").and_then(Value::as_str);
            let name = target.and_then(|target| target.strip_prefix("#/components/schemas/"));
            if let Some(component) = name.and_then(|name| components.get(name)) {
                return inline(component, components, depth + 1, nodes);
            }
            let inner = map.iter();
            Value::Object(
                inner
                    .map(|(key, value)| (key.clone(), inline(value, components, depth + 1, nodes)))
                    .collect(),
            )
        }
        Value::Array(list) => {
            let inner = list.iter();
            inner
                .map(|value| inline(value, components, depth + 1, nodes))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
