//! Drives the pass: calls the functions, answers look-ups from the files.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use purlin_diag::Diagnostics;
use purlin_function::{Functions, RunFunctionResponse};
use purlin_object::Object;
use purlin_pipeline::{Answer, Call, Observed, ObservedResource, Outcome, Pass, Run, Step};
use purlin_runner::{Grpc, GrpcOptions, InProcess, Plaintext, Runner as _};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::composite::as_observed;
use crate::documents::{Show, composed, deleted, documents, held_references, held_status};
use crate::fatal::placed;
use crate::functions::{Route, route};
use crate::inputs::Inputs;

/// What a run gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The documents to print, in order.
    pub documents: Vec<Value>,
    /// The observed resources that the engine would delete.
    pub deleted: Vec<String>,
    /// What the pass came to.
    pub outcome: Outcome,
    /// What the functions would change in their inputs.
    pub found: Diagnostics,
}

/// Why there is nothing to print.
#[derive(Debug, Clone, PartialEq)]
pub enum Failed {
    /// The files are wrong.
    Inputs(Diagnostics),
    /// The pipeline did not reach its end, or what it wants cannot be applied. Everything that is wrong, and what the
    /// functions told before.
    Pass {
        /// What is wrong.
        problems: Vec<String>,
        /// Warnings and notes of the functions.
        told: Vec<String>,
        /// What is wrong, with the places in the Composition's file, when it has some.
        placed: Diagnostics,
    },
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inputs(found) => write!(f, "{} problems in the files", found.len()),
            Self::Pass { problems, .. } => f.write_str(&problems.join("; ")),
        }
    }
}

/// Renders a composite, in `timeout` at most.
///
/// # Errors
/// When a function is missing, fails or does not answer, or wants what cannot be applied.
pub async fn render(
    inputs: &Inputs,
    hosted: &Arc<Functions>,
    timeout: Duration,
    show: Show,
) -> Result<Rendered, Failed> {
    let (routes, found) = route(inputs, hosted);
    if found.has_errors() {
        return Err(Failed::Inputs(found));
    }
    let pass = pass(inputs).map_err(|problem| Failed::Pass {
        problems: vec![problem],
        told: Vec::new(),
        placed: Diagnostics::new(),
    })?;
    let caller = Caller::new(inputs, &routes, hosted, timeout);
    let outcome = caller.drive(inputs, pass).await;
    let rendered = match &outcome.failure {
        Some(failure) => Err(vec![failure.to_string()]),
        None => composed(inputs, &outcome),
    };
    let failure = outcome.failure.as_ref();
    let rendered = rendered.map_err(|problems| Failed::Pass {
        problems,
        placed: failure
            .map(|failure| placed(inputs, &routes, failure))
            .unwrap_or_default(),
        told: outcome
            .events
            .iter()
            .map(|event| format!("{}: {}", event.reason, event.composite_message()))
            .collect(),
    })?;
    Ok(Rendered {
        documents: documents(inputs, &outcome, &rendered, show),
        deleted: deleted(inputs, &outcome),
        outcome,
        found,
    })
}

/// The pass as the engine would start it.
fn pass(inputs: &Inputs) -> Result<Pass, String> {
    let composite = as_observed(
        &inputs.composite,
        &inputs.xrd,
        &inputs.composition.name,
        held_references(inputs),
        held_status(&inputs.composite),
    );
    let composite = Object::from_json(composite)
        .map_err(|error| format!("the composite cannot be sent to a function: {error}"))?;
    let observed = inputs.observed.iter().map(|(name, composed)| {
        let resource = ObservedResource {
            object: composed.object.clone(),
            connection: composed.connection.clone(),
        };
        (name.clone(), resource)
    });
    Ok(Pass {
        steps: inputs.composition.pipeline.clone().into(),
        observed: Observed {
            composite: ObservedResource {
                object: composite,
                connection: BTreeMap::new(),
            },
            resources: observed.collect(),
        },
        context: inputs.context.clone(),
        remembered: BTreeMap::new(),
    })
}

struct Caller<'a> {
    routes: &'a BTreeMap<String, Route>,
    here: InProcess,
    remote: Grpc,
    deadline: Instant,
    timeout: Duration,
}

impl<'a> Caller<'a> {
    fn new(
        inputs: &Inputs,
        routes: &'a BTreeMap<String, Route>,
        hosted: &Arc<Functions>,
        timeout: Duration,
    ) -> Self {
        let remote = Grpc::new(GrpcOptions {
            // The person at the keyboard wrote the address into the Function.
            plaintext: Plaintext::Everywhere,
            timeout,
            ..GrpcOptions::default()
        });
        for step in &inputs.composition.pipeline {
            if let Some(Route::Remote(address)) = routes.get(&step.name) {
                remote.set_endpoint(&step.function, address);
            }
        }
        Self {
            routes,
            here: InProcess::new(Arc::clone(hosted)).with_timeout(timeout),
            remote,
            deadline: Instant::now() + timeout,
            timeout,
        }
    }

    async fn drive(&self, inputs: &Inputs, pass: Pass) -> Outcome {
        let (mut run, mut step) = Run::start(pass);
        loop {
            let answer = match step {
                Step::Call(call) => Answer::Called(self.call(*call).await),
                Step::Fetch(fetch) => Answer::Fetched(Ok(crate::lookup::look_up(&fetch, inputs))),
                Step::Done(outcome) => return *outcome,
            };
            step = run.resume(answer);
        }
    }

    async fn call(&self, call: Call) -> Result<RunFunctionResponse, String> {
        let Call {
            step,
            function,
            request,
        } = call;
        let answer = async {
            match self.routes.get(&step) {
                Some(Route::Hosted(hosted)) => self.here.run(hosted.name, request).await,
                Some(Route::Remote(_)) | None => self.remote.run(&function, request).await,
            }
        };
        let Ok(answer) = timeout_at(self.deadline, answer).await else {
            return Err(format!(
                "the function {function:?} did not answer in time: the whole run may take {:?} (see --timeout)",
                self.timeout
            ));
        };
        answer.map_err(|error| with_causes(&error))
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}
