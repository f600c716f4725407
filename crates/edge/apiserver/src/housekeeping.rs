//! What happens by itself: garbage is collected, namespaces are emptied, instances of deleted definitions go.
//!
//! One task follows every change and keeps a set of things to look at again; each look is idempotent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::definitions;
use crate::garbage;
use crate::server::Core;
use crate::store::{Change, Happened, Key, KindId};
use crate::verbs::delete::{self, CLEANUP, Options};

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    /// An object with owners.
    Dependent(KindId, Key),
    /// An object that is being deleted in the foreground, or releasing its dependents.
    Owner(KindId, Key),
    Namespace(String),
    Definition(String),
}

/// How long a task that could not finish waits before it is tried again without any change.
const RETRY: Duration = Duration::from_secs(2);

/// How often old events are looked for, and how long they are kept.
const SWEEP: Duration = Duration::from_mins(1);
const EVENTS: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Removes events that nobody added to for a while.
fn expire_events(core: &Core) {
    let id: KindId = "/events".into();
    let oldest = (core.clock)() - EVENTS;
    for object in core.store.list(&id, None).objects {
        let event = &object.value;
        let times = [
            &event["series"]["lastObservedTime"],
            &event["lastTimestamp"],
            &event["metadata"]["creationTimestamp"],
        ];
        let last = times
            .iter()
            .filter_map(|t| t.as_str()?.parse::<jiff::Timestamp>().ok())
            .max();
        if last.is_some_and(|last| last < oldest) {
            // Somebody who adds to it at this moment keeps it.
            drop(core.store.remove(&id, &key_of(event), object.revision));
        }
    }
}

/// Follows changes until the server stops.
pub(crate) async fn run(core: Arc<Core>) {
    let mut changes = core.store.follow();
    let mut tasks: BTreeSet<Task> = initial(&core);
    let mut again: BTreeSet<Task> = BTreeSet::new();
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        while let Some(task) = tasks.pop_first() {
            if !perform(&core, &task) {
                again.insert(task);
            }
            // Look at what this caused before waiting again.
            while let Ok((kind, change)) = changes.try_recv() {
                consider(&core, &kind, &change, &mut tasks);
            }
            tokio::task::yield_now().await;
        }
        core.settled.notify_waiters();
        tokio::select! {
            () = core.stop.cancelled() => return,
            change = changes.recv() => match change {
                Some((kind, change)) => consider(&core, &kind, &change, &mut tasks),
                None => return,
            },
            () = tokio::time::sleep(RETRY), if !again.is_empty() => tasks.append(&mut again),
            _ = tick.tick() => expire_events(&core),
        }
    }
}

/// After a start, everything that may have been left half done.
fn initial(core: &Core) -> BTreeSet<Task> {
    let mut tasks = BTreeSet::new();
    for uid in core.store.owner_uids() {
        if core.store.find_uid(&uid).is_none() {
            let orphans = core.store.dependents(&uid).into_iter();
            tasks.extend(orphans.map(|(kind, key)| Task::Dependent(kind, key)));
        }
    }
    for kind in core.store.kinds() {
        for object in core.store.list(&kind, None).objects {
            consider_object(&kind, &key_of(&object.value), &object.value, &mut tasks);
        }
    }
    tasks
}

pub(crate) fn key_of(object: &Value) -> Key {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    Key::new(text("namespace"), text("name"))
}

