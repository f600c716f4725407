//! What does a case of the suite ask, and does our answer agree?

use std::collections::BTreeMap;
use std::rc::Rc;

use purlin_expr::{Bindings, Key, Limits, List, Map, Outcome, Program, Text, Val};

use crate::textproto::{Field, Message};

/// The answer to a case.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Right,
    Wrong(String),
    /// It asks for something that is not there to be asked for: which class of things.
    Skipped(&'static str),
}

/// Words in an expression that mean protocol buffer messages or enums.
const PROTO: [&str; 14] = [
    "TestAllTypes",
    "NestedTestAllTypes",
    "GlobalEnum",
    "NestedEnum",
    "NestedMessage",
    "proto.",
    "google.protobuf.Any",
    "google.protobuf.Struct",
    "google.protobuf.Value",
    "google.protobuf.ListValue",
    "Value{",
    "google.protobuf.NullValue",
    "google.protobuf.Empty",
    "google.protobuf.Struct{",
];

pub(crate) fn run(case: &Message) -> Answer {
    let source = case.text("expr").unwrap_or_default();
    let container = case.text("container").unwrap_or_default();
    let proto = |text: &str| PROTO.iter().any(|word| text.contains(word));
    if proto(&source)
        || container.starts_with("cel.expr.conformance.proto")
        || container.starts_with("google.")
    {
        return Answer::Skipped("protocol buffer messages and enums");
    }
    if ["cel.block(", "cel.iterVar(", "cel.index("]
        .iter()
        .any(|word| source.contains(word))
    {
        return Answer::Skipped("test-only macros of the optimizer's own form (cel.block)");
    }
    if case.word("check_only") == Some("true") {
        return Answer::Skipped("asserts a static type of the reference checker");
    }
    if case.has("unknown") || case.has("any_unknowns") {
        return Answer::Skipped("unknown values");
    }
    let mut values = Vec::new();
    for binding in case.messages("bindings") {
        let value = binding
            .message("value")
            .and_then(|value| value.message("value"));
        match (binding.text("key"), value.map(of)) {
            (Some(key), Some(Ok(value))) => values.push((key, value)),
            (_, Some(Err(class))) => return Answer::Skipped(class),
            _ => return Answer::Skipped("a variable that is an error"),
        }
    }
    let typed = case
        .message("typed_result")
        .and_then(|typed| typed.message("result"));
    let wanted = match case.message("value").or(typed).map(of) {
        Some(Ok(value)) => Some(value),
        Some(Err(class)) => return Answer::Skipped(class),
        None if case.has("eval_error") || case.has("any_eval_errors") => None,
        None => Some(Val::Bool(true)),
    };
    compare(&source, &container, values, wanted.as_ref())
}

