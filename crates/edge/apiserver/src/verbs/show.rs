//! Puts objects into the form the client asked for.

use serde_json::{Value, json};

use super::Ask;
use crate::http::accept::{Accepted, Form};
use crate::http::reply::{Payload, Reply};
use crate::registry::{Resource, Source};
use crate::server::{Core, Shown};
use crate::table;

/// The answer that holds one object.
pub(crate) fn one(core: &Core, ask: &Ask, code: u16, object: &Value) -> Reply {
    let value = match ask.accepted.form {
        Form::Object if !ask.accepted.yaml => {
            return Reply::new(code, Payload::Bytes(object.to_string().into()));
        }
        Form::Object => object.clone(),
        Form::Metadata => partial(object),
        Form::Table => {
            let revision = object["metadata"]["resourceVersion"].clone();
            let mut table = table::table(core, &ask.resource, &[object], include(ask));
            table["metadata"]["resourceVersion"] = revision;
            table
        }
    };
    Reply::new(code, payload(ask.accepted, value))
}

pub(crate) fn payload(accepted: Accepted, value: Value) -> Payload {
    if accepted.yaml {
        Payload::Yaml(value)
    } else {
        Payload::Json(value)
    }
}

/// How much of each object a table carries.
pub(crate) fn include(ask: &Ask) -> table::Include {
    match ask.query.get("includeObject") {
        Some("None") => table::Include::None,
        Some("Object") => table::Include::Object,
        _ => table::Include::Metadata,
    }
}

/// The metadata alone.
pub(crate) fn partial(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

/// The answer that holds a list.
pub(crate) fn list(core: &Core, ask: &Ask, objects: &[Shown], metadata: Value) -> Reply {
    let resource = &ask.resource;
    let value = match ask.accepted.form {
        Form::Table => {
            let views: Vec<&Value> = objects.iter().map(|o| &**o).collect();
            let mut table = table::table(core, resource, &views, include(ask));
            table["metadata"] = metadata;
            table
        }
        Form::Metadata => {
            let items: Vec<Value> = objects.iter().map(|o| partial(o)).collect();
            json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata, "items": items,
            })
        }
        Form::Object if ask.accepted.yaml => whole(resource, objects, &metadata),
        Form::Object => {
            return Reply::new(
                200,
                Payload::Bytes(encode(resource, objects, &metadata).into()),
            );
        }
    };
    Reply::new(200, payload(ask.accepted, value))
}

fn whole(resource: &Resource, objects: &[Shown], metadata: &Value) -> Value {
    let items: Vec<Value> = objects.iter().map(|o| item(resource, o)).collect();
    json!({
        "kind": resource.list_kind, "apiVersion": resource.api_version(),
        "metadata": metadata, "items": items,
    })
}

/// Writes a list without copying its items.
fn encode(resource: &Resource, objects: &[Shown], metadata: &Value) -> Vec<u8> {
    let kind = Value::from(resource.list_kind.as_str());
    let version = Value::from(resource.api_version());
    let mut out =
        format!("{{\"kind\":{kind},\"apiVersion\":{version},\"metadata\":{metadata},\"items\":[")
            .into_bytes();
    for (i, object) in objects.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let written = match (&resource.source, object.as_object()) {
            (Source::Builtin(_), Some(fields)) => serde_json::to_writer(&mut out, &Untyped(fields)),
            _ => serde_json::to_writer(&mut out, &**object),
        };
        // Writing a JSON value into memory does not fail.
        if written.is_err() {
            out.extend_from_slice(b"null");
        }
    }
    out.extend_from_slice(b"]}");
    out
}

/// An item of a list: built-in ones do not say their type again.
fn item(resource: &Resource, object: &Value) -> Value {
    let mut item = object.clone();
    if resource.builtin().is_some()
        && let Some(fields) = item.as_object_mut()
    {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    item
}

/// An object without its type.
struct Untyped<'a>(&'a serde_json::Map<String, Value>);

impl serde::Serialize for Untyped<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self
            .0
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind"));
        serializer.collect_map(shown)
    }
}
