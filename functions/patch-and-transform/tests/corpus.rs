//! Do the corpora of the fuzz targets do no harm?

use std::path::PathBuf;

use prost::Message as _;
use purlin_function::protojson::request_from_json;
use purlin_testkit::cases;

#[path = "../fuzz/bodies/format.rs"]
mod format;
#[path = "../fuzz/bodies/request.rs"]
mod request;

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
    for seed in corpus("format") {
        format::run(&seed);
    }
}

#[test]
fn any_request_is_answered() {
    for seed in corpus("request") {
        request::run(&seed);
    }
    // Recorded requests, each with one byte changed.
    for (number, case) in cases("fn/patch-and-transform.jsonl")
        .into_iter()
        .step_by(8)
        .enumerate()
    {
        let recorded = request_from_json(case["request"].clone()).expect("a request");
        let mut bytes = recorded.encode_to_vec();
        let length = bytes.len();
        if let Some(byte) = bytes.get_mut(number * 7919 % length) {
            *byte = byte.wrapping_add(1 + u8::try_from(number % 255).unwrap_or(0));
        }
        request::run(&bytes);
    }
}
