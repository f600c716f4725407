//! Any text as the format of a patch: a text or a mistake, bounded in size and time.
//!
//! `cargo +nightly fuzz run format` in `functions/patch-and-transform`. The corpus is replayed by the tests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use purlin_function::protojson::request_from_json;
use serde_json::json;

fuzz_target!(|format: &str| {
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
            "n": 12345678.5, "s": "grün", "l": [1, "a", null], "m": {"k": true}, "z": null, "b": false,
        }}}},
    });
    let request = request_from_json(request).expect("a request");
    drop(function_patch_and_transform::hosted().function.run(&request));
});
