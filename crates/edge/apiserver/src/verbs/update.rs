//! Changing objects: PUT and every kind of PATCH.

use std::sync::Arc;

use serde_json::Value;

use super::create::{self, Tracking, insert, is_definition};
use super::stage::{self, Notes, Stored, metadata, text};
use super::{Ask, Validation, show};
use crate::apply::managed;
use crate::failure::{Failure, FieldError, Outcome};
use crate::http::body;
use crate::http::reply::Reply;
use crate::kinds::rules;
use crate::patch;
use crate::registry::Source;
use crate::server::Core;
use crate::store::{Key, Object};

/// How often a write is tried again when others write the same object.
const ATTEMPTS: usize = 8;

/// An update on its way.
struct Change<'a> {
    core: &'a Arc<Core>,
    ask: &'a Ask,
    key: Key,
    manager: String,
    validation: Validation,
    dry: bool,
    notes: Notes,
}

/// A new object, and how it came to be.
struct Candidate {
    object: Value,
    /// Ownership is already written.
    tracked: bool,
    /// The client fixed the revision, so a conflict is its own.
    pinned: bool,
}

impl<'a> Change<'a> {
    fn new(core: &'a Arc<Core>, ask: &'a Ask, options: &str) -> Outcome<Self> {
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

    fn modified(&self) -> Failure {
        let resource = &self.ask.resource;
        Failure::modified(&resource.group, &resource.plural, &self.key.name)
    }

    /// Takes a candidate through the rules of its kind and stores it; `None` when somebody else was faster.
    async fn finish(
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

    fn reply(&mut self, code: u16, object: &Value) -> Reply {
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

fn must_have_revision(ask: &Ask, key: &Key) -> Failure {
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

/// The media types of patches.
const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// Serves a PATCH.
pub(crate) async fn patch(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    let kind = body::media_type(&ask.headers).to_owned();
    let custom = ask.resource.custom().is_some();
    let known: &[&str] = if custom {
        &[JSON, MERGE, APPLY]
    } else {
        &[JSON, MERGE, STRATEGIC, APPLY]
    };
    if !known.contains(&kind.as_str()) {
        return Err(Failure::media_type(known));
    }
    if kind == APPLY {
        return apply(core, ask).await;
    }
    if ask.query.has("force") {
        let why = "may not be specified for non-apply patch";
        let error = FieldError::forbidden("force", why);
        return Err(Failure::invalid(
            "meta.k8s.io",
            "PatchOptions",
            "",
            &[error],
        ));
    }
    let mut change = Change::new(core, ask, "PatchOptions")?;
    let decoded = body::json(&ask.body)?;
    for path in decoded.duplicates {
        change
            .notes
            .strict
            .push(format!("duplicate field {path:?}"));
    }
    let patch = decoded.value;
    let pinned = kind != JSON && !patch["metadata"]["resourceVersion"].is_null()
        || kind == JSON && touches_revision(&patch);
    for _ in 0..ATTEMPTS {
        let live = core.get(&ask.resource, &change.key)?;
        let old = Core::show(&ask.resource, &live);
        let mut object = (*old).clone();
        change.notes.warnings.clear();
        apply_patch(&kind, ask, &mut object, &patch, &mut change.notes)?;
        let mut notes = Notes::default();
        check_patched(ask, &change.key, &mut object, &mut notes)?;
        notes.strict.extend(change.notes.strict.iter().cloned());
        let shown = String::from_utf8_lossy(&ask.body).into_owned();
        notes.settle(change.validation, |problems| {
            patch::json::strict(problems, &shown)
        })?;
        change.notes.warnings.extend(notes.warnings);
        if custom && matches!(text(&object, "resourceVersion"), "" | "0") {
            return Err(must_have_revision(ask, &change.key));
        }
        let candidate = Candidate {
            object,
            tracked: false,
            pinned: true,
        };
        if let Some(reply) = change.finish(&live, &old, candidate).await? {
            return Ok(reply);
        }
        if pinned {
            break;
        }
    }
    Err(change.modified())
}

fn touches_revision(patch: &Value) -> bool {
    let operations = patch.as_array().into_iter().flatten();
    let mut paths = operations.filter_map(|o| o["path"].as_str());
    paths.any(|p| p == "/metadata/resourceVersion")
}

fn apply_patch(
    kind: &str,
    ask: &Ask,
    object: &mut Value,
    patch: &Value,
    notes: &mut Notes,
) -> Outcome<()> {
    match kind {
        JSON => notes.warnings.extend(patch::json::apply(object, patch)?),
        MERGE => {
            if !patch.is_object() {
                return Err(Failure::bad_request(
                    "error decoding patch: a merge patch is an object",
                ));
            }
            patch::merge::apply(object, patch);
        }
        _ => {
            let rules = stage::apply_rules(&ask.resource, "");
            patch::strategic::apply(object, patch, &rules.shape)?;
        }
    }
    Ok(())
}

/// A patched object must still be of its kind.
fn check_patched(ask: &Ask, key: &Key, object: &mut Value, notes: &mut Notes) -> Outcome<()> {
    let resource = &ask.resource;
    if !object.is_object() || !object["metadata"].is_object() {
        return Err(Failure::bad_request("the patched object has no metadata"));
    }
    let version = object["apiVersion"].as_str().unwrap_or_default();
    if version != resource.api_version() {
        let why = format!("must be {}", resource.api_version());
        let error = FieldError::invalid("apiVersion", &version.into(), &why);
        let kind = object["kind"].as_str().unwrap_or_default();
        return Err(Failure::invalid("", kind, &key.name, &[error]));
    }
    stage::normalise(resource, object, notes).map_err(|why| {
        let shown = String::from_utf8_lossy(&ask.body).into_owned();
        let error = FieldError::invalid("patch", &shown.into(), &why);
        Failure::invalid("", "", "", &[error])
    })
}

/// Serves a server-side apply.
async fn apply(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    if ask.query.get("fieldManager").is_none() {
        let error = FieldError::required("fieldManager", "is required for apply patch");
        return Err(Failure::invalid(
            "meta.k8s.io",
            "PatchOptions",
            "",
            &[error],
        ));
    }
    let mut change = Change::new(core, ask, "PatchOptions")?;
    let force = ask.query.flag("force");
    let config = applied_config(ask, &mut change)?;
    let resource = &ask.resource;
    let rules = stage::apply_rules(resource, &ask.subresource);
    let writer = stage::writer(core, &change.manager, &ask.subresource);
    for _ in 0..ATTEMPTS {
        let live = core.store.get(&resource.id, &change.key);
        let Some(live) = live else {
            return apply_new(core, ask, &mut change, &config).await;
        };
        let old = Core::show(resource, &live);
        check_applied_revision(ask, &change, &config, &live)?;
        let mut object = managed::apply(&rules, Some(&*old), &config, &writer, force)?;
        let mut notes = Notes::default();
        fill(ask, &mut object, &mut notes)?;
        if let Some(metadata) = metadata(&mut object) {
            metadata
                .entry("name")
                .or_insert_with(|| change.key.name.as_str().into());
        }
        change.notes.warnings.clear();
        let candidate = Candidate {
            object,
            tracked: true,
            pinned: false,
        };
        if let Some(reply) = change.finish(&live, &old, candidate).await? {
            return Ok(reply);
        }
    }
    Err(change.modified())
}

fn applied_config(ask: &Ask, change: &mut Change<'_>) -> Outcome<Value> {
    let first = ask.body.iter().find(|b| !b.is_ascii_whitespace());
    let decoded = if first == Some(&b'{') {
        body::json(&ask.body)?
    } else {
        body::yaml(&ask.body)?
    };
    let problems: Vec<String> = decoded
        .duplicates
        .iter()
        .map(|p| format!("duplicate field {p:?}"))
        .collect();
    match change.validation {
        Validation::Strict if !problems.is_empty() => {
            let text = format!("error strict decoding patch: {}", problems.join(", "));
            return Err(Failure::bad_request(text));
        }
        Validation::Warn => change.notes.warnings.extend(problems),
        Validation::Strict | Validation::Ignore => {}
    }
    let mut config = decoded.value;
    if !config.is_object() {
        return Err(Failure::bad_request(
            "error decoding YAML: the applied configuration is not an object",
        ));
    }
    let kind = config["kind"].as_str().unwrap_or_default();
    if config["apiVersion"].as_str().is_none_or(str::is_empty) || kind.is_empty() {
        return Err(Failure::bad_request(
            "Object 'Kind' or 'apiVersion' is missing in the applied configuration",
        ));
    }
    let own = config["metadata"]["namespace"].as_str().unwrap_or_default();
    if !own.is_empty() && ask.namespace.as_deref() != Some(own) {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    let name = config["metadata"]["name"].as_str().unwrap_or_default();
    if !name.is_empty() && name != change.key.name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            change.key.name
        )));
    }
    if let Some(builtin) = ask.resource.builtin() {
        normalise_applied(builtin.message, &mut config);
    }
    Ok(config)
}

/// Times and bytes of an applied built-in object are compared in their stored form.
fn normalise_applied(message: &'static str, config: &mut Value) {
    let mut copy = config.clone();
    let mut noticed = crate::kinds::decode::Noticed::default();
    if crate::kinds::decode::decode(message, &mut copy, &mut noticed).is_ok() {
        overlay(config, &copy);
    }
}

/// Takes over the scalars of `from` where both have them.
fn overlay(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in into.iter_mut() {
                if let Some(other) = from.get(key) {
                    overlay(value, other);
                }
            }
        }
        (Value::Array(into), Value::Array(from)) if into.len() == from.len() => {
            for (value, other) in into.iter_mut().zip(from) {
                overlay(value, other);
            }
        }
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => {}
        (into, from) => *into = from.clone(),
    }
}

