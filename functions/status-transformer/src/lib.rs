//! What do the conditions of composed resources mean for whoever asked for the composite?
//!
//! Input-compatible with function-status-transformer 0.5.1 (`function-status-transformer.fn.crossplane.io/v1beta1`, kind
//! `StatusTransformation`): a hook whose matchers all match sets conditions and creates events; groups of message patterns
//! fill the templates of their messages. Nothing is ever FATAL: the condition `StatusTransformationSuccess` says how it went.
//!
//! What differs: resources are looked at in the order of their names, where the original's order was random; a failure names
//! the place in the input.

mod input;
mod matching;
mod message;

use std::collections::BTreeSet;
use std::sync::Arc;

use purlin_function::{
    Condition, Diagnostic, Diagnostics, Function, Hosted, RequestView as _, Response,
    RunFunctionRequest, RunFunctionResponse, Severity, Status, Target, condition,
};
use purlin_object::Object;

use input::{CreateEvent, Hook, Input, SetCondition};
use matching::{Groups, Resources};

/// The condition that says how it went.
const SUCCESS: &str = "StatusTransformationSuccess";

/// The function, under the name Compositions know it by.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-status-transformer",
        api_version: "function-status-transformer.fn.crossplane.io/v1beta1",
        kind: "StatusTransformation",
        function: purlin_function::repeating(Arc::new(StatusTransformer)),
    }
}

struct StatusTransformer;

impl Function for StatusTransformer {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        let mut response = Response::to(request);
        let input = request
            .input()
            .map(purlin_function::input::decode::<Input>)
            .transpose();
        let done = match input {
            Ok(input) => hooks(&input.unwrap_or_default(), request, &mut response),
            Err(mistakes) => {
                let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
                fail(&mut response, "InputFailure", all.join("; "));
                false
            }
        };
        if done {
            response.condition(condition(SUCCESS, Status::ConditionTrue, "Available"));
        }
        response.build()
    }

    fn check(&self, input: &Object) -> Diagnostics {
        match purlin_function::input::decode::<Input>(input) {
            Ok(input) => check(&input),
            Err(mistakes) => mistakes,
        }
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(purlin_function::input::schema_of::<Input>())
    }
}

fn fail(response: &mut Response, reason: &str, message: String) {
    response.condition(Condition {
        message: Some(message),
        ..condition(SUCCESS, Status::ConditionFalse, reason)
    });
}

/// Runs the hooks, and says whether nothing failed.
fn hooks(input: &Input, request: &RunFunctionRequest, response: &mut Response) -> bool {
    let mut done = true;
    let mut taken = BTreeSet::new();
    let mut extra = None;
    for (index, hook) in input.status_condition_hooks.iter().enumerate() {
        let mut captured = Groups::new();
        let mut matched = !hook.matchers.is_empty();
        for (at, matcher) in hook.matchers.iter().enumerate() {
            if matcher.include_extra_resources && extra.is_none() {
                match matching::extra(request) {
                    Ok(found) => extra = Some(found),
                    Err(why) => {
                        fail(response, "InputFailure", why);
                        return false;
                    }
                }
            }
            let none = Resources::new();
            match matching::matches(matcher, request, extra.as_ref().unwrap_or(&none)) {
                Ok(Some(groups)) => captured.extend(groups),
                Ok(None) => matched = false,
                Err(why) => {
                    let place = format!("statusConditionHooks[{index}].matchers[{at}]");
                    fail(response, "MatchFailure", format!("{place}.{why}"));
                    (matched, done) = (false, false);
                }
            }
            if !matched {
                break;
            }
        }
        if matched {
            let place = format!("statusConditionHooks[{index}]");
            done &= apply(hook, &place, &captured, &mut taken, response);
        }
    }
    done
}

/// Sets the conditions and creates the events of a hook that matched.
fn apply<'i>(
    hook: &'i Hook,
    place: &str,
    captured: &Groups,
    taken: &mut BTreeSet<&'i str>,
    response: &mut Response,
) -> bool {
    let mut done = true;
    for (at, setter) in hook.set_conditions.iter().enumerate() {
        let kind = setter.condition.r#type.as_str();
        if taken.contains(kind) && !setter.force {
            continue;
        }
        match made(setter, captured) {
            Ok(condition) => {
                response.condition(condition);
                taken.insert(kind);
            }
            Err(why) => {
                let why = format!("{place}.setConditions[{at}].condition.message: {why}");
                fail(response, "SetConditionFailure", why);
                done = false;
            }
        }
    }
    for (at, event) in hook.create_events.iter().enumerate() {
        if let Err(why) = create(event, captured, response) {
            let why = format!("{place}.createEvents[{at}].event.{why}");
            fail(response, "SetConditionFailure", why);
            done = false;
        }
    }
    done
}

fn made(setter: &SetCondition, captured: &Groups) -> Result<Condition, String> {
    let wanted = &setter.condition;
    let status = match wanted.status.as_str() {
        "True" => Status::ConditionTrue,
        "False" => Status::ConditionFalse,
        _ => Status::ConditionUnknown,
    };
    let message = wanted.message.as_deref();
    Ok(Condition {
        message: message
            .map(|text| message::fill(text, captured))
            .transpose()?,
        target: Some(target(setter.target.as_deref()).into()),
        ..condition(&wanted.r#type, status, &wanted.reason)
    })
}

fn create(wanted: &CreateEvent, captured: &Groups, response: &mut Response) -> Result<(), String> {
    let severity = severity(wanted.event.r#type.as_deref())?;
    let message =
        message::fill(&wanted.event.message, captured).map_err(|why| format!("message: {why}"))?;
    response.result(severity, message);
    response.target(target(wanted.target.as_deref()));
    if let Some(reason) = &wanted.event.reason {
        response.reason(reason);
    }
    Ok(())
}

fn severity(kind: Option<&str>) -> Result<Severity, String> {
    match kind {
        None | Some("Normal") => Ok(Severity::Normal),
        Some("Warning") => Ok(Severity::Warning),
        Some(other) => Err(format!("type: {other:?} is neither Normal nor Warning")),
    }
}

fn target(word: Option<&str>) -> Target {
    match word {
        Some("CompositeAndClaim") => Target::CompositeAndClaim,
        _ => Target::Composite,
    }
}

/// Patterns that are none, and types of events that do not exist.
fn check(input: &Input) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut wrong = |code, path: String, why: String| {
        found.push(Diagnostic::error(code, why).path(path));
    };
    for (index, hook) in input.status_condition_hooks.iter().enumerate() {
        let hook_path = format!("statusConditionHooks[{index}]");
        for (at, matcher) in hook.matchers.iter().enumerate() {
            let path = format!("{hook_path}.matchers[{at}]");
            for (at, resource) in matcher.resources.iter().enumerate() {
                if let Err(why) = matching::pattern(&resource.name) {
                    wrong(
                        "function/pattern",
                        format!("{path}.resources[{at}].name"),
                        why,
                    );
                }
            }
            for (at, condition) in matcher.conditions.iter().enumerate() {
                let pattern = condition.message.as_deref().map(matching::pattern);
                if let Some(Err(why)) = pattern {
                    wrong(
                        "function/pattern",
                        format!("{path}.conditions[{at}].message"),
                        why,
                    );
                }
            }
        }
        for (at, event) in hook.create_events.iter().enumerate() {
            if let Err(why) = severity(event.event.r#type.as_deref()) {
                let why = why.trim_start_matches("type: ").to_owned();
                wrong(
                    "function/word",
                    format!("{hook_path}.createEvents[{at}].event.type"),
                    why,
                );
            }
        }
    }
    found
}
