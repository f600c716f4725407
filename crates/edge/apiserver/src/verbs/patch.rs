//! Changing objects by a patch: JSON, merge, strategic, and server-side apply.

use std::sync::Arc;

use serde_json::Value;

use super::create::{Tracking, insert};
use super::stage::{self, Notes, metadata, text};
use super::update::{ATTEMPTS, Candidate, Change, must_have_revision};
use super::{Ask, Validation};
use crate::apply::managed;
use crate::failure::{Failure, FieldError, Outcome};
use crate::http::body;
use crate::http::reply::Reply;
use crate::patch;
use crate::registry::Source;
use crate::server::Core;
use crate::store::{Key, Object};

/// The media types of patches.
const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// Serves a PATCH.
#[expect(clippy::too_many_lines, reason = "the steps of a patch in their order")]
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
