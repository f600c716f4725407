//! Drives a pass: calls the functions it wants called, looks up what it wants looked up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use purlin_api::conditions;
use purlin_api::meta;
use purlin_composition::Step as PlanStep;
use purlin_lifecycle::composed::Desired;
use purlin_lifecycle::event::Event;
use purlin_object::Object;
use purlin_pipeline::{self as pipeline, Answer, ObservedResource, Remembered, Run, Step, Target};
use serde_json::Value;

use crate::compose::Observed;
use crate::composite::Stop;
use crate::fetch;
use crate::functions;
use crate::queue::Member;
use crate::shared::Shared;
use crate::tracker::Dependency;

/// How many compiled pipelines are kept.
const KEPT: usize = 1000;

/// What a pass says.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    pub(crate) desired: Vec<Desired>,
    pub(crate) composite: Option<Value>,
    pub(crate) ready: Option<bool>,
    /// Values in base64.
    pub(crate) connection: BTreeMap<String, String>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) required: Vec<Dependency>,
}

/// What functions told, whether or not the pass reached its end.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) events: Vec<StepEvent>,
    pub(crate) conditions: Vec<Custom>,
}

/// An event of a function.
#[derive(Debug)]
pub(crate) struct StepEvent {
    pub(crate) event: Event,
    pub(crate) step: String,
    pub(crate) for_claim: bool,
}

/// A condition of a function.
#[derive(Debug)]
pub(crate) struct Custom {
    pub(crate) condition: conditions::Condition,
    pub(crate) for_claim: bool,
}

/// What a pass starts from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) composite: &'a Value,
    pub(crate) connection: &'a BTreeMap<String, String>,
    pub(crate) observed: &'a Observed,
    pub(crate) revision: &'a Value,
}

/// A pipeline, and the generation of the revision it was read from.
type Plan = (i64, Arc<[PlanStep]>);

/// What is kept between passes; losing it costs time, nothing else.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    plans: Mutex<BTreeMap<String, Plan>>,
    remembered: Mutex<BTreeMap<Member, Remembered>>,
}

impl Kept {
    /// Forgets a composite that is gone.
    pub(crate) fn forget(&self, key: &Member) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        remembered.remove(key);
    }

    fn remembered(&self, key: &Member) -> Remembered {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        remembered.get(key).cloned().unwrap_or_default()
    }

    fn remember(&self, key: &Member, requirements: Remembered) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if requirements.is_empty() {
            remembered.remove(key);
        } else {
            remembered.insert(key.clone(), requirements);
        }
    }

    /// The pipeline of a revision, read once.
    fn plan(&self, revision: &Value) -> Result<Arc<[PlanStep]>, String> {
        let uid = meta::uid(revision).to_owned();
        let version = meta::generation(revision);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, steps)) = plans.get(&uid)
            && *held == version
        {
            return Ok(Arc::clone(steps));
        }
        let (read, found) = purlin_composition::read(revision, None);
        let Some(read) = read else {
            let all: Vec<String> = found.iter().map(ToString::to_string).collect();
            return Err(format!(
                "CompositionRevision {}: {}",
                meta::name(revision),
                all.join("; ")
            ));
        };
        let steps: Arc<[PlanStep]> = read.pipeline.into();
        if plans.len() >= KEPT {
            plans.pop_first();
        }
        plans.insert(uid, (version, Arc::clone(&steps)));
        Ok(steps)
    }
}

/// Makes a pass. What functions told is added to `told` even when it fails.
pub(crate) async fn run(
    shared: &Shared,
    key: &Member,
    input: Input<'_>,
    told: &mut Told,
) -> Result<Pass, Stop> {
    let start = pipeline::Pass {
        steps: shared.kept.plan(input.revision)?,
        observed: observed(input)?,
        context: Object::default(),
        remembered: shared.kept.remembered(key),
    };
    let (mut run, mut step) = Run::start(start);
    let outcome = loop {
        let answer = match step {
            Step::Call(call) => Answer::Called(functions::call(shared, *call).await),
            Step::Fetch(wanted) => Answer::Fetched(fetch::look_up(shared, &wanted).await),
            Step::Done(outcome) => break *outcome,
        };
        step = run.resume(answer);
    };
    take(told, &outcome);
    if let Some(failure) = outcome.failure {
        return Err(Stop::from(failure.to_string()));
    }
    let required = fetch::dependencies(&outcome.requirements);
    shared.kept.remember(key, outcome.requirements);
    Ok(Pass {
        desired: outcome
            .resources
            .into_iter()
            .map(|(key, resource)| Desired {
                key,
                object: resource.object.to_json(),
                ready: resource.ready,
            })
            .collect(),
        composite: Some(outcome.composite.to_json()),
        ready: outcome.ready,
        connection: outcome
            .connection
            .iter()
            .map(|(key, value)| (key.clone(), BASE64_STANDARD.encode(value)))
            .collect(),
        ttl: outcome.ttl.filter(|ttl| !ttl.is_zero()),
        required,
    })
}

fn observed(input: Input<'_>) -> Result<pipeline::Observed, Stop> {
    let mut resources = BTreeMap::new();
    for (key, object) in &input.observed.objects {
        let connection = input.observed.connections.get(key);
        resources.insert(key.clone(), resource(object, connection)?);
    }
    Ok(pipeline::Observed {
        composite: resource(input.composite, Some(input.connection))?,
        resources,
    })
}

fn resource(
    object: &Value,
    connection: Option<&BTreeMap<String, String>>,
) -> Result<ObservedResource, Stop> {
    let connection = connection.into_iter().flatten();
    Ok(ObservedResource {
        object: to_object(object)?,
        connection: connection
            .map(|(key, value)| (key.clone(), decode(value)))
            .collect(),
    })
}

/// An object as functions see it: without `managedFields`, which are half of it and say nothing to them.
pub(crate) fn to_object(object: &Value) -> Result<Object, String> {
    let mut object = object.clone();
    meta::object_mut(&mut object, &["metadata"]).remove("managedFields");
    Object::from_json(object).map_err(|error| error.to_string())
}

/// Bytes from base64; nothing when it is none, which the API server does not let happen.
pub(crate) fn decode(text: &str) -> Bytes {
    BASE64_STANDARD.decode(text).unwrap_or_default().into()
}

fn take(told: &mut Told, outcome: &pipeline::Outcome) {
    for event in &outcome.events {
        let new = match event.severity {
            pipeline::Severity::Normal => Event::normal,
            pipeline::Severity::Warning => Event::warning,
        };
        told.events.push(StepEvent {
            event: new(&event.reason, event.message.clone()),
            step: event.step.clone(),
            for_claim: event.target == Target::CompositeAndClaim,
        });
    }
    for custom in &outcome.conditions {
        let status = match custom.status {
            pipeline::Status::True => conditions::Status::True,
            pipeline::Status::False => conditions::Status::False,
            pipeline::Status::Unknown => conditions::Status::Unknown,
        };
        let condition = conditions::Condition::new(&custom.kind, status, &custom.reason)
            .message(custom.message.clone().unwrap_or_default());
        told.conditions.push(Custom {
            condition,
            for_claim: custom.target == Target::CompositeAndClaim,
        });
    }
}
