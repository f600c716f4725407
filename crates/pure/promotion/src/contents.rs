//! What a unit's folder holds on one side of a promotion.

use std::collections::BTreeMap;

use serde_json::Value;

/// What tells one file's content from another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The hash of the content.
    pub id: String,
    /// Whether it is a plain file, a program, a link or a submodule.
    pub mode: &'static str,
}

/// An object and the file it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The file, relative to the unit.
    pub file: String,
    /// The object.
    pub object: Value,
}

/// A unit's folder, read.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// Every file, by its path in the unit.
    pub files: BTreeMap<String, Identity>,
    /// The text of those that are text.
    pub texts: BTreeMap<String, String>,
    /// The objects in its YAML and JSON files.
    pub objects: Vec<Loaded>,
}

impl Contents {
    /// The objects of a kind in an API group, by name.
    pub fn of_kind(&self, group: &str, kind: &str) -> BTreeMap<String, &Value> {
        self.objects
            .iter()
            .map(|loaded| &loaded.object)
            .filter(|object| is_kind(object, group, kind))
            .map(|object| (name(object), object))
            .collect()
    }

    /// The CompositeResourceDefinitions, by name.
    pub fn definitions(&self) -> BTreeMap<String, &Value> {
        self.of_kind("apiextensions.crossplane.io", "CompositeResourceDefinition")
    }

    /// The Compositions, by name.
    pub fn compositions(&self) -> BTreeMap<String, &Value> {
        self.of_kind("apiextensions.crossplane.io", "Composition")
    }
}

pub(crate) fn is_kind(object: &Value, group: &str, kind: &str) -> bool {
    let version = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    version.split_once('/').is_some_and(|(g, _)| g == group)
        && object.get("kind").and_then(Value::as_str) == Some(kind)
}

pub(crate) fn name(object: &Value) -> String {
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}
