//! Does the corpus of the fuzz target do no harm?

#![expect(clippy::disallowed_methods, reason = "a test reads its corpus")]

use std::path::PathBuf;

#[path = "../fuzz/bodies/expression.rs"]
mod expression;

/// Runs every seed as it is, cut at every place, and with every byte left out.
#[test]
fn any_text_is_refused_or_evaluated() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/expression");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let seed = std::fs::read(file.expect("a file").path()).expect("a readable file");
        expression::run(&seed);
        for at in (0..seed.len().min(400)).step_by(3) {
            let (head, tail) = seed.split_at(at);
            expression::run(head);
            expression::run(&[head, tail.get(1..).unwrap_or_default()].concat());
        }
        seen += 1;
    }
    assert!(seen > 20, "the corpus has seeds");
}