fn check_applied_revision(
    ask: &Ask,
    change: &Change<'_>,
    config: &Value,
    live: &Object,
) -> Outcome<()> {
    let sent = text(config, "resourceVersion");
    if sent == "0" && ask.resource.custom().is_some() {
        return Err(must_have_revision(ask, &change.key));
    }
    if !sent.is_empty() && sent != "0" && sent != live.revision.to_string() {
        return Err(change.modified());
    }
    Ok(())
}

/// Brings an applied object into the form of its kind.
fn fill(ask: &Ask, object: &mut Value, notes: &mut Notes) -> Outcome<()> {
    match &ask.resource.source {
        Source::Custom(custom) => {
            purlin_schema::apply_defaults(object, &custom.schema);
            Ok(())
        }
        Source::Builtin(_) => stage::normalise(&ask.resource, object, notes).map_err(|why| {
            Failure::unnamed(format!("failed to convert the applied object: {why}"))
        }),
    }
}

/// An apply where there is nothing yet creates.
async fn apply_new(
    core: &Arc<Core>,
    ask: &Ask,
    change: &mut Change<'_>,
    config: &Value,
) -> Outcome<Reply> {
    let resource = &ask.resource;
    if !ask.subresource.is_empty() {
        return Err(Failure::not_found(
            &resource.group,
            &resource.plural,
            &change.key.name,
        ));
    }
    if text(config, "name").is_empty() {
        return Err(Failure::bad_request("name must be provided"));
    }
    let uid = text(config, "uid");
    if !uid.is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(Failure::conflict(
            &resource.group,
            &resource.plural,
            &change.key.name,
            &why,
        ));
    }
    let rules = stage::apply_rules(resource, "");
    let writer = stage::writer(core, &change.manager, "");
    let mut object = managed::apply(&rules, None, config, &writer, true)?;
    let mut notes = Notes::default();
    fill(ask, &mut object, &mut notes)?;
    stage::place(ask, &mut object)?;
    change.notes.warnings.extend(notes.warnings);
    let (shown, revision) = insert(
        core,
        ask,
        object,
        Tracking::Done,
        change.dry,
        &mut change.notes,
    )?;
    core.durable(revision).await?;
    Ok(change.reply(201, &shown))
}
