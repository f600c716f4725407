//! No false alarms: an expression that gives a value over data of the schema is not refused, and neither is it for a field
//! whose schema takes that value.
//!
//! Left out are forms whose parts may never be looked at: what is wrong in there is told, and does not matter when it runs.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use purlin_diag::Severity;
use purlin_expr::{Bindings, Env, Outcome, Program, Ty, Wanted};
use purlin_object::{Object, ValueRef};
use purlin_schema::{Schema, validate_part};
use serde_json::json;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::parse(&json!({"type": "object", "properties": {
        "i": {"type": "integer", "maximum": 100}, "d": {"type": "number"}, "w": {"type": "number"}, "s": {"type": "string"},
        "e": {"type": "string", "enum": ["a-b", "c"]}, "b": {"type": "boolean"}, "q": {"x-kubernetes-int-or-string": true},
        "p": {"x-kubernetes-int-or-string": true}, "l": {"type": "array", "items": {"type": "integer"}},
        "t": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        "m": {"type": "object", "additionalProperties": {"type": "string"}},
        "o": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "n": {"type": "integer"}}},
        "r": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}, "n": {"type": "integer"}}}},
        "x": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}, "f": {"type": "string", "format": "date-time"},
    }}))
    .unwrap()
});

static DATA: LazyLock<Object> = LazyLock::new(|| {
    let data = json!({
        "i": 3, "d": 2.5, "w": 4.0, "s": "7", "e": "a-b", "b": true, "q": 5, "p": "50%", "l": [1, 2], "t": ["x", "y"],
        "m": {"k": "v"}, "o": {"k": "deep", "n": 1}, "r": [{"k": "one", "n": 1}], "x": {"k": 1, "y": ["z"]},
        "f": "2024-02-29T12:30:00Z",
    });
    Object::from_json(data).unwrap()
});

fn leaf() -> impl Strategy<Value = String> {
    let names = [
        "i", "d", "w", "s", "e", "b", "q", "p", "l", "t", "m", "o", "r", "x", "f", "m.k", "o.k",
        "o.n", "r[0]", "r[0].n", "x.k", "x.y", "l[1]", "t[0]", "m['k']", "o['n']", "?i", "?o.k",
        "m[?'k']",
    ];
    let fields = names.map(|name| format!("v.{name}"));
    let literals = [
        "1",
        "-3",
        "2u",
        "1.5",
        "'a'",
        "'a-b'",
        "true",
        "null",
        "[1, 2]",
        "['q']",
        "{'k': 1}",
        "{'k': 'a', 'n': 2}",
        "b'ab'",
        "duration('90s')",
        "timestamp('2024-02-29T12:30:00Z')",
        "quantity('1Gi')",
        "cidr('10.0.0.0/8')",
        "ip('10.0.0.1')",
        "optional.of(1)",
        "optional.none()",
        "x",
        "any",
    ];
    let all: Vec<String> = fields
        .into_iter()
        .chain(literals.map(str::to_owned))
        .collect();
    prop::sample::select(all)
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 16, 3, |inner| {
        let binary = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in",
        ]);
        let call = prop::sample::select(vec![
            "size", "int", "double", "string", "uint", "bool", "bytes", "timestamp", "duration", "optional.of", "math.abs",
            "math.ceil", "math.sqrt", "math.greatest", "dyn", "type", "json.marshal", "lists.range", "isQuantity", "!", "-",
        ]);
        let member = prop::sample::select(vec![
            "size()", "trim()", "lowerAscii()", "reverse()", "distinct()", "sort()", "flatten()", "join()", "hasValue()",
            "value()", "getHours()", "getFullYear()", "sum()", "min()", "max()", "first()", "last()", "isSorted()",
            "isInteger()", "masked()", "prefixLength()", "family()", "k", "n", "?k",
        ]);
        let member_with = prop::sample::select(vec![
            "contains", "startsWith", "indexOf", "split", "charAt", "substring", "join", "includes", "add", "compareTo",
            "containsIP", "merge", "deepMerge", "getDayOfYear", "format", "matches", "orValue", "or",
        ]);
        let each = prop::sample::select(vec!["map", "sortBy", "exists_one"]);
        prop_oneof![
            4 => (inner.clone(), binary, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            2 => (call, inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            3 => (inner.clone(), member).prop_map(|(a, f)| format!("{a}.{f}")),
            3 => (inner.clone(), member_with, inner.clone()).prop_map(|(a, f, b)| format!("{a}.{f}({b})")),
            2 => (inner.clone(), each, inner.clone()).prop_map(|(a, f, b)| format!("{a}.{f}(x, {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}.transformMap(k, x, {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[?{b}]")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'k': {a}, 'n': {b}}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'k': {a}, ?'n': {b}}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("cel.bind(x, {a}, {b})")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("{a}.optMap(x, {b})")),
        ]
    })
}

/// Whether some part of it was not looked at for this value.
fn skips(source: &str) -> bool {
    [
        "?",
        "or(",
        "orValue(",
        "optMap",
        ".map(",
        "sortBy",
        "exists_one",
        "transformMap",
        "none()[",
    ]
    .iter()
    .any(|form| source.contains(form))
}

fn errors(source: &str, wanted: &Wanted<'_>) -> Vec<String> {
    let mut env = Env::new();
    env.set("v", Ty::of(&SCHEMA));
    env.set("any", Ty::Dyn);
    env.set("x", Ty::Dyn);
    let program = Program::parse(source).unwrap();
    let problems = program.check(&env, wanted).problems.into_iter();
    let errors = problems.filter(|problem| problem.severity == Severity::Error);
    errors
        .map(|problem| format!("{}: {}", problem.code, problem.message))
        .collect()
}

fn quiet(source: &str) -> Result<(), String> {
    let Ok(program) = Program::parse(source) else {
        return Ok(());
    };
    let mut bindings = Bindings::new();
    let any = json!([1, "a"]);
    bindings.data("v", ValueRef::Object(DATA.as_ref()));
    bindings.json("any", &any);
    bindings.json("x", &any);
    let Outcome::Ok(value) = program.eval(&bindings) else {
        return Ok(());
    };
    let anywhere = errors(source, &Wanted::Anything);
    if !anywhere.is_empty() {
        // Where not everything was looked at, a part may be wrong.
        return if skips(source) {
            Ok(())
        } else {
            Err(format!("{source} gives a value\n  {anywhere:?}"))
        };
    }
    let Some(json) = value.to_data().ok().map(|data| data.to_json()) else {
        return Ok(());
    };
    for (name, schema) in &SCHEMA.properties {
        // An empty list fits wherever a list does, whatever its elements would be.
        if json.is_null() || json == json!([]) || !validate_part(&json, None, schema, "").is_empty()
        {
            continue;
        }
        let told = errors(source, &Wanted::Field(schema));
        if !told.is_empty() && !skips(source) {
            return Err(format!(
                "{source} gives {json}, which `{name}` takes\n  {told:?}"
            ));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(20_260_602), ..ProptestConfig::default() })]
    #[test]
    fn what_works_is_not_refused(source in expression()) {
        if let Err(alarm) = quiet(&source) {
            prop_assert!(false, "{}", alarm);
        }
    }
}
