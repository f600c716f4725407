//! OpenAPI v3 documents, as far as clients read them: schemas, and what each operation takes.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::kinds::types;
use crate::registry::{Catalog, Resource, Source, api_version};

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
        add_paths(resource, &mut paths);
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

fn parameter(name: &str, place: &str, holds: &str) -> Value {
    let mut parameter =
        json!({"name": name, "in": place, "schema": {"type": holds, "uniqueItems": true}});
    if place == "path" {
        parameter["required"] = true.into();
    }
    parameter
}

fn parameters(list: &[(&str, &str)]) -> Value {
    let shown: Vec<Value> = list
        .iter()
        .map(|(name, holds)| parameter(name, "query", holds))
        .collect();
    shown.into()
}

const LIST: &[(&str, &str)] = &[
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];
const WRITE: &[(&str, &str)] = &[
    ("dryRun", "string"),
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
];
const PATCH: &[(&str, &str)] = &[
    ("dryRun", "string"),
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
    ("force", "boolean"),
];
const GET: &[(&str, &str)] = &[("resourceVersion", "string")];
const DELETE: &[(&str, &str)] = &[
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    (
        "ignoreStoreReadErrorWithClusterBreakingPotential",
        "boolean",
    ),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];

/// One operation on a path.
struct Operation<'a> {
    resource: &'a Resource,
    /// How its id begins.
    id: &'a str,
    action: &'a str,
    part: &'a str,
    scope: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<&'a str>,
    answer: &'a str,
    codes: &'a [&'a str],
}

fn camel(text: &str) -> String {
    let words = text.split(['.', '-', '/']).filter(|w| !w.is_empty());
    let upper = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    words.map(upper).collect()
}

impl Operation<'_> {
    fn render(&self) -> Value {
        let resource = self.resource;
        let group = resource
            .group
            .strip_suffix(".k8s.io")
            .unwrap_or(&resource.group);
        let group = if group.is_empty() {
            "Core".to_owned()
        } else {
            camel(group)
        };
        let version = camel(&resource.version);
        let tag: String = format!("{}_{}", group.to_lowercase(), resource.version);
        let id = format!(
            "{}{group}{version}{}{}{}",
            self.id,
            self.scope,
            resource.kind,
            camel(self.part)
        );
        let content = |schema: &str| json!({"application/json": {"schema": reference(schema)}, "application/yaml": {"schema": reference(schema)}});
        let mut responses = Map::new();
        for code in self.codes {
            responses.insert(
                (*code).into(),
                json!({"description": "done", "content": content(self.answer)}),
            );
        }
        responses.insert("401".into(), json!({"description": "Unauthorized"}));
        let (group, version, kind) = match self.part {
            "scale" => ("autoscaling", "v1", "Scale"),
            _ => (
                resource.group.as_str(),
                resource.version.as_str(),
                resource.kind.as_str(),
            ),
        };
        let mut out = json!({
            "tags": [tag],
            "operationId": id,
            "parameters": parameters(self.query),
            "responses": responses,
            "x-kubernetes-action": self.action,
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
        });
        if let Some(body) = self.body {
            let content = if self.action == "patch" {
                patch_content(resource)
            } else {
                content(body)
            };
            out["requestBody"] = json!({"content": content, "required": true});
        }
        out
    }
}

fn patch_content(resource: &Resource) -> Value {
    let mut content = Map::new();
    for media in [
        "apply-patch+yaml",
        "json-patch+json",
        "merge-patch+json",
        "strategic-merge-patch+json",
    ] {
        if media.starts_with("strategic") && resource.custom().is_some() {
            continue;
        }
        let schema = reference(&format!("{META}.Patch"));
        content.insert(format!("application/{media}"), json!({"schema": schema}));
    }
    Value::Object(content)
}

