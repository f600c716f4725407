//! Are all mistakes of an input found, each at its place?

use purlin_object::{Object, Value};
use serde::Deserialize;
use serde_json::json;

use super::decode;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Input {
    resources: Vec<Resource>,
    #[serde(default)]
    sets: std::collections::BTreeMap<String, Vec<String>>,
    limit: Option<u8>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Resource {
    name: String,
    base: Option<Object>,
    #[serde(default)]
    patches: Vec<Patch>,
    filler: Option<Value>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Patch {
    r#type: Type,
    from_field_path: String,
    factor: Option<f64>,
}

#[derive(Debug, Deserialize, PartialEq)]
enum Type {
    FromComposite,
    ToComposite,
}

fn check(input: serde_json::Value, expected: &[&str]) {
    let input = Object::from_json(input).unwrap();
    let found: Vec<String> = match decode::<Input>(&input) {
        Ok(_) => Vec::new(),
        Err(found) => found.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_right_input_is_decoded() {
    let input = Object::from_json(json!({
        "apiVersion": "x/v1", "kind": "Input", "metadata": {"name": "x"},
        "resources": [{"name": "a", "base": {"x": null}, "patches": [{"type": "ToComposite", "fromFieldPath": "a", "factor": 2}]}],
        "sets": {"s": ["a"]}, "limit": 3.0
    }))
    .unwrap();
    let decoded: Input = decode(&input).unwrap();
    assert_eq!(decoded.limit, Some(3));
    assert_eq!(decoded.resources[0].patches[0].r#type, Type::ToComposite);
    assert!(
        decoded.resources[0]
            .base
            .as_ref()
            .unwrap()
            .contains_key("x")
    );
    check(json!({"resources": [], "limit": null}), &[]);
}

#[test]
fn all_mistakes_are_reported_with_their_places() {
    check(
        json!({
            "apiVersion": "x/v1", "kind": "Input",
            "resources": [
                {"name": 3, "base": {}},
                {"name": "b", "patchs": [], "patches": [
                    {"type": "FromComposit", "fromFieldPath": "x"},
                    {"type": "ToComposite"},
                    {"type": "ToComposite", "fromFieldPath": "x", "factor": "2", "colour": "red"}
                ]},
                "c"
            ],
            "sets": {"a.b": ["x", {}]},
            "limit": 300
        }),
        &[
            "limit: error[input/wrong-type]: expected a whole number from 0 to 255, got the number 300",
            "resources[0].name: error[input/wrong-type]: expected a string, got the number 3",
            "resources[1].patches[0].type: error[input/unknown-word]: FromComposit is none of the words that are allowed here; did you mean FromComposite?",
            "resources[1].patches[1].fromFieldPath: error[input/missing-field]: fromFieldPath is missing",
            "resources[1].patches[2].colour: error[input/unknown-field]: there is no field colour; allowed: type, fromFieldPath, factor",
            "resources[1].patches[2].factor: error[input/wrong-type]: expected a number, got the string \"2\"",
            "resources[1].patchs: error[input/unknown-field]: there is no field patchs; did you mean patches?",
            "resources[2]: error[input/wrong-type]: expected an object, got the string \"c\"",
            "sets[\"a.b\"][1]: error[input/wrong-type]: expected a string, got an object",
        ],
    );
    check(
        json!({}),
        &["resources: error[input/missing-field]: resources is missing"],
    );
    check(
        json!({"resources": {"name": "a"}}),
        &["resources: error[input/wrong-type]: expected a list, got an object"],
    );
}

#[test]
fn a_null_in_a_list_or_a_map_is_what_is_not_there() {
    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Rules {
        rules: Vec<Rule>,
        names: std::collections::BTreeMap<String, String>,
    }
    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Rule {
        sequence: Vec<String>,
    }
    let input = json!({"rules": [null, {"sequence": ["a", null]}], "names": {"x": null}});
    let decoded: Rules = decode(&Object::from_json(input).unwrap()).unwrap();
    assert_eq!(decoded.rules[0], Rule::default());
    assert_eq!(decoded.rules[1].sequence, ["a", ""]);
    assert_eq!(decoded.names["x"], "");
}
