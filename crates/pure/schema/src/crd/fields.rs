//! The fields and printer columns the engine adds to the schemas of an XRD.

use serde_json::{Map, Value, json};

use super::Target;

/// The properties added below `spec`.
pub(super) fn spec(target: Target, update_policy: &str, delete_policy: &str) -> Map<String, Value> {
    let text = json!({"type": "string"});
    let mut shared = Map::from_iter([
        ("compositionRef".to_owned(), named(&["name"])),
        ("compositionSelector".to_owned(), selector()),
        ("compositionRevisionRef".to_owned(), named(&["name"])),
        ("compositionRevisionSelector".to_owned(), selector()),
    ]);
    let update =
        json!({"type": "string", "enum": ["Automatic", "Manual"], "default": update_policy});
    match target {
        Target::Claim => {
            shared.extend([
                ("compositionUpdatePolicy".to_owned(), json!({"type": "string", "enum": ["Automatic", "Manual"]})),
                (
                    "compositeDeletePolicy".to_owned(),
                    json!({"type": "string", "enum": ["Background", "Foreground"], "default": delete_policy}),
                ),
                ("resourceRef".to_owned(), named(&["apiVersion", "kind", "name"])),
                ("writeConnectionSecretToRef".to_owned(), named(&["name"])),
            ]);
            shared
        }
        Target::LegacyComposite => {
            shared.extend([
                ("compositionUpdatePolicy".to_owned(), update),
                (
                    "claimRef".to_owned(),
                    named(&["apiVersion", "kind", "namespace", "name"]),
                ),
                ("resourceRefs".to_owned(), references(true, &text)),
                (
                    "writeConnectionSecretToRef".to_owned(),
                    named(&["name", "namespace"]),
                ),
            ]);
            shared
        }
        Target::Composite { namespaced } => {
            shared.extend([
                ("compositionUpdatePolicy".to_owned(), update),
                ("resourceRefs".to_owned(), references(!namespaced, &text)),
            ]);
            let machinery = json!({
                "type": "object",
                "description": "How this resource is composed, and of what.",
                "properties": shared,
            });
            Map::from_iter([("crossplane".to_owned(), machinery)])
        }
    }
}

/// The properties added below `status`.
pub(super) fn status(target: Target) -> Map<String, Value> {
    let mut fields = Map::from_iter([("conditions".to_owned(), conditions())]);
    if matches!(target, Target::LegacyComposite | Target::Claim) {
        fields.insert(
            "connectionDetails".to_owned(),
            json!({"type": "object", "properties": {"lastPublishedTime": {"type": "string", "format": "date-time"}}}),
        );
        fields.insert(
            "claimConditionTypes".to_owned(),
            json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}),
        );
    }
    fields
}

/// The printer columns after the author's own.
pub(super) fn columns(target: Target) -> Vec<Value> {
    let column = |name: &str, path: &str| json!({"name": name, "type": "string", "jsonPath": path});
    let condition = |name: &str, kind: &str| {
        column(
            name,
            &format!(".status.conditions[?(@.type=='{kind}')].status"),
        )
    };
    let mut columns = vec![condition("SYNCED", "Synced"), condition("READY", "Ready")];
    let root = match target {
        Target::Claim => {
            columns.push(column(
                "CONNECTION-SECRET",
                ".spec.writeConnectionSecretToRef.name",
            ));
            None
        }
        Target::LegacyComposite => Some(".spec"),
        Target::Composite { .. } => Some(".spec.crossplane"),
    };
    if let Some(root) = root {
        columns.push(column(
            "COMPOSITION",
            &format!("{root}.compositionRef.name"),
        ));
        let mut revision = column(
            "COMPOSITIONREVISION",
            &format!("{root}.compositionRevisionRef.name"),
        );
        revision["priority"] = 1.into();
        columns.push(revision);
    }
    columns.push(json!({"name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp"}));
    columns
}

/// An object of required strings.
fn named(fields: &[&str]) -> Value {
    let properties = fields
        .iter()
        .map(|name| ((*name).to_owned(), json!({"type": "string"})));
    let properties: Map<String, Value> = properties.collect();
    json!({"type": "object", "required": fields, "properties": properties})
}

fn selector() -> Value {
    json!({
        "type": "object",
        "required": ["matchLabels"],
        "properties": {"matchLabels": {"type": "object", "additionalProperties": {"type": "string"}}},
    })
}

fn references(with_namespace: bool, text: &Value) -> Value {
    let mut properties = json!({"apiVersion": text, "kind": text, "name": text});
    if with_namespace {
        properties["namespace"] = text.clone();
    }
    json!({
        "type": "array",
        "x-kubernetes-list-type": "atomic",
        "items": {"type": "object", "required": ["apiVersion", "kind"], "properties": properties},
    })
}

fn conditions() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "array",
        "description": "What is known about this resource, one entry a type.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "reason", "status", "type"],
            "properties": {
                "lastTransitionTime": {"type": "string", "format": "date-time"},
                "message": text,
                "observedGeneration": {"type": "integer", "format": "int64"},
                "reason": text,
                "status": text,
                "type": text,
            },
        },
    })
}
