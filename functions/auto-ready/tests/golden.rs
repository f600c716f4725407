//! Does the function answer recorded requests as function-auto-ready 0.7.0 did?
#![allow(missing_docs, reason = "a test")]

use function_auto_ready::{AutoReady, Options};
use prost::Message as _;
use purlin_function::protojson::{request_from_json, response_to_json};
use purlin_function::{Function as _, RunFunctionResponse, Severity, parse_duration};
use purlin_object::Value;
use purlin_testkit::{Outcome, cases, check_known};
use serde_json::{Value as Json, json};

#[test]
fn recorded_requests_are_answered_alike() {
    let outcomes: Vec<Outcome> = cases("fn/auto-ready.jsonl")
        .into_iter()
        .map(|case| {
            let request = request_from_json(case["request"].clone()).expect("a request");
            let response = AutoReady::new(options(&case)).run(&request);
            let wire = response.encode_to_vec();
            let response = RunFunctionResponse::decode(wire.as_slice()).expect("a response");
            let expect = &case["expect"];
            Outcome {
                name: case["name"].as_str().expect("a name").to_owned(),
                // Where upstream crashed, any answer is right.
                failure: (expect["crash"] != json!(true))
                    .then(|| difference(&response, expect))
                    .flatten(),
            }
        })
        .collect();
    check_known("auto-ready", "fn/auto-ready.known.txt", &outcomes);
}

/// The command line the case was recorded with.
fn options(case: &Json) -> Options {
    let flags: Vec<&str> = case["flags"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let after = |name: &str| {
        let at = flags.iter().position(|flag| *flag == name)?;
        flags.get(at + 1).copied()
    };
    Options {
        cel: after("--feature-gates") == Some("CELHealthcheckCustomizations=true"),
        ttl: after("--ttl").and_then(parse_duration),
    }
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
    if expect
        .get("ttl")
        .is_some_and(|ttl| *ttl != got["meta"]["ttl"])
    {
        return Some(format!(
            "{} expected, got {}",
            expect["ttl"], got["meta"]["ttl"]
        ));
    }
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
