//! How the APIs of a unit change, and what that does to who uses them.
//!
//! The rules beside the fields are those of Crossplane's own CRD for CompositeResourceDefinitions and of its engine
//! (promotion table 2.3, rows 48 to 66); the fields are compared on the CustomResourceDefinitions the two versions give,
//! because those are what clients see.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::contents::Contents;
use crate::object_change::Presence;

/// What a change does to who uses the API already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Compatibility {
    /// Nothing that worked stops working.
    Safe,
    /// Nothing stops working, but something may surprise.
    Notable,
    /// Something that worked may stop working, or data may be lost.
    Breaking,
    /// The API server refuses the change.
    Impossible,
}

impl Compatibility {
    /// The word people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Notable => "notable",
            Self::Breaking => "BREAKING",
            Self::Impossible => "IMPOSSIBLE",
        }
    }
}

/// One field, version or property of an API that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaChange {
    /// The definition it is in: a CRD, or the XRD itself.
    pub definition: String,
    /// The version of the API; none for what holds for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The field.
    pub path: String,
    /// What it does to who uses the API.
    pub compatibility: Compatibility,
    /// What changes, and why that matters.
    pub why: String,
}

/// An API that is new, gone, or different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiChange {
    /// The name of its CompositeResourceDefinition.
    pub name: String,
    /// Whether it is new, gone, or different.
    pub presence: Presence,
    /// What changes in it.
    pub changes: Vec<SchemaChange>,
}

/// Compares the APIs of two versions of a unit.
pub(crate) fn api_changes(old: &Contents, new: &Contents) -> Vec<ApiChange> {
    let (old, new) = (old.definitions(), new.definitions());
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            match (old.get(name), new.get(name)) {
                (Some(before), Some(after)) => {
                    let changes = definition_changes(name, before, after);
                    (!changes.is_empty()).then_some((Presence::Changed, changes))
                }
                (None, Some(_)) => Some((Presence::Added, Vec::new())),
                (Some(_), None) => Some((Presence::Removed, vec![removed(name)])),
                (None, None) => None,
            }
            .map(|(presence, changes)| ApiChange {
                name: name.clone(),
                presence,
                changes,
            })
        })
        .collect()
}

fn removed(name: &str) -> SchemaChange {
    SchemaChange {
        definition: name.to_owned(),
        version: None,
        path: "metadata.name".to_owned(),
        compatibility: Compatibility::Breaking,
        why: "the API goes away, and with it every composite resource and what it is made of"
            .to_owned(),
    }
}

fn definition_changes(name: &str, old: &Value, new: &Value) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    let mut add = |path: &str, compatibility, why: String| {
        changes.push(SchemaChange {
            definition: name.to_owned(),
            version: None,
            path: path.to_owned(),
            compatibility,
            why,
        });
    };
    fixed_fields(old, new, &mut add);
    claim_names(old, new, &mut add);
    versions(old, new, &mut add);
    defaults(old, new, &mut add);
    changes
}

type Add<'a> = &'a mut dyn FnMut(&str, Compatibility, String);

fn fixed_fields(old: &Value, new: &Value, add: Add<'_>) {
    for field in ["group", "names", "scope", "enforcedCompositionRef"] {
        let of = |definition: &Value| match (definition.pointer(&format!("/spec/{field}")), field) {
            (None, "scope") => Some(Value::from(usual_scope(definition))),
            (value, _) => value.cloned(),
        };
        if of(old) != of(new) {
            let why = format!("`{field}` of an API cannot change");
            add(&format!("spec.{field}"), Compatibility::Impossible, why);
        }
    }
}

fn usual_scope(definition: &Value) -> &'static str {
    match definition.get("apiVersion").and_then(Value::as_str) {
        Some("apiextensions.crossplane.io/v2") => "Namespaced",
        _ => "LegacyCluster",
    }
}

fn claim_names(old: &Value, new: &Value, add: Add<'_>) {
    let of = |definition: &Value| definition.pointer("/spec/claimNames").cloned();
    let (compatibility, why) = match (of(old), of(new)) {
        (None, Some(_)) => (Compatibility::Notable, "the API can be claimed from now on"),
        (Some(_), None) => (
            Compatibility::Impossible,
            "the claim of an API cannot be taken away",
        ),
        (Some(before), Some(after)) if before != after => (
            Compatibility::Impossible,
            "the names of a claim cannot change",
        ),
        (Some(_), Some(_)) | (None, None) => return,
    };
    add("spec.claimNames", compatibility, why.to_owned());
}

fn versions(old: &Value, new: &Value, add: Add<'_>) {
    let (old, new) = (versions_of(old), versions_of(new));
    let flag =
        |version: &Value, name: &str| version.get(name).and_then(Value::as_bool).unwrap_or(false);
    for (name, before) in &old {
        let path = format!("spec.versions[{name}]");
        let Some(after) = new.get(name) else {
            add(
                &path,
                Compatibility::Breaking,
                format!("version {name} goes away"),
            );
            continue;
        };
        if flag(before, "served") && !flag(after, "served") {
            let why = format!("version {name} is no longer served");
            add(&format!("{path}.served"), Compatibility::Breaking, why);
        }
        if !flag(before, "deprecated") && flag(after, "deprecated") {
            let why = format!("version {name} is deprecated from now on");
            add(&format!("{path}.deprecated"), Compatibility::Safe, why);
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        add(
            &format!("spec.versions[{name}]"),
            Compatibility::Safe,
            format!("version {name} is new"),
        );
    }
    let referenceable = |versions: &BTreeMap<String, Value>| {
        let found = versions
            .iter()
            .find(|(_, version)| flag(version, "referenceable"));
        found.map(|(name, _)| name.clone())
    };
    if let (Some(before), Some(after)) = (referenceable(&old), referenceable(&new))
        && before != after
    {
        let why = format!(
            "Compositions must be for {after} instead of {before}, which takes new Compositions; stored objects are not rewritten"
        );
        add(
            "spec.versions (referenceable)",
            Compatibility::Breaking,
            why,
        );
    }
}

fn versions_of(definition: &Value) -> BTreeMap<String, Value> {
    let versions = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array);
    versions
        .into_iter()
        .flatten()
        .filter_map(|version| Some((version.get("name")?.as_str()?.to_owned(), version.clone())))
        .collect()
}

