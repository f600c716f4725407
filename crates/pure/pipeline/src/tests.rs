//! Passes driven by scripted functions.

use std::collections::BTreeMap;
use std::time::Duration;

use purlin_composition::{Credential, Matching, RequiredResource, Selector, Step as PlanStep};
use purlin_object::Object;
use purlin_proto::v1;
use serde_json::json;

use crate::{
    Answer, Call, Failure, Fetch, Fetched, Observed, ObservedResource, Outcome, Pass, Run,
    RunFunctionResponse, Severity, Status, Step, Target,
};

fn object(value: serde_json::Value) -> Object {
    Object::from_json(value).expect("an object")
}

fn plan(names: &[&str]) -> Vec<PlanStep> {
    names
        .iter()
        .map(|name| PlanStep {
            name: (*name).to_owned(),
            function: format!("function-{name}"),
            ..PlanStep::default()
        })
        .collect()
}

fn pass(steps: Vec<PlanStep>) -> Pass {
    Pass {
        steps: steps.into(),
        observed: Observed {
            composite: ObservedResource {
                object: object(json!({"kind": "XR"})),
                ..ObservedResource::default()
            },
            resources: BTreeMap::new(),
        },
        ..Pass::default()
    }
}

/// Drives a pass: `call` answers for the functions, and every look-up finds one object named like its selector.
fn drive(
    pass: Pass,
    mut call: impl FnMut(&Call, usize) -> Result<RunFunctionResponse, String>,
) -> (Outcome, Vec<Fetch>) {
    let (mut run, mut step) = Run::start(pass);
    let mut fetches = Vec::new();
    let mut calls = 0;
    loop {
        let answer = match step {
            Step::Call(asked) => {
                calls += 1;
                Answer::Called(call(&asked, calls))
            }
            Step::Fetch(fetch) => {
                let found = find(&fetch);
                fetches.push(fetch);
                Answer::Fetched(Ok(found))
            }
            Step::Done(outcome) => return (*outcome, fetches),
        };
        step = run.resume(answer);
    }
}

fn find(fetch: &Fetch) -> Fetched {
    let named = |selectors: &BTreeMap<String, Selector>| {
        let matching = selectors
            .iter()
            .filter_map(|(key, selector)| match &selector.matching {
                Matching::Name(name) if name != "missing" => {
                    Some((key.clone(), vec![object(json!({"name": name}))]))
                }
                Matching::Name(_) | Matching::All | Matching::Labels(_) => None,
            });
        matching.collect()
    };
    Fetched {
        resources: named(&fetch.resources),
        extra_resources: named(&fetch.extra_resources),
        schemas: BTreeMap::new(),
        secrets: fetch
            .secrets
            .iter()
            .filter(|(_, secret)| secret.name != "missing")
            .map(|(name, _)| (name.clone(), BTreeMap::from([("k".to_owned(), "v".into())])))
            .collect(),
    }
}

/// A response that passes on what came in.
fn echo(call: &Call) -> RunFunctionResponse {
    RunFunctionResponse {
        desired: call.request.desired.clone(),
        context: call.request.context.clone(),
        ..RunFunctionResponse::default()
    }
}

fn asking(call: &Call, name: &str) -> RunFunctionResponse {
    let selector = v1::ResourceSelector {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        r#match: Some(v1::resource_selector::Match::MatchName(name.into())),
        ..v1::ResourceSelector::default()
    };
    let resources = BTreeMap::from([("need".to_owned(), selector)]);
    RunFunctionResponse {
        requirements: Some(v1::Requirements {
            resources,
            ..v1::Requirements::default()
        }),
        ..echo(call)
    }
}

fn saying(severity: v1::Severity, message: &str) -> v1::Result {
    v1::Result {
        severity: severity as i32,
        message: message.into(),
        ..v1::Result::default()
    }
}

