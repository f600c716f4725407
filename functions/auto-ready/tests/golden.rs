//! Does the function answer recorded requests as function-auto-ready 0.7.0 did?

use function_auto_ready::{AutoReady, Options};
use prost::Message as _;
use purlin_function::protojson::request_from_json;
use purlin_function::{Function as _, RunFunctionResponse, parse_duration};
use purlin_testkit::{Outcome, cases, check_known, difference};
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
                    .then(|| {
                        ttl_difference(&response, expect).or_else(|| difference(&response, expect))
                    })
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

fn ttl_difference(response: &RunFunctionResponse, expect: &Json) -> Option<String> {
    let got = response.meta.as_ref()?.ttl?.to_string();
    let expected = expect["ttl"].as_str()?;
    (got != expected).then(|| format!("ttl: got {got}, expected {expected}"))
}