fn defaults(old: &Value, new: &Value, add: Add<'_>) {
    let field =
        |definition: &Value, name: &str| definition.pointer(&format!("/spec/{name}")).cloned();
    let keys = |definition: &Value| -> BTreeSet<String> {
        let keys = field(definition, "connectionSecretKeys");
        let list = keys.as_ref().and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect()
    };
    let (before, after) = (keys(old), keys(new));
    for key in before.difference(&after) {
        // Without any key listed, every key is published.
        if !after.is_empty() {
            let why = format!("connection secrets no longer have `{key}`");
            add("spec.connectionSecretKeys", Compatibility::Breaking, why);
        }
    }
    if before.is_empty() && !after.is_empty() {
        let why = "connection secrets have only the listed keys from now on".to_owned();
        add("spec.connectionSecretKeys", Compatibility::Breaking, why);
    } else if before.difference(&after).next().is_none() && before != after {
        let why = "connection secrets get more keys".to_owned();
        add("spec.connectionSecretKeys", Compatibility::Safe, why);
    }
    for (name, why) in [
        (
            "defaultCompositionRef",
            "new composites use another Composition; existing ones keep theirs",
        ),
        (
            "defaultCompositeDeletePolicy",
            "composites without a policy of their own are deleted another way",
        ),
        (
            "defaultCompositionUpdatePolicy",
            "composites without a policy of their own follow revisions another way",
        ),
        (
            "conversion",
            "objects are converted between versions another way",
        ),
    ] {
        if field(old, name) != field(new, name) {
            add(
                &format!("spec.{name}"),
                Compatibility::Notable,
                why.to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contents::Loaded;

    fn xrd(edit: impl Fn(&mut Value)) -> Contents {
        let mut object = json!({
            "apiVersion": "apiextensions.crossplane.io/v1", "kind": "CompositeResourceDefinition",
            "metadata": {"name": "xnets.example.org"},
            "spec": {
                "group": "example.org", "names": {"kind": "XNet", "plural": "xnets"},
                "claimNames": {"kind": "Net", "plural": "nets"},
                "connectionSecretKeys": ["a", "b"],
                "versions": [{"name": "v1", "served": true, "referenceable": true}, {"name": "v2", "served": true}]
            }
        });
        edit(&mut object);
        Contents {
            objects: vec![Loaded {
                file: "xrd.yaml".to_owned(),
                object,
            }],
            ..Contents::default()
        }
    }

    fn check(edit: impl Fn(&mut Value), expect: &[&str]) {
        let changes = api_changes(&xrd(|_| {}), &xrd(edit));
        let shown: Vec<String> = changes
            .iter()
            .flat_map(|api| &api.changes)
            .map(|change| format!("{} {}", change.compatibility.word(), change.path))
            .collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn each_rule_has_its_verdict() {
        check(|_| {}, &[]);
        check(
            |x| x["spec"]["group"] = json!("other.org"),
            &["IMPOSSIBLE spec.group"],
        );
        check(|x| x["spec"]["scope"] = json!("LegacyCluster"), &[]);
        check(
            |x| x["spec"]["scope"] = json!("Cluster"),
            &["IMPOSSIBLE spec.scope"],
        );
        check(
            |x| x["spec"]["claimNames"] = json!(null),
            &["IMPOSSIBLE spec.claimNames"],
        );
        check(
            |x| x["spec"]["connectionSecretKeys"] = json!(["a"]),
            &["BREAKING spec.connectionSecretKeys"],
        );
        check(
            |x| x["spec"]["connectionSecretKeys"] = json!(["a", "b", "c"]),
            &["safe spec.connectionSecretKeys"],
        );
        check(
            |x| x["spec"]["versions"][1]["served"] = json!(false),
            &["BREAKING spec.versions[v2].served"],
        );
        check(
            |x| x["spec"]["versions"][1]["name"] = json!("v3"),
            &["BREAKING spec.versions[v2]", "safe spec.versions[v3]"],
        );
        check(
            |x| {
                x["spec"]["versions"][0]["referenceable"] = json!(false);
                x["spec"]["versions"][1]["referenceable"] = json!(true);
            },
            &["BREAKING spec.versions (referenceable)"],
        );
        check(
            |x| x["spec"]["defaultCompositionRef"] = json!({"name": "c"}),
            &["notable spec.defaultCompositionRef"],
        );
    }

    #[test]
    fn a_new_api_is_safe_and_one_that_goes_away_is_not() {
        let (none, some) = (Contents::default(), xrd(|_| {}));
        assert!(api_changes(&none, &some)[0].changes.is_empty());
        assert_eq!(
            api_changes(&some, &none)[0].changes[0].compatibility,
            Compatibility::Breaking
        );
    }
}
