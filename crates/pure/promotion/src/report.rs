//! A plan and a matrix in words: for a terminal, and for a review.

mod markdown;
mod matrix;
mod text;

pub use markdown::plan_markdown;
pub use matrix::{matrix_markdown, matrix_table};
pub use text::plan_text;

use std::fmt::Write as _;

use purlin_diff::{FieldChange, FileChangeKind, Verb};
use serde_json::Value;

use crate::api_change::Compatibility;
use crate::decision::{Decision, Verdict};
use crate::object_change::Presence;
use crate::plan::Plan;

/// The longest value shown; what is longer is in the JSON.
const VALUE: usize = 72;

fn short(id: &str) -> &str {
    id.get(..7).unwrap_or(id)
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "(none)".to_owned(), ToString::to_string);
    if text.chars().count() <= VALUE {
        return text;
    }
    let head: String = text.chars().take(VALUE).collect();
    format!("{head}…")
}

fn field(change: &FieldChange) -> String {
    let path = if change.path.is_empty() {
        "(all)"
    } else {
        &change.path
    };
    match (&change.old, &change.new) {
        (None, new) => format!("{path}: {} (new)", shown(new.as_ref())),
        (old, None) => format!("{path}: {} (gone)", shown(old.as_ref())),
        (old, new) => format!("{path}: {} -> {}", shown(old.as_ref()), shown(new.as_ref())),
    }
}

fn file_sign(kind: FileChangeKind) -> char {
    match kind {
        FileChangeKind::Added => '+',
        FileChangeKind::Removed => '-',
        FileChangeKind::Changed => '~',
    }
}

fn presence_sign(presence: Presence) -> char {
    match presence {
        Presence::Added => '+',
        Presence::Removed => '-',
        Presence::Changed => '~',
    }
}

fn verb_sign(verb: &Verb) -> char {
    match verb {
        Verb::Create => '+',
        Verb::Delete => '-',
        Verb::Change { .. } => '~',
        Verb::Rename { .. } => '!',
    }
}

/// `3 to create, 1 to change, 0 to delete, in 2 of 4 claims`
fn counts(plan: &Plan) -> String {
    let counts = plan.counts;
    let mut text = format!(
        "{} to create, {} to change, {} to delete",
        counts.create, counts.update, counts.delete
    );
    if counts.replace > 0 {
        put!(text, ", {} with a field that cannot change", counts.replace);
    }
    match plan.claims.len() {
        0 => format!("no claims of {} in {}", plan.unit, plan.to),
        1 => format!("{text}, in {} of 1 claim", counts.claims),
        all => format!("{text}, in {} of {all} claims", counts.claims),
    }
}

/// What a promotion does in one line, for the commit's message.
pub fn summary(plan: &Plan) -> String {
    let count = |wanted: fn(Compatibility) -> bool| {
        let changes = plan.apis.iter().flat_map(|api| &api.changes);
        changes
            .filter(|change| wanted(change.compatibility))
            .count()
    };
    let breaking = count(Compatibility::is_breaking);
    let other = count(|compatibility| !compatibility.is_breaking());
    format!(
        "API changes: {breaking} breaking, {other} safe. Resources: {}.",
        counts(plan)
    )
}

fn verdict(plan: &Plan, decision: &Decision) -> String {
    match decision.verdict {
        Verdict::Same => format!(
            "{} already has what {} has; there is nothing to do",
            plan.to, plan.from
        ),
        Verdict::Ready => "ready to promote".to_owned(),
        Verdict::Breaking => "breaking: it would break who uses the API today".to_owned(),
        Verdict::Blocked => "blocked".to_owned(),
    }
}
