//! What may a user write? The input as it is decoded; holes are still texts.

use std::collections::BTreeMap;

use purlin_object::{Object, Value};
use serde::Deserialize;

/// `blueprint.fn.purlin.dev/v1alpha1`, kind `Blueprint`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Input {
    /// Named values.
    #[serde(default, rename = "let")]
    pub(crate) lets: BTreeMap<String, Value>,
    /// What is composed.
    #[serde(default)]
    pub(crate) resources: Vec<Resource>,
    /// Objects to be read, by the name they are read under.
    #[serde(default)]
    pub(crate) requires: BTreeMap<String, Require>,
    /// Fields of the composite's status.
    #[serde(default)]
    pub(crate) status: Option<Value>,
    /// Connection details of the composite.
    #[serde(default)]
    pub(crate) connection: BTreeMap<String, Value>,
    /// What has to hold before anything is composed.
    #[serde(default)]
    pub(crate) asserts: Vec<Assert>,
}

/// A composed resource, or one per element of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Resource {
    /// Its name among the composed resources, and in expressions.
    pub(crate) name: String,
    /// The object.
    pub(crate) manifest: Value,
    /// One variable, and the list it takes its values from.
    #[serde(default)]
    pub(crate) for_each: Option<BTreeMap<String, Value>>,
    /// Whether it is wanted.
    #[serde(default)]
    pub(crate) when: Option<Value>,
    /// Whether it is ready; without it, its condition `Ready` says so.
    #[serde(default)]
    pub(crate) ready: Option<Value>,
    /// Somebody else's: read, not composed.
    #[serde(default)]
    pub(crate) external: bool,
}

/// An object, or several, that somebody else keeps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Require {
    pub(crate) api_version: Value,
    pub(crate) kind: Value,
    #[serde(default)]
    pub(crate) namespace: Option<Value>,
    #[serde(default)]
    pub(crate) name: Option<Value>,
    #[serde(default)]
    pub(crate) match_labels: Option<Object>,
}

/// Something that has to hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Assert {
    pub(crate) that: Value,
    pub(crate) message: Value,
}
