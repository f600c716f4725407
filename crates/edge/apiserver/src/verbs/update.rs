//! Changing objects: what all writes of an existing one have in common, and PUT.

use std::sync::Arc;

use serde_json::Value;

use super::create::{self, Tracking, insert, is_definition};
use super::stage::{self, Notes, Stored, metadata, text};
use super::{Ask, Validation, show};
use crate::failure::{Failure, FieldError, Outcome};
use crate::http::reply::Reply;
use crate::kinds::rules;
use crate::registry::Source;
use crate::server::Core;
use crate::store::{Key, Object};

/// How often a write is tried again when others write the same object.
pub(super) const ATTEMPTS: usize = 8;

/// An update on its way.
pub(super) struct Change<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) ask: &'a Ask,
    pub(super) key: Key,
    pub(super) manager: String,
    pub(super) validation: Validation,
    pub(super) dry: bool,
    pub(super) notes: Notes,
}

/// A new object, and how it came to be.
pub(super) struct Candidate {
    pub(super) object: Value,
    /// Ownership is already written.
    pub(super) tracked: bool,
    /// The client fixed the revision, so a conflict is its own.
    pub(super) pinned: bool,
}

impl<'a> Change<'a> {
    pub(super) fn new(core: &'a Arc<Core>, ask: &'a Ask, options: &str) -> Outcome<Self> {
        Ok(Self {
            core,
            ask,
            key: ask.key()?,
            manager: ask.manager(options)?,
            validation: ask.validation(options)?,
            dry: ask.query.dry_run(options)?,
            notes: Notes::default(),
        })
    }

    pub(super) fn modified(&self) -> Failure {
        let resource = &self.ask.resource;
        Failure::modified(&resource.group, &resource.plural, &self.key.name)
    }

    /// Takes a candidate through the rules of its kind and stores it; `None` when somebody else was faster.
    pub(super) async fn finish(
        &mut self,
        live: &Arc<Object>,
        old: &Value,
        candidate: Candidate,
    ) -> Outcome<Option<Reply>> {
        let resource = self.ask.resource.clone();
        let mut new = candidate.object;
        check_target(self.ask, &self.key, &mut new)?;
        let sent = text(&new, "resourceVersion");
        if !sent.is_empty() && sent != "0" && sent != live.revision.to_string() {
            if sent.parse::<u64>().is_err() {
                return Err(Failure::unnamed(format!(
                    "invalid resource version {sent:?}"
                )));
            }
            return if candidate.pinned {
                Err(self.modified())
            } else {
                Ok(None)
            };
        }
        if !candidate.tracked {
            stage::track(self.core, self.ask, &self.manager, Some(old), &mut new);
        }
        prepare(self.ask, old, &mut new);
        let mut notes = Notes::default();
        stage::check(
            &resource,
            &new,
            Some(old),
            &self.ask.subresource,
            &mut notes,
        )?;
        self.notes.warnings.extend(notes.warnings);
        if self.dry {
            let revision = live.revision.to_string();
            if let Some(metadata) = metadata(&mut new) {
                metadata.insert("resourceVersion".into(), revision.into());
            }
            return Ok(Some(self.reply(200, &new)));
        }
        let (shown, revision) =
            match stage::store_update(self.core, &resource, &self.key, live, new) {
                Stored::Written(written) => (Core::show(&resource, &written), written.revision),
                Stored::Same(live) => (Core::show(&resource, &live), 0),
                Stored::Gone(last, revision) => {
                    self.settle_definitions();
                    self.core.durable(revision).await?;
                    return Ok(Some(self.reply(200, &last)));
                }
                Stored::Changed => return Ok(None),
            };
        self.settle_definitions();
        self.core.durable(revision).await?;
        Ok(Some(self.reply(200, &shown)))
    }

    fn settle_definitions(&self) {
        if is_definition(&self.ask.resource) {
            crate::definitions::reconcile(self.core);
        }
    }

    pub(super) fn reply(&mut self, code: u16, object: &Value) -> Reply {
        let mut reply = show::one(self.core, self.ask, code, object);
        reply.warnings = std::mem::take(&mut self.notes.warnings);
        reply
    }
}

/// The object must be the one the URL names.
fn check_target(ask: &Ask, key: &Key, new: &mut Value) -> Outcome<()> {
    stage::place(ask, new)?;
    let name = text(new, "name");
    if name.is_empty() {
        return Err(Failure::bad_request("name must be provided"));
    }
    if name != key.name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            key.name
        )));
    }
    Ok(())
}

