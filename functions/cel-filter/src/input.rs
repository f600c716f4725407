//! What may the input say?

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Input {
    pub(crate) filters: Vec<Filter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// A pattern for whole names; the empty one matches no resource.
    pub(crate) name: String,
    pub(crate) expression: String,
}
