//! The scripted function of the recorded scenarios: it does exactly what its input says.
//!
//! Input (kind Script), every key optional: `results`, `conditions`, `resources: {name: {resource, ready, mode}}`, `drop`,
//! `composite` (merged into the desired one), `compositeReady`, `compositeConnection`, `context`. Strings of the form
//! `$(path.to.field)` are replaced by that field of the observed composite.

use purlin_object::Object;
use purlin_proto::v1::{self, RunFunctionRequest, RunFunctionResponse};
use serde_json::{Map, Value};

pub(crate) fn run(request: &RunFunctionRequest) -> RunFunctionResponse {
    let observed = request
        .observed
        .as_ref()
        .and_then(|s| s.composite.as_ref()?.resource.as_ref())
        .map(Object::to_json)
        .unwrap_or_default();
    let input = request
        .input
        .as_ref()
        .map(Object::to_json)
        .unwrap_or_default();
    let script = fill(&input, &observed);
    let mut out = RunFunctionResponse {
        meta: Some(v1::ResponseMeta {
            tag: request
                .meta
                .as_ref()
                .map(|m| m.tag.clone())
                .unwrap_or_default(),
            ttl: Some(prost_types::Duration {
                seconds: 60,
                nanos: 0,
            }),
        }),
        desired: request.desired.clone(),
        context: request.context.clone(),
        ..RunFunctionResponse::default()
    };
    desired(&script, out.desired.get_or_insert_default());
    if let Some(context) = script.get("context") {
        let mut all = out
            .context
            .as_ref()
            .map(Object::to_json)
            .unwrap_or_default();
        merge(&mut all, context);
        out.context = Object::from_json(all).ok();
    }
    out.results = list(&script, "results").iter().map(result).collect();
    out.conditions = list(&script, "conditions").iter().map(condition).collect();
    out
}

fn list<'a>(script: &'a Value, key: &str) -> &'a [Value] {
    script[key].as_array().map_or(&[], Vec::as_slice)
}

fn desired(script: &Value, state: &mut v1::State) {
    for name in list(script, "drop") {
        state.resources.remove(name.as_str().unwrap_or_default());
    }
    for (name, wanted) in script["resources"].as_object().into_iter().flatten() {
        let slot = state.resources.entry(name.clone()).or_default();
        let mut object = slot
            .resource
            .as_ref()
            .map(Object::to_json)
            .unwrap_or_default();
        let new = wanted.get("resource").cloned().unwrap_or_default();
        if wanted["mode"] == "replace" {
            object = new;
        } else {
            merge(&mut object, &new);
        }
        slot.resource = Object::from_json(object).ok();
        if let Some(ready) = wanted.get("ready") {
            slot.ready = readiness(ready);
        }
    }
    let composite = state.composite.get_or_insert_default();
    if let Some(wanted) = script.get("composite") {
        let mut object = composite
            .resource
            .as_ref()
            .map(Object::to_json)
            .unwrap_or_default();
        merge(&mut object, wanted);
        composite.resource = Object::from_json(object).ok();
    }
    if let Some(ready) = script.get("compositeReady") {
        composite.ready = readiness(ready);
    }
    for (key, value) in script["compositeConnection"]
        .as_object()
        .into_iter()
        .flatten()
    {
        composite
            .connection_details
            .insert(key.clone(), text(value).into_bytes().into());
    }
}

fn readiness(value: &Value) -> i32 {
    match value.as_str() {
        Some("True") => v1::Ready::True as i32,
        Some("False") => v1::Ready::False as i32,
        _ => v1::Ready::Unspecified as i32,
    }
}

fn target(value: &Value) -> Option<i32> {
    match value["target"].as_str() {
        Some("CLAIM") => Some(v1::Target::CompositeAndClaim as i32),
        Some(_) => Some(v1::Target::Composite as i32),
        None => None,
    }
}

fn result(value: &Value) -> v1::Result {
    v1::Result {
        severity: match value["severity"].as_str() {
            Some("FATAL") => v1::Severity::Fatal as i32,
            Some("WARNING") => v1::Severity::Warning as i32,
            Some("NORMAL") => v1::Severity::Normal as i32,
            _ => v1::Severity::Unspecified as i32,
        },
        message: value["message"].as_str().unwrap_or_default().to_owned(),
        reason: value["reason"].as_str().map(str::to_owned),
        target: target(value),
    }
}

fn condition(value: &Value) -> v1::Condition {
    let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    v1::Condition {
        r#type: word("type"),
        status: match value["status"].as_str() {
            Some("True") => v1::Status::ConditionTrue as i32,
            Some("False") => v1::Status::ConditionFalse as i32,
            _ => v1::Status::ConditionUnknown as i32,
        },
        reason: word("reason"),
        message: value["message"].as_str().map(str::to_owned),
        target: target(value),
    }
}

/// Lays `new` over `old`: maps key by key, everything else whole.
fn merge(old: &mut Value, new: &Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                merge(old.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (old, new) => *old = new.clone(),
    }
}

fn look_up<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |here, key| here.get(key))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fill(value: &Value, observed: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let filled = map.iter().map(|(k, v)| (k.clone(), fill(v, observed)));
            Value::Object(filled.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| fill(item, observed)).collect(),
        Value::String(string) => fill_text(string, observed),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn fill_text(string: &str, observed: &Value) -> Value {
    let mut out = String::new();
    let mut rest = string;
    while let Some((head, tail)) = rest.split_once("$(") {
        let Some((path, tail)) = tail.split_once(')') else {
            break;
        };
        let found = look_up(observed, path)
            .cloned()
            .unwrap_or_else(|| Value::from(""));
        if head.is_empty() && tail.is_empty() && out.is_empty() {
            return found;
        }
        out.push_str(head);
        out.push_str(&text(&found));
        rest = tail;
    }
    out.push_str(rest);
    Value::String(out)
}
