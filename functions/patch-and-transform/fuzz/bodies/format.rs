//! Any text as the format of a patch that combines values of every kind.

use prost::Message as _;
use purlin_function::protojson::request_from_json;
use serde_json::json;

pub(crate) fn run(bytes: &[u8]) {
    let format = String::from_utf8_lossy(bytes);
    let variables: Vec<_> = ["n", "s", "l", "m", "z", "b"]
        .iter()
        .map(|name| json!({"fromFieldPath": format!("spec.{name}")}))
        .collect();
    let request = json!({
        "input": {"resources": [{"name": "r", "base": {"kind": "K"}, "patches": [{
            "type": "CombineFromComposite", "toFieldPath": "spec.out",
            "combine": {"strategy": "string", "string": {"fmt": format}, "variables": variables},
        }]}]},
        "observed": {"composite": {"resource": {"spec": {
            "n": 12_345_678.5, "s": "grün", "l": [1, "a", null], "m": {"k": true}, "z": null, "b": false,
        }}}},
    });
    let request = request_from_json(request).expect("a request");
    let response = function_patch_and_transform::hosted()
        .function
        .run(&request);
    assert!(response.encoded_len() < 2 << 20, "{format}");
}
