//! The steps every write goes through: decode, fill in, track ownership, check, store.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Ask, Validation};
use crate::apply::managed::{self, Writer};
use crate::apply::set::Set;
use crate::apply::updater::Rules;
use crate::failure::{Failure, FieldError, Outcome};
use crate::kinds::decode::{self, Noticed};
use crate::kinds::names::{self, Naming};
use crate::kinds::{Which, checks, rules};
use crate::registry::{Resource, Source};
use crate::server::{Core, finished};
use crate::store::{Key, Object, Refused};

/// What a write notices and tells the client.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Unknown and duplicate fields, as sentences.
    pub strict: Vec<String>,
    pub warnings: Vec<String>,
}

impl Notes {
    /// Turns what was noticed into warnings, or into the failure that strict validation asks for.
    pub(crate) fn settle(
        &mut self,
        validation: Validation,
        fail: impl FnOnce(&[String]) -> Failure,
    ) -> Outcome<()> {
        match validation {
            Validation::Ignore => self.strict.clear(),
            Validation::Warn => self.warnings.append(&mut self.strict),
            Validation::Strict if self.strict.is_empty() => {}
            Validation::Strict => return Err(fail(&self.strict)),
        }
        Ok(())
    }
}

/// The 400 of a body whose fields are unknown.
pub(crate) fn strict_body(resource: &Resource, problems: &[String]) -> Failure {
    Failure::bad_request(format!(
        "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
        resource.kind,
        resource.version,
        resource.kind,
        problems.join(", ")
    ))
}

/// Reads the object in a request's body and checks that it is of this kind.
pub(crate) fn read_body(ask: &Ask, notes: &mut Notes) -> Outcome<Value> {
    let resource = &ask.resource;
    let decoded = crate::http::body::decode(&ask.headers, &ask.body)?;
    let Some(decoded) = decoded else {
        return Err(Failure::bad_request(
            "the body of the request is empty; it must be an object",
        ));
    };
    for path in decoded.duplicates {
        notes.strict.push(format!("duplicate field {path:?}"));
    }
    let mut object = decoded.value;
    if !object.is_object() {
        return Err(Failure::bad_request(
            "the body of the request must be an object",
        ));
    }
    check_type(resource, &mut object)?;
    normalise(resource, &mut object, notes).map_err(|why| {
        Failure::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {why}",
            resource.kind, resource.version, resource.kind
        ))
    })?;
    Ok(object)
}

fn check_type(resource: &Resource, object: &mut Value) -> Outcome<()> {
    let text = |name: &str| {
        object
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (version, kind) = (text("apiVersion"), text("kind"));
    let untyped = |name: &str| {
        object
            .get(name)
            .is_some_and(|v| !v.is_string() && !v.is_null())
    };
    if untyped("apiVersion") || untyped("kind") {
        return Err(Failure::bad_request("apiVersion and kind must be strings"));
    }
    let custom = resource.custom().is_some();
    if version.is_empty() && kind.is_empty() && !custom {
        object["apiVersion"] = resource.api_version().into();
        object["kind"] = resource.kind.as_str().into();
        return Ok(());
    }
    if kind.is_empty() || version.is_empty() {
        return Err(Failure::bad_request(
            "Object 'Kind' or 'apiVersion' is missing in the body",
        ));
    }
    if version != resource.api_version() {
        return Err(Failure::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({})",
            resource.api_version()
        )));
    }
    if kind != resource.kind && !custom {
        return Err(Failure::bad_request(format!(
            "{kind} in version {:?} cannot be handled as a {}: the kind does not match the URL",
            resource.version, resource.kind
        )));
    }
    Ok(())
}

/// Brings an object into the form of its kind: types, unknown fields, defaults.
pub(crate) fn normalise(
    resource: &Resource,
    object: &mut Value,
    notes: &mut Notes,
) -> Result<(), String> {
    let unknown = match &resource.source {
        Source::Custom(custom) => custom.decode(object)?,
        Source::Builtin(builtin) => {
            let mut noticed = Noticed::default();
            decode::decode(builtin.message, object, &mut noticed)?;
            rules::default(builtin.which, object);
            if builtin.which == Which::Definition {
                purlin_schema::complete_crd(object).map_err(|errors| {
                    errors
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                })?;
                for (path, format) in purlin_schema::unknown_formats(object) {
                    notes
                        .warnings
                        .push(format!("{path}: unrecognized format {format:?}"));
                }
            }
            noticed.unknown
        }
    };
    notes
        .strict
        .extend(unknown.iter().map(|path| format!("unknown field {path:?}")));
    Ok(())
}