/// Restores what the endpoint does not write, and counts generations.
fn prepare(ask: &Ask, old: &Value, new: &mut Value) {
    let resource = &ask.resource;
    let mut counted = true;
    match &resource.source {
        Source::Custom(custom) => {
            if ask.subresource == "status" {
                only_status(old, new);
                counted = false;
            } else if custom.status {
                restore(old, new, "status");
            }
        }
        Source::Builtin(builtin) => {
            rules::default(builtin.which, new);
            rules::before_update(builtin.which, new, old, &ask.subresource);
            counted = builtin.generation && ask.subresource.is_empty();
        }
    }
    let differs = counted
        && stage::content_differs(new, old)
        && (!is_definition(resource) || new["spec"] != old["spec"]);
    let before = old["metadata"]["generation"].as_i64();
    let deleting = !old["metadata"]["deletionTimestamp"].is_null();
    let Some(fields) = metadata(new) else { return };
    match before {
        Some(generation) => {
            fields.insert(
                "generation".into(),
                (generation + i64::from(differs)).into(),
            );
        }
        None => drop(fields.remove("generation")),
    }
    let keep = |fields: &mut serde_json::Map<String, Value>, field: &str| match old["metadata"]
        .get(field)
    {
        Some(value) => drop(fields.insert(field.into(), value.clone())),
        None => drop(fields.remove(field)),
    };
    keep(fields, "creationTimestamp");
    fields.remove("selfLink");
    if fields
        .get("uid")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        keep(fields, "uid");
    }
    if deleting {
        keep(fields, "deletionTimestamp");
    }
    if fields
        .get("deletionGracePeriodSeconds")
        .is_none_or(Value::is_null)
    {
        keep(fields, "deletionGracePeriodSeconds");
    }
    create::tidy(fields);
}

fn restore(old: &Value, new: &mut Value, field: &str) {
    let Some(fields) = new.as_object_mut() else {
        return;
    };
    match old.get(field) {
        Some(value) => drop(fields.insert(field.into(), value.clone())),
        None => drop(fields.remove(field)),
    }
}

/// Keeps of a status write the status and what says who wrote it.
fn only_status(old: &Value, new: &mut Value) {
    let status = new.get("status").cloned();
    let entries = new["metadata"].get("managedFields").cloned();
    let mut merged = old.clone();
    if let Some(fields) = merged.as_object_mut() {
        match status {
            Some(status) => drop(fields.insert("status".into(), status)),
            None => drop(fields.remove("status")),
        }
    }
    if let Some(fields) = metadata(&mut merged) {
        match entries {
            Some(entries) => drop(fields.insert("managedFields".into(), entries)),
            None => drop(fields.remove("managedFields")),
        }
    }
    *new = merged;
}

/// Serves a PUT.
pub(crate) async fn put(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    let mut change = Change::new(core, ask, "UpdateOptions")?;
    let object = stage::read_body(ask, &mut change.notes)?;
    let resource = &ask.resource;
    change.notes.settle(change.validation, |problems| {
        stage::strict_body(resource, problems)
    })?;
    let sent = text(&object, "resourceVersion");
    if !sent.is_empty() && sent.parse::<u64>().is_err() {
        return Err(Failure::unnamed(format!(
            "invalid resource version {sent:?}"
        )));
    }
    for _ in 0..ATTEMPTS {
        let Some(live) = core.store.get(&resource.id, &change.key) else {
            return put_new(core, ask, &mut change, object).await;
        };
        let mut object = object.clone();
        let old = Core::show(resource, &live);
        let uid = text(&object, "uid");
        if !uid.is_empty() && uid != text(&old, "uid") {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                text(&old, "uid")
            );
            return Err(Failure::conflict(
                &resource.group,
                &resource.plural,
                &change.key.name,
                &why,
            ));
        }
        let sent = text(&object, "resourceVersion");
        if matches!(sent, "" | "0") && resource.builtin().is_none_or(|b| !b.unconditional) {
            return Err(must_have_revision(ask, &change.key));
        }
        if ask.subresource == "finalize" {
            // Only the finalizers of the spec are written here.
            let finalizers = object["spec"].get("finalizers").cloned();
            object = (*old).clone();
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                match finalizers.filter(|f| f.as_array().is_some_and(|l| !l.is_empty())) {
                    Some(list) => drop(spec.insert("finalizers".into(), list)),
                    None => drop(spec.remove("finalizers")),
                }
            }
        }
        let candidate = Candidate {
            object,
            tracked: false,
            pinned: true,
        };
        if let Some(reply) = change.finish(&live, &old, candidate).await? {
            return Ok(reply);
        }
    }
    Err(change.modified())
}

pub(super) fn must_have_revision(ask: &Ask, key: &Key) -> Failure {
    let resource = &ask.resource;
    let error = FieldError::invalid(
        "metadata.resourceVersion",
        &0.into(),
        "must be specified for an update",
    );
    Failure::invalid(&resource.group, &resource.plural, &key.name, &[error])
}

/// A PUT where there is nothing yet: some kinds may be created this way.
async fn put_new(
    core: &Arc<Core>,
    ask: &Ask,
    change: &mut Change<'_>,
    mut object: Value,
) -> Outcome<Reply> {
    let resource = &ask.resource;
    if !resource.builtin().is_some_and(|b| b.create_on_update) || !ask.subresource.is_empty() {
        return Err(Failure::not_found(
            &resource.group,
            &resource.plural,
            &change.key.name,
        ));
    }
    check_target(ask, &change.key, &mut object)?;
    if let Some(metadata) = metadata(&mut object) {
        metadata.remove("resourceVersion");
    }
    let tracking = Tracking::Update(&change.manager);
    let (shown, revision) = insert(core, ask, object, tracking, change.dry, &mut change.notes)?;
    core.durable(revision).await?;
    Ok(change.reply(201, &shown))
}
