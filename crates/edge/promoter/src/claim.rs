//! From a claim in a file to the composite the engine would make of it, with one version of its API.

use std::collections::BTreeMap;
use std::sync::Arc;

use purlin_api::meta::{self, Gvk};
use purlin_api::xrd::Xrd;
use purlin_lifecycle::claim::Pair;
use purlin_lifecycle::{name, select};
use purlin_promotion::Contents;
use purlin_schema::{Schema, apply_defaults, prune, validate};
use serde_json::Value;

/// One version of a unit's APIs, ready to make composites.
#[derive(Debug)]
pub(crate) struct Apis<'a> {
    definitions: Vec<(&'a Value, Xrd)>,
    compositions: BTreeMap<String, Arc<Value>>,
}

/// What a claim comes to.
#[derive(Debug)]
pub(crate) struct Composite<'a> {
    /// The composite, before its definition's defaults.
    pub object: Value,
    /// Its definition.
    pub definition: &'a Value,
    /// The Composition it uses.
    pub composition: Arc<Value>,
}

impl<'a> Apis<'a> {
    /// The APIs of a folder.
    pub(crate) fn new(contents: &'a Contents) -> Self {
        let compositions = contents.compositions().into_iter();
        Self {
            definitions: contents
                .definitions()
                .into_values()
                .filter_map(|definition| Some((definition, Xrd::read(definition)?)))
                .collect(),
            compositions: compositions
                .map(|(name, object)| (name, Arc::new(object.clone())))
                .collect(),
        }
    }

    /// Whether an object is a claim or a composite of one of these APIs.
    pub(crate) fn has(&self, object: &Value) -> bool {
        self.find(object).is_some()
    }

    fn find(&self, object: &Value) -> Option<(&'a Value, &Xrd, bool)> {
        let gvk = Gvk::of(object)?;
        let is = |of: &Gvk| of.group == gvk.group && of.kind == gvk.kind;
        self.definitions.iter().find_map(|(definition, xrd)| {
            let claimed = xrd.claim.as_ref().is_some_and(is);
            (claimed || is(&xrd.composite)).then_some((*definition, xrd, claimed))
        })
    }

    /// Makes the composite. What the API server would refuse, or drop, is a problem.
    pub(crate) fn composite(&self, object: &Value) -> Result<Composite<'a>, Vec<String>> {
        let Some((definition, xrd, claimed)) = self.find(object) else {
            return Err(vec!["the API is gone".to_owned()]);
        };
        let admitted = admit(object, definition, claimed)?;
        let mut composite = if claimed {
            bind(&admitted, xrd)
        } else {
            admitted
        };
        let known: Vec<Arc<Value>> = self.compositions.values().cloned().collect();
        select::choose_composition(&mut composite, xrd, &known)
            .map_err(|problem| vec![problem.message])?;
        let chosen = xrd.reference(&composite, "compositionRef");
        let Some(composition) = self.compositions.get(chosen) else {
            return Err(vec![format!(
                "its Composition `{chosen}` is not in the unit"
            )]);
        };
        let composition = Arc::clone(composition);
        Ok(Composite {
            object: composite,
            definition,
            composition,
        })
    }
}

/// Does what the API server does on create: the version must be served, unknown fields go, defaults come, and the rest
/// must be valid.
fn admit(object: &Value, definition: &Value, claimed: bool) -> Result<Value, Vec<String>> {
    let crd = if claimed {
        purlin_schema::claim_crd(definition).map(Option::unwrap_or_default)
    } else {
        purlin_schema::composite_crd(definition)
    };
    let words = |errors: Vec<purlin_schema::FieldError>| -> Vec<String> {
        errors
            .iter()
            .map(|error| format!("{}: {}", error.path, error.message))
            .collect()
    };
    let crd = crd.map_err(words)?;
    let version = Gvk::of(object).map(|gvk| gvk.version).unwrap_or_default();
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array);
    let Some(served) = versions.into_iter().flatten().find(|v| {
        meta::text(v, &["name"]) == version
            && v.get("served").and_then(Value::as_bool) == Some(true)
    }) else {
        return Err(vec![format!("version {version} is not served")]);
    };
    let schema = served
        .pointer("/schema/openAPIV3Schema")
        .unwrap_or(&Value::Null);
    let schema = Schema::parse(schema).map_err(words)?;
    let mut object = object.clone();
    let unknown = prune(&mut object, &schema);
    let mut problems: Vec<String> = unknown
        .iter()
        .map(|path| format!("{path}: the API has no such field, so it would be dropped"))
        .collect();
    apply_defaults(&mut object, &schema);
    problems.extend(words(validate(&object, &schema)));
    if problems.is_empty() {
        Ok(object)
    } else {
        Err(problems)
    }
}

/// The composite of a claim that has none yet. In a cluster its name ends at random; here, always the same.
fn bind(claim: &Value, xrd: &Xrd) -> Value {
    let pair = Pair {
        claim,
        composite: None,
        xrd,
    };
    let held = meta::text(claim, &["spec", "resourceRef", "name"]);
    if !held.is_empty() {
        return pair.composite_patch(held);
    }
    let seed = name::composed("", meta::namespace(claim), meta::name(claim));
    let tail: String = seed.chars().take(5).collect();
    pair.composite_patch(&format!("{}-{tail}", meta::name(claim)))
}
