//! The evaluator and the `cel` crate's interpreter agree on generated expressions.

#![expect(
    clippy::unwrap_used,
    clippy::iter_over_hash_type,
    reason = "a test may; and what it collects is ordered"
)]

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use purlin_expr::{Bindings, Limits, Outcome, Program, Val};
use serde_json::{Value as Json, json};

static ENVIRONMENT: LazyLock<Arc<cel::Env>> = LazyLock::new(|| {
    let mut env = cel::Env::stdlib();
    cel::extensions::strings(&mut env).unwrap();
    cel::extensions::math(&mut env).unwrap();
    cel::extensions::lists(&mut env).unwrap();
    cel::extensions::encoders(&mut env).unwrap();
    Arc::new(env)
});

/// Data of the same fields with other values.
fn any_data() -> impl Strategy<Value = Json> {
    let text = prop::sample::select(vec![
        "",
        "a",
        "b-a",
        "ünï",
        "1",
        "-2.5",
        "true",
        "a.b.c",
        "1h",
        "2024-01-31T00:00:00Z",
    ]);
    let whole = prop_oneof![
        -3_i64..=3,
        Just(i64::MAX),
        Just(i64::MIN),
        Just(9_007_199_254_740_993)
    ];
    let float = prop::sample::select(vec![0.5, -1.5, 1e300, 0.1, 123_456.75, -0.0625]);
    let items = prop::collection::vec(whole.clone(), 0..4);
    let words = prop::collection::vec(text.clone(), 0..4);
    let map = prop::collection::btree_map("[abk]", whole.clone(), 0..3);
    (whole, float, text, any::<bool>(), items, words, map).prop_map(|(i, d, s, b, l, w, m)| {
        let mut m = json!(m);
        m["a"] = json!({"z": s});
        json!({"i": i, "j": -7, "d": d, "s": s, "t": "a-b-c", "b": b, "l": l, "w": w, "m": m, "n": null})
    })
}

fn data() -> Json {
    json!({"i": 3, "j": -7, "d": 2.5, "s": "héllo", "t": "a-b-c", "b": true, "l": [1, 2, 3], "w": ["x", "y"],
           "m": {"k": 1, "a": {"z": "deep"}}, "n": null})
}

/// Without going through serde, which would make every whole number unsigned.
fn to_cel(json: &Json) -> cel::Value {
    match json {
        Json::Null => cel::Value::Null,
        Json::Bool(b) => cel::Value::Bool(*b),
        Json::Number(n) => n
            .as_i64()
            .map_or_else(|| cel::Value::Float(n.as_f64().unwrap()), cel::Value::Int),
        Json::String(s) => cel::Value::String(Arc::new(s.clone())),
        Json::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Json::Object(map) => {
            let entries = map
                .iter()
                .map(|(k, v)| (cel::objects::Key::from(k.clone()), to_cel(v)));
            cel::Value::Map(cel::objects::Map {
                map: Arc::new(entries.collect()),
            })
        }
    }
}

fn from_cel(value: &cel::Value) -> Result<Json, String> {
    Ok(match value {
        cel::Value::Duration(d) => json!(format!("{}ns", d.num_nanoseconds().unwrap_or(0))),
        cel::Value::Timestamp(t) => json!(format!("at {}", t.timestamp())),
        cel::Value::Bytes(bytes) => json!(bytes.as_ref()),
        cel::Value::List(items) => {
            Json::Array(items.iter().map(from_cel).collect::<Result<_, _>>()?)
        }
        cel::Value::Map(map) => {
            let mut object = serde_json::Map::new();
            for (key, value) in map.map.iter() {
                object.insert(key.to_string(), from_cel(value)?);
            }
            Json::Object(object)
        }
        cel::Value::Opaque(_) => match <&cel::objects::OptionalValue>::try_from(value) {
            Ok(optional) => optional.value().map_or(Ok(Json::Null), from_cel)?,
            Err(_) => json!("opaque"),
        },
        cel::Value::Float(d) if !d.is_finite() => json!(format!("{d}")),
        other => other.json().map_err(|e| e.to_string())?,
    })
}

