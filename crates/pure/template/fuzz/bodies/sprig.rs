//! A function by its number, over values of every kind and two texts.
//!
//! The first byte picks the function, the next three its arguments; the rest is two lines of text.

use std::fmt::Write as _;

use purlin_template::{Library, Limits, Template, json};

const ARGUMENTS: [&str; 15] = [
    ".s",
    ".t",
    ".i",
    ".f",
    ".n",
    ".b",
    ".l",
    ".m",
    ".x",
    ".big",
    ".e",
    "(list .s .t)",
    "(dict .s .t)",
    "(toDate .s .t)",
    "(atoi .s)",
];

pub(crate) fn run(bytes: &[u8]) {
    let Some((head, rest)) = bytes.split_at_checked(4) else {
        return;
    };
    let rest = String::from_utf8_lossy(rest);
    let (first, second) = rest.split_once('\n').unwrap_or((&rest, ""));
    let library = Library::sprig();
    let names: Vec<&str> = library.names().collect();
    let pick = |at: usize, from: &[&'static str]| {
        let byte = usize::from(head.get(at).copied().unwrap_or(0));
        from.get(byte % from.len()).copied().unwrap_or_default()
    };
    let name = names.get(usize::from(head.first().copied().unwrap_or(0)) % names.len());
    let name = name.copied().unwrap_or_default();
    let quoted = |text: &str| json_text(text);
    let data = format!(
        r#"{{"s":{},"t":{},"i":-7,"f":1.5,"n":null,"b":true,"l":[1,"two",{{"k":[3]}}],"m":{{"k":"v","l":{{}}}},"x":"2006-01-02T15:04:05Z","big":9223372036854775807,"e":""}}"#,
        quoted(first),
        quoted(second),
    );
    let data = json::read(data.as_bytes()).expect("it is JSON");
    let limits = Limits {
        steps: 2000,
        output: 1 << 20,
        made: 8 << 20,
        now: Some(1_700_000_000_000_000_000),
        ..Limits::default()
    };
    for count in 0..4 {
        let arguments: Vec<&str> = (1..=count).map(|at| pick(at, &ARGUMENTS)).collect();
        let text = format!("{{{{ {name} {} }}}}", arguments.join(" "));
        if let Ok(template) = Template::parse("t", &text, &library) {
            drop(template.execute(&data, &limits));
        }
    }
}

/// A text as JSON.
fn json_text(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if u32::from(c) < 0x20 => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes any text");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
