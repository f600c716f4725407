//! What does the function take that looks like a mistake?

use purlin_function::protojson::{request_from_json, response_to_json};
use serde_json::{Value, json};

fn answer(input: &Value) -> Value {
    let desired = json!({"resource": {"kind": "A"}, "connectionDetails": {"k": "dg=="}});
    let request = request_from_json(json!({
        "input": input, "desired": {"resources": {"a": desired, "a{,2}": {}}},
    }));
    let function = function_sequencer::hosted().function;
    response_to_json(&function.run(&request.expect("a request")))
}

#[test]
fn a_negative_time_to_live_is_passed_on() {
    let response = answer(&json!({"cacheTTL": "-3s"}));
    assert_eq!(response["meta"]["ttl"], "-3s");
}

#[test]
fn a_rule_that_is_null_is_one_without_a_sequence() {
    let response = answer(&json!({"rules": [null]}));
    assert_eq!(response["results"], Value::Null);
}

#[test]
fn patterns_are_those_of_go() {
    let response = answer(&json!({"rules": [{"sequence": ["a{,2}", "a"]}]}));
    assert_eq!(
        response["desired"]["resources"],
        json!({"a{,2}": {"resource": {}}}),
        "a{{,2}} stands for itself, and is not ready"
    );
    let response = answer(&json!({"rules": [{"sequence": ["a**", "b"]}]}));
    assert_eq!(response["results"][0]["severity"], "SEVERITY_FATAL");
}

#[test]
fn an_entry_on_its_own_is_not_looked_at() {
    let response = answer(&json!({"rules": [{"sequence": ["(a"]}]}));
    assert_eq!(response["results"], Value::Null);
}

#[test]
fn connection_details_of_desired_resources_are_lost_as_with_the_original() {
    let response = answer(&json!({}));
    assert_eq!(
        response["desired"]["resources"]["a"],
        json!({"resource": {"kind": "A"}})
    );
}

#[test]
fn a_check_finds_all_mistakes_without_running() {
    let input = purlin_object::Object::from_json(json!({"cacheTTL": "5x", "rules": [
        {"sequence": ["(a", "b"], "createOnly": true, "deleteOnly": true, "condition": "1 +"},
        {"sequence": ["c", 7]},
    ]}))
    .expect("an object");
    let function = function_sequencer::hosted().function;
    let found = function.check(&input);
    let paths: Vec<&str> = found.iter().filter_map(|one| one.path.as_deref()).collect();
    assert_eq!(
        paths,
        [
            "rules[1].sequence[1]",
            "cacheTTL",
            "rules[0]",
            "rules[0].sequence[0]",
            "rules[0].condition",
        ]
    );
}
