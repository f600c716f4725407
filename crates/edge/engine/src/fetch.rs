//! Looks up what functions ask for, and says what a composite depends on because of it.

use std::collections::BTreeMap;

use purlin_api::meta::{self, Gvk};
use purlin_composition::{Matching, Selector};
use purlin_kube::Error;
use purlin_object::Object;
use purlin_pipeline::{Fetch, Fetched, Remembered, SchemaOf};
use serde_json::{Map, Value};

use crate::compose::data_of;
use crate::pass::{decode, to_object};
use crate::shared::Shared;
use crate::tracker::{Dependency, Which};

/// How deep references between schemas are followed.
const DEEPEST: usize = 24;

/// Looks up everything a step asks for.
pub(crate) async fn look_up(shared: &Shared, wanted: &Fetch) -> Result<Fetched, String> {
    let mut found = Fetched::default();
    for (name, selector) in &wanted.resources {
        let objects = objects(shared, selector).await?;
        found.resources.insert(name.clone(), objects);
    }
    for (name, selector) in &wanted.extra_resources {
        let objects = objects(shared, selector).await?;
        found.extra_resources.insert(name.clone(), objects);
    }
    for (name, kind) in &wanted.schemas {
        if let Some(schema) = schema(shared, kind).await? {
            found.schemas.insert(name.clone(), schema);
        }
    }
    for (name, at) in &wanted.secrets {
        let say = |error: Error| error.to_string();
        let kind = shared
            .client
            .kind(&Gvk::new("v1", "Secret"))
            .await
            .map_err(say)?;
        let secret = shared
            .client
            .get(&kind, &at.namespace, &at.name)
            .await
            .map_err(say)?;
        let Some(secret) = secret else {
            return Err(format!(
                "Secret {}/{} does not exist; create it, or correct the credentials of the step",
                at.namespace, at.name
            ));
        };
        let data = data_of(&secret)
            .into_iter()
            .map(|(key, value)| (key, decode(&value)));
        found.secrets.insert(name.clone(), data.collect());
    }
    Ok(found)
}

async fn objects(shared: &Shared, selector: &Selector) -> Result<Vec<Object>, String> {
    let say = |error: Error| error.to_string();
    let gvk = Gvk::new(&selector.api_version, &selector.kind);
    let kind = shared.client.kind(&gvk).await.map_err(say)?;
    let namespace = selector.namespace.as_deref().unwrap_or_default();
    // Secrets are never kept in memory.
    let live = gvk == Gvk::new("v1", "Secret");
    if let Matching::Name(name) = &selector.matching {
        let held = if live {
            None
        } else {
            shared.store(&gvk).await.map_err(say)?.get(namespace, name)
        };
        if let Some(object) = held {
            return Ok(vec![to_object(&object)?]);
        }
        let object = shared
            .client
            .get(&kind, namespace, name)
            .await
            .map_err(say)?;
        return object.iter().map(to_object).collect();
    }
    let fits = |object: &Value| {
        (namespace.is_empty() || meta::namespace(object) == namespace)
            && match &selector.matching {
                Matching::Labels(labels) => meta::has_labels(object, &label_map(labels)),
                Matching::All | Matching::Name(_) => true,
            }
    };
    if live {
        let listed = shared.client.list(&kind, namespace).await.map_err(say)?;
        return listed
            .items
            .iter()
            .filter(|o| fits(o))
            .map(to_object)
            .collect();
    }
    let all = shared.store(&gvk).await.map_err(say)?.list();
    all.iter()
        .filter(|o| fits(o))
        .map(|o| to_object(o))
        .collect()
}

fn label_map(labels: &BTreeMap<String, String>) -> Map<String, Value> {
    labels
        .iter()
        .map(|(k, v)| (k.clone(), Value::from(v.as_str())))
        .collect()
}

/// The schema of a kind, with every reference in it replaced by what it refers to.
async fn schema(shared: &Shared, of: &SchemaOf) -> Result<Option<Object>, String> {
    let gvk = Gvk::new(&of.api_version, &of.kind);
    let document = shared
        .client
        .openapi(&gvk)
        .await
        .map_err(|error| error.to_string())?;
    let Some(document) = document else {
        return Ok(None);
    };
    let Some(components) =
        meta::at(&document, &["components", "schemas"]).and_then(Value::as_object)
    else {
        return Ok(None);
    };
    let is = |schema: &&Value| {
        let kinds = schema
            .get("x-kubernetes-group-version-kind")
            .and_then(Value::as_array);
        kinds.is_some_and(|kinds| {
            kinds.len() == 1
                && kinds.iter().all(|k| {
                    meta::text(k, &["group"]) == gvk.group
                        && meta::text(k, &["version"]) == gvk.version
                        && meta::text(k, &["kind"]) == gvk.kind
                })
        })
    };
    match components.values().find(is) {
        Some(found) => {
            let whole = resolve(found, components, 0);
            Object::from_json(whole)
                .map(Some)
                .map_err(|error| error.to_string())
        }
        None => Ok(None),
    }
}

fn resolve(schema: &Value, components: &Map<String, Value>, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Object(Map::new());
    }
    match schema {
        Value::Object(fields) => {
            let target = fields
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix("#/components/schemas/"))
                .and_then(|name| components.get(name));
            if let Some(target) = target {
                return resolve(target, components, depth + 1);
            }
            let fields = fields
                .iter()
                .map(|(key, value)| (key.clone(), resolve(value, components, depth + 1)));
            Value::Object(fields.collect())
        }
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| resolve(item, components, depth + 1))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// What a composite depends on because its functions asked for it.
pub(crate) fn dependencies(requirements: &Remembered) -> Vec<Dependency> {
    let selectors = requirements.values().flat_map(|fetch| {
        fetch
            .resources
            .values()
            .chain(fetch.extra_resources.values())
    });
    selectors
        .map(|selector| {
            let (which, namespace) = match &selector.matching {
                Matching::Name(name) => (
                    Which::Name(name.clone()),
                    Some(selector.namespace.clone().unwrap_or_default()),
                ),
                Matching::Labels(labels) => {
                    (Which::Labels(label_map(labels)), selector.namespace.clone())
                }
                Matching::All => (Which::Labels(Map::new()), selector.namespace.clone()),
            };
            Dependency {
                gvk: Gvk::new(&selector.api_version, &selector.kind),
                namespace,
                which,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_between_schemas_are_replaced_and_loops_end() {
        let components = json!({"a": {"properties": {"b": {"$ref": "#/components/schemas/b"}}}, "b": {"type": "string"},
            "loop": {"properties": {"again": {"$ref": "#/components/schemas/loop"}}}});
        let components = components.as_object().unwrap();
        let a = resolve(&components["a"], components, 0);
        assert_eq!(a, json!({"properties": {"b": {"type": "string"}}}));
        assert!(resolve(&components["loop"], components, 0).is_object());
    }
}
