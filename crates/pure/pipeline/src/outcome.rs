//! What a pass comes to.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use purlin_object::Object;

use crate::step::Remembered;

/// Everything a pass says. With a [`failure`](Self::failure), the desired state is that of the steps before it and
/// must not be applied; events and conditions may be told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Why the pass did not reach its end.
    pub failure: Option<Failure>,
    /// The desired composite: only its status counts.
    pub composite: Object,
    /// The connection details of the composite.
    pub connection: BTreeMap<String, Bytes>,
    /// What the pipeline says about the composite's readiness, overruling that of its resources.
    pub ready: Option<bool>,
    /// The desired composed resources, by name. One that exists and is not here is to be deleted.
    pub resources: BTreeMap<String, DesiredResource>,
    /// What the functions told, in order.
    pub events: Vec<Event>,
    /// The conditions the functions set, in order; later ones of the same type win. Those that belong to the engine
    /// are among them and are to be left out.
    pub conditions: Vec<Condition>,
    /// After how long the pass should be made again.
    pub ttl: Option<Duration>,
    /// The pipeline's context at the end.
    pub context: Object,
    /// What each step asked for.
    pub requirements: Remembered,
    /// How many function calls were made.
    pub calls: usize,
}

/// A composed resource as the pipeline wants it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DesiredResource {
    /// The partial object.
    pub object: Object,
    /// Whether a function said that it is ready. Nothing said is not ready.
    pub ready: bool,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The composite.
    Composite,
    /// The composite and its claim.
    CompositeAndClaim,
}

/// How an event is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Things go as they should.
    Normal,
    /// Something needs attention.
    Warning,
}

/// Something a function told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// How it is meant.
    pub severity: Severity,
    /// One word; `ComposeResources` unless the function chose one.
    pub reason: String,
    /// The function's words.
    pub message: String,
    /// The step whose function said it.
    pub step: String,
    /// Who is told.
    pub target: Target,
}

impl Event {
    /// The words for the composite's event: they name the step. A claim's event has the bare message.
    pub fn composite_message(&self) -> String {
        format!("Pipeline step {:?}: {}", self.step, self.message)
    }
}

/// What a condition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody knows.
    Unknown,
}

/// A condition a function set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its type.
    pub kind: String,
    /// What it says.
    pub status: Status,
    /// One word: why.
    pub reason: String,
    /// A sentence for people.
    pub message: Option<String>,
    /// Who carries it.
    pub target: Target,
}

/// Why a pass did not reach its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A function said so.
    #[error("pipeline step {step:?} returned a fatal result: {message}")]
    Fatal {
        /// The step.
        step: String,
        /// The function's words.
        message: String,
    },
    /// A function could not be called.
    #[error("cannot run Composition pipeline step {step:?}: {message}")]
    Call {
        /// The step.
        step: String,
        /// What happened.
        message: String,
    },
    /// What a step needs could not be looked up.
    #[error("cannot fetch what pipeline step {step:?} requires: {message}")]
    Fetch {
        /// The step.
        step: String,
        /// What happened.
        message: String,
    },
    /// A function kept asking for something else.
    #[error(
        "cannot run Composition pipeline step {step:?}: requirements didn't stabilize after the maximum number of \
         iterations (5){}", .last.as_ref().map(|last| format!("; its last words were: {last}")).unwrap_or_default()
    )]
    Unstable {
        /// The step.
        step: String,
        /// What the function said last.
        last: Option<String>,
    },
    /// The driver answered a question that was not asked.
    #[error("pipeline step {step:?} was answered out of turn")]
    OutOfTurn {
        /// The step.
        step: String,
    },
}
