//! Is one call of a pipeline what its steps would give one after the other?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use function_pipeline::hosted;
use purlin_function::{
    Hosted, RequestView as _, Resource, Resources, Response, RunFunctionRequest,
    RunFunctionResponse, Selector, Severity, Status, condition,
};
use purlin_object::Object;
use serde_json::{Value, json};

fn function(
    name: &'static str,
    kind: &'static str,
    run: fn(&RunFunctionRequest) -> RunFunctionResponse,
) -> Hosted {
    Hosted {
        name,
        api_version: "test.fn/v1",
        kind,
        function: Arc::new(run),
    }
}

/// Adds a resource named by its input, which says what it saw.
fn adds(request: &RunFunctionRequest) -> RunFunctionResponse {
    let name = request.input().unwrap().get("name").unwrap();
    let name = name.as_str().unwrap();
    let seen: Vec<String> = request.desired_resources().keys().cloned().collect();
    let mut response = Response::to(request);
    let object = Object::from_json(json!({
        "seen": seen.join(" "),
        "context": request.context("last").map(purlin_object::ValueRef::to_json),
    }));
    response.set_desired(name, object.unwrap(), purlin_function::Ready::True);
    response.set_context("last", name);
    response.normal(format!("added {name}"));
    response.condition(condition(name, Status::ConditionTrue, "Added"));
    let ttl = Duration::from_secs(if name == "b" { 10 } else { 30 });
    response.ttl(ttl).build()
}

fn fails(request: &RunFunctionRequest) -> RunFunctionResponse {
    Response::to(request)
        .warning("look")
        .fatal("broken")
        .build()
}

/// Asks for an object, and desires it under its own name when it is found.
fn asks(request: &RunFunctionRequest) -> RunFunctionResponse {
    let mut response = Response::to(request);
    response.require("it", Selector::default());
    match request.required_resources("it") {
        None => {}
        Some([]) => {
            response.normal("nothing there");
        }
        Some(found) => {
            let object = found[0].resource.clone().unwrap();
            response.set_desired("found", object, purlin_function::Ready::True);
        }
    }
    response.build()
}

fn pipeline() -> Hosted {
    hosted([
        function("function-adds", "Adds", adds),
        function("function-fails", "Fails", fails),
        function("function-asks", "Asks", asks),
        function_patch_and_transform::hosted(),
        function_auto_ready::hosted(),
    ])
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a case is written where it is used"
)]
fn request(steps: Value) -> RunFunctionRequest {
    let input = json!({"apiVersion": "pipeline.fn.purlin.dev/v1alpha1", "kind": "Pipeline", "steps": steps});
    let mut request = RunFunctionRequest {
        input: Some(Object::from_json(input).unwrap()),
        ..RunFunctionRequest::default()
    };
    "a-tag".clone_into(&mut request.meta.get_or_insert_default().tag);
    request
}

fn run(request: &RunFunctionRequest) -> RunFunctionResponse {
    pipeline().function.run(request)
}

fn add(step: &str, name: &str) -> Value {
    json!({"step": step, "input": {"apiVersion": "test.fn/v1", "kind": "Adds", "name": name}})
}

fn messages(response: &RunFunctionResponse) -> Vec<&str> {
    let results = response.results.iter();
    results.map(|result| result.message.as_str()).collect()
}

