//! A text with holes, and as an expression: compiled, checked, evaluated, written out.

use std::sync::LazyLock;

use purlin_expr::{Bindings, Embedded, Env, Limits, Outcome, Program, Ty, Wanted, check_text};
use purlin_object::{Object, ValueRef};
use purlin_schema::Schema;
use serde_json::json;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let spec = json!({"type": "object", "required": ["i"], "properties": {
        "i": {"type": "integer", "maximum": 9}, "d": {"type": "number"}, "s": {"type": "string", "enum": ["a", "b"]},
        "l": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "m": {"type": "object", "additionalProperties": {"type": "string", "pattern": "^x"}},
        "q": {"x-kubernetes-int-or-string": true}, "o": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
    Schema::parse(&json!({"type": "object", "properties": {"spec": spec}})).expect("it is a schema")
});

static OBJECT: LazyLock<Object> = LazyLock::new(|| {
    let spec = json!({"i": 3, "d": 2.5, "s": "a", "l": ["x", "é"], "m": {"k": "xv"}, "q": "50%", "o": {"n": null}});
    Object::from_json(json!({"spec": spec, "metadata": {"name": "n"}})).expect("it is an object")
});

pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut env = Env::new();
    env.set("xr", Ty::whole(&SCHEMA));
    env.set("any", Ty::Dyn);
    for wanted in [
        Wanted::Anything,
        Wanted::Text,
        Wanted::Value(Ty::Bool),
        Wanted::Field(&SCHEMA.properties["spec"]),
        Wanted::Object(&SCHEMA),
    ] {
        for problem in check_text(&text, &env, &wanted).problems {
            assert!(
                text.get(problem.start..problem.end).is_some(),
                "{text}: {problem:?}"
            );
        }
    }
    if let Ok(embedded) = Embedded::parse(&text) {
        for hole in embedded.holes() {
            evaluate(hole.source);
        }
    }
    evaluate(&text);
}

fn evaluate(source: &str) {
    let Ok(program) = Program::parse(source) else {
        return;
    };
    drop(
        program
            .reads()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
    );
    let mut bindings = Bindings::new();
    bindings.data("xr", ValueRef::Object(OBJECT.as_ref()));
    bindings.tracked("any", ValueRef::Object(OBJECT.as_ref()));
    bindings.absent("none");
    let limits = Limits {
        fuel: 20_000,
        memory: 1 << 20,
        output: 1 << 20,
        ..Limits::default()
    };
    match program.eval_within(&bindings, limits).0 {
        Outcome::Ok(value) => {
            drop(value.plain());
            drop(value.to_data());
            let json = value.to_json();
            assert!(
                json.is_ok_and(|json| json.to_string().len() < 16 << 20)
                    || value.to_json().is_err(),
                "{source}"
            );
        }
        Outcome::Pending(pending) => assert!(!pending.path.is_empty()),
        Outcome::Fault(fault) => assert!(
            source.get(fault.start..fault.end).is_some(),
            "{source}: {fault:?}"
        ),
    }
}
