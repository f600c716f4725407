//! Any text as a template over a little data, with small limits.

use purlin_template::{Library, Limits, Template, json};

const OUTPUT: usize = 1 << 20;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let data = json::read(br#"{"a":{"b":"x","n":null},"l":[1,"two",true],"m":{"z":1,"a":2}}"#)
        .expect("it is JSON");
    let limits = Limits {
        steps: 20_000,
        output: OUTPUT,
        made: 16 << 20,
        ..Limits::default()
    };
    if let Ok(template) = Template::parse("t", text, &Library::sprig())
        && let Ok(out) = template.execute(&data, &limits)
    {
        assert!(out.len() <= OUTPUT, "{text}");
    }
}
