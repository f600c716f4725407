//! Does the corpus of the fuzz target do no harm?

#![expect(clippy::disallowed_methods, reason = "a test reads its corpus")]

use std::path::PathBuf;

use purlin_template::{Library, Limits, Template, json};

#[test]
fn any_text_gives_an_output_or_a_mistake() {
    let data = json::read(br#"{"a":{"b":"x","n":null},"l":[1,"two",true],"m":{"z":1,"a":2}}"#)
        .expect("JSON");
    let library = Library::sprig();
    let limits = Limits {
        steps: 20_000,
        output: 1 << 20,
        made: 16 << 20,
        ..Limits::default()
    };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/template");
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a readable file");
        // Each as it is, cut at every place, and with every character left out.
        let mut variants = vec![text.clone()];
        for (at, c) in text.char_indices() {
            let (head, tail) = text.split_at(at);
            variants.push(head.to_owned());
            variants.push(format!(
                "{head}{}",
                tail.strip_prefix(c).unwrap_or_default()
            ));
        }
        for variant in variants {
            if let Ok(template) = Template::parse("t", &variant, &library)
                && let Ok(out) = template.execute(&data, &limits)
            {
                assert!(out.len() <= 1 << 20, "{variant}");
            }
        }
    }
}