fn from_ours(value: &Val<'_>) -> Result<Json, String> {
    Ok(match value {
        Val::Duration(nanos) => json!(format!("{nanos}ns")),
        Val::Timestamp(nanos) => json!(format!("at {}", nanos.div_euclid(1_000_000_000))),
        Val::Bytes(bytes) => json!(bytes.as_ref()),
        Val::Type(name) => json!(name),
        Val::List(_) => {
            let items = value.elements().unwrap();
            Json::Array(items.iter().map(from_ours).collect::<Result<_, _>>()?)
        }
        Val::Map(_) => {
            let mut object = serde_json::Map::new();
            for (key, value) in value.entries().unwrap() {
                object.insert(key.to_val().plain().unwrap(), from_ours(&value)?);
            }
            Json::Object(object)
        }
        Val::Optional(Some(inner)) => from_ours(inner)?,
        Val::Double(d) if !d.is_finite() => json!(format!("{d}")),
        other => other.to_json().map_err(|e| format!("{e:?}"))?,
    })
}

fn oracle(source: &str, data: &Json) -> Result<Json, String> {
    let program = ENVIRONMENT.compile(source).map_err(|e| e.to_string())?;
    let mut context = cel::Context::with_env(Arc::clone(&ENVIRONMENT));
    context.add_variable_from_value("o", to_cel(data));
    from_cel(&program.execute(&context).map_err(|e| e.to_string())?)
}

fn ours(source: &str, data: &Json) -> Result<Json, String> {
    let program = Program::parse(source).map_err(|problems| format!("{problems:?}"))?;
    let mut bindings = Bindings::new();
    bindings.json("o", data);
    let limits = Limits {
        mixed_numbers: false,
        ..Limits::default()
    };
    match program.eval_within(&bindings, limits).0 {
        Outcome::Ok(value) => from_ours(&value),
        Outcome::Pending(pending) => Err(pending.to_string()),
        Outcome::Fault(fault) => Err(fault.to_string()),
    }
}

static ADDED: &[&str] = &[
    "'indexOf' applied to 'list",
    "'lastIndexOf' applied to 'list",
    "sortBy can only be applied",
];

/// 2 and 2.0 are the same in JSON.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(k, v)| b.get(k).is_some_and(|other| same(v, other)))
        }
        _ => a == b,
    }
}

fn agree(source: &str, data: &Json) -> Result<(), String> {
    match (oracle(source, data), ours(source, data)) {
        (Ok(a), Ok(b)) if same(&a, &b) => Ok(()),
        (Err(_), Err(_)) => Ok(()),
        // Forms that only Kubernetes and we have.
        (Err(why), Ok(_)) if ADDED.iter().any(|form| why.contains(form)) => Ok(()),
        // We only look at the alternative when it is needed, as Go's implementation does.
        (Err(_), Ok(_)) if source.contains(".or") => Ok(()),
        // A field of an optional that holds no map: an error here, sometimes nothing there.
        (Ok(_), Err(why))
            if why.contains("has no field")
                && (source.contains('?') || source.contains("optional")) =>
        {
            Ok(())
        }
        (Err(why), Ok(_)) if why.contains("No such key") && source.contains("optional") => Ok(()),
        // cel takes anything there.
        (Ok(_), Err(why)) if why.contains("`+` does not take list and map") => Ok(()),
        (Ok(_), Err(why)) if why.contains("`or` takes an optional") => Ok(()),
        // What is written out is looked at before it runs.
        (Err(why), Ok(_)) if why.contains("simple literal arguments must be numeric") => Ok(()),
        // As Go's implementation has it, `?` marks an optional and nothing else.
        (Ok(_), Err(why)) if why.contains("`?` marks an optional") => Ok(()),
        (a, b) => Err(format!("{source}\n  cel  {a:?}\n  ours {b:?}")),
    }
}

