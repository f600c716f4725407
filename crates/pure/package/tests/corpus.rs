//! Do the corpora of the fuzz targets do no harm?

#![expect(clippy::disallowed_methods, reason = "a test reads its corpus")]

use std::path::PathBuf;

#[path = "../fuzz/bodies/archive.rs"]
mod archive;
#[path = "../fuzz/bodies/words.rs"]
mod words;

#[test]
fn any_archive_is_read_within_the_limits_or_refused() {
    // An archive is a thousand times as long as what matters in it: one byte of 61, and so others in each seed.
    replay("archive", 61, archive::run);
}

#[test]
fn any_words_around_a_package_are_understood_or_refused() {
    replay("words", 1, words::run);
}

/// Runs every seed as it is, cut off, and with a byte raised, at every `step`th place.
fn replay(target: &str, step: usize, run: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let seed = std::fs::read(file.expect("a file").path()).expect("a readable file");
        run(&seed);
        for at in (0..seed.len()).step_by(step) {
            let (head, tail) = seed.split_at(at);
            let rest = tail.get(1..).unwrap_or_default();
            let raised = tail.first().map(|byte| byte.wrapping_add(1));
            run(head);
            run(&[head, raised.as_slice(), rest].concat());
        }
        seen += 1;
    }
    assert!(seen > 5, "the corpus of {target} has seeds");
}
