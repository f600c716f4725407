//! Requirements as protobuf JSON.

use std::collections::BTreeMap;

use purlin_proto::v1;
use serde::{Deserialize, Serialize};

use super::{JsonError, Result, all, each};

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Requirements {
    #[serde(alias = "extra_resources", skip_serializing_if = "BTreeMap::is_empty")]
    extra_resources: BTreeMap<String, Selector>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    resources: BTreeMap<String, Selector>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    schemas: BTreeMap<String, SchemaSelector>,
}

impl Requirements {
    pub(super) fn read(self) -> Result<v1::Requirements> {
        Ok(v1::Requirements {
            extra_resources: each(self.extra_resources, Selector::read)?,
            resources: each(self.resources, Selector::read)?,
            schemas: each(self.schemas, |selector| {
                Ok(v1::SchemaSelector {
                    api_version: selector.api_version,
                    kind: selector.kind,
                })
            })?,
        })
    }

    pub(super) fn write(requirements: &v1::Requirements) -> Self {
        Self {
            extra_resources: all(&requirements.extra_resources, Selector::write),
            resources: all(&requirements.resources, Selector::write),
            schemas: all(&requirements.schemas, |selector| SchemaSelector {
                api_version: selector.api_version.clone(),
                kind: selector.kind.clone(),
            }),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Selector {
    #[serde(alias = "api_version", skip_serializing_if = "String::is_empty")]
    api_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(alias = "match_name", skip_serializing_if = "Option::is_none")]
    match_name: Option<String>,
    #[serde(alias = "match_labels", skip_serializing_if = "Option::is_none")]
    match_labels: Option<MatchLabels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MatchLabels {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

impl Selector {
    pub(super) fn read(self) -> Result<v1::ResourceSelector> {
        use v1::resource_selector::Match;
        Ok(v1::ResourceSelector {
            api_version: self.api_version,
            kind: self.kind,
            namespace: self.namespace,
            r#match: match (self.match_name, self.match_labels) {
                (None, None) => None,
                (Some(name), None) => Some(Match::MatchName(name)),
                (None, Some(labels)) => Some(Match::MatchLabels(v1::MatchLabels {
                    labels: labels.labels,
                })),
                (Some(_), Some(_)) => {
                    return Err(JsonError(
                        "a selector has either matchName or matchLabels".to_owned(),
                    ));
                }
            },
        })
    }

    pub(super) fn write(selector: &v1::ResourceSelector) -> Self {
        use v1::resource_selector::Match;
        let (mut match_name, mut match_labels) = (None, None);
        match &selector.r#match {
            Some(Match::MatchName(name)) => match_name = Some(name.clone()),
            Some(Match::MatchLabels(labels)) => {
                match_labels = Some(MatchLabels {
                    labels: labels.labels.clone(),
                });
            }
            None => {}
        }
        Self {
            api_version: selector.api_version.clone(),
            kind: selector.kind.clone(),
            match_name,
            match_labels,
            namespace: selector.namespace.clone(),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SchemaSelector {
    #[serde(alias = "api_version", skip_serializing_if = "String::is_empty")]
    api_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
}
