//! Does a function answer recorded requests as the program it stands in for did?
//!
//! The format is that of `tests/golden/README.md`: one call, or several as an engine makes them.

use prost::Message as _;
use purlin_function::protojson::{request_from_json, response_to_json};
use purlin_function::{Function, RunFunctionRequest, RunFunctionResponse, Severity};
use purlin_object::Value;
use serde_json::{Value as Json, json};

use crate::{Outcome, cases, check_known};

/// Runs every case of `tests/golden/fn/<name>.jsonl` and compares the failures with `fn/<name>.known.txt`.
///
/// `leave` says of a case that another configuration of the function is meant (by its flags, say), so that it is not run.
pub fn check_recorded(name: &str, function: &dyn Function, leave: impl Fn(&Json) -> bool) {
    let outcomes: Vec<Outcome> = cases(&format!("fn/{name}.jsonl"))
        .into_iter()
        .filter(|case| !leave(case))
        .map(|case| Outcome {
            name: case["name"].as_str().expect("a case has a name").to_owned(),
            failure: run_case(function, &case),
        })
        .collect();
    check_known(name, &format!("fn/{name}.known.txt"), &outcomes);
}

fn run_case(function: &dyn Function, case: &Json) -> Option<String> {
    let single = json!([{"request": case["request"], "expect": case["expect"]}]);
    let calls = case.get("calls").unwrap_or(&single).as_array()?.clone();
    calls.iter().enumerate().find_map(|(number, call)| {
        let request = match request_from_json(call["request"].clone()) {
            Ok(request) => request,
            Err(error) => return Some(format!("call {number}: not a request: {error}")),
        };
        // Over the wire and back, so that numbers are doubles on both sides.
        let request = RunFunctionRequest::decode(request.encode_to_vec().as_slice())
            .expect("what was encoded decodes");
        let response = function.run(&request);
        let response = RunFunctionResponse::decode(response.encode_to_vec().as_slice())
            .expect("what was encoded decodes");
        difference(&response, &call["expect"]).map(|text| format!("call {number}: {text}"))
    })
}

/// What differs from the recorded answer, by the rules of the recording.
pub fn difference(response: &RunFunctionResponse, expect: &Json) -> Option<String> {
    let messages: Vec<&str> = response
        .results
        .iter()
        .map(|r| r.message.as_str())
        .collect();
    let mut severities: Vec<&str> = response
        .results
        .iter()
        .map(|result| word(result.severity()))
        .collect();
    severities.sort_unstable();
    let fatal = severities.contains(&"FATAL");
    // Where the recorded process died, any answer is better; where it refused the call, the answer is FATAL.
    if expect["crash"] == json!(true) {
        return None;
    }
    if !expect["rpcError"].is_null() {
        return (!fatal).then(|| {
            format!("the recorded program refused this: FATAL expected, got {messages:?}")
        });
    }
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
    if let Some(failure) = told(&got, expect) {
        return Some(failure);
    }
    ["desired", "context", "requirements"]
        .into_iter()
        .find_map(|member| {
            let (got, expect) = (value(&got[member]), value(&expect[member]));
            (got != expect).then(|| {
                format!(
                    "{member}\n got    {}\n expect {}\n {messages:?}",
                    got.to_json(),
                    expect.to_json()
                )
            })
        })
}

/// What differs in what is told of the composite: conditions and, where they are recorded, their messages and the events.
fn told(got: &Json, expect: &Json) -> Option<String> {
    let conditions: Vec<Json> = got["conditions"].as_array().cloned().unwrap_or_default();
    let differs = |what: &str, got: &Json, expect: &Json| {
        (!expect.is_null() && got != expect)
            .then(|| format!("{what}\n got    {got}\n expect {expect}"))
    };
    let bare = conditions.iter().map(|condition| {
        let members = condition.as_object().into_iter().flatten();
        let members = members.filter(|(name, value)| *name != "message" && **value != json!(""));
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Json>()
    });
    let messages = conditions
        .iter()
        .map(|condition| condition["message"].clone());
    differs("conditions", &bare.collect(), &expect["conditions"])
        .or_else(|| {
            differs(
                "messages",
                &messages.collect(),
                &expect["conditionMessages"],
            )
        })
        .or_else(|| differs("events", &got["results"], &expect["events"]))
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Fatal => "FATAL",
        Severity::Warning => "WARNING",
        Severity::Normal => "NORMAL",
        Severity::Unspecified => "UNSPECIFIED",
    }
}

fn value(json: &Json) -> Value {
    Value::from_json(json.clone())
}
