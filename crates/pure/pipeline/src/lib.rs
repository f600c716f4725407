//! What does a pass need next?
//!
//! One composition pass is a value: [`Run::start`] gives the first [`Step`], [`Run::resume`] takes the [`Answer`] to it
//! and gives the next, until [`Step::Done`] carries the [`Outcome`]. Whoever can call a function and look up objects
//! can drive it: the engine against a cluster, `render` against files, a test against a script. So they cannot
//! disagree about what a pipeline means (spec/engine.md 3.4 to 3.6).
//!
//! ```text
//! let (mut run, mut step) = Run::start(Pass { steps, observed, context, remembered });
//! let outcome = loop {
//!     let answer = match step {
//!         Step::Call(call) => Answer::Called(runner.run(&call.function, call.request).await),
//!         Step::Fetch(fetch) => Answer::Fetched(look_up(&fetch).await),
//!         Step::Done(outcome) => break outcome,
//!     };
//!     step = run.resume(answer);
//! };
//! ```
//!
//! Nothing here is written anywhere: turning the desired state into objects to apply is `lifecycle::composed`. When
//! `outcome.failure` is set, nothing may be applied or deleted; what was gathered until then may be told. Knows no
//! cluster, no clock and no transport.

mod accept;
mod outcome;
mod request;
mod run;
mod step;
#[cfg(test)]
mod tests;

pub use outcome::{Condition, DesiredResource, Event, Failure, Outcome, Severity, Status, Target};
pub use request::{CAPABILITIES, tag};
pub use run::{MAX_CALLS, Pass, Run};
pub use step::{
    Answer, Call, Fetch, Fetched, Observed, ObservedResource, Remembered, SchemaOf, SecretOf, Step,
};

pub use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};
