//! How is a composite prepared for a pass, and what does it apply to itself? (spec/engine.md 3.3, 3.5, 3.8)

use std::sync::Arc;

use purlin_api::conditions;
use purlin_api::meta::{self, names};
use purlin_api::xrd::{Scope, Xrd};
use serde_json::{Map, Value, json};

use crate::event::{Event, Problem};
use crate::select::{self, Revisions};

/// What preparing a composite may read.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The composite as it is.
    pub composite: &'a Value,
    /// Its definition.
    pub xrd: &'a Xrd,
    /// Every Composition.
    pub compositions: &'a [Arc<Value>],
    /// Every CompositionRevision.
    pub revisions: &'a [Arc<Value>],
}

/// A composite that is ready for a pass, or as far as it got.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The composite as it should be written before the pass.
    pub composite: Value,
    /// The revision to run, or why there is none.
    pub revision: Result<Arc<Value>, Problem>,
    /// What to tell.
    pub events: Vec<Event>,
}

/// Chooses Composition and revision, and writes finalizer, root label and secret reference into the composite. All of
/// it is one write, so that a crash leaves nothing half chosen.
pub fn prepare(world: World<'_>) -> Prepared {
    let mut composite = world.composite.clone();
    let mut events = Vec::new();
    meta::add_finalizer(&mut composite, names::FINALIZER_COMPOSITE);
    let revision = choose(&mut composite, world, &mut events);
    Prepared {
        composite,
        revision,
        events,
    }
}

fn choose(
    composite: &mut Value,
    world: World<'_>,
    events: &mut Vec<Event>,
) -> Result<Arc<Value>, Problem> {
    let xrd = world.xrd;
    events.extend(select::choose_composition(
        composite,
        xrd,
        world.compositions,
    )?);
    let name = xrd.reference(composite, "compositionRef").to_owned();
    let composition = world.compositions.iter().find(|c| meta::name(c) == name);
    let revisions = Revisions {
        composition: composition.map(Arc::as_ref),
        all: world.revisions,
    };
    let (revision, chosen) = select::choose_revision(composite, xrd, revisions)?;
    events.extend(chosen);
    if meta::label(composite, names::LABEL_COMPOSITE).is_empty() {
        let name = meta::name(composite).to_owned();
        meta::object_mut(composite, &["metadata", "labels"])
            .insert(names::LABEL_COMPOSITE.into(), name.into());
    }
    if !select::composes(&revision, xrd) {
        return Err(Problem::new(
            "ComposeResources",
            format!(
                "referenced composition is not compatible with this composite resource: {name} composes {} {}, this \
                 is a {}; name another one in compositionRef",
                meta::text(&revision, &["spec", "compositeTypeRef", "apiVersion"]),
                meta::text(&revision, &["spec", "compositeTypeRef", "kind"]),
                xrd.composite,
            ),
        ));
    }
    let namespace = meta::text(&revision, &["spec", "writeConnectionSecretsToNamespace"]);
    if xrd.is_legacy()
        && !namespace.is_empty()
        && xrd.field(composite, "writeConnectionSecretToRef").is_none()
    {
        let secret = json!({"name": meta::uid(composite), "namespace": namespace});
        xrd.set(composite, "writeConnectionSecretToRef", secret);
    }
    Ok(revision)
}

/// Where a reference of a composite points: kind, namespace and name. `None` when it names nothing yet.
pub fn referent<'a>(reference: &'a Value, composite: &'a Value, xrd: &Xrd) -> Option<Referent<'a>> {
    let name = meta::text(reference, &["name"]);
    (!name.is_empty()).then(|| Referent {
        api_version: meta::text(reference, &["apiVersion"]),
        kind: meta::text(reference, &["kind"]),
        namespace: if xrd.scope == Scope::Namespaced {
            meta::namespace(composite)
        } else {
            meta::text(reference, &["namespace"])
        },
        name,
    })
}

/// An object somebody refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Referent<'a> {
    /// Its apiVersion.
    pub api_version: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its namespace; empty when it has none.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// The key of a referenced object in the pipeline, or `None` when the object is somebody else's by now. An object
/// nobody controls is taken as ours, as after a restored backup.
///
/// # Errors
/// When the object does not say its key.
pub fn observed_key<'a>(object: &'a Value, composite: &Value) -> Result<Option<&'a str>, String> {
    if meta::controller(object).is_some_and(|owner| owner.uid != meta::uid(composite)) {
        return Ok(None);
    }
    match meta::annotation(object, names::ANNOTATION_RESOURCE_NAME) {
        "" => Err(format!(
            "encountered composed resource without required {:?} annotation: {} {:?}; put the annotation back, or \
             delete the object",
            names::ANNOTATION_RESOURCE_NAME,
            meta::text(object, &["kind"]),
            meta::name(object)
        )),
        key => Ok(Some(key)),
    }
}

/// What a composite applies to itself so that its references are recorded.
pub fn references_patch(composite: &Value, xrd: &Xrd, references: Vec<Value>) -> Value {
    let mut patch = identity(composite);
    xrd.set(&mut patch, "resourceRefs", Value::Array(references));
    patch
}

