//! How the APIs of a unit change, and what that does to who uses them.
//!
//! The rules beside the fields are those of Crossplane's own CRD for CompositeResourceDefinitions and of its engine
//! (promotion table 2.3, rows 48 to 66); the fields are compared on the CustomResourceDefinitions the two versions give,
//! because those are what clients see.

use std::collections::BTreeSet;

use purlin_schema::compat::{Change, Verdict, compare};
use purlin_schema::{FieldError, claim_crd, composite_crd, xrd_scope};
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
    /// Something stops working for those who use what is no longer allowed; their objects tell.
    Conditional,
    /// Something that worked stops working, or data is lost.
    Breaking,
    /// The API server refuses the change.
    Impossible,
}

impl Compatibility {
    /// Whether it may break somebody, as far as the schemas tell.
    pub fn is_breaking(self) -> bool {
        matches!(self, Self::Conditional | Self::Breaking)
    }

    /// The word people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Notable => "notable",
            Self::Conditional => "CONDITIONAL",
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
    defaults(old, new, &mut add);
    // What is another API altogether has no fields to compare.
    if changes
        .iter()
        .all(|change| change.compatibility != Compatibility::Impossible)
    {
        changes.extend(field_changes(name, old, new));
    }
    changes
}

/// Compares the CRDs the two versions give. What holds for the composite and its claim alike is said once.
fn field_changes(name: &str, old: &Value, new: &Value) -> Vec<SchemaChange> {
    let pairs = [
        (composite_crd(old).map(Some), composite_crd(new).map(Some)),
        (claim_crd(old), claim_crd(new)),
    ];
    let mut found: Vec<(String, Change)> = Vec::new();
    for pair in pairs {
        let (before, after) = match pair {
            (Ok(Some(before)), Ok(Some(after))) => (before, after),
            (Err(errors), _) | (_, Err(errors)) => return vec![not_comparable(name, &errors)],
            (Ok(_), Ok(_)) => continue,
        };
        let crd = after
            .pointer("/spec/names/plural")
            .and_then(Value::as_str)
            .unwrap_or_default();
        for change in compare(&before, &after) {
            match found.iter_mut().find(|(_, known)| *known == change) {
                Some((definitions, _)) => *definitions = format!("{definitions}, {crd}"),
                None => found.push((crd.to_owned(), change)),
            }
        }
    }
    found
        .into_iter()
        .map(|(definition, change)| field_change(definition, change))
        .collect()
}

fn field_change(definition: String, change: Change) -> SchemaChange {
    SchemaChange {
        definition,
        version: (!change.version.is_empty()).then_some(change.version),
        path: change.path,
        compatibility: match change.verdict {
            Verdict::Safe => Compatibility::Safe,
            Verdict::Warning => Compatibility::Notable,
            Verdict::Conditional => Compatibility::Conditional,
            Verdict::Breaking => Compatibility::Breaking,
            Verdict::Impossible => Compatibility::Impossible,
        },
        why: change.why,
    }
}

/// What cannot be compared may break anybody.
fn not_comparable(name: &str, errors: &[FieldError]) -> SchemaChange {
    let first = errors
        .first()
        .map(|error| format!(": {}: {}", error.path, error.message));
    SchemaChange {
        definition: name.to_owned(),
        version: None,
        path: "spec".to_owned(),
        compatibility: Compatibility::Breaking,
        why: format!(
            "one of the two versions gives no CRD, so they cannot be compared{}",
            first.unwrap_or_default()
        ),
    }
}

type Add<'a> = &'a mut dyn FnMut(&str, Compatibility, String);

fn fixed_fields(old: &Value, new: &Value, add: Add<'_>) {
    for field in ["group", "names", "scope", "enforcedCompositionRef"] {
        let of = |definition: &Value| match field {
            "scope" => Some(Value::from(xrd_scope(definition))),
            _ => definition.pointer(&format!("/spec/{field}")).cloned(),
        };
        if of(old) != of(new) {
            let why = format!("`{field}` of an API cannot change");
            add(&format!("spec.{field}"), Compatibility::Impossible, why);
        }
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
        let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "region": {"type": "string"}, "size": {"type": "integer"}
        }}}}});
        let mut object = json!({
            "apiVersion": "apiextensions.crossplane.io/v1", "kind": "CompositeResourceDefinition",
            "metadata": {"name": "xnets.example.org"},
            "spec": {
                "group": "example.org", "names": {"kind": "XNet", "plural": "xnets"},
                "claimNames": {"kind": "Net", "plural": "nets"},
                "connectionSecretKeys": ["a", "b"],
                "versions": [
                    {"name": "v1", "served": true, "referenceable": true, "schema": schema},
                    {"name": "v2", "served": true, "referenceable": false, "schema": schema}
                ]
            }
        });
        edit(&mut object);
        let file = "xrd.yaml".to_owned();
        Contents {
            objects: vec![Loaded { file, object }],
            ..Contents::default()
        }
    }

    fn check(edit: impl Fn(&mut Value), expect: &[&str]) {
        let changes = api_changes(&xrd(|_| {}), &xrd(edit));
        let shown: Vec<String> = changes
            .iter()
            .flat_map(|api| &api.changes)
            .map(|change| {
                format!(
                    "{} {} {}",
                    change.compatibility.word(),
                    change.definition,
                    change.path
                )
            })
            .collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn each_rule_of_a_definition_has_its_verdict() {
        check(|_| {}, &[]);
        check(
            |x| x["spec"]["group"] = json!("other.org"),
            &["IMPOSSIBLE xnets.example.org spec.group"],
        );
        check(|x| x["spec"]["scope"] = json!("LegacyCluster"), &[]);
        check(
            |x| x["spec"]["scope"] = json!("Cluster"),
            &["IMPOSSIBLE xnets.example.org spec.scope"],
        );
        check(
            |x| x["spec"]["claimNames"] = json!(null),
            &["IMPOSSIBLE xnets.example.org spec.claimNames"],
        );
        let keys = "xnets.example.org spec.connectionSecretKeys";
        check(
            |x| x["spec"]["connectionSecretKeys"] = json!(["a"]),
            &[&format!("BREAKING {keys}")],
        );
        check(
            |x| x["spec"]["connectionSecretKeys"] = json!(["a", "b", "c"]),
            &[&format!("safe {keys}")],
        );
        check(
            |x| x["spec"]["defaultCompositionRef"] = json!({"name": "c"}),
            &["notable xnets.example.org spec.defaultCompositionRef"],
        );
    }

    #[test]
    fn fields_are_compared_on_the_generated_definitions_and_said_once_for_both() {
        let fields = |x: &mut Value, at: usize| -> Value {
            x["spec"]["versions"][at]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"].take()
        };
        let put = |x: &mut Value, at: usize, fields: Value| {
            x["spec"]["versions"][at]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] =
                fields;
        };
        check(
            |x| {
                let mut all = fields(x, 0);
                all["zones"] = json!({"type": "array", "items": {"type": "string"}});
                put(x, 0, all);
            },
            &["safe xnets, nets spec.zones"],
        );
        check(
            |x| put(x, 0, json!({"size": {"type": "integer"}})),
            &["BREAKING xnets, nets spec.region"],
        );
        check(
            |x| x["spec"]["versions"][1]["served"] = json!(false),
            &["BREAKING xnets, nets served"],
        );
        check(
            |x| x["spec"]["versions"][0]["schema"] = json!(null),
            &["BREAKING xnets.example.org spec"],
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
