//! Creating objects.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::stage::{self, Notes, metadata, text};
use super::{Ask, show};
use crate::failure::{Failure, Outcome};
use crate::http::reply::Reply;
use crate::kinds::{Which, rules};
use crate::registry::Resource;
use crate::server::Core;
use crate::store::{Key, Refused};

/// The letters of generated names.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// Where the generated part begins at the latest.
const BASE: usize = 58;
const ATTEMPTS: usize = 8;

/// Serves a POST to a collection.
pub(crate) async fn create(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    let dry = ask.query.dry_run("CreateOptions")?;
    let validation = ask.validation("CreateOptions")?;
    let manager = ask.manager("CreateOptions")?;
    let mut notes = Notes::default();
    let mut object = stage::read_body(ask, &mut notes)?;
    notes.settle(validation, |problems| {
        stage::strict_body(&ask.resource, problems)
    })?;
    if let Some(name) = &ask.name
        && let Some(metadata) = metadata(&mut object)
    {
        metadata
            .entry("name")
            .or_insert_with(|| name.as_str().into());
    }
    stage::place(ask, &mut object)?;
    let (shown, revision) = insert(
        core,
        ask,
        object,
        Tracking::Update(&manager),
        dry,
        &mut notes,
    )?;
    core.durable(revision).await?;
    let mut reply = show::one(core, ask, 201, &shown);
    reply.warnings = notes.warnings;
    Ok(reply)
}

/// Who is said to own the fields of a new object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tracking<'a> {
    /// The creator.
    Update(&'a str),
    /// That is already written in the object.
    Done,
}

/// Creates a decoded object. Returns it as shown, and the revision to wait for.
#[expect(
    clippy::too_many_lines,
    clippy::too_many_arguments,
    reason = "the steps of a create in their order"
)]
pub(crate) fn insert(
    core: &Arc<Core>,
    ask: &Ask,
    mut object: Value,
    tracking: Tracking<'_>,
    dry: bool,
    notes: &mut Notes,
) -> Outcome<(Value, u64)> {
    let resource = &ask.resource;
    let revision = text(&object, "resourceVersion");
    if !revision.is_empty() && revision != "0" && matches!(tracking, Tracking::Update(_)) {
        return Err(Failure::unnamed(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    if resource.custom().is_some_and(|c| c.terminating) {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(Failure::forbidden(
            &resource.group,
            &resource.plural,
            text(&object, "name"),
            why,
        ));
    }
    let base = text(&object, "generateName").to_owned();
    let generated = text(&object, "name").is_empty() && !base.is_empty();
    if !generated {
        check_namespace(core, ask, &object)?;
    }
    prepare(core, resource, &mut object);
    for attempt in 1..=ATTEMPTS {
        let mut object = object.clone();
        if generated && let Some(metadata) = metadata(&mut object) {
            metadata.insert("name".into(), generate(&base).into());
            check_namespace(core, ask, &object)?;
        }
        if let Some(builtin) = resource.builtin() {
            rules::default(builtin.which, &mut object);
        }
        if let Tracking::Update(manager) = tracking {
            stage::track(core, ask, manager, None, &mut object);
        }
        if let Some(builtin) = resource.builtin() {
            rules::before_create(builtin.which, &mut object);
        }
        if resource.custom().is_some_and(|c| c.status)
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        if attempt == 1 {
            stage::check(resource, &object, None, "", notes)?;
        }
        if let Some(custom) = resource.custom() {
            // A status that was dropped has its defaults all the same.
            purlin_schema::apply_defaults(&mut object, &custom.schema);
        }
        let key = Key::new(
            ask.namespace.as_deref().unwrap_or_default(),
            text(&object, "name"),
        );
        if dry {
            if core.store.get(&resource.id, &key).is_none() {
                return Ok((object, 0));
            }
        } else {
            let stored = Core::stored(resource, object);
            match core.store.put(&resource.id, &key, None, stored) {
                Ok(written) => {
                    if is_definition(resource) {
                        crate::definitions::reconcile(core);
                    }
                    return Ok((
                        (*Core::show(resource, &written)).clone(),
                        core.store.revision(),
                    ));
                }
                Err(Refused::Changed) => {}
            }
        }
        if !generated || attempt == ATTEMPTS {
            return Err(exists(core, resource, &key, generated));
        }
    }
    Err(Failure::internal(
        "no attempt was made to create the object",
    ))
}

pub(crate) fn is_definition(resource: &Resource) -> bool {
    resource
        .builtin()
        .is_some_and(|b| b.which == Which::Definition)
}

fn exists(core: &Core, resource: &Resource, key: &Key, generated: bool) -> Failure {
    let live = core.store.get(&resource.id, key);
    let terminating = live.is_some_and(|o| !o.value["metadata"]["deletionTimestamp"].is_null());
    let mut failure = Failure::exists(&resource.group, &resource.plural, &key.name, terminating);
    if generated {
        failure.message += ", the server was not able to generate a unique name for the object";
        failure = failure.detail("retryAfterSeconds", json!(1));
    }
    failure
}

/// What the server itself writes into the metadata of a new object.
fn prepare(core: &Core, resource: &Resource, object: &mut Value) {
    let now = core.now();
    let counted = resource.builtin().is_none_or(|b| b.generation);

    let Some(metadata) = metadata(object) else {
        return;
    };
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "resourceVersion",
        "generation",
    ] {
        metadata.remove(field);
    }
    metadata.insert("uid".into(), uuid::Uuid::new_v4().to_string().into());
    metadata.insert("creationTimestamp".into(), now.into());
    if counted {
        metadata.insert("generation".into(), 1.into());
    }
    tidy(metadata);
}

/// Empty members of the metadata are not kept.
pub(crate) fn tidy(metadata: &mut Map<String, Value>) {
    metadata.retain(|_, value| match value {
        Value::Null => false,
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    });
}

fn generate(base: &str) -> String {
    let random = uuid::Uuid::new_v4();
    let letters = random.as_bytes().iter().skip(9).take(5);
    let tail: String = letters
        .map(|b| {
            char::from(
                LETTERS
                    .get(usize::from(*b) % LETTERS.len())
                    .copied()
                    .unwrap_or(b'b'),
            )
        })
        .collect();
    let cut: String = base.chars().take(BASE).collect();
    cut + &tail
}

/// Nothing is created in a namespace that is absent or going away.
fn check_namespace(core: &Core, ask: &Ask, object: &Value) -> Outcome<()> {
    let Some(namespace) = ask.namespace.as_deref().filter(|_| ask.resource.namespaced) else {
        return Ok(());
    };
    let Some(found) = core.store.get("/namespaces", &Key::new("", namespace)) else {
        return Err(Failure::not_found("", "namespaces", namespace));
    };
    if found.value["metadata"]["deletionTimestamp"].is_null() {
        return Ok(());
    }
    let resource = &ask.resource;
    let why = format!(
        "unable to create new content in namespace {namespace} because it is being terminated"
    );
    let cause = json!([{
        "reason": "NamespaceTerminating",
        "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace",
    }]);
    let name = text(object, "name");
    Err(Failure::forbidden(&resource.group, &resource.plural, name, &why).detail("causes", cause))
}
