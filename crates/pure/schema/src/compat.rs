//! What does a change of a CRD mean for those who use it?
//!
//! Compares two CRDs field by field. The verdicts are for clients written against the old one and for objects stored
//! under it; the classes are those of a structural schema (promotion, chapter 2.3).

mod keywords;
mod node;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::keywords::normalize;

/// What happened to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is different.
    Changed,
}

/// How much it matters, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Nobody notices.
    Safe,
    /// Nothing stops working, but something behaves differently.
    Warning,
    /// Breaks those whose stored objects or manifests use what is no longer allowed; live objects tell.
    Conditional,
    /// Breaks clients, or loses data.
    Breaking,
    /// The API server refuses it.
    Impossible,
}

impl Verdict {
    /// Whether it may break somebody, as far as the schemas tell.
    pub fn is_breaking(self) -> bool {
        self >= Self::Conditional
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The API version it is in; empty when it belongs to all of them.
    pub version: String,
    /// The field, for example `spec.zones[]` or `spec.tags[*]`; for the rest of a CRD its own path.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// How much it matters.
    pub verdict: Verdict,
    /// What changed and why that matters, in one sentence.
    pub why: String,
}

/// Every difference between two CRDs, by version and path.
pub fn compare(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Changes::default();
    whole(&old["spec"], &new["spec"], &mut changes);
    let empty = Vec::new();
    let old_versions = old["spec"]["versions"].as_array().unwrap_or(&empty);
    let new_versions = new["spec"]["versions"].as_array().unwrap_or(&empty);
    let find = |list: &'_ [Value], name: &Value| list.iter().position(|one| one["name"] == *name);
    for before in old_versions {
        changes.version = name_of(before);
        match find(new_versions, &before["name"]) {
            Some(index) => version(before, &new_versions[index], &mut changes),
            None => changes.add(
                "spec.versions",
                ChangeKind::Removed,
                Verdict::Breaking,
                "the version is gone: its clients get 404, and objects stored in it must be rewritten first",
            ),
        }
    }
    for after in new_versions {
        if find(old_versions, &after["name"]).is_none() {
            changes.version = name_of(after);
            added_version(after, old_versions, &mut changes);
        }
    }
    changes
        .found
        .sort_by(|a, b| (&a.version, &a.path, a.kind).cmp(&(&b.version, &b.path, b.kind)));
    changes.found
}

#[derive(Default)]
struct Changes {
    version: String,
    found: Vec<Change>,
}

impl Changes {
    fn add(&mut self, path: &str, kind: ChangeKind, verdict: Verdict, why: impl Into<String>) {
        self.found.push(Change {
            version: self.version.clone(),
            path: path.to_owned(),
            kind,
            verdict,
            why: why.into(),
        });
    }

