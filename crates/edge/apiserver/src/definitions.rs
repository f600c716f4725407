//! Custom resource definitions: what they may hold, which names they get, and when they serve.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use purlin_expr::crd::Rules;
use purlin_schema::Schema;
use serde_json::{Value, json};

use crate::custom;
use crate::failure::FieldError;
use crate::registry::Resource;
use crate::server::Core;
use crate::store::Key;

/// The name of the kind in the store.
pub(crate) const ID: &str = "apiextensions.k8s.io/customresourcedefinitions";

/// What is wrong with a definition.
pub(crate) fn check(object: &Value, old: Option<&Value>, subresource: &str) -> Vec<FieldError> {
    if subresource == "status" {
        return Vec::new();
    }
    let mut found = match old {
        Some(old) => purlin_schema::check_crd_update(object, old, &()),
        None => purlin_schema::check_crd(object, &()),
    };
    // Rules whose field path is broken are not compiled: there is nothing they could be about.
    let broken = found.iter().any(|e| e.path.ends_with(".fieldPath"));
    if !broken && old.is_none_or(|old| old["spec"]["versions"] != object["spec"]["versions"]) {
        found.extend(check_rules(object));
    }
    found.into_iter().map(custom::convert).collect()
}

/// What does not compile in the rules of the schemas. A schema all versions share is checked once.
fn check_rules(definition: &Value) -> Vec<purlin_schema::FieldError> {
    let versions = definition["spec"]["versions"].as_array();
    let schemas: Vec<&Value> = versions
        .into_iter()
        .flatten()
        .map(|v| &v["schema"]["openAPIV3Schema"])
        .collect();
    let shared = schemas.windows(2).all(|pair| pair.first() == pair.get(1));
    let mut errors = Vec::new();
    for (index, document) in schemas.iter().enumerate() {
        let Ok(schema) = Schema::parse(document) else {
            continue;
        };
        let path = if shared {
            "spec.validation.openAPIV3Schema".to_owned()
        } else {
            format!("spec.versions[{index}].schema.openAPIV3Schema")
        };
        errors.extend(Rules::compile(&schema, &path).1);
        if shared {
            break;
        }
    }
    errors
}

/// What each definition serves, kept until the definition changes.
#[derive(Debug, Default)]
pub(crate) struct Served {
    known: BTreeMap<String, (String, Vec<Resource>)>,
}

impl Served {
    fn of(&mut self, definition: &Value) -> Vec<Resource> {
        let metadata = &definition["metadata"];
        let state = format!(
            "{} {} {} {}",
            metadata["uid"],
            metadata["generation"],
            definition["status"]["acceptedNames"],
            metadata["deletionTimestamp"].is_null(),
        );
        let name = name(definition);
        if let Some((known, resources)) = self.known.get(&name)
            && *known == state
        {
            return resources.clone();
        }
        let resources = custom::resources(definition);
        self.known.insert(name, (state, resources.clone()));
        resources
    }
}

fn is_true(definition: &Value, condition: &str) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|c| c["type"].as_str() == Some(condition) && c["status"].as_str() == Some("True"))
}

/// The names in use in one group, by what they name.
#[derive(Default)]
struct Taken {
    plurals: BTreeMap<String, String>,
    kinds: BTreeMap<String, String>,
}

/// Gives every definition its names and conditions, and publishes what is served.
///
/// What is served is published before a definition is said to be established, so that nobody who waits for that is
/// told that the resource is not there.
pub(crate) fn reconcile(core: &Arc<Core>) {
    let mut served = core
        .definitions
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let snapshot = core.store.list(ID, None);
    let mut taken: BTreeMap<String, Taken> = BTreeMap::new();
    // Established names win over new ones, whatever their order.
    for object in &snapshot.objects {
        let definition = &object.value;
        if is_true(definition, "NamesAccepted") {
            let names = &definition["status"]["acceptedNames"];
            take(
                taken.entry(group(definition)).or_default(),
                names,
                &name(definition),
            );
        }
    }
    let names_kept: BTreeSet<String> = snapshot.objects.iter().map(|o| name(&o.value)).collect();
    let mut planned: Vec<(Key, Value)> = Vec::new();
    let mut serving: Vec<Resource> = Vec::new();
    for object in &snapshot.objects {
        let definition = &object.value;
        let own = taken.entry(group(definition)).or_default();
        let status = status(core, definition, own);
        let mut next = definition.clone();
        next["status"] = status.clone();
        if is_true(&next, "Established") {
            serving.extend(served.of(&next));
        }
        if status != definition["status"] {
            planned.push((Key::new("", &name(definition)), status));
        }
    }
    served.known.retain(|name, _| names_kept.contains(name));
    core.registry.publish(serving);
    for (key, status) in planned {
        core.mutate(&ID.into(), &key, |value| {
            value["status"] = status.clone();
            true
        });
    }
}

