//! What is printed?

use std::collections::BTreeMap;

use purlin_api::conditions::{self, Condition};
use purlin_api::meta;
use purlin_lifecycle::composed::{Desired, Rendered, Served, references, render};
use purlin_lifecycle::{event, status};
use purlin_pipeline::{Outcome, Severity, Status, Target};
use serde_json::{Map, Value, json};

use crate::composite::label;
use crate::inputs::Inputs;

/// The time of every condition, so that the same input always prints the same.
pub const TRANSITION_TIME: &str = "2024-01-01T00:00:00Z";

const RENDER_API: &str = "render.crossplane.io/v1beta1";

/// What is shown beside the composite's status and the composed resources.
#[derive(Debug, Clone, Copy, Default)]
pub struct Show {
    /// The whole composite.
    pub full_xr: bool,
    /// What the functions told.
    pub results: bool,
    /// The context at the end.
    pub context: bool,
}

/// The objects that a finished pass wants, sorted by their name in the pipeline.
///
/// # Errors
/// Everything that keeps the engine from applying them.
pub(crate) fn composed(inputs: &Inputs, outcome: &Outcome) -> Result<Vec<Rendered>, Vec<String>> {
    let mut composite = inputs.composite.clone();
    label(&mut composite);
    let mut rendered = Vec::new();
    let mut problems = Vec::new();
    for (key, resource) in &outcome.resources {
        let desired = Desired {
            key: key.clone(),
            object: resource.object.to_json(),
            ready: resource.ready,
        };
        let live = inputs.observed.get(key).map(|composed| &composed.value);
        // Without a cluster, every kind is taken to live where its composite lives.
        let served = Served {
            namespaced: true,
            status: false,
        };
        match render(desired, live, &composite, &inputs.xrd, served) {
            Ok(object) => rendered.push(object),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(rendered)
    } else {
        Err(problems)
    }
}

/// The documents to print: the composite, what it composes, then results and context when they are asked for.
pub(crate) fn documents(
    inputs: &Inputs,
    outcome: &Outcome,
    rendered: &[Rendered],
    show: Show,
) -> Vec<Value> {
    let mut documents = vec![composite(inputs, outcome, rendered, show.full_xr)];
    documents.extend(rendered.iter().map(|rendered| rendered.object.clone()));
    if show.results {
        documents.extend(results(inputs, outcome, rendered));
    }
    if show.context {
        documents.push(json!({
            "apiVersion": RENDER_API, "kind": "Context", "fields": outcome.context.to_json(),
        }));
    }
    documents
}

/// The status a composite has before the pipeline runs.
pub(crate) fn held_status(composite: &Value) -> Value {
    let mut held = composite
        .get("status")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    conditions::set(&mut held, &Condition::responsive(), TRANSITION_TIME);
    Value::Object(held)
}

fn composite(inputs: &Inputs, outcome: &Outcome, rendered: &[Rendered], full: bool) -> Value {
    let written = &inputs.composite;
    let mut out = json!({"apiVersion": written["apiVersion"], "kind": written["kind"], "metadata": {"name": meta::name(written)}});
    if !meta::namespace(written).is_empty() {
        meta::object_mut(&mut out, &["metadata"])
            .insert("namespace".into(), meta::namespace(written).into());
    }
    let references = Value::Array(references(rendered, &inputs.xrd));
    inputs.xrd.set(&mut out, "resourceRefs", references);
    let status = status_of(inputs, outcome, rendered);
    meta::object_mut(&mut out, &[]).insert("status".into(), Value::Object(status));
    if !full {
        return out;
    }
    // The user's own composite (with the definition's defaults), and what the engine would have written over it.
    let mut whole = inputs.composite.clone();
    if meta::uid(&inputs.written).is_empty() {
        meta::object_mut(&mut whole, &["metadata"]).remove("uid");
    }
    merge(&mut whole, out);
    whole
}

fn status_of(inputs: &Inputs, outcome: &Outcome, rendered: &[Rendered]) -> Map<String, Value> {
    let desired = outcome
        .composite
        .get_path(&["status"])
        .map(purlin_object::ValueRef::to_json);
    let mut out = match desired {
        Some(Value::Object(status)) => status,
        _ => Map::new(),
    };
    let held = held_status(&inputs.composite);
    let held = held.get("conditions").and_then(Value::as_array);
    let generation = meta::generation(&inputs.composite);
    let wanted = out.remove("conditions");
    let mut all = Map::new();
    all.insert(
        "conditions".into(),
        Value::Array(held.cloned().unwrap_or_default()),
    );
    for condition in wanted.iter().filter_map(Value::as_array).flatten() {
        push_unknown(&mut all, condition);
    }
    let mut claimed = Vec::new();
    for condition in &outcome.conditions {
        if conditions::is_system(&condition.kind) {
            continue;
        }
        if condition.target == Target::CompositeAndClaim && !claimed.contains(&condition.kind) {
            claimed.push(condition.kind.clone());
        }
        let mut set = Condition::new(
            &condition.kind,
            spelled(condition.status),
            &condition.reason,
        );
        set.message = condition.message.clone().unwrap_or_default();
        conditions::set(&mut all, &set, TRANSITION_TIME);
    }
    let states: Vec<status::Composed> = rendered
        .iter()
        .map(|rendered| status::Composed {
            name: rendered.key.clone(),
            synced: true,
            ready: rendered.ready,
        })
        .collect();
    for condition in [
        status::synced(&states),
        status::ready(&states, outcome.ready),
    ] {
        conditions::set(&mut all, &condition.generation(generation), TRANSITION_TIME);
    }
    for condition in all.values_mut().filter_map(Value::as_array_mut).flatten() {
        meta::object_mut(condition, &[])
            .insert("lastTransitionTime".into(), TRANSITION_TIME.into());
    }
    out.extend(all);
    if !claimed.is_empty() && inputs.xrd.is_legacy() {
        out.insert("claimConditionTypes".into(), claimed.into());
    }
    out
}

/// Adds a condition that a function wrote into the status by hand, unless one of its type is there.
fn push_unknown(status: &mut Map<String, Value>, condition: &Value) {
    let list = status.get_mut("conditions").and_then(Value::as_array_mut);
    if let Some(list) = list
        && !list
            .iter()
            .any(|held| held.get("type") == condition.get("type"))
        && condition.is_object()
    {
        list.push(condition.clone());
    }
}

fn spelled(status: Status) -> conditions::Status {
    match status {
        Status::True => conditions::Status::True,
        Status::False => conditions::Status::False,
        Status::Unknown => conditions::Status::Unknown,
    }
}

/// The events of the pass as documents, in the order the engine would send them.
fn results(inputs: &Inputs, outcome: &Outcome, rendered: &[Rendered]) -> Vec<Value> {
    let mut events = vec![event::Event::normal(
        "SelectComposition",
        format!(
            "Successfully selected composition: {}",
            inputs.composition.name
        ),
    )];
    for told in &outcome.events {
        events.push(event::Event {
            severity: match told.severity {
                Severity::Normal => event::Severity::Normal,
                Severity::Warning => event::Severity::Warning,
            },
            reason: told.reason.clone(),
            message: told.composite_message(),
        });
    }
    for rendered in rendered {
        if let Some(asked) = &rendered.overridden_namespace {
            let home = meta::namespace(&inputs.composite);
            let message = format!(
                "Composed resource {:?} asks for the namespace {asked:?}; it is composed in {home:?}, where its composite is",
                rendered.key
            );
            events.push(event::Event::warning("NamespaceOverridden", message));
        }
    }
    for rendered in rendered.iter().filter(|rendered| !rendered.ready) {
        let message = format!("Composed resource {:?} is not yet ready", rendered.key);
        events.push(event::Event::normal("ComposeResources", message));
    }
    let events = events.into_iter();
    events
        .map(|event| {
            json!({
                "apiVersion": RENDER_API, "kind": "Result", "severity": event.severity.as_str(),
                "reason": event.reason, "message": event.message,
            })
        })
        .collect()
}

/// Writes `over` into `base`: maps field by field, everything else whole.
fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(held) => merge(held, value),
                    None => drop(base.insert(key, value)),
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// References to what exists, as the composite holds them before the pass.
pub(crate) fn held_references(inputs: &Inputs) -> Vec<Value> {
    let rendered: Vec<Rendered> = inputs
        .observed
        .iter()
        .map(|(key, composed)| Rendered {
            key: key.clone(),
            object: composed.value.clone(),
            ready: false,
            overridden_namespace: None,
        })
        .collect();
    references(&rendered, &inputs.xrd)
}

/// The names of the resources that exist and that the pipeline no longer wants: the engine would delete them.
pub(crate) fn deleted(inputs: &Inputs, outcome: &Outcome) -> Vec<String> {
    let gone = inputs
        .observed
        .iter()
        .filter(|(key, _)| !outcome.resources.contains_key(*key));
    let described: BTreeMap<&String, String> = gone
        .map(|(key, composed)| {
            let kind = meta::text(&composed.value, &["kind"]);
            (
                key,
                format!("{key} ({kind} {})", meta::name(&composed.value)),
            )
        })
        .collect();
    described.into_values().collect()
}