    fn changed(&mut self, path: &str, verdict: Verdict, why: impl Into<String>) {
        self.add(path, ChangeKind::Changed, verdict, why);
    }
}

fn name_of(version: &Value) -> String {
    version["name"].as_str().unwrap_or_default().to_owned()
}

/// What belongs to all versions.
fn whole(old: &Value, new: &Value, changes: &mut Changes) {
    for pointer in [
        "/group",
        "/scope",
        "/names/kind",
        "/names/plural",
        "/names/listKind",
    ] {
        let (before, after) = (old.pointer(pointer), new.pointer(pointer));
        if before.is_some() && after.is_some() && before != after {
            let path = format!("spec{}", pointer.replace('/', "."));
            changes.changed(
                &path,
                Verdict::Impossible,
                "cannot change; it takes a new API",
            );
        }
    }
    for list in ["shortNames", "categories"] {
        let words = |names: &Value| -> BTreeSet<String> {
            let members = names[list].as_array().into_iter().flatten();
            members
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        let path = format!("spec.names.{list}");
        let (before, after) = (words(&old["names"]), words(&new["names"]));
        for word in before.difference(&after) {
            let why = format!("kubectl no longer knows {word:?}");
            changes.add(&path, ChangeKind::Removed, Verdict::Warning, why);
        }
        for word in after.difference(&before) {
            changes.add(
                &path,
                ChangeKind::Added,
                Verdict::Safe,
                format!("kubectl knows {word:?} too"),
            );
        }
    }
    let strategy = |spec: &Value| {
        spec["conversion"]["strategy"]
            .as_str()
            .unwrap_or("None")
            .to_owned()
    };
    if strategy(old) != strategy(new) {
        let why = format!(
            "conversion was {} and becomes {}: a webhook that is away stops every read and write",
            strategy(old),
            strategy(new)
        );
        changes.changed("spec.conversion", Verdict::Breaking, why);
    } else if old["conversion"]["webhook"] != new["conversion"]["webhook"] {
        let why = "the conversion webhook changes: while it is away nothing of the kind can be read or written";
        changes.changed("spec.conversion.webhook", Verdict::Warning, why);
    }
}

fn version(old: &Value, new: &Value, changes: &mut Changes) {
    let flag = |version: &Value, name: &str| version[name].as_bool().unwrap_or(false);
    match (flag(old, "served"), flag(new, "served")) {
        (true, false) => changes.changed(
            "served",
            Verdict::Breaking,
            "clients of this version get 404",
        ),
        (false, true) => {
            changes.changed("served", Verdict::Safe, "the version is served from now on");
        }
        _ => {}
    }
    if flag(old, "storage") != flag(new, "storage") {
        let why = "the stored version changes: Compositions must refer to the new one, objects are rewritten over time";
        changes.changed("storage", Verdict::Breaking, why);
    }
    if flag(old, "deprecated") != flag(new, "deprecated")
        || old["deprecationWarning"] != new["deprecationWarning"]
    {
        changes.changed("deprecated", Verdict::Safe, "users see another warning");
    }
    if old["additionalPrinterColumns"] != new["additionalPrinterColumns"] {
        changes.changed(
            "additionalPrinterColumns",
            Verdict::Warning,
            "kubectl get prints other columns",
        );
    }
    subresources(&old["subresources"], &new["subresources"], changes);
    let fields = |version: &Value| -> BTreeSet<String> {
        let members = version["selectableFields"].as_array().into_iter().flatten();
        members
            .filter_map(|one| one["jsonPath"].as_str().map(str::to_owned))
            .collect()
    };
    for gone in fields(old).difference(&fields(new)) {
        let why = format!("{gone} can no longer be used in a field selector");
        changes.add(
            "selectableFields",
            ChangeKind::Removed,
            Verdict::Breaking,
            why,
        );
    }
    let schema = |version: &Value| {
        let schema = &version["schema"]["openAPIV3Schema"];
        normalize(schema, "").unwrap_or_else(|_| schema.clone())
    };
    node::compare(&schema(old), &schema(new), "", changes);
}

fn subresources(old: &Value, new: &Value, changes: &mut Changes) {
    match (old["status"].is_object(), new["status"].is_object()) {
        (true, false) => changes.add(
            "subresources.status",
            ChangeKind::Removed,
            Verdict::Breaking,
            "controllers can no longer write status apart",
        ),
        (false, true) => changes.add(
            "subresources.status",
            ChangeKind::Added,
            Verdict::Breaking,
            "writes of the object no longer change its status",
        ),
        _ => {}
    }
    match (old["scale"].is_object(), new["scale"].is_object()) {
        (true, false) => changes.add(
            "subresources.scale",
            ChangeKind::Removed,
            Verdict::Breaking,
            "autoscalers lose it",
        ),
        (false, true) => changes.add(
            "subresources.scale",
            ChangeKind::Added,
            Verdict::Safe,
            "it can be scaled",
        ),
        (true, true) if old["scale"] != new["scale"] => {
            changes.changed(
                "subresources.scale",
                Verdict::Breaking,
                "autoscalers read and write other fields",
            );
        }
        _ => {}
    }
}

/// A new version is safe when objects survive the way through it: nothing of the stored version is missing or retyped.
fn added_version(new: &Value, old_versions: &[Value], changes: &mut Changes) {
    let stored = old_versions.iter().find(|one| one["storage"] == true);
    let lost = stored.is_some_and(|stored| {
        let mut between = Changes::default();
        node::compare(
            &stored["schema"]["openAPIV3Schema"],
            &new["schema"]["openAPIV3Schema"],
            "",
            &mut between,
        );
        between
            .found
            .iter()
            .any(|change| change.verdict == Verdict::Breaking)
    });
    if lost {
        let why = "the new version lacks or retypes fields of the stored one: without a conversion webhook they are lost";
        changes.add("spec.versions", ChangeKind::Added, Verdict::Breaking, why);
    } else {
        changes.add(
            "spec.versions",
            ChangeKind::Added,
            Verdict::Safe,
            "a new version that holds all the stored one does",
        );
    }
}

#[cfg(test)]
mod tests;
