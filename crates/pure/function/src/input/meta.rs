//! What may an input say under `metadata`?

use std::collections::BTreeMap;

use purlin_object::Value;
use serde::Deserialize;

/// The `metadata` of an input. Nobody reads it; it is here so that mistakes in it are found, as upstream finds them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "the fields are those of every Kubernetes object"
)]
pub struct ObjectMeta {
    pub name: String,
    pub generate_name: String,
    pub namespace: String,
    pub self_link: String,
    pub uid: String,
    pub resource_version: String,
    pub generation: Option<i64>,
    pub creation_timestamp: Option<String>,
    pub deletion_timestamp: Option<String>,
    pub deletion_grace_period_seconds: Option<i64>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub owner_references: Vec<Value>,
    pub finalizers: Vec<String>,
    pub managed_fields: Vec<Value>,
}
