//! The garbage collector: dependents go when all their owners are gone.

use std::sync::Arc;

use serde_json::Value;

use crate::housekeeping::key_of;
use crate::registry::Resource;
use crate::server::Core;
use crate::store::{Key, KindId};
use crate::verbs::delete::{self, FOREGROUND, ORPHAN, Options, Propagation};

fn has_finalizer(object: &Value, name: &str) -> bool {
    let list = object["metadata"]["finalizers"].as_array();
    list.is_some_and(|l| l.iter().any(|f| f.as_str() == Some(name)))
}

/// Whether an object is being deleted in a way that concerns its dependents.
pub(crate) fn is_owner_at_work(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
        && (has_finalizer(object, FOREGROUND) || has_finalizer(object, ORPHAN))
}

/// What has become of an owner.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Lives,
    Gone,
    /// It waits for its dependents to go.
    Waits,
    /// Its kind is not served, so nobody can tell.
    Unknown,
}

fn fate(core: &Core, dependent: &Value, owner: &Value) -> Fate {
    let text = |field: &str| owner[field].as_str().unwrap_or_default();
    let (group, _) = text("apiVersion").split_once('/').unwrap_or(("", ""));
    let catalog = core.registry.current();
    let Some(resource) = catalog.find_kind(group, text("kind")) else {
        return Fate::Unknown;
    };
    let namespace = dependent["metadata"]["namespace"]
        .as_str()
        .unwrap_or_default();
    if resource.namespaced && namespace.is_empty() {
        // A cluster-scoped dependent cannot name a namespaced owner.
        return Fate::Unknown;
    }
    let namespace = if resource.namespaced { namespace } else { "" };
    let Some(found) = core
        .store
        .get(&resource.id, &Key::new(namespace, text("name")))
    else {
        return Fate::Gone;
    };
    if found.value["metadata"]["uid"].as_str() != Some(text("uid")) {
        return Fate::Gone;
    }
    let deleting = !found.value["metadata"]["deletionTimestamp"].is_null();
    if deleting && has_finalizer(&found.value, FOREGROUND) {
        Fate::Waits
    } else {
        Fate::Lives
    }
}

/// Looks whether a dependent still has an owner. False when that must be asked again.
pub(crate) fn collect(core: &Arc<Core>, kind: &KindId, key: &Key) -> bool {
    let Some(object) = core.store.get(kind, key) else {
        return true;
    };
    let dependent = &object.value;
    let owners = dependent["metadata"]["ownerReferences"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let fates: Vec<Fate> = owners
        .iter()
        .map(|owner| fate(core, dependent, owner))
        .collect();
    if owners.is_empty() || fates.iter().all(|f| *f == Fate::Lives) {
        return true;
    }
    if fates.contains(&Fate::Unknown) {
        return false;
    }
    let catalog = core.registry.current();
    let Some(resource) = catalog.find_id(kind) else {
        return false;
    };
    if fates.contains(&Fate::Lives) {
        let gone: Vec<&Value> = owners
            .iter()
            .zip(&fates)
            .filter(|(_, fate)| **fate != Fate::Lives)
            .map(|(owner, _)| &owner["uid"])
            .collect();
        core.mutate(kind, key, |value| {
            release(value, |owner| gone.contains(&&owner["uid"]))
        });
        return true;
    }
    let uid = dependent["metadata"]["uid"].as_str().unwrap_or_default();
    let has_dependents = !core.store.dependents(uid).is_empty();
    let propagation = if has_finalizer(dependent, ORPHAN) {
        Propagation::Orphan
    } else if has_finalizer(dependent, FOREGROUND)
        || (fates.contains(&Fate::Waits) && has_dependents)
    {
        Propagation::Foreground
    } else {
        Propagation::Background
    };
    remove(core, resource, key, uid, propagation)
}

fn remove(
    core: &Arc<Core>,
    resource: &Resource,
    key: &Key,
    uid: &str,
    propagation: Propagation,
) -> bool {
    let options = Options {
        propagation: Some(propagation),
        uid: Some(uid.to_owned()),
        ..Options::default()
    };
    match delete::run(core, resource, key, &options) {
        Ok(_) => true,
        // Gone already, or another object by now.
        Err(failure) => matches!(failure.code, 404 | 409),
    }
}

/// Takes the references to some owners out of an object.
fn release(object: &mut Value, is_gone: impl Fn(&Value) -> bool) -> bool {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return false;
    };
    let Some(owners) = metadata
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut)
    else {
        return false;
    };
    let before = owners.len();
    owners.retain(|owner| !is_gone(owner));
    let changed = owners.len() != before;
    if owners.is_empty() {
        metadata.remove("ownerReferences");
    }
    changed
}

fn drop_finalizer(core: &Core, kind: &KindId, key: &Key, name: &str) {
    core.mutate(kind, key, |value| {
        let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else {
            return false;
        };
        let Some(list) = metadata.get_mut("finalizers").and_then(Value::as_array_mut) else {
            return false;
        };
        let before = list.len();
        list.retain(|f| f.as_str() != Some(name));
        let changed = list.len() != before;
        if list.is_empty() {
            metadata.remove("finalizers");
        }
        changed
    });
}

/// Releases or removes the dependents of an owner that is being deleted, and lets it go when they are.
pub(crate) fn settle_owner(core: &Arc<Core>, kind: &KindId, key: &Key) -> bool {
    let Some(object) = core.store.get(kind, key) else {
        return true;
    };
    let owner = &object.value;
    if !is_owner_at_work(owner) {
        return true;
    }
    let uid = owner["metadata"]["uid"].as_str().unwrap_or_default();
    let dependents = core.store.dependents(uid);
    if has_finalizer(owner, ORPHAN) {
        for (kind, key) in &dependents {
            core.mutate(kind, key, |value| {
                release(value, |owner| owner["uid"].as_str() == Some(uid))
            });
        }
        drop_finalizer(core, kind, key, ORPHAN);
        return true;
    }
    let mut blocked = false;
    let mut done = true;
    for (kind, key) in dependents {
        done &= collect(core, &kind, &key);
        let still = core.store.get(&kind, &key);
        blocked |=
            still.is_some_and(|object| blocks(&object.value, uid) && key_of(&object.value) == key);
    }
    if !blocked {
        drop_finalizer(core, kind, key, FOREGROUND);
    }
    done || !blocked
}

fn blocks(dependent: &Value, uid: &str) -> bool {
    let owners = dependent["metadata"]["ownerReferences"].as_array();
    owners
        .into_iter()
        .flatten()
        .any(|o| o["uid"].as_str() == Some(uid) && o["blockOwnerDeletion"] == Value::Bool(true))
}
