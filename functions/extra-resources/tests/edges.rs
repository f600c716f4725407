//! What is passed on of what was found?

use purlin_function::protojson::{request_from_json, response_to_json};
use serde_json::{Value, json};

fn answer(entry: &Value, items: &Value) -> Value {
    let request = request_from_json(json!({
        "input": {"spec": {"extraResources": [entry]}},
        "requiredResources": {"a": {"items": items}},
    }));
    let function = function_extra_resources::hosted().function;
    response_to_json(&function.run(&request.expect("a request")))["context"]
        ["apiextensions.crossplane.io/extra-resources"]["a"]
        .clone()
}

#[test]
fn what_was_found_for_an_entry_of_another_type_is_passed_on() {
    let entry = json!({"type": "Value", "into": "a"});
    assert_eq!(answer(&entry, &json!([])), json!([]));
    let two = json!([{"resource": {"kind": "A"}}, {"resource": {"kind": "B"}}]);
    assert_eq!(answer(&entry, &two), json!([{"kind": "A"}, {"kind": "B"}]));
}

#[test]
fn an_object_without_a_body_is_an_empty_one() {
    let entry = json!({"into": "a", "ref": {"name": "x"}});
    assert_eq!(answer(&entry, &json!([{}])), json!([{}]));
    let labels = json!([{"type": "Value", "key": "k", "value": "v"}]);
    let entry = json!({"into": "a", "type": "Selector", "selector": {"matchLabels": labels, "sortByFieldPath": "n", "maxMatch": 2}});
    let items = json!([{"resource": {"n": 2}}, {"resource": {"n": 1}}, {}]);
    assert_eq!(answer(&entry, &items), json!([{}, {"n": 1}]));
}

#[test]
fn a_check_finds_all_mistakes_without_running() {
    let input = purlin_object::Object::from_json(json!({"spec": {"extraResources": [
        {"type": "Value"}, {}, {"type": "Selector"}, {"type": "Selector", "selector": {"sortByFieldPath": "a]"}, "into": 1},
    ]}})).expect("an object");
    let function = function_extra_resources::hosted().function;
    let found = function.check(&input);
    let paths: Vec<&str> = found.iter().filter_map(|one| one.path.as_deref()).collect();
    assert_eq!(
        paths,
        [
            "spec.extraResources[3].into",
            "spec.extraResources[0].type",
            "spec.extraResources[1].ref",
            "spec.extraResources[2].selector",
            "spec.extraResources[3].selector.sortByFieldPath",
        ]
    );
}