/// What a composite applies to its status: the fields the pipeline desires, so that fields it stops desiring go, and
/// the one condition that never changes. Every other condition is written by the update that follows.
pub fn status_patch(composite: &Value, desired: Option<&Value>, now: &str) -> Value {
    let mut status: Map<String, Value> = desired
        .and_then(|d| d.get("status")?.as_object().cloned())
        .unwrap_or_default();
    status.remove("conditions");
    let mut held = Value::Object(Map::from_iter([(
        "conditions".to_owned(),
        Value::Array(
            conditions::get(composite, conditions::RESPONSIVE)
                .cloned()
                .into_iter()
                .collect(),
        ),
    )]));
    if let Some(held) = held.as_object_mut() {
        conditions::set(held, &conditions::Condition::responsive(), now);
        status.append(held);
    }
    let mut patch = identity(composite);
    meta::object_mut(&mut patch, &[]).insert("status".into(), status.into());
    patch
}

/// The least an apply must say: which object it is about.
fn identity(composite: &Value) -> Value {
    let mut metadata = json!({"name": meta::name(composite)});
    if !meta::namespace(composite).is_empty() {
        metadata["namespace"] = meta::namespace(composite).into();
    }
    json!({"apiVersion": composite.get("apiVersion"), "kind": composite.get("kind"), "metadata": metadata})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xrd() -> Xrd {
        Xrd::read(&json!({"metadata": {"name": "xs.e.org"}, "spec": {"group": "e.org",
            "names": {"kind": "X", "plural": "xs"}, "versions": [{"name": "v1", "referenceable": true}]}}))
        .unwrap()
    }

    fn composition(kind: &str) -> Arc<Value> {
        Arc::new(json!({"metadata": {"name": "c", "uid": "c"},
            "spec": {"compositeTypeRef": {"apiVersion": "e.org/v1", "kind": kind}}}))
    }

    fn revision(kind: &str) -> Arc<Value> {
        Arc::new(
            json!({"metadata": {"name": "c-1", "labels": {"crossplane.io/composition-name": "c"},
            "ownerReferences": [{"uid": "c", "controller": true}]}, "spec": {"revision": 1,
            "compositeTypeRef": {"apiVersion": "e.org/v1", "kind": kind}, "writeConnectionSecretsToNamespace": "s"}}),
        )
    }

    fn composite() -> Value {
        json!({"apiVersion": "e.org/v1", "kind": "X", "metadata": {"name": "x", "uid": "u"}, "spec": {}})
    }

    #[test]
    fn preparing_chooses_labels_and_holds_in_one_write() {
        let (compositions, revisions) = ([composition("X")], [revision("X")]);
        let world = World {
            composite: &composite(),
            xrd: &xrd(),
            compositions: &compositions,
            revisions: &revisions,
        };
        let done = prepare(world);
        assert!(done.revision.is_ok());
        assert_eq!(
            xrd().reference(&done.composite, "compositionRevisionRef"),
            "c-1"
        );
        assert_eq!(meta::label(&done.composite, names::LABEL_COMPOSITE), "x");
        assert_eq!(
            done.composite["spec"]["writeConnectionSecretToRef"],
            json!({"name": "u", "namespace": "s"})
        );
        let again = prepare(World {
            composite: &done.composite,
            ..world
        });
        assert_eq!((again.composite, again.events), (done.composite, vec![]));
    }

    #[test]
    fn without_a_composition_only_the_finalizer_is_written() {
        let done = prepare(World {
            composite: &composite(),
            xrd: &xrd(),
            compositions: &[],
            revisions: &[],
        });
        assert_eq!(done.revision.unwrap_err().reason, "SelectComposition");
        assert_eq!(meta::label(&done.composite, names::LABEL_COMPOSITE), "");
        assert!(meta::has_finalizer(
            &done.composite,
            names::FINALIZER_COMPOSITE
        ));
    }

    #[test]
    fn a_composition_of_another_kind_is_refused() {
        let mut composite = composite();
        composite["spec"]["compositionRef"] = json!({"name": "c"});
        let (compositions, revisions) = ([composition("Y")], [revision("Y")]);
        let done = prepare(World {
            composite: &composite,
            xrd: &xrd(),
            compositions: &compositions,
            revisions: &revisions,
        });
        assert!(
            done.revision
                .unwrap_err()
                .message
                .contains("not compatible")
        );
    }

    #[test]
    fn the_status_patch_carries_what_is_desired_and_one_condition() {
        let patch = status_patch(
            &composite(),
            Some(&json!({"spec": {"z": 1}, "status": {"n": 5}})),
            "now",
        );
        assert_eq!(patch["status"]["n"], 5);
        assert_eq!(patch["status"]["conditions"][0]["type"], "Responsive");
        assert!(patch.get("spec").is_none());
    }

    #[test]
    fn observing_skips_what_others_control_and_stops_at_what_has_no_key() {
        let object = |uid: &str, key: &str| {
            json!({"metadata": {"annotations": {names::ANNOTATION_RESOURCE_NAME: key},
            "ownerReferences": [{"uid": uid, "controller": true}]}})
        };
        assert_eq!(observed_key(&object("u", "a"), &composite()), Ok(Some("a")));
        assert_eq!(observed_key(&object("v", "a"), &composite()), Ok(None));
        assert!(observed_key(&object("u", ""), &composite()).is_err());
    }
}
