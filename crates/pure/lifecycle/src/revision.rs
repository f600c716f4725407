//! Which revision records a Composition, and may its pipeline run? (spec/engine.md 2.2, 2.3)

use std::sync::Arc;

use purlin_api::conditions::{Condition, Status, VALID_PIPELINE};
use purlin_api::meta::{self, names};
use serde_json::{Map, Value, json};

/// What to write for a Composition.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// A new revision.
    Create(Value),
    /// An old revision, renumbered or owned again.
    Update(Value),
}

/// The revision's number; 0 when it has none.
pub fn number(revision: &Value) -> i64 {
    meta::at(revision, &["spec", "revision"])
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// The hash of what a revision records: the Composition's labels, annotations and spec, independent of key order.
pub fn hash(composition: &Value) -> String {
    let part = |path: &[&str]| {
        let mut text = String::new();
        canonical(
            meta::at(composition, path).unwrap_or(&Value::Null),
            &mut text,
        );
        text
    };
    let labels = part(&["metadata", "labels"]);
    let annotations = part(&["metadata", "annotations"]);
    let spec = part(&["spec"]);
    crate::name::hex(&[labels.as_bytes(), annotations.as_bytes(), spec.as_bytes()])
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                canonical(&Value::String(key.clone()), out);
                out.push(':');
                canonical(map.get(key).unwrap_or(&Value::Null), out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for item in list {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

/// What to write so that the newest revision records the Composition.
///
/// `revisions` are those labelled with the Composition's name. A Composition that went back to an earlier content
/// renumbers that revision instead of making one; one that lost its owner (a restored backup) is owned again.
///
/// # Errors
/// When a revision is controlled by somebody else.
pub fn plan(composition: &Value, revisions: &[Arc<Value>]) -> Result<Vec<Write>, String> {
    let uid = meta::uid(composition);
    let mut writes = Vec::new();
    let mut latest = 0;
    for revision in revisions {
        match meta::controller(revision) {
            Some(owner) if owner.uid == uid => latest = latest.max(number(revision)),
            Some(owner) => {
                return Err(format!(
                    "CompositionRevision {} is controlled by {} {:?}, not by this Composition; delete it or rename \
                     the Composition",
                    meta::name(revision),
                    owner.kind,
                    owner.name
                ));
            }
            None => latest = latest.max(number(revision)),
        }
    }
    let hash = hash(composition);
    let label: String = hash.chars().take(63).collect();
    let mut recorded = false;
    for revision in revisions {
        let mut next = Value::clone(revision);
        if meta::controller(revision).is_none() {
            own(&mut next, composition);
        }
        if meta::label(revision, names::LABEL_COMPOSITION_HASH) == label {
            recorded = true;
            if number(revision) < latest {
                meta::object_mut(&mut next, &["spec"])
                    .insert("revision".into(), (latest + 1).into());
            }
        }
        if next != **revision {
            writes.push(Write::Update(next));
        }
    }
    if !recorded {
        writes.push(Write::Create(create(composition, &hash, latest + 1)));
    }
    Ok(writes)
}

fn own(revision: &mut Value, composition: &Value) {
    let owner = meta::controller_reference(composition);
    let owners = meta::object_mut(revision, &["metadata"])
        .entry("ownerReferences")
        .or_insert_with(|| json!([]));
    if let Some(owners) = owners.as_array_mut() {
        owners.push(owner);
    }
}

fn create(composition: &Value, hash: &str, number: i64) -> Value {
    let short: String = hash.chars().take(7).collect();
    let label: String = hash.chars().take(63).collect();
    let mut labels = Map::from_iter([
        (
            names::LABEL_COMPOSITION_NAME.to_owned(),
            Value::from(meta::name(composition)),
        ),
        (names::LABEL_COMPOSITION_HASH.to_owned(), Value::from(label)),
    ]);
    if let Some(Value::Object(more)) = meta::at(composition, &["metadata", "labels"]) {
        labels.extend(more.clone());
    }
    let mut metadata = json!({
        "name": format!("{}-{short}", meta::name(composition)),
        "labels": labels,
        "ownerReferences": [meta::controller_reference(composition)],
    });
    if let Some(annotations) = meta::at(composition, &["metadata", "annotations"]) {
        metadata["annotations"] = annotations.clone();
    }
    let mut spec = composition.get("spec").cloned().unwrap_or_default();
    meta::object_mut(&mut spec, &[]).insert("revision".into(), number.into());
    json!({
        "apiVersion": composition.get("apiVersion"), "kind": "CompositionRevision",
        "metadata": metadata, "spec": spec,
    })
}

/// Whether a revision's functions may all be used in a pipeline: each one that has an active function revision must
/// say it has the capability `composition`. Functions that are not installed count as fine; calling them will tell.
pub fn validity(revision: &Value, functions: &[Arc<Value>]) -> Condition {
    let steps = meta::at(revision, &["spec", "pipeline"]).and_then(Value::as_array);
    let lacking: Vec<String> = steps
        .into_iter()
        .flatten()
        .filter_map(|step| {
            let name = meta::text(step, &["functionRef", "name"]);
            let active = active_function(functions, name)?;
            (!has_capability(active, "composition")).then(|| {
                format!(
                    "function {name} ({}) lacks the capability composition",
                    meta::name(active)
                )
            })
        })
        .collect();
    if lacking.is_empty() {
        return Condition::new(VALID_PIPELINE, Status::True, "ValidPipeline");
    }
    Condition::new(VALID_PIPELINE, Status::False, "MissingCapabilities").message(format!(
        "{}; install a version that has it",
        lacking.join(", ")
    ))
}

/// The active revision of a function's package.
pub fn active_function<'a>(functions: &'a [Arc<Value>], name: &str) -> Option<&'a Arc<Value>> {
    functions.iter().find(|f| {
        meta::label(f, names::LABEL_PACKAGE) == name
            && meta::text(f, &["spec", "desiredState"]) == "Active"
    })
}

/// Whether a function revision lists a capability; case and punctuation do not count.
fn has_capability(function: &Value, capability: &str) -> bool {
    let plain = |word: &str| -> String {
        word.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    meta::at(function, &["status", "capabilities"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .any(|word| plain(word) == capability)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composition(x: i64) -> Value {
        json!({"apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition",
            "metadata": {"name": "c", "uid": "u", "labels": {"channel": "fast"}}, "spec": {"x": x}})
    }

    fn made(writes: &[Write]) -> Arc<Value> {
        match writes {
            [Write::Create(v) | Write::Update(v)] => Arc::new(v.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_content_gets_one_revision_and_going_back_renumbers() {
        let first = made(&plan(&composition(1), &[]).unwrap());
        assert_eq!(number(&first), 1);
        assert_eq!(meta::label(&first, "channel"), "fast");
        assert_eq!(meta::name(&first).len(), "c-".len() + 7);
        assert_eq!(
            plan(&composition(1), std::slice::from_ref(&first)).unwrap(),
            []
        );
        let second = made(&plan(&composition(2), std::slice::from_ref(&first)).unwrap());
        assert_eq!(number(&second), 2);
        let back = made(&plan(&composition(1), &[first.clone(), second]).unwrap());
        assert_eq!((meta::name(&back), number(&back)), (meta::name(&first), 3));
    }

    #[test]
    fn a_lost_owner_comes_back_and_a_foreign_one_is_refused() {
        let mut lost = Value::clone(&made(&plan(&composition(1), &[]).unwrap()));
        lost["metadata"]["ownerReferences"] = json!([]);
        let owned = made(&plan(&composition(1), &[Arc::new(lost.clone())]).unwrap());
        assert_eq!(meta::controller(&owned).unwrap().uid, "u");
        lost["metadata"]["ownerReferences"] = json!([{"uid": "other", "controller": true}]);
        assert!(plan(&composition(1), &[Arc::new(lost)]).is_err());
    }

    #[test]
    fn a_function_without_the_capability_makes_a_pipeline_invalid() {
        let revision = json!({"spec": {"pipeline": [{"functionRef": {"name": "f"}}]}});
        let function = |capabilities: Value| {
            [Arc::new(
                json!({"metadata": {"name": "f-1", "labels": {"pkg.crossplane.io/package": "f"}},
                "spec": {"desiredState": "Active"}, "status": {"capabilities": capabilities}}),
            )]
        };
        assert_eq!(validity(&revision, &[]).status, Status::True);
        assert_eq!(
            validity(&revision, &function(json!(["Compo-sition"]))).status,
            Status::True
        );
        assert_eq!(
            validity(&revision, &function(json!(["operation"]))).reason,
            "MissingCapabilities"
        );
    }
}
