//! What may the input say?

use purlin_function::selection::LabelMatcher;
use purlin_object::Object;
use serde::{Deserialize, Deserializer};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Input {
    pub(crate) spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Spec {
    /// Absent is not empty: nothing at all is done then.
    pub(crate) environment_configs: Option<Vec<Entry>>,
    #[serde(deserialize_with = "object")]
    pub(crate) default_data: Option<Object>,
    pub(crate) policy: Policy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Policy {
    pub(crate) resolution: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Entry {
    pub(crate) r#type: String,
    pub(crate) r#ref: Option<Reference>,
    pub(crate) selector: Option<Selector>,
    pub(crate) to_field_path: Option<String>,
}

impl Entry {
    pub(crate) fn is_selector(&self) -> bool {
        self.r#type == "Selector"
    }

    pub(crate) fn is_reference(&self) -> bool {
        self.r#type.is_empty() || self.r#type == "Reference"
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Reference {
    pub(crate) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Selector {
    pub(crate) mode: Option<String>,
    pub(crate) min_match: Option<u64>,
    pub(crate) max_match: Option<u64>,
    pub(crate) sort_by_field_path: Option<String>,
    pub(crate) match_labels: Vec<LabelMatcher>,
}

fn object<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Object>, D::Error> {
    let map = Option::<serde_json::Map<String, serde_json::Value>>::deserialize(from)?;
    map.map(|map| {
        Object::from_json(serde_json::Value::Object(map)).map_err(serde::de::Error::custom)
    })
    .transpose()
}
