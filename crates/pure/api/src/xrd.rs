//! What does a CompositeResourceDefinition define? (spec/engine.md 1.1)

use serde_json::{Map, Value};

use crate::meta::{self, Gvk};

/// Where a definition's composites live, and where their machinery fields are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Cluster scoped, machinery right under `spec`, may have claims.
    LegacyCluster,
    /// In a namespace, machinery under `spec.crossplane`.
    Namespaced,
    /// Cluster scoped, machinery under `spec.crossplane`.
    Cluster,
}

/// What the engine needs to know of one definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Xrd {
    /// The definition's name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The kind of its composites, in the referenceable version.
    pub composite: Gvk,
    /// Their plural.
    pub composite_plural: String,
    /// The kind of its claims.
    pub claim: Option<Gvk>,
    /// Their plural; empty without claims.
    pub claim_plural: String,
    /// Where composites live.
    pub scope: Scope,
    /// The keys of connection secrets; empty means all.
    pub connection_secret_keys: Vec<String>,
    /// The Composition used when nothing is said.
    pub default_composition: Option<String>,
    /// The Composition used whatever is said.
    pub enforced_composition: Option<String>,
    /// The revision labels used when nothing is said.
    pub default_revision_selector: Option<Value>,
}

impl Xrd {
    /// Reads a definition. `None` when it lacks what makes it one (a group, names, a version); rendering its CRD says
    /// what exactly.
    pub fn read(object: &Value) -> Option<Self> {
        let spec = object.get("spec")?;
        let group = spec.get("group")?.as_str()?;
        let kind = |names: &str| -> Option<(Gvk, String)> {
            let names = spec.get(names)?;
            let gvk = Gvk {
                group: group.to_owned(),
                version: referenceable(spec)?.to_owned(),
                kind: names.get("kind")?.as_str()?.to_owned(),
            };
            Some((gvk, names.get("plural")?.as_str()?.to_owned()))
        };
        let (composite, composite_plural) = kind("names")?;
        let (claim, claim_plural) = kind("claimNames").unzip();
        let reference = |key: &str| {
            let name = meta::text(spec, &[key, "name"]);
            (!name.is_empty()).then(|| name.to_owned())
        };
        Some(Self {
            name: meta::name(object).to_owned(),
            uid: meta::uid(object).to_owned(),
            composite,
            composite_plural,
            claim,
            claim_plural: claim_plural.unwrap_or_default(),
            scope: match meta::text(spec, &["scope"]) {
                "Namespaced" => Scope::Namespaced,
                "Cluster" => Scope::Cluster,
                _ => Scope::LegacyCluster,
            },
            connection_secret_keys: strings(spec.get("connectionSecretKeys")),
            default_composition: reference("defaultCompositionRef"),
            enforced_composition: reference("enforcedCompositionRef"),
            default_revision_selector: spec.get("defaultCompositionRevisionSelector").cloned(),
        })
    }

    /// The claim CRD's name.
    pub fn claim_crd(&self) -> Option<String> {
        self.claim
            .as_ref()
            .map(|gvk| format!("{}.{}", self.claim_plural, gvk.group))
    }

    /// Whether composites have the old shape: machinery right under `spec`, claims, connection secrets.
    pub fn is_legacy(&self) -> bool {
        self.scope == Scope::LegacyCluster
    }

    /// The path of a machinery field of a composite.
    pub fn machinery<'a>(&self, field: &'a str) -> Vec<&'a str> {
        if self.is_legacy() {
            vec!["spec", field]
        } else {
            vec!["spec", "crossplane", field]
        }
    }

    /// A machinery field of a composite.
    pub fn field<'a>(&self, composite: &'a Value, field: &str) -> Option<&'a Value> {
        meta::at(composite, &self.machinery(field)).filter(|v| !v.is_null())
    }

    /// The name inside a machinery reference of a composite; empty when there is none.
    pub fn reference<'a>(&self, composite: &'a Value, field: &str) -> &'a str {
        self.field(composite, field)
            .map(|v| meta::text(v, &["name"]))
            .unwrap_or_default()
    }

    /// Sets a machinery field of a composite.
    pub fn set(&self, composite: &mut Value, field: &str, value: Value) {
        let parent: &[&str] = if self.is_legacy() {
            &["spec"]
        } else {
            &["spec", "crossplane"]
        };
        meta::object_mut(composite, parent).insert(field.to_owned(), value);
    }

    /// The labels a machinery selector of a composite asks for; `None` when there is no selector.
    pub fn selector<'a>(
        &self,
        composite: &'a Value,
        field: &str,
    ) -> Option<&'a Map<String, Value>> {
        self.field(composite, field)?
            .get("matchLabels")?
            .as_object()
    }

    /// Whether a composite follows new revisions by itself.
    pub fn follows_revisions(&self, composite: &Value) -> bool {
        self.field(composite, "compositionUpdatePolicy")
            .and_then(Value::as_str)
            != Some("Manual")
    }

    /// The references to what a composite composes.
    pub fn resource_refs<'a>(&self, composite: &'a Value) -> &'a [Value] {
        self.field(composite, "resourceRefs")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// The version other objects refer to: the last one that says so.
fn referenceable(spec: &Value) -> Option<&str> {
    let versions = spec.get("versions")?.as_array()?;
    versions
        .iter()
        .rev()
        .find(|v| v.get("referenceable") == Some(&Value::Bool(true)))
        .and_then(|v| v.get("name")?.as_str())
}

fn strings(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition(scope: &str) -> Value {
        json!({"metadata": {"name": "xs.e.org", "uid": "u"}, "spec": {"group": "e.org", "scope": scope,
            "names": {"kind": "X", "plural": "xs"}, "claimNames": {"kind": "C", "plural": "cs"},
            "versions": [{"name": "v1", "referenceable": true}, {"name": "v2"}]}})
    }

    #[test]
    fn machinery_is_under_spec_or_under_spec_crossplane() {
        let legacy = Xrd::read(&definition("LegacyCluster")).unwrap();
        let modern = Xrd::read(&definition("Namespaced")).unwrap();
        let composite = json!({"spec": {"compositionRef": {"name": "old"},
            "crossplane": {"compositionRef": {"name": "new"}}}});
        assert_eq!(legacy.reference(&composite, "compositionRef"), "old");
        assert_eq!(modern.reference(&composite, "compositionRef"), "new");
        assert_eq!(legacy.composite.api_version(), "e.org/v1");
        assert_eq!(legacy.claim_crd().as_deref(), Some("cs.e.org"));
    }

    #[test]
    fn a_definition_without_a_referenceable_version_is_none() {
        let mut object = definition("Cluster");
        object["spec"]["versions"] = json!([{"name": "v1"}]);
        assert!(Xrd::read(&object).is_none());
    }
}
