//! Does the function answer recorded requests as function-patch-and-transform 0.10.8 did?
#![allow(missing_docs, reason = "a test")]

use prost::Message as _;
use purlin_function::protojson::{request_from_json, response_to_json};
use purlin_function::{RunFunctionResponse, Severity};
use purlin_object::Value;
use purlin_testkit::{Outcome, cases, check_known};
use serde_json::{Value as Json, json};

#[test]
fn recorded_requests_are_answered_alike() {
    let function = function_patch_and_transform::hosted().function;
    let outcomes: Vec<Outcome> = cases("fn/patch-and-transform.jsonl")
        .into_iter()
        .map(|case| {
            let request = request_from_json(case["request"].clone()).expect("a request");
            let response = function.run(&request);
            let wire = response.encode_to_vec();
            let response = RunFunctionResponse::decode(wire.as_slice()).expect("a response");
            Outcome {
                name: case["name"].as_str().expect("a name").to_owned(),
                failure: difference(&response, &case["expect"]),
            }
        })
        .collect();
    check_known(
        "patch-and-transform",
        "fn/patch-and-transform.known.txt",
        &outcomes,
    );
}

/// What differs from the recorded answer, by the rules of the recording.
fn difference(response: &RunFunctionResponse, expect: &Json) -> Option<String> {
    let mut severities: Vec<&str> = response
        .results
        .iter()
        .map(|result| match result.severity() {
            Severity::Fatal => "FATAL",
            Severity::Warning => "WARNING",
            Severity::Normal => "NORMAL",
            Severity::Unspecified => "UNSPECIFIED",
        })
        .collect();
    severities.sort_unstable();
    let messages: Vec<&str> = response
        .results
        .iter()
        .map(|r| r.message.as_str())
        .collect();
    let fatal = severities.contains(&"FATAL");
    if fatal != (expect["fatal"] == json!(true)) {
        return Some(format!("fatal is {fatal}: {messages:?}"));
    }
    if fatal {
        return None;
    }
    if json!(severities) != expect["severities"] {
        return Some(format!(
            "{} expected, got {messages:?}",
            expect["severities"]
        ));
    }
    let got = response_to_json(response);
    for member in ["desired", "context", "requirements"] {
        let (got, expect) = (value(&got[member]), value(&expect[member]));
        if got != expect {
            return Some(format!(
                "{member}\n got    {}\n expect {}\n {messages:?}",
                got.to_json(),
                expect.to_json()
            ));
        }
    }
    None
}

fn value(json: &Json) -> Value {
    Value::from_json(json.clone())
}