fn name(definition: &Value) -> String {
    definition["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn group(definition: &Value) -> String {
    definition["spec"]["group"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The names that must differ within a group: all plural-like ones from each other, and all kind-like ones.
fn plural_names(names: &Value) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    for (what, field) in [("Plural", "plural"), ("Singular", "singular")] {
        if let Some(text) = names[field].as_str().filter(|t| !t.is_empty()) {
            out.push((what, text.to_owned()));
        }
    }
    for short in names["shortNames"].as_array().into_iter().flatten() {
        out.push(("ShortNames", short.as_str().unwrap_or_default().to_owned()));
    }
    out
}

fn kind_names(names: &Value) -> Vec<(&'static str, String)> {
    let fields = [("Kind", "kind"), ("ListKind", "listKind")].into_iter();
    let found = fields.filter_map(|(what, field)| Some((what, names[field].as_str()?.to_owned())));
    found.filter(|(_, text)| !text.is_empty()).collect()
}

fn take(taken: &mut Taken, names: &Value, owner: &str) {
    for (_, text) in plural_names(names) {
        taken.plurals.insert(text, owner.to_owned());
    }
    for (_, text) in kind_names(names) {
        taken.kinds.insert(text, owner.to_owned());
    }
}

fn conflicts(taken: &Taken, names: &Value, owner: &str) -> Vec<(&'static str, String)> {
    let by_others =
        |map: &BTreeMap<String, String>, text: &str| map.get(text).is_some_and(|o| o != owner);
    let mut found: Vec<_> = plural_names(names)
        .into_iter()
        .filter(|(_, text)| by_others(&taken.plurals, text))
        .collect();
    found.extend(
        kind_names(names)
            .into_iter()
            .filter(|(_, text)| by_others(&taken.kinds, text)),
    );
    found
}

/// The status a definition should have.
fn status(core: &Core, definition: &Value, taken: &mut Taken) -> Value {
    let owner = name(definition);
    let names = &definition["spec"]["names"];
    let mut status = definition["status"].clone();
    let found = conflicts(taken, names, &owner);
    let established = is_true(definition, "Established");
    let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let mut tell = |kind: &str, status: bool, reason: &str, message: &str| {
        set(core, &mut conditions, kind, status, reason, message);
    };
    if let Some((what, _)) = found.first() {
        let texts: Vec<String> = found
            .iter()
            .map(|(_, text)| format!("{text:?} is already in use"))
            .collect();
        tell(
            "NamesAccepted",
            false,
            &format!("{what}Conflict"),
            &texts.join(", "),
        );
        accept_rest(&mut status, names, &found, definition);
        if !established {
            tell(
                "Established",
                false,
                "NotAccepted",
                "not all names are accepted",
            );
        }
    } else {
        status["acceptedNames"] = names.clone();
        take(taken, names, &owner);
        tell("NamesAccepted", true, "NoConflicts", "no conflicts found");
        if !established {
            tell(
                "Established",
                true,
                "InitialNamesAccepted",
                "the initial names have been accepted",
            );
        }
    }
    if !definition["metadata"]["deletionTimestamp"].is_null() && !is_true(definition, "Terminating")
    {
        let why =
            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
        tell("Terminating", true, "InstanceDeletionPending", why);
    }
    status["conditions"] = conditions.into();
    status
}

/// Takes those of the wanted names that nobody else has.
fn accept_rest(
    status: &mut Value,
    names: &Value,
    found: &[(&'static str, String)],
    definition: &Value,
) {
    let before = &definition["status"]["acceptedNames"];
    let lost = |what: &str| found.iter().any(|(w, _)| *w == what);
    let mut accepted = names.clone();
    for (what, field) in [
        ("Plural", "plural"),
        ("Singular", "singular"),
        ("ShortNames", "shortNames"),
        ("Kind", "kind"),
        ("ListKind", "listKind"),
    ] {
        if !lost(what) {
            continue;
        }
        match before.get(field) {
            Some(value) => accepted[field] = value.clone(),
            None if matches!(field, "plural" | "kind") => accepted[field] = "".into(),
            None => {
                if let Some(fields) = accepted.as_object_mut() {
                    fields.remove(field);
                }
            }
        }
    }
    status["acceptedNames"] = accepted;
}

/// Sets a condition, and its time when its status changes.
#[expect(clippy::too_many_arguments, reason = "a condition has these parts")]
pub(crate) fn set(
    core: &Core,
    conditions: &mut Vec<Value>,
    kind: &str,
    status: bool,
    reason: &str,
    message: &str,
) {
    let status = if status { "True" } else { "False" };
    let mut next = json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": core.now(),
    });
    match conditions
        .iter_mut()
        .find(|c| c["type"].as_str() == Some(kind))
    {
        Some(old) => {
            if old["status"].as_str() == Some(status) {
                next["lastTransitionTime"] = old["lastTransitionTime"].clone();
            }
            *old = next;
        }
        None => conditions.push(next),
    }
}
