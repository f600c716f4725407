//! Does any request, however broken, get an answer from every hosted function?

use std::path::PathBuf;

use prost::Message as _;
use purlin_function::protojson::request_from_json;
use purlin_testkit::cases;

#[path = "../src/hosted.rs"]
mod hosted;
#[path = "../fuzz/bodies/wire.rs"]
mod wire;

#[test]
fn the_corpus_is_answered() {
    let functions = hosted::functions();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/wire");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let seed = std::fs::read(file.expect("a file").path()).expect("a readable file");
        wire::run(&functions, &seed);
        // Cut at some places, and with some bytes changed.
        for at in (0..seed.len()).step_by(seed.len() / 40 + 1) {
            let (head, tail) = seed.split_at(at);
            wire::run(&functions, head);
            let changed = tail.first().map(|byte| byte.wrapping_add(7));
            let rest = tail.get(1..).unwrap_or_default();
            wire::run(&functions, &[head, changed.as_slice(), rest].concat());
        }
        seen += 1;
    }
    assert!(seen >= functions.hosted().len(), "a seed for each function");
}

/// The fuzz target is built by nobody but who fuzzes: it must not stay behind when there is another function.
#[test]
fn the_fuzz_target_knows_every_function() {
    let manifest = |path: &str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(path).expect("a manifest")
    };
    let fuzz = manifest("fuzz/Cargo.toml");
    let ours = manifest("Cargo.toml");
    let functions = (ours.lines())
        .filter_map(|line| line.split(['.', ' ']).next())
        .filter(|name| name.starts_with("function-"));
    let missing: Vec<&str> = functions
        .filter(|name| !fuzz.contains(&format!("{name} = ")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Recorded requests of every function, each with one byte changed.
#[test]
fn recorded_requests_that_were_damaged_are_answered() {
    let functions = hosted::functions();
    for hosted in functions.hosted() {
        let name = hosted.name.strip_prefix("function-").unwrap_or_default();
        let file = format!("fn/{name}.jsonl");
        if !purlin_testkit::golden(&file).exists() {
            continue;
        }
        for (number, case) in cases(&file).into_iter().step_by(12).enumerate() {
            let Ok(request) = request_from_json(case["request"].clone()) else {
                continue;
            };
            let mut bytes = request.encode_to_vec();
            let length = bytes.len();
            if let Some(byte) = bytes.get_mut(number * 7919 % length) {
                *byte = byte.wrapping_add(1 + u8::try_from(number % 255).unwrap_or(0));
            }
            wire::run(&functions, &bytes);
        }
    }
}