fn add_paths(resource: &Resource, paths: &mut Map<String, Value>) {
    let name = schema_name(resource);
    let prefix = if resource.group.is_empty() {
        "/api/"
    } else {
        "/apis/"
    };
    let root = format!(
        "{prefix}{}",
        api_version(&resource.group, &resource.version)
    );
    let plural = &resource.plural;
    let collection = if resource.namespaced {
        format!("{root}/namespaces/{{namespace}}/{plural}")
    } else {
        format!("{root}/{plural}")
    };
    let scope = if resource.namespaced {
        "Namespaced"
    } else {
        ""
    };
    let can = |verb: &str| resource.verbs().contains(&verb);
    let list_name = format!("{name}List");
    let base = Operation {
        resource,
        id: "",
        action: "",
        part: "",
        scope,
        query: &[],
        body: None,
        answer: &name,
        codes: &["200"],
    };
    let mut item = Map::new();
    let status = format!("{META}.Status");
    if can("list") {
        let list = Operation {
            id: "list",
            action: "list",
            query: LIST,
            answer: &list_name,
            ..base
        };
        item.insert("get".into(), list.render());
        if resource.namespaced {
            let everywhere = Operation {
                id: "list",
                action: "list",
                scope: "",
                part: "forAllNamespaces",
                query: &[],
                answer: &list_name,
                ..base
            };
            let mut shared = vec![parameter("pretty", "query", "string")];
            shared.extend(
                LIST.iter()
                    .map(|(name, holds)| parameter(name, "query", holds)),
            );
            paths.insert(
                format!("{root}/{plural}"),
                json!({"get": everywhere.render(), "parameters": shared}),
            );
        }
    }
    if can("create") {
        let post = Operation {
            id: "create",
            action: "post",
            query: WRITE,
            body: Some(&name),
            codes: &["200", "201", "202"],
            ..base
        };
        item.insert("post".into(), post.render());
    }
    if can("deletecollection") {
        let all = Operation {
            id: "deleteCollection",
            action: "deletecollection",
            query: LIST,
            answer: &status,
            ..base
        };
        item.insert("delete".into(), all.render());
    }
    item.insert("parameters".into(), path_parameters(resource, false));
    paths.insert(collection.clone(), Value::Object(item));
    if can("get") {
        let delete = Operation {
            id: "delete",
            action: "delete",
            query: DELETE,
            answer: &status,
            codes: &["200", "202"],
            ..base
        };
        let mut item = item_operations(&base);
        item.insert("delete".into(), delete.render());
        item.insert("parameters".into(), path_parameters(resource, true));
        paths.insert(format!("{collection}/{{name}}"), Value::Object(item));
    }
    let mut parts = Vec::new();
    if resource.has_status() {
        parts.push(("status", name.as_str()));
    }
    if resource.custom().is_some_and(|c| c.scale.is_some()) {
        parts.push(("scale", "io.k8s.api.autoscaling.v1.Scale"));
    }
    for (part, answer) in parts {
        let mut item = item_operations(&Operation {
            part,
            answer,
            ..base
        });
        item.insert("parameters".into(), path_parameters(resource, true));
        paths.insert(format!("{collection}/{{name}}/{part}"), Value::Object(item));
    }
}

fn item_operations(base: &Operation<'_>) -> Map<String, Value> {
    let mut item = Map::new();
    let answer = Some(base.answer);
    let get = Operation {
        id: "read",
        action: "get",
        query: if base.resource.custom().is_some() {
            GET
        } else {
            &[]
        },
        ..*base
    };
    let put = Operation {
        id: "replace",
        action: "put",
        query: WRITE,
        body: answer,
        codes: &["200", "201"],
        ..*base
    };
    let patch = Operation {
        id: "patch",
        action: "patch",
        query: PATCH,
        body: answer,
        codes: &["200", "201"],
        ..*base
    };
    item.insert("get".into(), get.render());
    item.insert("put".into(), put.render());
    item.insert("patch".into(), patch.render());
    item
}

fn path_parameters(resource: &Resource, named: bool) -> Value {
    let mut list = Vec::new();
    if named {
        list.push(parameter("name", "path", "string"));
    }
    if resource.namespaced {
        list.push(parameter("namespace", "path", "string"));
    }
    list.push(parameter("pretty", "query", "string"));
    list.into()
}
