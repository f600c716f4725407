//! Which Kubernetes objects would be created, changed or deleted.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::{FieldChange, fields};

/// The annotation by which Crossplane tells the resources of one composite apart.
const RESOURCE_NAME: &str = "crossplane.io/composition-resource-name";

/// What identifies an object between two renderings: the name it has in its Composition when it has one, else its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceName {
    /// The name inside the Composition.
    Composed(String),
    /// `apiVersion/kind/namespace/name`, for what has no name in a Composition.
    Own(String),
}

/// An object as people name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceId {
    /// For example `ec2.aws.upbound.io/v1beta1`.
    pub api_version: String,
    /// For example `VPC`.
    pub kind: String,
    /// Its name, or what it will be generated from.
    pub name: String,
}

impl ResourceId {
    /// The identity an object gives itself.
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| {
            let text = object.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let name = text("/metadata/name");
        Self {
            api_version: text("/apiVersion"),
            kind: text("/kind"),
            name: if name.is_empty() {
                text("/metadata/generateName")
            } else {
                name
            },
        }
    }
}

impl std::fmt::Display for ResourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// What would happen to an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "verb", rename_all = "camelCase")]
pub enum Verb {
    /// It does not exist yet.
    Create,
    /// Some of its fields change.
    Change {
        /// Which ones.
        fields: Vec<FieldChange>,
    },
    /// It is no longer wanted.
    Delete,
    /// The same content under another name in the Composition: the old object is deleted and a new one created, unless
    /// the name is changed back.
    Rename {
        /// The name it has today.
        from: String,
    },
}

/// One object that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceChange {
    /// What the two sides were matched by.
    pub key: ResourceName,
    /// The object: the new one, or the old one when there is no new one.
    pub id: ResourceId,
    /// What would happen to it.
    #[serde(flatten)]
    pub verb: Verb,
}

/// Compares two sets of objects, ordered by key. Statuses and what the API server writes are left out: they are not
/// desired state.
pub fn resources(old: &[Value], new: &[Value]) -> Vec<ResourceChange> {
    let (old, new) = (keyed(old), keyed(new));
    let mut changes = Vec::new();
    for (key, before) in &old {
        let (id, verb) = match new.get(key) {
            None => (ResourceId::of(before), Verb::Delete),
            Some(after) if same_kind(before, after) => {
                let fields = fields(before, after);
                if fields.is_empty() {
                    continue;
                }
                (ResourceId::of(after), Verb::Change { fields })
            }
            Some(after) => {
                changes.push(ResourceChange {
                    key: key.clone(),
                    id: ResourceId::of(before),
                    verb: Verb::Delete,
                });
                (ResourceId::of(after), Verb::Create)
            }
        };
        changes.push(ResourceChange {
            key: key.clone(),
            id,
            verb,
        });
    }
    for (key, after) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        changes.push(ResourceChange {
            key: key.clone(),
            id: ResourceId::of(after),
            verb: Verb::Create,
        });
    }
    find_renames(&mut changes, &old, &new);
    changes.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
    changes
}

/// A deleted and a created object of the same kind and content are one that changed its name.
fn find_renames(
    changes: &mut [ResourceChange],
    old: &BTreeMap<ResourceName, Value>,
    new: &BTreeMap<ResourceName, Value>,
) {
    let deleted: Vec<ResourceName> = changes
        .iter()
        .filter(|change| change.verb == Verb::Delete)
        .map(|change| change.key.clone())
        .collect();
    for key in deleted {
        let Some(before) = old.get(&key) else {
            continue;
        };
        let twin = changes.iter_mut().find(|change| {
            change.verb == Verb::Create
                && change.key != key
                && new.get(&change.key).is_some_and(|after| {
                    same_kind(before, after)
                        && before.get("spec") == after.get("spec")
                        && before.get("spec").is_some()
                })
        });
        if let Some(twin) = twin {
            let (ResourceName::Composed(from) | ResourceName::Own(from)) = key;
            twin.verb = Verb::Rename { from };
        }
    }
}

