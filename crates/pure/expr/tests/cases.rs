//! What expressions give, section by section: `expression ==> expression of the same value`, or `!code` for a failure.
//!
//! `o` is the data of [`data`]. The lines are in `cases/*.txt`; a line that begins with `#` names a section.

#![expect(clippy::unwrap_used, reason = "a test may")]

use purlin_expr::{Bindings, Outcome, Program, Val};
use serde_json::{Value as Json, json};

fn data() -> Json {
    json!({"i": 3, "d": 2.5, "s": "héllo", "t": "a-b-c", "b": true, "l": [1, 2, 3], "m": {"k": 1, "a": {"z": "deep"}}, "n": null})
}

/// The value with its type, or the code of the failure.
fn give(source: &str, data: &Json) -> String {
    let program = match Program::parse(source) {
        Ok(program) => program,
        Err(problems) => return format!("!{}", problems[0].code.trim_start_matches("expr/")),
    };
    let mut bindings = Bindings::new();
    bindings.json("o", data);
    match program.eval(&bindings) {
        Outcome::Ok(value) => show(&value),
        Outcome::Fault(fault) => format!("!{}", fault.kind.code().trim_start_matches("expr/")),
        Outcome::Pending(pending) => format!("~{pending}"),
    }
}

fn show(value: &Val<'_>) -> String {
    match value {
        Val::Int(i) => i.to_string(),
        Val::UInt(u) => format!("{u}u"),
        Val::Double(d) => format!("{d:?}"),
        Val::String(text) => format!("{:?}", text.as_str()),
        Val::Bytes(bytes) => format!("b{:?}", bytes.as_ref()),
        Val::List(_) => {
            let items: Vec<String> = value.elements().unwrap().iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        Val::Map(_) => {
            let entries = value.entries().unwrap();
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", show(&key.to_val()), show(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn run(name: &str, cases: &str) -> usize {
    let data = data();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (number, line) in cases.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((source, expect)) = line.split_once(" ==> ") else {
            wrong.push(format!("{name}:{}: there is no ` ==> `", number + 1));
            continue;
        };
        count += 1;
        let found = give(source, &data);
        let expect = if expect.starts_with('!') {
            expect.to_owned()
        } else {
            give(expect, &data)
        };
        if found != expect {
            wrong.push(format!(
                "{name}:{}: {source}\n  gives  {found}\n  expect {expect}",
                number + 1
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    count
}

#[test]
fn every_case_holds() {
    let all = run("core", include_str!("cases/core.txt"))
        + run("forms", include_str!("cases/forms.txt"))
        + run("texts", include_str!("cases/texts.txt"))
        + run("data", include_str!("cases/data.txt"))
        + run("kubernetes", include_str!("cases/kubernetes.txt"));
    assert!(all > 600, "{all}");
}
