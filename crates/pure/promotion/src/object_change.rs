//! How the objects of a unit change that are not APIs: Compositions, functions, configuration.

use std::collections::BTreeMap;

use purlin_diff::{FieldChange, ResourceId, fields};
use serde::Serialize;
use serde_json::Value;

use crate::contents::Contents;

/// Whether an object is new, gone, or different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is there on both sides.
    Changed,
}

/// An object of the unit that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    /// Which one.
    pub id: ResourceId,
    /// Whether it is new, gone, or different.
    pub presence: Presence,
    /// The fields that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Why the API server would refuse the change, when it would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impossible: Option<String>,
}

/// Compares everything but the CompositeResourceDefinitions.
pub(crate) fn object_changes(old: &Contents, new: &Contents) -> Vec<ObjectChange> {
    let (old, new) = (by_id(old), by_id(new));
    let mut changes = Vec::new();
    for (id, before) in &old {
        match new.get(id) {
            None => changes.push(change(id, Presence::Removed)),
            Some(after) => {
                let fields = fields(before, after);
                if !fields.is_empty() {
                    changes.push(ObjectChange {
                        impossible: impossible(before, after),
                        fields,
                        ..change(id, Presence::Changed)
                    });
                }
            }
        }
    }
    let added = new.keys().filter(|id| !old.contains_key(*id));
    changes.extend(added.map(|id| change(id, Presence::Added)));
    changes.sort_by(|a, b| (&a.id.kind, &a.id.name).cmp(&(&b.id.kind, &b.id.name)));
    changes
}

fn change(id: &ResourceId, presence: Presence) -> ObjectChange {
    ObjectChange {
        id: id.clone(),
        presence,
        fields: Vec::new(),
        impossible: None,
    }
}

fn by_id(contents: &Contents) -> BTreeMap<ResourceId, &Value> {
    contents
        .objects
        .iter()
        .map(|loaded| (ResourceId::of(&loaded.object), &loaded.object))
        .filter(|(id, _)| id.kind != "CompositeResourceDefinition")
        .collect()
}

/// A Composition's `compositeTypeRef` cannot change (a CEL rule of Crossplane's own CRD).
fn impossible(before: &Value, after: &Value) -> Option<String> {
    let of = |object: &Value| object.pointer("/spec/compositeTypeRef").cloned();
    let composition = before.get("kind").and_then(Value::as_str) == Some("Composition");
    (composition && of(before) != of(after)).then(|| {
        "spec.compositeTypeRef of a Composition cannot change; give the new Composition another name".to_owned()
    })
}
