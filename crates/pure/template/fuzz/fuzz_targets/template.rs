//! Any text as a template: an output or a mistake, bounded in size and time.
//!
//! `cargo +nightly fuzz run template` in `crates/pure/template`. The corpus is replayed by the tests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use purlin_template::{Library, Limits, Template, json};

fuzz_target!(|text: &str| {
    let data = json::read(br#"{"a":{"b":"x","n":null},"l":[1,"two",true],"m":{"z":1,"a":2}}"#).expect("JSON");
    if let Ok(template) = Template::parse("t", text, &Library::sprig()) {
        let limits = Limits {
            steps: 20_000,
            output: 1 << 20,
            made: 16 << 20,
            ..Limits::default()
        };
        drop(template.execute(&data, &limits));
    }
});