fn compare(
    source: &str,
    container: &str,
    values: Vec<(String, Val<'static>)>,
    wanted: Option<&Val<'_>>,
) -> Answer {
    let program = match Program::parse(source) {
        Ok(program) => program,
        Err(_) if wanted.is_none() => return Answer::Right,
        Err(problems) => return Answer::Wrong(format!("refused: {}", problems[0].message)),
    };
    let mut bindings = Bindings::new();
    for (name, value) in nested(values, container) {
        bindings.val(name, value);
    }
    let limits = Limits {
        mixed_numbers: false,
        ..Limits::default()
    };
    match (program.eval_within(&bindings, limits).0, wanted) {
        (Outcome::Fault(_), None) => Answer::Right,
        (Outcome::Ok(value), Some(wanted)) if same(&value, wanted) => Answer::Right,
        (Outcome::Ok(value), Some(wanted)) => {
            Answer::Wrong(format!("gives {value:?}, not {wanted:?}"))
        }
        (Outcome::Ok(value), None) => Answer::Wrong(format!("gives {value:?}, not an error")),
        (Outcome::Fault(fault), Some(_)) => Answer::Wrong(format!("fails: {fault}")),
        (Outcome::Pending(pending), _) => Answer::Wrong(format!("waits for {pending}")),
    }
}

/// Variables with dots in their names are fields of others here; a container's variables are found without its name.
fn nested(values: Vec<(String, Val<'static>)>, container: &str) -> BTreeMap<String, Val<'static>> {
    let mut all = BTreeMap::new();
    let prefix = format!("{container}.");
    let mut own = Vec::new();
    for (name, value) in values {
        if let Some(short) = name.strip_prefix(&prefix).filter(|_| !container.is_empty()) {
            own.push((short.to_owned(), value.clone()));
        }
        insert(&mut all, &name, value);
    }
    for (name, value) in own {
        insert(&mut all, &name, value);
    }
    all
}

fn insert(all: &mut BTreeMap<String, Val<'static>>, name: &str, value: Val<'static>) {
    let mut parts = name.split('.').rev().collect::<Vec<_>>();
    let root = parts.pop().unwrap_or_default().to_owned();
    let value = parts
        .into_iter()
        .fold(value, |inner, part| Val::map([(part.to_owned(), inner)]));
    all.insert(root, value);
}

/// A value of the suite as one of ours, or the class of what it is instead.
fn of(message: &Message) -> Result<Val<'static>, &'static str> {
    let Some((name, field)) = message.0.first() else {
        return Err("a value that is not set");
    };
    let word = match field {
        Field::Word(word) => word.as_str(),
        Field::Text(_) | Field::Message(_) => "",
    };
    Ok(match (name.as_str(), field) {
        ("null_value", _) => Val::Null,
        ("bool_value", _) => Val::Bool(word == "true"),
        ("int64_value", _) => Val::Int(word.parse().map_err(|_| "an int that is none")?),
        ("uint64_value", _) => Val::UInt(word.parse().map_err(|_| "a uint that is none")?),
        ("double_value", _) => Val::Double(match word.to_ascii_lowercase().as_str() {
            "inf" | "infinity" => f64::INFINITY,
            "-inf" | "-infinity" => f64::NEG_INFINITY,
            "nan" => f64::NAN,
            word => word.parse().map_err(|_| "a double that is none")?,
        }),
        ("string_value", Field::Text(bytes)) => {
            Val::text(String::from_utf8(bytes.clone()).map_err(|_| "a text that is none")?)
        }
        ("bytes_value", Field::Text(bytes)) => Val::Bytes(bytes.as_slice().into()),
        ("type_value", Field::Text(bytes)) => type_called(bytes)?,
        ("list_value", Field::Message(list)) => {
            let items = list
                .messages("values")
                .map(of)
                .collect::<Result<Vec<_>, _>>()?;
            Val::List(List::Owned(Rc::new(items)))
        }
        ("map_value", Field::Message(map)) => {
            let mut entries = Vec::new();
            for entry in map.messages("entries") {
                let (Some(key), Some(value)) = (entry.message("key"), entry.message("value"))
                else {
                    return Err("an entry that is none");
                };
                entries.push((key_of(&of(key)?)?, of(value)?));
            }
            entries.sort_by_key(|(key, _)| format!("{key:?}"));
            Val::Map(Map::Owned(Rc::new(entries), None))
        }
        ("object_value", Field::Message(any)) => return time(any),
        _ => return Err("protocol buffer messages and enums"),
    })
}

fn type_called(name: &[u8]) -> Result<Val<'static>, &'static str> {
    const TYPES: [&str; 13] = [
        "bool",
        "bytes",
        "double",
        "int",
        "list",
        "map",
        "null_type",
        "string",
        "type",
        "uint",
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "optional_type",
    ];
    let found = TYPES.iter().find(|known| known.as_bytes() == name);
    found
        .map(|name| Val::Type(name))
        .ok_or("types of other values")
}

/// Moments and lengths of time are the only messages that are values here.
fn time(any: &Message) -> Result<Val<'static>, &'static str> {
    let Some((name, Field::Message(parts))) = any.0.first() else {
        return Err("protocol buffer messages and enums");
    };
    let number = |part: &str| -> i64 { parts.word(part).and_then(|w| w.parse().ok()).unwrap_or(0) };
    let (seconds, nanos) = (number("seconds"), number("nanos"));
    match name.as_str() {
        "[type.googleapis.com/google.protobuf.Timestamp]" => Ok(Val::Timestamp(
            i128::from(seconds) * 1_000_000_000 + i128::from(nanos),
        )),
        "[type.googleapis.com/google.protobuf.Duration]" => Ok(Val::Duration(
            seconds.saturating_mul(1_000_000_000).saturating_add(nanos),
        )),
        _ => Err("protocol buffer messages and enums"),
    }
}

fn key_of(value: &Val<'static>) -> Result<Key<'static>, &'static str> {
    Ok(match value {
        Val::Bool(b) => Key::Bool(*b),
        Val::Int(i) => Key::Int(*i),
        Val::UInt(u) => i64::try_from(*u).map_or(Key::UInt(*u), Key::Int),
        Val::String(Text::Shared(text)) => Key::String(Text::Shared(Rc::clone(text))),
        _ => return Err("a key that is none"),
    })
}

/// The same value of the same type. The suite writes an optional as what it holds.
fn same(a: &Val<'_>, b: &Val<'_>) -> bool {
    match (a, b) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::Int(a), Val::Int(b)) | (Val::Duration(a), Val::Duration(b)) => a == b,
        (Val::UInt(a), Val::UInt(b)) => a == b,
        (Val::Double(a), Val::Double(b)) => a.is_nan() && b.is_nan() || a.to_bits() == b.to_bits(),
        (Val::String(a), Val::String(b)) => a == b,
        (Val::Bytes(a), Val::Bytes(b)) => a == b,
        (Val::Timestamp(a), Val::Timestamp(b)) => a == b,
        (Val::Type(a), Val::Type(b)) => a == b,
        (Val::List(_), Val::List(_)) => match (a.elements(), b.elements()) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same(a, b)),
            _ => false,
        },
        (Val::Map(_), Val::Map(_)) => match (a.entries(), b.entries()) {
            (Some(a), Some(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, value)| {
                        b.iter().any(|(other, found)| {
                            same(&key.to_val(), &other.to_val()) && same(value, found)
                        })
                    })
            }
            _ => false,
        },
        _ => false,
    }
}