#[test]
fn desired_state_and_context_go_from_step_to_step() {
    let (outcome, _) = drive(pass(plan(&["a", "b"])), |call, _| {
        let mut response = echo(call);
        let desired = response.desired.get_or_insert_default();
        let ready = if call.step == "a" {
            v1::Ready::True
        } else {
            v1::Ready::Unspecified
        };
        desired.resources.insert(
            call.step.clone(),
            v1::Resource {
                resource: Some(object(json!({"kind": call.function}))),
                ready: ready as i32,
                ..v1::Resource::default()
            },
        );
        desired.composite.get_or_insert_default().ready = v1::Ready::False as i32;
        response
            .context
            .get_or_insert_default()
            .insert(call.step.as_str(), true);
        response.meta = Some(v1::ResponseMeta {
            ttl: Some(prost_types::Duration {
                seconds: if call.step == "a" { 60 } else { 5 },
                nanos: 0,
            }),
            ..v1::ResponseMeta::default()
        });
        Ok(response)
    });
    assert_eq!(outcome.failure, None);
    assert!(outcome.resources["a"].ready && !outcome.resources["b"].ready);
    assert_eq!(outcome.ready, Some(false));
    assert_eq!(outcome.ttl, Some(Duration::from_secs(5)));
    assert_eq!(outcome.context.to_json(), json!({"a": true, "b": true}));
    assert_eq!(outcome.calls, 2);
}

#[test]
fn a_function_that_forgets_the_desired_state_drops_it() {
    let (outcome, _) = drive(pass(plan(&["a", "b"])), |call, _| {
        let mut response = RunFunctionResponse::default();
        if call.step == "a" {
            response
                .desired
                .get_or_insert_default()
                .resources
                .insert("x".into(), v1::Resource::default());
        }
        Ok(response)
    });
    assert!(outcome.resources.is_empty());
}

#[test]
fn a_fatal_result_stops_the_pass_and_keeps_what_was_told() {
    let (outcome, _) = drive(pass(plan(&["a", "b"])), |call, _| {
        let mut response = echo(call);
        response.results = vec![
            saying(v1::Severity::Warning, "hm"),
            saying(v1::Severity::Fatal, "no"),
        ];
        response.conditions = vec![v1::Condition {
            r#type: "Db".into(),
            status: v1::Status::ConditionFalse as i32,
            reason: "R".into(),
            target: Some(v1::Target::CompositeAndClaim as i32),
            ..v1::Condition::default()
        }];
        Ok(response)
    });
    let failure = outcome.failure.expect("it failed");
    assert_eq!(
        failure.to_string(),
        "pipeline step \"a\" returned a fatal result: no"
    );
    assert_eq!(outcome.calls, 1);
    assert_eq!(outcome.events.len(), 1);
    assert_eq!(
        outcome.events[0].composite_message(),
        "Pipeline step \"a\": hm"
    );
    assert_eq!(outcome.events[0].reason, "ComposeResources");
    assert_eq!(outcome.conditions[0].status, Status::False);
    assert_eq!(outcome.conditions[0].target, Target::CompositeAndClaim);
}

#[test]
fn a_result_without_severity_is_a_warning_to_the_composite() {
    let (outcome, _) = drive(pass(plan(&["a"])), |call, _| {
        let mut result = saying(v1::Severity::Unspecified, "odd");
        result.target = Some(v1::Target::CompositeAndClaim as i32);
        Ok(RunFunctionResponse {
            results: vec![result],
            ..echo(call)
        })
    });
    assert_eq!(outcome.events[0].severity, Severity::Warning);
    assert_eq!(outcome.events[0].target, Target::Composite);
}

#[test]
fn a_function_that_cannot_be_called_ends_the_pass() {
    let (outcome, _) = drive(pass(plan(&["a"])), |_, _| Err("connection refused".into()));
    assert_eq!(
        outcome.failure.map(|f| f.to_string()).as_deref(),
        Some("cannot run Composition pipeline step \"a\": connection refused")
    );
}

