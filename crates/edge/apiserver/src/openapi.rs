//! OpenAPI v3 documents, as far as clients read them: schemas, and what each operation takes.

mod operations;
pub(crate) mod v2;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::kinds::types;
use crate::registry::{Catalog, Resource, Source};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// The path of a group version's document below `/openapi/v3/`.
pub(crate) fn document_path(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

/// The index of all documents.
pub(crate) fn index(catalog: &Catalog) -> Value {
    let mut paths = Map::new();
    for (group, versions) in catalog.groups() {
        for (version, resources) in versions {
            let path = document_path(&group, &version);
            let hash = hash(&resources);
            let url = format!("/openapi/v3/{path}?hash={hash}");
            paths.insert(path, json!({"serverRelativeURL": url}));
        }
    }
    json!({"paths": paths})
}

/// A hash that changes with the content of a group version's document.
pub(crate) fn hash(resources: &[std::sync::Arc<Resource>]) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for resource in resources {
        digest.update(resource.plural.as_bytes());
        digest.update(resource.kind.as_bytes());
        if let Some(custom) = resource.custom() {
            digest.update(custom.definition.to_be_bytes());
        }
    }
    let bytes: Vec<String> = digest
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    bytes.concat()
}

/// The name of a kind's schema: the group's labels reversed, the version, the kind.
fn schema_name(resource: &Resource) -> String {
    match &resource.source {
        Source::Builtin(builtin) => {
            types::message(builtin.message).map_or_else(String::new, |m| m.schema.to_owned())
        }
        Source::Custom(_) => {
            let reversed: Vec<&str> = resource.group.rsplit('.').collect();
            format!(
                "{}.{}.{}",
                reversed.join("."),
                resource.version,
                resource.kind
            )
        }
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn gvk(resource: &Resource, kind: &str) -> Value {
    json!({"group": resource.group, "kind": kind, "version": resource.version})
}

/// The document of one group version.
pub(crate) fn document(catalog: &Catalog, group: &str, version: &str) -> Option<(Value, String)> {
    let groups = catalog.groups();
    let (_, versions) = groups.into_iter().find(|(name, _)| name == group)?;
    let (_, resources) = versions.into_iter().find(|(name, _)| name == version)?;
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let mut needed: BTreeSet<&'static str> = BTreeSet::from(["ObjectMeta", "DeleteOptions"]);
    for resource in &resources {
        operations::add_paths(resource, &mut paths);
        add_schemas(resource, &mut schemas, &mut needed);
        if resource.custom().is_some_and(|c| c.scale.is_some()) {
            add_scale(&mut schemas);
        }
    }
    let mut done = BTreeSet::new();
    while let Some(name) = needed.pop_first() {
        let Some(message) = types::message(name) else {
            continue;
        };
        if !done.insert(name) || schemas.contains_key(message.schema) {
            continue;
        }
        let mut refers = Vec::new();
        schemas.insert(message.schema.into(), types::openapi(message, &mut refers));
        needed.extend(refers);
    }
    add_meta(&mut schemas);
    let document = json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": crate::VERSION},
        "paths": paths,
        "components": {"schemas": schemas},
    });
    Some((document, hash(&resources)))
}

fn add_meta(schemas: &mut Map<String, Value>) {
    let text = || json!({"type": "string"});
    let small = [
        (
            "ListMeta",
            json!({"type": "object", "properties": {
                "continue": text(), "resourceVersion": text(), "selfLink": text(),
                "remainingItemCount": {"type": "integer", "format": "int64"},
            }}),
        ),
        ("Patch", json!({"type": "object"})),
        ("Time", json!({"type": "string", "format": "date-time"})),
        (
            "Status",
            json!({"type": "object", "properties": {
                "apiVersion": text(), "kind": text(), "message": text(), "reason": text(), "status": text(),
                "code": {"type": "integer", "format": "int32"},
                "metadata": reference(&format!("{META}.ListMeta")),
                "details": reference(&format!("{META}.StatusDetails")),
            }}),
        ),
        (
            "StatusDetails",
            json!({"type": "object", "properties": {
                "name": text(), "group": text(), "kind": text(), "uid": text(),
                "retryAfterSeconds": {"type": "integer", "format": "int32"},
                "causes": {"type": "array", "items": reference(&format!("{META}.StatusCause"))},
            }}),
        ),
        (
            "StatusCause",
            json!({"type": "object", "properties": {"field": text(), "message": text(), "reason": text()}}),
        ),
    ];
    for (name, schema) in small {
        schemas.insert(format!("{META}.{name}"), schema);
    }
}

fn add_scale(schemas: &mut Map<String, Value>) {
    let name = |part: &str| format!("io.k8s.api.autoscaling.v1.{part}");
    let replicas = || json!({"type": "integer", "format": "int32"});
    let metadata = json!({"allOf": [reference(&format!("{META}.ObjectMeta"))]});
    schemas.insert(
        name("Scale"),
        json!({
            "type": "object",
            "properties": {
                "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": metadata,
                "spec": {"allOf": [reference(&name("ScaleSpec"))]},
                "status": {"allOf": [reference(&name("ScaleStatus"))]},
            },
            "x-kubernetes-group-version-kind": [{"group": "autoscaling", "kind": "Scale", "version": "v1"}],
        }),
    );
    schemas.insert(
        name("ScaleSpec"),
        json!({"type": "object", "properties": {"replicas": replicas()}}),
    );
    let status = json!({
        "type": "object", "required": ["replicas"],
        "properties": {"replicas": replicas(), "selector": {"type": "string"}},
    });
    schemas.insert(name("ScaleStatus"), status);
}

fn add_schemas(
    resource: &Resource,
    schemas: &mut Map<String, Value>,
    needed: &mut BTreeSet<&'static str>,
) {
    let name = schema_name(resource);
    let mut schema = match &resource.source {
        Source::Builtin(builtin) => {
            let mut refers = Vec::new();
            let schema = types::message(builtin.message).map(|m| types::openapi(m, &mut refers));
            needed.extend(refers);
            schema.unwrap_or_default()
        }
        Source::Custom(custom) => {
            let mut schema = custom.document.clone();
            schema["type"] = "object".into();
            if !schema["properties"].is_object() {
                schema["properties"] = json!({});
            }
            let metadata = reference(&format!("{META}.ObjectMeta"));
            schema["properties"]["metadata"] = json!({
                "allOf": [metadata],
                "description": "Standard object metadata.",
            });
            schema
        }
    };
    let kinds = [
        (
            "apiVersion",
            "The version of the schema of this object, for example v1 or example.com/v1.",
        ),
        ("kind", "The kind of this object, in CamelCase."),
    ];
    for (field, description) in kinds {
        schema["properties"][field] = json!({"type": "string", "description": description});
    }
    schema["x-kubernetes-group-version-kind"] = json!([gvk(resource, &resource.kind)]);
    if resource.verbs().contains(&"list") {
        schemas.insert(format!("{name}List"), list_schema(resource, &name));
    }
    schemas.insert(name, schema);
}

fn list_schema(resource: &Resource, name: &str) -> Value {
    json!({
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"},
            "items": {"type": "array", "items": reference(name)},
            "metadata": {"allOf": [reference(&format!("{META}.ListMeta"))]},
        },
        "x-kubernetes-group-version-kind": [gvk(resource, &resource.list_kind)],
    })
}