/// What server-side apply must know of the resource.
pub(crate) fn apply_rules(resource: &Resource, subresource: &str) -> Rules {
    let (shape, custom) = match &resource.source {
        Source::Custom(custom) => (custom.shape.clone(), true),
        Source::Builtin(builtin) => (builtin.shape(), false),
    };
    let ignored = match subresource {
        "status" if custom => Set::of(&[&["metadata"], &["spec"]]),
        "status" => Set::of(&[&["spec"], &["metadata", "labels"]]),
        _ if resource.has_status() => Set::of(&[&["status"]]),
        _ => Set::default(),
    };
    let empty = resource
        .builtin()
        .map_or_else(|| json!({}), |builtin| decode::zero(builtin.message));
    Rules {
        shape,
        version: resource.api_version(),
        ignored,
        empty,
    }
}

pub(crate) fn writer(core: &Core, manager: &str, subresource: &str) -> Writer {
    Writer {
        manager: manager.to_owned(),
        subresource: subresource.to_owned(),
        now: core.now(),
    }
}

/// The metadata of an object, made when it has none.
pub(crate) fn metadata(object: &mut Value) -> Option<&mut Map<String, Value>> {
    let fields = object.as_object_mut()?;
    let metadata = fields
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()));
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    metadata.as_object_mut()
}

pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// The object belongs into the namespace of the URL.
pub(crate) fn place(ask: &Ask, object: &mut Value) -> Outcome<()> {
    let wanted = ask.namespace.as_deref().unwrap_or_default();
    let Some(metadata) = metadata(object) else {
        return Err(Failure::bad_request("metadata must be an object"));
    };
    let own = metadata
        .get("namespace")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !own.is_empty() && own != wanted {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if wanted.is_empty() {
        metadata.remove("namespace");
    } else {
        metadata.insert("namespace".into(), wanted.into());
    }
    Ok(())
}

/// Everything but the metadata and what identifies the type.
pub(crate) fn content_differs(a: &Value, b: &Value) -> bool {
    let outside = |value: &Value| -> Map<String, Value> {
        let fields = value.as_object().into_iter().flatten();
        fields
            .filter(|(k, v)| {
                !matches!(k.as_str(), "metadata" | "apiVersion" | "kind") && !v.is_null()
            })
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    outside(a) != outside(b)
}

/// Checks an object before it is stored.
pub(crate) fn check(
    resource: &Resource,
    object: &Value,
    old: Option<&Value>,
    subresource: &str,
    notes: &mut Notes,
) -> Outcome<()> {
    let mut errors = Vec::new();
    let metadata = object["metadata"].as_object().cloned().unwrap_or_default();
    let custom = resource.custom().is_some();
    let naming = resource
        .builtin()
        .map_or(Naming::Subdomain, |b| rules::naming(b.which));
    errors.extend(names::check_metadata(&metadata, naming));
    let (wrong, warnings) = names::check_finalizers(&metadata, custom);
    errors.extend(wrong);
    if old.is_none_or(|old| old["metadata"]["finalizers"] != object["metadata"]["finalizers"]) {
        notes.warnings.extend(warnings);
    }
    if let Some(old) = old {
        // Upstream asks twice, and so answers twice: once for all kinds, once for the kind.
        errors.extend(check_unchanged(object, old));
        errors.extend(check_unchanged(object, old));
    }
    match &resource.source {
        Source::Custom(custom) => {
            if object["kind"].as_str() != Some(&resource.kind) {
                let why = format!("must be {}", resource.kind);
                errors.push(FieldError::invalid("kind", &object["kind"], &why));
            }
            let found = custom.check(object, old, subresource);
            errors.extend(found.errors);
            notes.warnings.extend(found.warnings);
        }
        Source::Builtin(builtin) => {
            if builtin.which == Which::Definition {
                errors.extend(crate::definitions::check(object, old, subresource));
            }
            errors.extend(checks::check(builtin.which, object, old));
            if old.is_none() {
                notes
                    .warnings
                    .extend(checks::warnings(builtin.which, object));
            }
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let kind = object["kind"].as_str().unwrap_or(&resource.kind);
    Err(Failure::invalid(
        &resource.group,
        kind,
        text(object, "name"),
        &errors,
    ))
}

/// What no update may change.
fn check_unchanged(object: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        let (was, is) = (&old["metadata"][field], &object["metadata"][field]);
        if was != is {
            errors.push(FieldError::invalid(
                format!("metadata.{field}"),
                is,
                "field is immutable",
            ));
        }
    }
    if !old["metadata"]["deletionTimestamp"].is_null() {
        let before = old["metadata"]["finalizers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for finalizer in object["metadata"]["finalizers"]
            .as_array()
            .into_iter()
            .flatten()
        {
            if !before.contains(finalizer) {
                let why = format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers [{finalizer}]"
                );
                errors.push(FieldError::forbidden("metadata.finalizers", &why));
            }
        }
    }
    errors
}

/// What storing came to.
#[derive(Debug)]
pub(crate) enum Stored {
    Written(Arc<Object>),
    /// Nothing differed.
    Same(Arc<Object>),
    /// It was the last finalizer: the object is gone. This is its last state, under its old revision.
    Gone(Value, u64),
    /// Somebody else was faster.
    Changed,
}

/// Writes an update of `live`.
pub(crate) fn store_update(
    core: &Core,
    resource: &Resource,
    key: &Key,
    live: &Arc<Object>,
    new: Value,
) -> Stored {
    let mut object = Core::stored(resource, new);
    if let Some(metadata) = metadata(&mut object.value) {
        metadata.insert("resourceVersion".into(), live.revision.to_string().into());
    }
    if finished(&object.value) {
        let last = object.value.clone();
        return match core.store.remove(&resource.id, key, live.revision) {
            Ok(gone) => Stored::Gone(last, gone.revision),
            Err(Refused::Changed) => Stored::Changed,
        };
    }
    if same_object(&object.value, &live.value) {
        return Stored::Same(live.clone());
    }
    match core
        .store
        .put(&resource.id, key, Some(live.revision), object)
    {
        Ok(written) => Stored::Written(written),
        Err(Refused::Changed) => Stored::Changed,
    }
}

/// Whether a write would change nothing but the times of its managers.
pub(crate) fn same_object(new: &Value, old: &Value) -> bool {
    let (Some(a), Some(b)) = (new.as_object(), old.as_object()) else {
        return new == old;
    };
    let others = |map: &Map<String, Value>| map.keys().filter(|k| *k != "metadata").count();
    if others(a) != others(b)
        || a.iter()
            .any(|(k, v)| k != "metadata" && b.get(k) != Some(v))
    {
        return false;
    }
    let empty = Map::new();
    let (m, n) = (
        a.get("metadata")
            .and_then(Value::as_object)
            .unwrap_or(&empty),
        b.get("metadata")
            .and_then(Value::as_object)
            .unwrap_or(&empty),
    );
    m.len() == n.len()
        && m.iter().all(|(k, v)| match (k.as_str(), n.get(k)) {
            ("managedFields", Some(other)) => same_entries(v, other),
            (_, other) => other == Some(v),
        })
}

fn same_entries(new: &Value, old: &Value) -> bool {
    let (Some(new), Some(old)) = (new.as_array(), old.as_array()) else {
        return new == old;
    };
    // The order of entries depends on their times, so it does not count.
    let plain = |entries: &[Value]| -> Vec<String> {
        let mut texts: Vec<String> = entries
            .iter()
            .map(|entry| {
                let mut entry = entry.clone();
                if let Some(fields) = entry.as_object_mut() {
                    fields.remove("time");
                }
                entry.to_string()
            })
            .collect();
        texts.sort();
        texts
    };
    new.len() == old.len() && plain(new) == plain(old)
}

/// Records who changed what in an update.
pub(crate) fn track(core: &Core, ask: &Ask, manager: &str, live: Option<&Value>, new: &mut Value) {
    let rules = apply_rules(&ask.resource, &ask.subresource);
    let writer = writer(core, manager, &ask.subresource);
    managed::track_update(&rules, live, new, &writer);
}