fn deleting(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

fn consider_object(kind: &KindId, key: &Key, object: &Value, tasks: &mut BTreeSet<Task>) {
    if !deleting(object) {
        return;
    }
    match &**kind {
        "/namespaces" => drop(tasks.insert(Task::Namespace(key.name.clone()))),
        definitions::ID => drop(tasks.insert(Task::Definition(key.name.clone()))),
        _ => {}
    }
    if garbage::is_owner_at_work(object) {
        tasks.insert(Task::Owner(kind.clone(), key.clone()));
    }
}

/// What a change may have made necessary.
fn consider(core: &Core, kind: &KindId, change: &Change, tasks: &mut BTreeSet<Task>) {
    let object = &change.new.value;
    let owners = object["metadata"]["ownerReferences"].as_array();
    if change.happened == Happened::Deleted {
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        let dependents = core.store.dependents(uid).into_iter();
        tasks.extend(dependents.map(|(kind, key)| Task::Dependent(kind, key)));
        let uids = owners
            .into_iter()
            .flatten()
            .filter_map(|o| o["uid"].as_str());
        for (kind, key) in uids.filter_map(|uid| core.store.find_uid(uid)) {
            tasks.insert(Task::Owner(kind, key));
        }
        if !change.key.namespace.is_empty() {
            let namespace = Key::new("", &change.key.namespace);
            if core
                .store
                .get("/namespaces", &namespace)
                .is_some_and(|n| deleting(&n.value))
            {
                tasks.insert(Task::Namespace(namespace.name));
            }
        }
        if let Some((group, plural)) = kind.split_once('/') {
            let definition = Key::new("", &format!("{plural}.{group}"));
            if core
                .store
                .get(definitions::ID, &definition)
                .is_some_and(|d| deleting(&d.value))
            {
                tasks.insert(Task::Definition(definition.name));
            }
        }
        return;
    }
    consider_object(kind, &change.key, object, tasks);
    if garbage::is_owner_at_work(object) {
        return;
    }
    let changed = change.old.as_ref().is_none_or(|old| {
        old.value["metadata"]["ownerReferences"] != object["metadata"]["ownerReferences"]
    });
    if changed && owners.is_some_and(|o| !o.is_empty()) {
        tasks.insert(Task::Dependent(kind.clone(), change.key.clone()));
    }
}

/// Does what a task asks for; false when it must be looked at again although nothing changes.
fn perform(core: &Arc<Core>, task: &Task) -> bool {
    match task {
        Task::Dependent(kind, key) => garbage::collect(core, kind, key),
        Task::Owner(kind, key) => garbage::settle_owner(core, kind, key),
        Task::Namespace(name) => empty_namespace(core, name),
        Task::Definition(name) => finish_definition(core, name),
    }
}

/// Deletes what is in a namespace that is being deleted, and lets the namespace go when it is empty.
fn empty_namespace(core: &Arc<Core>, name: &str) -> bool {
    let key = Key::new("", name);
    let id: KindId = "/namespaces".into();
    let Some(namespace) = core.store.get(&id, &key) else {
        return true;
    };
    if !deleting(&namespace.value) {
        return true;
    }
    let mut left = 0;
    let mut held = 0;
    for kind in core.store.kinds() {
        let objects = core.store.list(&kind, Some(name)).objects;
        if objects.is_empty() || &*kind == "/namespaces" {
            continue;
        }
        let catalog = core.registry.current();
        let Some(resource) = catalog.find_id(&kind) else {
            left += objects.len();
            continue;
        };
        if !resource.namespaced {
            continue;
        }
        for object in objects {
            let run = if deleting(&object.value) {
                None
            } else {
                Some(delete::run(
                    core,
                    resource,
                    &key_of(&object.value),
                    &Options::default(),
                ))
            };
            if !matches!(run, Some(Ok((delete::Done::Removed(_), _)))) {
                left += 1;
                held += 1;
            }
        }
    }
    core.mutate(&id, &key, |value| finish_namespace(core, value, left, held));
    true
}

fn finish_namespace(core: &Core, namespace: &mut Value, left: usize, held: usize) -> bool {
    if left == 0 {
        let Some(list) = namespace
            .pointer_mut("/spec/finalizers")
            .and_then(Value::as_array_mut)
        else {
            return true;
        };
        let before = list.len();
        list.retain(|f| f.as_str() != Some("kubernetes"));
        let changed = list.len() != before;
        if list.is_empty()
            && let Some(spec) = namespace.get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.remove("finalizers");
        }
        return changed;
    }
    let before = namespace["status"]["conditions"].clone();
    let mut conditions = before.as_array().cloned().unwrap_or_default();
    let mut set = |kind: &str, status: bool, reason: &str, message: &str| {
        definitions::set(core, &mut conditions, kind, status, reason, message);
    };
    set(
        "NamespaceDeletionDiscoveryFailure",
        false,
        "ResourcesDiscovered",
        "All resources successfully discovered",
    );
    set(
        "NamespaceDeletionGroupVersionParsingFailure",
        false,
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    );
    set(
        "NamespaceDeletionContentFailure",
        false,
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    );
    let message = format!("{left} objects remain");
    set(
        "NamespaceContentRemaining",
        true,
        "SomeResourcesRemain",
        &message,
    );
    let message = format!("{held} objects wait for their finalizers");
    set(
        "NamespaceFinalizersRemaining",
        held > 0,
        "SomeFinalizersRemain",
        &message,
    );
    namespace["status"]["conditions"] = conditions.into();
    namespace["status"]["conditions"] != before
}

/// Deletes the instances of a deleted definition, and lets the definition go when there are none.
fn finish_definition(core: &Arc<Core>, name: &str) -> bool {
    let key = Key::new("", name);
    let Some(definition) = core.store.get(definitions::ID, &key) else {
        return true;
    };
    let finalizers = definition.value["metadata"]["finalizers"].as_array();
    let ours = finalizers.is_some_and(|l| l.iter().any(|f| f.as_str() == Some(CLEANUP)));
    if !deleting(&definition.value) || !ours {
        return true;
    }
    let spec = &definition.value["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind: KindId = format!(
        "{}/{}",
        text(&spec["group"]),
        text(&spec["names"]["plural"])
    )
    .into();
    let catalog = core.registry.current();
    let mut left = core.store.list(&kind, None).objects;
    if let Some(resource) = catalog.find_id(&kind) {
        left.retain(|object| {
            if deleting(&object.value) {
                return true;
            }
            let done = delete::run(core, resource, &key_of(&object.value), &Options::default());
            !matches!(done, Ok((delete::Done::Removed(_), _)))
        });
    }
    if !left.is_empty() {
        core.mutate(&definitions::ID.into(), &key, |value| {
            let before = value["status"]["conditions"].clone();
            let mut conditions = before.as_array().cloned().unwrap_or_default();
            let message = "CustomResource deletion is in progress";
            definitions::set(
                core,
                &mut conditions,
                "Terminating",
                true,
                "InstanceDeletionInProgress",
                message,
            );
            value["status"]["conditions"] = json!(conditions);
            value["status"]["conditions"] != before
        });
        return true;
    }
    core.mutate(&definitions::ID.into(), &key, |value| {
        if let Some(list) = value
            .pointer_mut("/metadata/finalizers")
            .and_then(Value::as_array_mut)
        {
            list.retain(|f| f.as_str() != Some(CLEANUP));
        }
        true
    });
    definitions::reconcile(core);
    core.store.forget(&kind);
    true
}
