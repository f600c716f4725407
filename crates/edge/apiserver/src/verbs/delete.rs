//! Deleting objects, one or a collection.

use std::sync::Arc;

use serde_json::{Value, json};

use super::create::is_definition;
use super::stage::{metadata, text};
use super::{Ask, show};
use crate::failure::{Failure, FieldError, Outcome};
use crate::http::query::check_dry_run;
use crate::http::reply::Reply;
use crate::kinds::Which;
use crate::registry::Resource;
use crate::selector::Selector;
use crate::server::{Core, Shown};
use crate::store::{Key, Object, Refused};

/// Holds a definition until its instances are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
/// Holds an owner until its dependents are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Holds an owner until its dependents are released.
pub(crate) const ORPHAN: &str = "orphan";

/// What becomes of the dependents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// What a delete asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub propagation: Option<Propagation>,
    pub uid: Option<String>,
    pub revision: Option<String>,
    pub dry: bool,
}

/// Reads the options from the body, or from the query when there is none.
#[expect(clippy::too_many_lines, reason = "one check per option")]
fn options(ask: &Ask) -> Outcome<Options> {
    let decoded = crate::http::body::decode(&ask.headers, &ask.body)?;
    let body = match decoded {
        Some(decoded) => decoded.value,
        None => from_query(ask)?,
    };
    if !body.is_object() {
        return Err(Failure::bad_request(
            "the options of a delete must be an object",
        ));
    }
    let kind = body["kind"].as_str().unwrap_or("DeleteOptions");
    if kind != "DeleteOptions" {
        return Err(Failure::bad_request(format!(
            "{kind} cannot be handled as DeleteOptions"
        )));
    }
    let dry_run = body["dryRun"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let dry = check_dry_run(dry_run, "DeleteOptions")? || ask.query.dry_run("DeleteOptions")?;
    let mut errors = Vec::new();
    let orphan = body["orphanDependents"].as_bool();
    let policy = body["propagationPolicy"].as_str();
    if let (Some(policy), Some(_)) = (policy, orphan) {
        let why = "orphanDependents and deletionPropagation cannot be both set";
        errors.push(FieldError::invalid(
            "propagationPolicy",
            &policy.into(),
            why,
        ));
    }
    let propagation = match (policy, orphan) {
        (Some("Background"), _) | (None, Some(false)) => Some(Propagation::Background),
        (Some("Foreground"), _) => Some(Propagation::Foreground),
        (Some("Orphan"), _) | (None, Some(true)) => Some(Propagation::Orphan),
        (None, None) => None,
        (Some(other), _) => {
            let known = ["Background", "Foreground", "Orphan"];
            errors.push(FieldError::unsupported(
                "propagationPolicy",
                &other.into(),
                &known,
            ));
            None
        }
    };
    if !errors.is_empty() {
        return Err(Failure::invalid(
            "meta.k8s.io",
            "DeleteOptions",
            "",
            &errors,
        ));
    }
    let precondition = |name: &str| body["preconditions"][name].as_str().map(str::to_owned);
    Ok(Options {
        propagation,
        uid: precondition("uid"),
        revision: precondition("resourceVersion"),
        dry,
    })
}

fn from_query(ask: &Ask) -> Outcome<Value> {
    let mut body = json!({});
    if let Some(policy) = ask.query.get("propagationPolicy") {
        body["propagationPolicy"] = policy.into();
    }
    if ask.query.has("orphanDependents") {
        body["orphanDependents"] = ask.query.flag("orphanDependents").into();
    }
    ask.query.number("gracePeriodSeconds")?;
    Ok(body)
}

/// Serves a DELETE of one object.
pub(crate) async fn delete(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    let options = options(ask)?;
    let key = ask.key()?;
    let (done, revision) = run(core, &ask.resource, &key, &options)?;
    core.durable(revision).await?;
    Ok(match done {
        Done::Removed(object) if returns_object(&ask.resource) => {
            show::one(core, ask, 200, &object)
        }
        Done::Removed(object) => Reply::json(200, status(&ask.resource, &object)),
        Done::Marked(object) => show::one(core, ask, 200, &object),
    })
}

fn returns_object(resource: &Resource) -> bool {
    resource
        .builtin()
        .is_some_and(|b| b.which == Which::ServiceAccount)
}

fn status(resource: &Resource, object: &Value) -> Value {
    let mut details = json!({
        "name": text(object, "name"),
        "kind": resource.plural,
        "uid": text(object, "uid"),
    });
    if !resource.group.is_empty() {
        details["group"] = resource.group.as_str().into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// What a delete came to.
#[derive(Debug)]
pub(crate) enum Done {
    /// The object is gone; its last state.
    Removed(Shown),
    /// The object waits for its finalizers.
    Marked(Shown),
}

/// Deletes an object, or marks it when something holds it. Returns the revision to wait for.
pub(crate) fn run(
    core: &Arc<Core>,
    resource: &Resource,
    key: &Key,
    options: &Options,
) -> Outcome<(Done, u64)> {
    loop {
        let live = core.get(resource, key)?;
        check_preconditions(resource, key, &live, options)?;
        check_protected(resource, key)?;
        let marked = mark(core, resource, &live.value, options);
        let Some(marked) = marked else {
            if options.dry {
                return Ok((Done::Removed(Core::show(resource, &live)), 0));
            }
            match core.store.remove(&resource.id, key, live.revision) {
                Ok(gone) => return Ok((Done::Removed(Core::show(resource, &gone)), gone.revision)),
                Err(Refused::Changed) => continue,
            }
        };
        if marked == live.value || options.dry {
            let shown = if options.dry {
                Arc::new(with(&live, marked))
            } else {
                live
            };
            return Ok((Done::Marked(Core::show(resource, &shown)), 0));
        }
        match core
            .store
            .put(&resource.id, key, Some(live.revision), with(&live, marked))
        {
            Ok(written) => {
                if is_definition(resource) {
                    crate::definitions::reconcile(core);
                }
                return Ok((
                    Done::Marked(Core::show(resource, &written)),
                    written.revision,
                ));
            }
            Err(Refused::Changed) => {}
        }
    }
}

fn with(live: &Object, value: Value) -> Object {
    Object {
        revision: live.revision,
        definition: live.definition,
        value,
    }
}

fn check_preconditions(
    resource: &Resource,
    key: &Key,
    live: &Object,
    options: &Options,
) -> Outcome<()> {
    let meta = |field: &str| text(&live.value, field).to_owned();
    let conflict = |what: &str, wanted: &str, found: &str| {
        let why = format!(
            "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
        );
        Failure::conflict(&resource.group, &resource.plural, &key.name, &why)
    };
    if let Some(uid) = &options.uid
        && *uid != meta("uid")
    {
        return Err(conflict("UID", uid, &meta("uid")));
    }
    if let Some(revision) = &options.revision
        && *revision != meta("resourceVersion")
    {
        return Err(conflict(
            "ResourceVersion",
            revision,
            &meta("resourceVersion"),
        ));
    }
    Ok(())
}

fn check_protected(resource: &Resource, key: &Key) -> Outcome<()> {
    let protected = &*resource.id == "/namespaces"
        && matches!(key.name.as_str(), "default" | "kube-system" | "kube-public");
    if protected {
        let why = "this namespace may not be deleted";
        return Err(Failure::forbidden("", "namespaces", &key.name, why));
    }
    Ok(())
}

/// The object as marked for deletion; `None` when nothing holds it.
fn mark(core: &Core, resource: &Resource, live: &Value, options: &Options) -> Option<Value> {
    let mut marked = live.clone();
    let namespace = &*resource.id == "/namespaces";
    let deleting = !live["metadata"]["deletionTimestamp"].is_null();
    let fields = metadata(&mut marked)?;
    let list = fields
        .get("finalizers")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut finalizers: Vec<Value> = list;
    let mut set = |name: &str, wanted: bool| {
        finalizers.retain(|f| f.as_str() != Some(name));
        if wanted {
            finalizers.push(name.into());
        }
    };
    if let Some(propagation) = options.propagation {
        let has = |name: &str| {
            live["metadata"]["finalizers"]
                .as_array()
                .is_some_and(|l| l.iter().any(|f| f.as_str() == Some(name)))
        };
        if has(FOREGROUND) != (propagation == Propagation::Foreground) {
            set(FOREGROUND, propagation == Propagation::Foreground);
        }
        if has(ORPHAN) != (propagation == Propagation::Orphan) {
            set(ORPHAN, propagation == Propagation::Orphan);
        }
    }
    if is_definition(resource)
        && !deleting
        && !finalizers.iter().any(|f| f.as_str() == Some(CLEANUP))
    {
        finalizers.push(CLEANUP.into());
    }
    let held = !finalizers.is_empty() || (namespace && !list_is_empty(&live["spec"]["finalizers"]));
    if !held {
        return None;
    }
    if finalizers.is_empty() {
        fields.remove("finalizers");
    } else {
        fields.insert("finalizers".into(), finalizers.into());
    }
    if !deleting {
        fields.insert("deletionTimestamp".into(), core.now().into());
        if !namespace {
            fields.insert("deletionGracePeriodSeconds".into(), 0.into());
        }
        if let Some(generation) = fields.get("generation").and_then(Value::as_i64) {
            fields.insert("generation".into(), (generation + 1).into());
        }
        if namespace {
            marked["status"]["phase"] = "Terminating".into();
        }
    }
    Some(marked)
}

fn list_is_empty(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}

/// Serves a DELETE of a collection: each object as it is listed.
pub(crate) async fn collection(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    let resource = &ask.resource;
    if resource.namespaced && ask.namespace.is_none() {
        return Err(Failure::no_page());
    }
    let options = options(ask)?;
    let selector = Selector::parse(
        ask.query.get("labelSelector"),
        ask.query.get("fieldSelector"),
        resource,
    )?;
    let snapshot = core.store.list(&resource.id, ask.namespace.as_deref());
    let mut deleted: Vec<Shown> = Vec::new();
    let mut last = 0;
    for object in &snapshot.objects {
        let view = Core::show(resource, object);
        if !selector.matches(&view) {
            continue;
        }
        let key = Key::new(
            text(&object.value, "namespace"),
            text(&object.value, "name"),
        );
        match run(core, resource, &key, &options) {
            Ok((Done::Removed(_), revision)) => {
                last = last.max(revision);
                deleted.push(view);
            }
            Ok((Done::Marked(marked), revision)) => {
                last = last.max(revision);
                deleted.push(marked);
            }
            Err(failure) if failure.code == 404 => {}
            Err(failure) => return Err(failure),
        }
    }
    core.durable(last).await?;
    let metadata = json!({"resourceVersion": core.store.revision().to_string()});
    Ok(show::list(core, ask, &deleted, metadata))
}