fn same_kind(a: &Value, b: &Value) -> bool {
    let group = |v: &Value| {
        let text = v
            .get("apiVersion")
            .and_then(Value::as_str)
            .unwrap_or_default();
        text.split_once('/')
            .map_or(String::new(), |(group, _)| group.to_owned())
    };
    group(a) == group(b) && a.get("kind") == b.get("kind")
}

fn keyed(objects: &[Value]) -> BTreeMap<ResourceName, Value> {
    objects
        .iter()
        .map(|object| (key(object), normal(object)))
        .collect()
}

fn key(object: &Value) -> ResourceName {
    let annotations = object.pointer("/metadata/annotations");
    if let Some(name) = annotations
        .and_then(|a| a.get(RESOURCE_NAME))
        .and_then(Value::as_str)
    {
        return ResourceName::Composed(name.to_owned());
    }
    let id = ResourceId::of(object);
    let namespace = object
        .pointer("/metadata/namespace")
        .and_then(Value::as_str);
    ResourceName::Own(format!(
        "{}/{}/{}/{}",
        id.api_version,
        id.kind,
        namespace.unwrap_or_default(),
        id.name
    ))
}

/// The object without its status and what only the API server writes.
fn normal(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for name in [
            "managedFields",
            "resourceVersion",
            "uid",
            "creationTimestamp",
            "generation",
            "ownerReferences",
        ] {
            metadata.remove(name);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn composed(key: &str, kind: &str, spec: &Value) -> Value {
        json!({
            "apiVersion": "ec2.aws.upbound.io/v1beta1", "kind": kind,
            "metadata": {"name": format!("net-{key}"), "annotations": {RESOURCE_NAME: key}, "ownerReferences": [{"uid": key}]},
            "spec": spec, "status": {"noise": key}
        })
    }

    #[test]
    fn resources_are_matched_by_their_name_in_the_composition() {
        let old = [
            composed("vpc", "VPC", &json!({"cidr": "10.0.0.0/16"})),
            composed("gone", "Subnet", &json!({"a": 1})),
            composed("same", "Subnet", &json!({"a": 2})),
        ];
        let mut moved = composed("same", "Subnet", &json!({"a": 2}));
        moved["status"] = json!({"other": true});
        let new = [
            composed("vpc", "VPC", &json!({"cidr": "10.1.0.0/16"})),
            composed("fresh", "Subnet", &json!({"a": 3})),
            moved,
        ];
        let shown: Vec<String> = resources(&old, &new)
            .iter()
            .map(|c| match &c.verb {
                Verb::Create => format!("+ {}", c.id),
                Verb::Delete => format!("- {}", c.id),
                Verb::Change { fields } => format!("~ {} {}", c.id, fields[0].path),
                Verb::Rename { from } => format!("r {} {from}", c.id),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "+ Subnet/net-fresh",
                "- Subnet/net-gone",
                "~ VPC/net-vpc spec.cidr"
            ]
        );
    }

    #[test]
    fn the_same_content_under_another_name_is_a_rename_and_another_kind_is_not_a_change() {
        let spec = json!({"cidr": "10.0.0.0/16"});
        let old = [composed("a", "VPC", &spec), composed("x", "VPC", &spec)];
        let new = [composed("b", "VPC", &spec), composed("x", "Bucket", &spec)];
        let verbs: Vec<_> = resources(&old, &new)
            .into_iter()
            .map(|c| (c.id.kind, c.verb))
            .collect();
        assert_eq!(
            verbs,
            [
                ("VPC".to_owned(), Verb::Delete),
                (
                    "VPC".to_owned(),
                    Verb::Rename {
                        from: "a".to_owned()
                    }
                ),
                ("Bucket".to_owned(), Verb::Create),
                ("VPC".to_owned(), Verb::Delete),
            ]
        );
    }
}
