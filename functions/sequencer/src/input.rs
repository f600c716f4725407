//! What may the input say?

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Input {
    pub(crate) rules: Vec<SequenceRule>,
    #[serde(rename = "cacheTTL")]
    pub(crate) cache_ttl: Option<String>,
    pub(crate) enable_deletion_sequencing: bool,
    pub(crate) replay_deletion: bool,
    /// `v1`, or anything else for the usages of `protection.crossplane.io`.
    pub(crate) usage_version: String,
    pub(crate) reset_composite_readiness: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct SequenceRule {
    pub(crate) sequence: Vec<String>,
    pub(crate) condition: Option<String>,
    pub(crate) create_only: bool,
    pub(crate) delete_only: bool,
}
