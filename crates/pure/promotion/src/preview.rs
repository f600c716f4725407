//! What a promotion does to the resources of each claim: both sides rendered, and compared.

use std::collections::BTreeMap;

use purlin_diff::{ResourceChange, Verb, resources};
use serde::Serialize;
use serde_json::Value;

use crate::immutable::is_immutable;

/// A claim or composite of the target environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimId {
    /// The file it stands in.
    pub file: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for ClaimId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// A claim rendered with the target's current version and with the source's: the composed resources, or what went wrong.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// Which claim.
    pub claim: ClaimId,
    /// With what stands in the target today; none when the API is not there yet.
    pub before: Option<Result<Vec<Value>, Vec<String>>>,
    /// With what the source has.
    pub after: Result<Vec<Value>, Vec<String>>,
}

/// A change with what is known about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotedChange {
    /// What changes.
    #[serde(flatten)]
    pub change: ResourceChange,
    /// The changed fields the provider does not let change: the resource would have to be replaced by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub immutable: Vec<String>,
}

/// How rendering a claim went.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum PreviewOutcome {
    /// Both sides rendered.
    Rendered {
        /// What differs; empty when nothing does.
        changes: Vec<NotedChange>,
    },
    /// It does not render with the source's version.
    #[serde(rename_all = "camelCase")]
    Fails {
        /// Why.
        problems: Vec<String>,
        /// Whether it did not render before either.
        failed_before: bool,
    },
}

/// One claim of the target environment, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Which claim.
    pub claim: ClaimId,
    /// How it went.
    #[serde(flatten)]
    pub outcome: PreviewOutcome,
}

/// Compares both sides of a claim. `crds` are the definitions of managed resources that are known, by `group/Kind`.
pub(crate) fn preview(rendered: Rendered, crds: &BTreeMap<String, Value>) -> Preview {
    let outcome = match (rendered.before, rendered.after) {
        (before, Err(problems)) => PreviewOutcome::Fails {
            problems,
            failed_before: matches!(before, Some(Err(_))),
        },
        (before, Ok(after)) => {
            let before = before.and_then(Result::ok).unwrap_or_default();
            let changes = resources(&before, &after);
            PreviewOutcome::Rendered {
                changes: changes
                    .into_iter()
                    .map(|change| note(change, crds))
                    .collect(),
            }
        }
    };
    Preview {
        claim: rendered.claim,
        outcome,
    }
}

fn note(change: ResourceChange, crds: &BTreeMap<String, Value>) -> NotedChange {
    let (group, version) = change.id.api_version.split_once('/').unwrap_or_default();
    let crd = crds.get(&format!("{group}/{}", change.id.kind));
    let fields = match &change.verb {
        Verb::Change { fields } => fields.as_slice(),
        Verb::Create | Verb::Delete | Verb::Rename { .. } => &[],
    };
    let immutable = fields
        .iter()
        // Setting a field for the first time is not a transition.
        .filter(|field| field.old.is_some())
        .filter(|field| crd.is_some_and(|crd| is_immutable(crd, version, &field.path)))
        .map(|field| field.path.clone())
        .collect();
    NotedChange { change, immutable }
}
