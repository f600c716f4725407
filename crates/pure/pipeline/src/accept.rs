//! What does a response change? (spec/engine.md 3.6, item 7)

use std::time::Duration;

use purlin_proto::v1::{self, RunFunctionResponse};

use crate::outcome::{Condition, DesiredResource, Event, Failure, Severity, Status, Target};
use crate::run::Run;
use crate::step::Step;

/// The reason of events whose function chose none.
const REASON: &str = "ComposeResources";

/// Whether a response says that the pass must stop.
pub(crate) fn is_fatal(response: &RunFunctionResponse) -> bool {
    let mut severities = response.results.iter().map(v1::Result::severity);
    severities.any(|severity| severity == v1::Severity::Fatal)
}

/// The last thing a function said.
pub(crate) fn last_words(response: &RunFunctionResponse) -> Option<String> {
    response.results.last().map(|result| result.message.clone())
}

impl Run {
    /// Takes over desired state, context, conditions and results.
    pub(crate) fn fold(
        &mut self,
        step: &str,
        response: RunFunctionResponse,
    ) -> Result<(), Failure> {
        let ttl = response
            .meta
            .and_then(|meta| meta.ttl)
            .and_then(|ttl| Duration::try_from(ttl).ok())
            .filter(|ttl| !ttl.is_zero());
        self.outcome.ttl = match (self.outcome.ttl, ttl) {
            (Some(held), Some(new)) => Some(held.min(new)),
            (held, new) => held.or(new),
        };
        self.outcome
            .conditions
            .extend(response.conditions.into_iter().map(condition));
        for result in response.results {
            if result.severity() == v1::Severity::Fatal {
                return Err(Failure::Fatal {
                    step: step.to_owned(),
                    message: result.message,
                });
            }
            self.outcome.events.push(event(step, result));
        }
        self.desired = response.desired.unwrap_or_default();
        self.context = response.context;
        Ok(())
    }

    /// Ends the pass.
    pub(crate) fn finish(&mut self) -> Step {
        let mut outcome = std::mem::take(&mut self.outcome);
        let desired = std::mem::take(&mut self.desired);
        let composite = desired.composite.unwrap_or_default();
        outcome.ready = match composite.ready() {
            v1::Ready::True => Some(true),
            v1::Ready::False => Some(false),
            v1::Ready::Unspecified => None,
        };
        outcome.composite = composite.resource.unwrap_or_default();
        outcome.connection = composite.connection_details;
        outcome.resources = desired
            .resources
            .into_iter()
            .map(|(name, wire)| {
                let ready = wire.ready() == v1::Ready::True;
                let object = wire.resource.unwrap_or_default();
                (name, DesiredResource { object, ready })
            })
            .collect();
        outcome.context = self.context.take().unwrap_or_default();
        Step::Done(Box::new(outcome))
    }
}

fn target(wire: v1::Target) -> Target {
    match wire {
        v1::Target::CompositeAndClaim => Target::CompositeAndClaim,
        v1::Target::Composite | v1::Target::Unspecified => Target::Composite,
    }
}

fn event(step: &str, result: v1::Result) -> Event {
    let known = match result.severity() {
        v1::Severity::Normal => Some(Severity::Normal),
        v1::Severity::Warning | v1::Severity::Fatal => Some(Severity::Warning),
        v1::Severity::Unspecified => None,
    };
    let target = target(result.target());
    let reason = result.reason.filter(|reason| !reason.is_empty());
    Event {
        severity: known.unwrap_or(Severity::Warning),
        reason: reason.unwrap_or_else(|| REASON.to_owned()),
        message: match known {
            Some(_) => result.message,
            None => format!(
                "{} (the function gave this result no severity; it should say normal, warning or fatal)",
                result.message
            ),
        },
        step: step.to_owned(),
        target: if known.is_some() {
            target
        } else {
            Target::Composite
        },
    }
}

fn condition(wire: v1::Condition) -> Condition {
    Condition {
        status: match wire.status() {
            v1::Status::ConditionTrue => Status::True,
            v1::Status::ConditionFalse => Status::False,
            v1::Status::ConditionUnknown | v1::Status::ConditionUnspecified => Status::Unknown,
        },
        target: target(wire.target()),
        kind: wire.r#type,
        reason: wire.reason,
        message: wire.message,
    }
}