fn leaf() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "o.i",
        "o.j",
        "o.d",
        "o.s",
        "o.t",
        "o.b",
        "o.l",
        "o.w",
        "o.m",
        "o.n",
        "o.nope",
        "o.m.a.z",
        "o.m['k']",
        "o.l[1]",
        "o.l[9]",
        "1",
        "0",
        "-3",
        "2u",
        "1.5",
        "'b'",
        "''",
        "true",
        "false",
        "null",
        "9223372036854775807",
        "[]",
        "{}",
        "[1, 2]",
        "{'k': 1}",
        "b'ab'",
        "duration('90s')",
        "timestamp('2024-02-29T12:30:00Z')",
        "optional.none()",
        "x",
    ])
    .prop_map(str::to_owned)
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 3, |inner| {
        let binary = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
        ]);
        let call = prop::sample::select(vec![
            "size", "int", "double", "string", "uint", "bool", "bytes", "timestamp", "duration", "optional.of", "math.abs",
            "math.sign", "math.isNaN", "dyn", "math.ceil", "math.floor", "math.round", "math.trunc", "math.sqrt", "math.isInf",
            "math.greatest", "math.least", "math.bitNot", "strings.quote", "base64.encode", "base64.decode", "type",
            "optional.ofNonZeroValue",
        ]);
        let member = prop::sample::select(vec![
            "size()", "trim()", "lowerAscii()", "upperAscii()", "reverse()", "distinct()", "sort()", "flatten()", "join()",
            "hasValue()", "value()", "getHours()", "getFullYear()", "getMonth()", "getDayOfWeek()", "getSeconds()",
            "getMinutes()", "getDate()", "getDayOfMonth()", "flatten(2)", "slice(0, 1)", "split('-')", "split('')", "substring(1)",
            "getHours('+05:30')", "getFullYear('-08:00')",
        ]);
        let member_with = prop::sample::select(vec![
            "contains", "startsWith", "endsWith", "indexOf", "lastIndexOf", "split", "charAt", "substring", "join",
            "orValue", "or", "getDayOfYear",
        ]);
        let each = prop::sample::select(vec!["map", "filter", "all", "exists", "exists_one", "sortBy"]);
        prop_oneof![
            4 => (inner.clone(), binary, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            2 => (call, inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            2 => (inner.clone(), member).prop_map(|(a, f)| format!("{a}.{f}")),
            2 => (inner.clone(), member_with, inner.clone()).prop_map(|(a, f, b)| format!("{a}.{f}({b})")),
            2 => (inner.clone(), each, inner.clone()).prop_map(|(a, f, b)| format!("{a}.{f}(x, {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[?{b}]")),
            1 => inner.clone().prop_map(|a| format!("{a}.?k")),
            1 => inner.clone().prop_map(|a| format!("{a}.k")),
            1 => inner.clone().prop_map(|a| format!("has({a}.k)")),
            1 => inner.clone().prop_map(|a| format!("!{a}")),
            1 => inner.clone().prop_map(|a| format!("(-({a}))")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'k': {a}, 'z': {b}}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}.replace('l', {b})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a}.map(x, {b}, {c})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, ?{b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'k': {a}, ?'z': optional.of({b})}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}.optMap(x, {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("math.greatest({a}, {b})")),
            1 => (inner.clone(), prop::sample::select(vec!["%s", "%d", "%f", "%.1f", "%e", "%x", "%X", "%o", "%b"]))
                .prop_map(|(a, clause)| format!("'<{clause}>'.format([{a}])")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1200, failure_persistence: None, rng_seed: RngSeed::Fixed(20_260_601), ..ProptestConfig::default() })]
    #[test]
    fn generated_expressions_mean_the_same(source in expression()) {
        if let Err(difference) = agree(&source, &data()) {
            prop_assert!(false, "{}", difference);
        }
    }

    #[test]
    fn they_mean_the_same_over_other_data(source in expression(), data in any_data()) {
        if let Err(difference) = agree(&source, &data) {
            prop_assert!(false, "{}\n  over {}", difference, data);
        }
    }

    #[test]
    fn any_text_is_taken_apart_or_refused(text in "(\\PC|[${}'\"\\\\`\n]){0,60}") {
        drop(ours(&text, &data()));
        if let Ok(embedded) = purlin_expr::Embedded::parse(&text) {
            for hole in embedded.holes() {
                prop_assert_eq!(text.get(hole.start..hole.start + hole.source.len()), Some(hole.source));
                drop(ours(hole.source, &data()));
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(source in "[-+a-z0-9.'\"(){}\\[\\]?:,&|!<>=/ \\\\]{0,40}") {
        drop(ours(&source, &data()));
    }
}
