//! Which entries ask for nothing, and what is taken of what was found?

use purlin_function::protojson::{request_from_json, response_to_json};
use serde_json::{Value, json};

fn answer(entries: &Value, required: &Value) -> Value {
    let request = request_from_json(json!({
        "input": {"spec": {"environmentConfigs": entries}},
        "requiredResources": required,
    }));
    let function = function_environment_configs::hosted().function;
    response_to_json(&function.run(&request.expect("a request")))
}

fn config(name: &str, data: &Value) -> Value {
    json!({"resource": {"metadata": {"name": name}, "data": data}})
}

fn environment(response: &Value) -> Value {
    assert_eq!(response["results"], Value::Null);
    response["context"]["apiextensions.crossplane.io/environment"].clone()
}

#[test]
fn an_entry_of_another_type_asks_for_nothing_and_gives_nothing() {
    let entries = json!([{"type": "Referenc", "ref": {"name": "a"}}, {"ref": {"name": "b"}}]);
    let found = json!({"environment-config-0": {"items": [config("a", &json!({"x": 1}))]},
        "environment-config-1": {"items": [config("b", &json!({"y": 2}))]}});
    let response = answer(&entries, &found);
    let asked = response["requirements"]["resources"]
        .as_object()
        .expect("requirements");
    assert_eq!(asked.keys().collect::<Vec<_>>(), ["environment-config-1"]);
    assert_eq!(environment(&response)["y"], 2);
    assert_eq!(environment(&response)["x"], Value::Null);
}

#[test]
fn what_was_not_looked_up_is_left_out_and_what_was_looked_up_counts() {
    let entries =
        json!([{"ref": {"name": "a"}}, {"type": "Selector", "selector": {"mode": "Multiple"}}]);
    let found = json!({"environment-config-1": {"items": [config("b", &json!({"y": 2}))]}});
    assert_eq!(environment(&answer(&entries, &found))["y"], 2);
}

#[test]
fn an_object_without_a_body_is_an_empty_one() {
    let entries = json!([{"ref": {"name": "a"}, "toFieldPath": "x"}]);
    let response = answer(&entries, &json!({"environment-config-0": {"items": [{}]}}));
    assert_eq!(environment(&response)["x"], Value::Null);
    let single = json!([{"type": "Selector", "selector": {"matchLabels": [{"type": "Value", "key": "k", "value": "v"}]}}]);
    let odd = json!({"resource": {"metadata": "no object", "data": {"z": 3}}});
    let response = answer(&single, &json!({"environment-config-0": {"items": [odd]}}));
    assert_eq!(environment(&response)["z"], 3, "one object is not sorted");
}

#[test]
fn a_kind_that_is_no_text_is_none() {
    let entries = json!([{"ref": {"name": "a"}}]);
    let found =
        json!({"environment-config-0": {"items": [config("a", &json!({"kind": {"x": 1}}))]}});
    let environment = environment(&answer(&entries, &found));
    assert_eq!(environment["kind"], "Environment");
    assert_eq!(environment["apiVersion"], "internal.crossplane.io/v1alpha1");
}

#[test]
fn nothing_is_sorted_by_a_malformed_path_without_a_mistake() {
    let labels = json!([{"type": "Value", "key": "k", "value": "v"}]);
    let selector = json!({"mode": "Multiple", "sortByFieldPath": "data..x", "matchLabels": labels});
    let entries = json!([{"type": "Selector", "selector": selector}]);
    let nothing = json!({"environment-config-0": {"items": []}});
    assert_eq!(answer(&entries, &nothing)["results"], Value::Null);
    let one = json!({"environment-config-0": {"items": [config("a", &json!({}))]}});
    assert_eq!(
        answer(&entries, &one)["results"][0]["severity"],
        "SEVERITY_FATAL"
    );
}

#[test]
fn a_check_finds_all_mistakes_without_running() {
    let input = purlin_object::Object::from_json(json!({"spec": {"policy": 7, "environmentConfigs": [
        {"type": "Referenc"},
        {"toFieldPath": "a..b"},
        {"type": "Selector"},
        {"type": "Selector", "selector": {"mode": "One", "sortByFieldPath": "a[", "matchLabels": [
            {"type": "Value", "key": "k"}, {"key": "k"}, {"key": "k", "valueFromFieldPath": "."}, {"type": "X", "key": "k"}]}},
    ]}})).expect("an object");
    let function = function_environment_configs::hosted().function;
    let found = function.check(&input);
    let paths: Vec<&str> = found.iter().filter_map(|one| one.path.as_deref()).collect();
    assert_eq!(
        paths,
        [
            "spec.policy",
            "spec.environmentConfigs[0].type",
            "spec.environmentConfigs[1].toFieldPath",
            "spec.environmentConfigs[1].ref",
            "spec.environmentConfigs[2].selector",
            "spec.environmentConfigs[3].selector.matchLabels[0].value",
            "spec.environmentConfigs[3].selector.matchLabels[1].valueFromFieldPath",
            "spec.environmentConfigs[3].selector.matchLabels[2].valueFromFieldPath",
            "spec.environmentConfigs[3].selector.matchLabels[3].type",
            "spec.environmentConfigs[3].selector.sortByFieldPath",
            "spec.environmentConfigs[3].selector.mode",
        ]
    );
}