#[test]
fn requirements_are_fetched_and_the_function_called_again() {
    let mut tags = Vec::new();
    let (outcome, fetches) = drive(pass(plan(&["a"])), |call, _| {
        tags.push(call.request.meta.clone().unwrap_or_default().tag);
        let mut response = asking(call, "one");
        let seen = call
            .request
            .required_resources
            .get("need")
            .map_or(0, |r| r.items.len());
        response
            .context
            .get_or_insert_default()
            .insert("seen", i64::try_from(seen).unwrap_or(0));
        Ok(response)
    });
    assert_eq!((outcome.calls, fetches.len()), (2, 1));
    assert_eq!(outcome.context.to_json(), json!({"seen": 1}));
    assert_eq!(tags[0], tags[1]);
    assert_eq!(tags[0].len(), 64);
    assert_eq!(outcome.requirements["a"], fetches[0]);
    // What was asked for is given at once in the next pass.
    let (again, fetches) = drive(
        Pass {
            remembered: outcome.requirements,
            ..pass(plan(&["a"]))
        },
        |call, _| Ok(asking(call, "one")),
    );
    assert_eq!((again.calls, fetches.len()), (1, 2));
}

#[test]
fn what_is_not_found_is_there_without_items() {
    let (outcome, _) = drive(pass(plan(&["a"])), |call, calls| {
        if calls == 2 {
            assert_eq!(
                call.request.required_resources["need"],
                v1::Resources::default()
            );
        }
        Ok(asking(call, "missing"))
    });
    assert_eq!((outcome.failure, outcome.calls), (None, 2));
}

#[test]
fn requirements_that_never_settle_are_given_up() {
    let (outcome, _) = drive(pass(plan(&["a"])), |call, calls| {
        let mut response = asking(call, &format!("n{calls}"));
        response.results = vec![saying(v1::Severity::Normal, "waiting for n")];
        Ok(response)
    });
    assert_eq!(outcome.calls, 6);
    let failure = outcome.failure.map(|f| f.to_string()).unwrap_or_default();
    assert!(
        failure.contains("didn't stabilize after the maximum number of iterations (5)"),
        "{failure}"
    );
    assert!(failure.contains("waiting for n"), "{failure}");
}

#[test]
fn declared_requirements_and_credentials_come_with_the_first_call() {
    let mut steps = plan(&["a"]);
    steps[0].credentials = vec![Credential {
        name: "c".into(),
        namespace: "n".into(),
        secret: "s".into(),
    }];
    steps[0].required_resources = vec![RequiredResource {
        name: "need".into(),
        selector: Selector {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: None,
            matching: Matching::Name("one".into()),
        },
    }];
    let (outcome, _) = drive(pass(steps.clone()), |call, _| {
        assert_eq!(call.request.required_resources["need"].items.len(), 1);
        assert!(call.request.credentials.contains_key("c"));
        // It asks for what it has: that takes no second call.
        Ok(asking(call, "one"))
    });
    assert_eq!(outcome.calls, 1);
    steps[0].credentials[0].secret = "missing".into();
    let (outcome, _) = drive(pass(steps), |_, _| Err("not called".into()));
    assert!(matches!(outcome.failure, Some(Failure::Fetch { .. })));
    assert_eq!(outcome.calls, 0);
}

#[test]
fn an_answer_out_of_turn_ends_the_pass() {
    let (mut run, _) = Run::start(pass(plan(&["a"])));
    let Step::Done(outcome) = run.resume(Answer::Fetched(Ok(Fetched::default()))) else {
        unreachable!("it was asked for a call");
    };
    assert!(matches!(outcome.failure, Some(Failure::OutOfTurn { .. })));
}

#[test]
fn a_pipeline_without_steps_is_done_at_once() {
    let (_, step) = Run::start(pass(Vec::new()));
    assert!(matches!(step, Step::Done(outcome) if outcome.failure.is_none()));
}