#[test]
fn steps_see_what_those_before_them_did_and_everything_accumulates() {
    let response = run(&request(json!([
        add("1", "a"),
        add("2", "b"),
        add("3", "c")
    ])));
    assert_eq!(
        messages(&response),
        ["step 1: added a", "step 2: added b", "step 3: added c"]
    );
    let kinds: Vec<&str> = response
        .conditions
        .iter()
        .map(|it| it.r#type.as_str())
        .collect();
    assert_eq!(kinds, ["a", "b", "c"]);
    let meta = response.meta.unwrap();
    assert_eq!(
        (meta.tag.as_str(), meta.ttl.unwrap().seconds),
        ("a-tag", 10)
    );
    let seen: BTreeMap<String, Value> = (response.desired.unwrap().resources.into_iter())
        .map(|(name, it)| (name, it.resource.unwrap().to_json()))
        .collect();
    assert_eq!(
        json!(seen),
        json!({
            "a": {"seen": "", "context": null},
            "b": {"seen": "a", "context": "a"},
            "c": {"seen": "a b", "context": "b"}
        })
    );
    assert_eq!(response.context.unwrap().to_json(), json!({"last": "c"}));
}

#[test]
fn a_fatal_result_ends_the_run_and_nothing_is_changed() {
    let mut request = request(json!([
        add("1", "a"),
        {"step": "2", "functionRef": {"name": "function-fails"}},
        add("3", "c")
    ]));
    request.context = Some(Object::from_iter([("mine", 1)]));
    request.desired.get_or_insert_default();
    let response = run(&request);
    assert_eq!(
        messages(&response),
        ["step 1: added a", "step 2: look", "step 2: broken"]
    );
    assert_eq!(response.results[2].severity(), Severity::Fatal);
    assert_eq!(response.desired, request.desired);
    assert_eq!(response.context, request.context);
}

#[test]
fn steps_ask_under_their_own_names_and_those_after_them_wait() {
    let ask = |step| json!({"step": step, "input": {"apiVersion": "test.fn/v1", "kind": "Asks"}});
    let mut request = request(json!([ask("1"), ask("2"), add("3", "c")]));
    let asked = |response: &RunFunctionResponse| -> Vec<String> {
        let requirements = response.requirements.as_ref().unwrap();
        requirements.resources.keys().cloned().collect()
    };
    let first = run(&request);
    assert_eq!(asked(&first), ["1/it"]);
    assert!(first.desired.is_none());
    let found = Resources {
        items: vec![Resource {
            resource: Some(Object::from_iter([("is", "there")])),
            ..Resource::default()
        }],
    };
    request.required_resources.insert("1/it".to_owned(), found);
    let second = run(&request);
    assert_eq!(asked(&second), ["1/it", "2/it"]);
    request
        .required_resources
        .insert("2/it".to_owned(), Resources::default());
    let third = run(&request);
    assert_eq!(asked(&third), ["1/it", "2/it"]);
    assert_eq!(
        messages(&third),
        ["step 2: nothing there", "step 3: added c"]
    );
    let desired = third.desired.unwrap().resources;
    assert_eq!(desired.keys().collect::<Vec<_>>(), ["c", "found"]);
}

#[test]
fn what_the_composition_itself_asked_for_is_seen_by_every_step() {
    let mut request = request(json!([
        {"step": "1", "input": {"apiVersion": "test.fn/v1", "kind": "Asks"}}
    ]));
    request
        .required_resources
        .insert("it".to_owned(), Resources::default());
    assert_eq!(messages(&run(&request)), ["step 1: nothing there"]);
}

#[test]
fn every_mistake_of_an_input_is_told_with_its_place() {
    let steps = json!([
        {"step": "a/b", "functionRef": {"name": "function-adds"}},
        {"step": "x", "functionRef": {"name": "function-ads"}},
        {"step": "x", "input": {"kind": "None"}},
        {"step": "y", "functionRef": {"name": "function-patch-and-transform"}, "input": {"resources": [{"name": ""}]}}
    ]);
    let request = request(steps);
    let response = run(&request);
    let [message] = messages(&response)[..] else {
        panic!("{response:?}");
    };
    for part in [
        "steps[0].step: a/b has a `/`",
        "steps[1].functionRef.name: no function here is named function-ads; did you mean function-adds?",
        "steps[2].step: there is a step named x before",
        "steps[2].input: the input does not say its apiVersion and kind",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let good = json!([
        {"step": "y", "functionRef": {"name": "function-patch-and-transform"}, "input": {"resources": [{"name": ""}]}}
    ]);
    let found = pipeline()
        .function
        .check(self::request(good).input().unwrap());
    let paths: Vec<&str> = found.iter().filter_map(|it| it.path.as_deref()).collect();
    assert!(
        paths
            .iter()
            .any(|path| path.starts_with("steps[0].input.resources[0]")),
        "{paths:?}"
    );
    assert!(
        run(&self::request(json!([]))).results[0]
            .message
            .contains("0 steps")
    );
}

/// The classic pipeline: patch-and-transform, then auto-ready, against the two run one after the other.
#[test]
fn the_classic_pipeline_gives_what_its_steps_give() {
    let patch = json!({
        "apiVersion": "pt.fn.crossplane.io/v1beta1", "kind": "Resources",
        "resources": [{
            "name": "bucket",
            "base": {"apiVersion": "s3/v1", "kind": "Bucket", "spec": {"region": "x"}},
            "readinessChecks": [{"type": "None"}],
            "patches": [{"type": "FromCompositeFieldPath", "fromFieldPath": "spec.region", "toFieldPath": "spec.region"}]
        }, {
            "name": "other",
            "base": {"apiVersion": "s3/v1", "kind": "Other"},
            "readinessChecks": [{"type": "NonEmpty", "fieldPath": "status.never"}]
        }]
    });
    let ready =
        json!({"apiVersion": "autoready.fn.crossplane.io/v1beta1", "kind": "Input", "ttl": "5s"});
    let mut request = request(json!([
        {"step": "patch", "functionRef": {"name": "function-patch-and-transform"}, "input": patch},
        {"step": "ready", "functionRef": {"name": "function-auto-ready"}, "input": ready}
    ]));
    let observed = request.observed.get_or_insert_default();
    let object = |json| Resource {
        resource: Some(Object::from_json(json).unwrap()),
        ..Resource::default()
    };
    observed.composite = Some(object(json!({"kind": "X", "spec": {"region": "eu"}})));
    let conditions = json!([{"type": "Ready", "status": "True"}]);
    let other =
        json!({"apiVersion": "s3/v1", "kind": "Other", "status": {"conditions": conditions}});
    observed.resources.insert("other".to_owned(), object(other));
    let together = run(&request);

    let mut apart = request.clone();
    apart.input = Some(Object::from_json(patch).unwrap());
    let first = function_patch_and_transform::hosted().function.run(&apart);
    apart.input = Some(Object::from_json(ready).unwrap());
    apart.desired = first.desired;
    apart.context = first.context;
    let second = function_auto_ready::hosted().function.run(&apart);
    assert_eq!(together.desired, second.desired);
    assert_eq!(together.context, second.context);
    assert_eq!(together.meta, second.meta);
    assert!(together.results.is_empty() && second.results.is_empty());
    assert!(pipeline().function.is_short(&request));
    assert!(pipeline().function.repeats(&request));
}
