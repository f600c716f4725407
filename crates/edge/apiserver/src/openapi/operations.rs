//! The operations of a resource: paths, parameters, what goes in and what comes out.

use serde_json::{Map, Value, json};

use super::{META, reference, schema_name};
use crate::registry::{Resource, api_version};

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

#[expect(
    clippy::too_many_lines,
    reason = "one flat block per path reads better than five helpers"
)]
pub(super) fn add_paths(resource: &Resource, paths: &mut Map<String, Value>) {
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
