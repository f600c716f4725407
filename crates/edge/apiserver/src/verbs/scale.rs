//! The scale subresource of custom resources.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value, json};

use super::stage::{self, Notes, Stored};
use super::{Ask, show};
use crate::custom::ScalePaths;
use crate::failure::{Failure, FieldError, Outcome};
use crate::http::body;
use crate::http::reply::Reply;
use crate::patch;
use crate::server::Core;

const ATTEMPTS: usize = 8;

/// Serves `/scale`.
pub(crate) async fn scale(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    let resource = &ask.resource;
    let Some(paths) = resource.custom().and_then(|c| c.scale.as_ref()) else {
        let name = ask.name.as_deref().unwrap_or_default();
        return Err(Failure::not_found(&resource.group, &resource.plural, name));
    };
    match ask.method {
        Method::GET => {
            let object = core.get(resource, &ask.key()?)?;
            let shown = Core::show(resource, &object);
            if find(&shown, &paths.spec).is_none_or(Value::is_null) {
                return Err(Failure::internal(format!(
                    "the spec replicas field {:?} does not exist",
                    paths.spec
                )));
            }
            Ok(reply(core, ask, &shown, paths))
        }
        Method::PUT | Method::PATCH => write(core, ask, paths).await,
        _ => Err(Failure::method(
            ask.method.as_str(),
            &resource.group,
            &resource.plural,
        )),
    }
}

fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split('.').filter(|s| !s.is_empty())
}

fn find<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path).try_fold(object, |value, step| value.get(step))
}

fn set(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for step in steps(path) {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Some(fields) = place.as_object_mut() else {
            return;
        };
        place = fields.entry(step).or_insert(Value::Null);
    }
    *place = value;
}

fn view(object: &Value, paths: &ScalePaths) -> Value {
    let meta = &object["metadata"];
    let mut scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {},
        "status": {"replicas": find(object, &paths.status).and_then(Value::as_i64).unwrap_or(0)},
    });
    if let Some(namespace) = meta.get("namespace") {
        scale["metadata"]["namespace"] = namespace.clone();
    }
    match find(object, &paths.spec).and_then(Value::as_i64) {
        Some(replicas) if replicas != 0 => scale["spec"]["replicas"] = replicas.into(),
        _ => {}
    }
    let selector = paths
        .selector
        .as_deref()
        .and_then(|p| find(object, p))
        .and_then(Value::as_str);
    if let Some(selector) = selector.filter(|s| !s.is_empty()) {
        scale["status"]["selector"] = selector.into();
    }
    scale
}

fn reply(core: &Core, ask: &Ask, object: &Value, paths: &ScalePaths) -> Reply {
    show::one(core, ask, 200, &view(object, paths))
}

#[expect(clippy::too_many_lines, reason = "the steps of a write in their order")]
async fn write(core: &Arc<Core>, ask: &Ask, paths: &ScalePaths) -> Outcome<Reply> {
    let resource = &ask.resource;
    let key = ask.key()?;
    let dry = ask.query.dry_run("UpdateOptions")?;
    let manager = ask.manager("UpdateOptions")?;
    for _ in 0..ATTEMPTS {
        let live = core.get(resource, &key)?;
        let old = Core::show(resource, &live);
        let wanted = wanted(ask, &view(&old, paths))?;
        let sent = stage::text(&wanted, "resourceVersion");
        let stale = !sent.is_empty() && sent != live.revision.to_string();
        if stale {
            return Err(Failure::modified(
                &resource.group,
                &resource.plural,
                &key.name,
            ));
        }
        let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas < 0 {
            let error = FieldError::invalid(
                "spec.replicas",
                &replicas.into(),
                "should be a non-negative integer",
            );
            return Err(Failure::invalid(
                "autoscaling",
                "Scale",
                &key.name,
                &[error],
            ));
        }
        let mut new = (*old).clone();
        set(&mut new, &paths.spec, replicas.into());
        let mut main = stage::apply_rules(resource, "");
        main.ignored = crate::apply::set::Set::of(&[&["status"]]);
        let writer = stage::writer(core, &manager, "scale");
        crate::apply::managed::track_update(&main, Some(&old), &mut new, &writer);
        untimed(&mut new);
        if stage::content_differs(&new, &old)
            && let Some(generation) = old["metadata"]["generation"].as_i64()
        {
            new["metadata"]["generation"] = (generation + 1).into();
        }
        stage::check(resource, &new, Some(&old), "", &mut Notes::default())?;
        if dry {
            return Ok(reply(core, ask, &new, paths));
        }
        let (shown, revision) = match stage::store_update(core, resource, &key, &live, new) {
            Stored::Written(object) => (Core::show(resource, &object), object.revision),
            Stored::Same(object) => (Core::show(resource, &object), 0),
            Stored::Gone(last, revision) => {
                core.durable(revision).await?;
                return Ok(reply(core, ask, &last, paths));
            }
            Stored::Changed => continue,
        };
        core.durable(revision).await?;
        return Ok(reply(core, ask, &shown, paths));
    }
    Err(Failure::modified(
        &resource.group,
        &resource.plural,
        &key.name,
    ))
}

/// Entries of scalers carry no time.
fn untimed(object: &mut Value) {
    let entries = object
        .pointer_mut("/metadata/managedFields")
        .and_then(Value::as_array_mut);
    for entry in entries
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if entry.get("subresource").and_then(Value::as_str) == Some("scale") {
            entry.remove("time");
        }
    }
}

/// The scale the request wants.
fn wanted(ask: &Ask, now: &Value) -> Outcome<Value> {
    let mut scale = now.clone();
    if ask.method == Method::PUT {
        let decoded = body::decode(&ask.headers, &ask.body)?;
        let sent = decoded.map(|d| d.value).unwrap_or_default();
        if sent["kind"].as_str().is_some_and(|k| k != "Scale") {
            return Err(Failure::bad_request(
                "the body must be a Scale of autoscaling/v1",
            ));
        }
        return Ok(sent);
    }
    match body::media_type(&ask.headers) {
        "application/json-patch+json" => {
            patch::json::apply(&mut scale, &body::json(&ask.body)?.value)?;
        }
        "application/apply-patch+yaml" => {
            let mut sent = body::yaml(&ask.body)?.value;
            if let Some(metadata) = stage::metadata(&mut sent) {
                metadata.remove("managedFields");
            }
            patch::merge::apply(&mut scale, &sent);
        }
        _ => {
            let sent = body::json(&ask.body)?.value;
            if !sent.is_object() {
                return Err(Failure::bad_request(
                    "error decoding patch: a merge patch is an object",
                ));
            }
            patch::merge::apply(&mut scale, &sent);
        }
    }
    if !scale["spec"]["replicas"].is_null() && !scale["spec"]["replicas"].is_i64() {
        return Err(Failure::bad_request("spec.replicas must be a whole number"));
    }
    Ok(scale)
}
