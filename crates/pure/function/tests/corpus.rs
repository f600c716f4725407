//! Do the corpora of the fuzz targets do no harm?

#![expect(clippy::disallowed_methods, reason = "a test reads its corpus")]

use std::path::PathBuf;

#[path = "../fuzz/bodies/duration.rs"]
mod duration;
#[path = "../fuzz/bodies/json.rs"]
mod json;

#[test]
fn any_duration_is_read_or_refused() {
    replay("duration", duration::run);
}

#[test]
fn any_json_is_a_message_or_refused() {
    replay("json", json::run);
}

/// Runs every seed as it is, and with every byte left out or raised.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let seed = std::fs::read(file.expect("a file").path()).expect("a readable file");
        run(&seed);
        for at in 0..seed.len() {
            let (head, tail) = seed.split_at(at);
            let rest = tail.get(1..).unwrap_or_default();
            let raised = tail.first().map(|byte| byte.wrapping_add(1));
            run(&[head, rest].concat());
            run(&[head, raised.as_slice(), rest].concat());
        }
        seen += 1;
    }
    assert!(seen > 5, "the corpus of {target} has seeds");
}
