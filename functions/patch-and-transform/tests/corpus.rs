//! Do the corpora of the fuzz targets do no harm?

use std::path::PathBuf;

use prost::Message as _;
use purlin_function::RunFunctionRequest;
use purlin_function::protojson::request_from_json;
use purlin_testkit::cases;
use serde_json::json;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let files = std::fs::read_dir(folder).expect("the corpus");
    files
        .map(|file| std::fs::read(file.expect("a file").path()).expect("a readable file"))
        .collect()
}

#[test]
fn any_format_gives_a_text_or_a_mistake() {
    let variables: Vec<_> = ["n", "s", "l", "m", "z", "b"]
        .iter()
        .map(|name| json!({"fromFieldPath": format!("spec.{name}")}))
        .collect();
    for format in corpus("format") {
        let format = String::from_utf8_lossy(&format);
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
}

#[test]
fn any_request_is_answered() {
    let function = function_patch_and_transform::hosted().function;
    for bytes in corpus("request") {
        if let Ok(request) = RunFunctionRequest::decode(bytes.as_slice()) {
            drop(function.run(&request).encode_to_vec());
        }
    }
    // Recorded requests, each with one byte changed.
    for (number, case) in cases("fn/patch-and-transform.jsonl")
        .into_iter()
        .step_by(8)
        .enumerate()
    {
        let request = request_from_json(case["request"].clone()).expect("a request");
        let mut bytes = request.encode_to_vec();
        let length = bytes.len();
        if let Some(byte) = bytes.get_mut(number * 7919 % length) {
            *byte = byte.wrapping_add(1 + u8::try_from(number % 255).unwrap_or(0));
        }
        if let Ok(request) = RunFunctionRequest::decode(bytes.as_slice()) {
            drop(function.run(&request).encode_to_vec());
        }
    }
}
