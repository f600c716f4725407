//! Do the corpora of the fuzz targets do no harm?

#![expect(clippy::disallowed_methods, reason = "a test reads its corpus")]

use std::path::PathBuf;

#[path = "../fuzz/bodies/printf.rs"]
mod printf;
#[path = "../fuzz/bodies/regexp.rs"]
mod regexp;
#[path = "../fuzz/bodies/sprig.rs"]
mod sprig;
#[path = "../fuzz/bodies/template.rs"]
mod template;

#[test]
fn any_template_gives_an_output_or_a_mistake() {
    replay("template", template::run);
}

#[test]
fn any_format_gives_a_text() {
    replay("printf", printf::run);
}

#[test]
fn any_expression_matches_or_is_refused() {
    replay("regexp", regexp::run);
}

#[test]
fn any_function_takes_any_values() {
    replay("sprig", sprig::run);
}

/// Runs every seed as it is, cut at every place, and with every byte left out.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let seed = std::fs::read(file.expect("a file").path()).expect("a readable file");
        run(&seed);
        for at in 0..seed.len().min(400) {
            let (head, tail) = seed.split_at(at);
            run(head);
            run(&[head, tail.get(1..).unwrap_or_default()].concat());
        }
        seen += 1;
    }
    assert!(seen > 5, "the corpus of {target} has seeds");
}
