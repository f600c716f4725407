//! What may the input say?

use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Input {
    pub(crate) source: String,
    pub(crate) inline: Option<Inline>,
    pub(crate) file_system: Option<FileSystem>,
    pub(crate) environment: Option<Environment>,
    pub(crate) delims: Option<Delims>,
    pub(crate) options: Option<Vec<String>>,
    pub(crate) ttl: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Inline {
    pub(crate) template: String,
    pub(crate) templates: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct FileSystem {
    pub(crate) dir_path: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Environment {
    pub(crate) key: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Delims {
    pub(crate) left: Option<String>,
    pub(crate) right: Option<String>,
}
