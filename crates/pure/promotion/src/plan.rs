//! What a promotion would do, as a value: files, APIs, Compositions, and the resources of every claim.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use purlin_diff::{FileChange, Verb, files, unified};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::api_change::{ApiChange, Compatibility, api_changes};
use crate::contents::Contents;
use crate::object_change::{ObjectChange, object_changes};
use crate::preview::{Preview, PreviewOutcome, Rendered, preview};

/// One side of a promotion.
#[derive(Debug, Clone)]
pub struct Side {
    /// The environment.
    pub environment: String,
    /// The tree of the unit's folder; none when it is not there.
    pub tree: Option<String>,
    /// What the folder holds.
    pub contents: Contents,
}

/// What a plan is made from.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The unit that would move.
    pub unit: String,
    /// The commit both sides were read from.
    pub commit: String,
    /// Where it comes from.
    pub source: Side,
    /// Where it goes.
    pub target: Side,
    /// What cannot be read in the target today, so that nobody knows what depends on it.
    pub unreadable: Vec<String>,
    /// What cannot be read of the target's claims, so that nobody knows whether they keep working.
    pub unreadable_claims: Vec<String>,
    /// The target's claims, rendered with both.
    pub rendered: Vec<Rendered>,
    /// The definitions of managed resources that are known, by `group/Kind`.
    pub crds: BTreeMap<String, Value>,
}

/// A file's change, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilePatch {
    /// What happened to which file.
    #[serde(flatten)]
    pub change: FileChange,
    /// The unified diff; empty for what is not text.
    pub patch: String,
}

/// How many resources a promotion touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Created.
    pub create: u64,
    /// Changed.
    pub update: u64,
    /// Deleted, renames among them.
    pub delete: u64,
    /// Changed in a field that cannot be changed in place.
    pub replace: u64,
    /// Claims that change.
    pub claims: u64,
}

/// What a promotion would do. Equal inputs give equal plans, with equal digests.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The unit.
    pub unit: String,
    /// The environment it comes from.
    pub from: String,
    /// The environment it goes to.
    pub to: String,
    /// The tree it would be.
    pub tree: String,
    /// The tree it is; none when it is new there.
    pub base: Option<String>,
    /// The commit the plan was made from.
    pub commit: String,
    /// The files that differ.
    pub files: Vec<FilePatch>,
    /// The APIs that differ.
    pub apis: Vec<ApiChange>,
    /// The other objects that differ.
    pub objects: Vec<ObjectChange>,
    /// What becomes of every claim in the target.
    pub claims: Vec<Preview>,
    /// What cannot be read in the target today.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
    /// What cannot be read of the target's claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable_claims: Vec<String>,
    /// How many resources that touches.
    pub counts: Counts,
    /// `sha256:` of what would change; an approval of one plan is not one of another.
    pub digest: String,
}

impl Plan {
    /// Works out the plan. The source must have the unit.
    pub fn new(inputs: Inputs) -> Self {
        let (old, new) = (&inputs.target.contents, &inputs.source.contents);
        let claims: Vec<Preview> = inputs
            .rendered
            .into_iter()
            .map(|rendered| preview(rendered, &inputs.crds))
            .collect();
        let mut plan = Self {
            files: file_patches(old, new),
            apis: api_changes(old, new),
            objects: object_changes(old, new),
            counts: count(&claims),
            claims,
            unreadable: inputs.unreadable,
            unreadable_claims: inputs.unreadable_claims,
            unit: inputs.unit,
            from: inputs.source.environment,
            to: inputs.target.environment,
            tree: inputs.source.tree.unwrap_or_default(),
            base: inputs.target.tree,
            commit: inputs.commit,
            digest: String::new(),
        };
        plan.digest = plan.digest();
        plan
    }

    /// Whether the target already is what the source is.
    pub fn is_same(&self) -> bool {
        self.base.as_ref() == Some(&self.tree)
    }

    /// The worst that the change of the APIs does to who uses them.
    pub fn compatibility(&self) -> Compatibility {
        let worst = self
            .apis
            .iter()
            .flat_map(|api| &api.changes)
            .map(|c| c.compatibility);
        worst.max().unwrap_or(Compatibility::Safe)
    }

    /// The commit is left out: the same change on top of somebody else's unrelated commit is the same plan.
    fn digest(&self) -> String {
        let mut content = serde_json::to_value(self).unwrap_or_default();
        if let Some(map) = content.as_object_mut() {
            map.remove("commit");
            map.remove("digest");
        }
        let hash = Sha256::digest(content.to_string().as_bytes());
        let mut text = "sha256:".to_owned();
        for byte in hash {
            put!(text, "{byte:02x}");
        }
        text
    }
}

fn file_patches(old: &Contents, new: &Contents) -> Vec<FilePatch> {
    files(&old.files, &new.files)
        .into_iter()
        .map(|change| {
            let text = |side: &Contents| side.texts.get(&change.path).cloned();
            let is_text = |side: &Contents| {
                !side.files.contains_key(&change.path) || side.texts.contains_key(&change.path)
            };
            let patch = if is_text(old) && is_text(new) {
                let (before, after) =
                    (text(old).unwrap_or_default(), text(new).unwrap_or_default());
                unified(&change.path, &before, &change.path, &after)
            } else {
                String::new()
            };
            FilePatch { change, patch }
        })
        .collect()
}

fn count(claims: &[Preview]) -> Counts {
    let mut counts = Counts::default();
    for claim in claims {
        let PreviewOutcome::Rendered { changes } = &claim.outcome else {
            continue;
        };
        counts.claims += u64::from(!changes.is_empty());
        for noted in changes {
            match noted.change.verb {
                // A rename is the creation; the deletion of the old one is counted as one by itself.
                Verb::Create | Verb::Rename { .. } => counts.create += 1,
                Verb::Change { .. } if noted.immutable.is_empty() => counts.update += 1,
                Verb::Change { .. } => counts.replace += 1,
                Verb::Delete => counts.delete += 1,
            }
        }
    }
    counts
}
