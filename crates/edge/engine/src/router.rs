//! Whom does a change concern?

use std::sync::Arc;

use purlin_api::conditions;
use purlin_api::meta::{self, Gvk, names};
use purlin_api::xrd::{Scope, Xrd};
use purlin_kube::Change;
use purlin_lifecycle::select;
use serde_json::Value;

use crate::kinds::Role;
use crate::queue::{Key, Member};
use crate::shared::{Shared, member, watched};

/// Asks for the reconciles a change calls for.
pub(crate) fn route(shared: &Shared, change: &Change) {
    let Some(object) = change.latest().cloned() else {
        return;
    };
    let gvk = change.gvk.as_ref();
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("apiextensions.k8s.io", "CustomResourceDefinition") => crd(shared, change, &object),
        ("apiextensions.crossplane.io", "CompositeResourceDefinition") => {
            shared
                .queue
                .add(Key::Definition(meta::name(&object).to_owned()));
        }
        ("apiextensions.crossplane.io", "Composition") => composition(shared, change, &object),
        ("apiextensions.crossplane.io", "CompositionRevision") => revision(shared, change, &object),
        ("pkg.crossplane.io", "FunctionRevision") => function(shared),
        _ => {}
    }
    match shared.kinds.role(gvk) {
        Some(Role::Composite(xrd)) => composite(shared, &xrd, change, &object),
        Some(Role::Claim(xrd)) => {
            shared.queue.add(Key::Claim(member(&xrd.name, &object)));
            if change.new.is_none() {
                shared.queue.add(Key::Definition(xrd.name.clone()));
            }
        }
        None => {}
    }
    for state in [&change.old, &change.new].into_iter().flatten() {
        if let Some(owner) = owner(shared, state) {
            shared.queue.add(Key::Composite(owner));
        }
        for dependant in shared.tracker.dependants(gvk, state) {
            shared.queue.add(Key::Composite(dependant));
        }
    }
}

/// The composite that controls an object.
fn owner(shared: &Shared, object: &Value) -> Option<Member> {
    let owner = meta::controller(object)?;
    let gvk = Gvk::new(owner.api_version, owner.kind);
    let xrd = shared.kinds.composite_of(&gvk.group, &gvk.kind)?;
    let namespace = if xrd.scope == Scope::Namespaced {
        meta::namespace(object)
    } else {
        ""
    };
    Some(Member {
        xrd: xrd.name.clone(),
        namespace: namespace.to_owned(),
        name: owner.name.to_owned(),
    })
}

fn crd(shared: &Shared, change: &Change, object: &Arc<Value>) {
    let group = meta::text(object, &["spec", "group"]);
    let kind = meta::text(object, &["spec", "names", "kind"]);
    shared.client.forget_group(group);
    if let Some(owner) =
        meta::controller(object).filter(|o| o.kind == "CompositeResourceDefinition")
    {
        shared.queue.add(Key::Definition(owner.name.to_owned()));
    }
    if change.new.is_none() {
        for gvk in shared.informers.kinds() {
            if gvk.group == group && gvk.kind == kind {
                shared.informers.stop(&gvk);
            }
        }
    }
    for dependant in shared.tracker.dependants_of_kind(group, kind) {
        shared.queue.add(Key::Composite(dependant));
    }
}

fn composition(shared: &Shared, change: &Change, object: &Arc<Value>) {
    shared
        .queue
        .add(Key::Composition(meta::name(object).to_owned()));
    // New content reaches composites as a new revision; here they only learn that the Composition came or went.
    if change.old.is_none() || change.new.is_none() {
        composites_using(shared, object, meta::name(object));
    }
}

fn revision(shared: &Shared, change: &Change, object: &Arc<Value>) {
    let composition = meta::label(object, names::LABEL_COMPOSITION_NAME);
    shared
        .queue
        .add(Key::Revision(meta::name(object).to_owned()));
    shared.queue.add(Key::Composition(composition.to_owned()));
    if let (Some(old), Some(new)) = (&change.old, &change.new) {
        let reads = |r: &Value| {
            let labels = meta::at(r, &["metadata", "labels"]).cloned();
            let owners = meta::at(r, &["metadata", "ownerReferences"]).cloned();
            (labels, owners, r.get("spec").cloned())
        };
        let valid = |r: &Value| {
            conditions::get(r, conditions::VALID_PIPELINE)
                .is_none_or(|c| meta::text(c, &["status"]) == "True")
        };
        if reads(old) == reads(new) && valid(old) == valid(new) {
            return;
        }
    }
    composites_using(shared, object, composition);
}

/// Every composite that uses a Composition, or that could.
fn composites_using(shared: &Shared, composition: &Value, name: &str) {
    for xrd in shared.kinds.composites() {
        let fits = select::composes(composition, &xrd);
        for composite in shared.all(&xrd.composite) {
            let held = xrd.reference(&composite, "compositionRef");
            if held == name || (fits && held.is_empty()) {
                shared
                    .queue
                    .add(Key::Composite(member(&xrd.name, &composite)));
            }
        }
    }
}

/// A function came, went or moved: revisions are checked again, and composites that failed try again.
fn function(shared: &Shared) {
    for revision in shared.all(&watched::revisions()) {
        shared
            .queue
            .add(Key::Revision(meta::name(&revision).to_owned()));
    }
    for xrd in shared.kinds.composites() {
        for composite in shared.all(&xrd.composite) {
            if !conditions::is_true(&composite, conditions::SYNCED) {
                shared
                    .queue
                    .add(Key::Composite(member(&xrd.name, &composite)));
            }
        }
    }
}

fn composite(shared: &Shared, xrd: &Xrd, change: &Change, object: &Arc<Value>) {
    let key = member(&xrd.name, object);
    if change.new.is_none() {
        shared.tracker.forget(&key);
        shared.queue.forget(&Key::Composite(key.clone()));
    }
    shared.queue.add(Key::Composite(key));
    for state in [&change.old, &change.new].into_iter().flatten() {
        let claim = |field| meta::text(state, &["spec", "claimRef", field]);
        if xrd.claim.is_some() && !claim("name").is_empty() {
            shared.queue.add(Key::Claim(Member {
                xrd: xrd.name.clone(),
                namespace: claim("namespace").to_owned(),
                name: claim("name").to_owned(),
            }));
        }
    }
    if change.new.is_none() {
        // A definition that is going away waits for its composites.
        shared.queue.add(Key::Definition(xrd.name.clone()));
    }
}
