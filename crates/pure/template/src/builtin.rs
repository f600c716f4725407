//! The functions of `text/template` itself.

use std::cmp::Ordering;

use crate::gofmt::{self, Arg};
use crate::library::{Call, Function, Param};
use crate::value::{MAX_DEPTH, Value, deep_equal};

use Param::{Any, Raw, Text};

pub(crate) static FUNCTIONS: &[Function] = &[
    function("and", &[Raw], Some(Raw), last),
    function("or", &[Raw], Some(Raw), last),
    function("not", &[Raw], None, |_, args| {
        Ok((!arg(args, 0).truth()).into())
    }),
    function("len", &[Raw], None, len),
    function("index", &[Raw], Some(Raw), index),
    function("call", &[Raw], Some(Raw), |_, args| {
        Err(match args.first() {
            Some(value) if !value.is_nil() => {
                format!("non-function of type {}", value.go_type())
            }
            _ => "call of nil".to_owned(),
        })
    }),
    function("eq", &[Raw], Some(Raw), |_, args| {
        equal(args).map(Value::from)
    }),
    function("ne", &[Raw, Raw], None, |_, args| {
        equal(args).map(|equal| (!equal).into())
    }),
    function("lt", &[Raw, Raw], None, |_, args| {
        less(args).map(Value::from)
    }),
    function("le", &[Raw, Raw], None, |_, args| {
        less_or_equal(args).map(Value::from)
    }),
    function("gt", &[Raw, Raw], None, |_, args| {
        less_or_equal(args).map(|less| (!less).into())
    }),
    function("ge", &[Raw, Raw], None, |_, args| {
        less(args).map(|less| (!less).into())
    }),
    function("print", &[], Some(Any), |_, args| Ok(sprint(args).into())),
    function("println", &[], Some(Any), |_, args| {
        let shown: Vec<_> = args.iter().map(Value::shown).collect();
        let mut text = shown.join(&b' ');
        text.push(b'\n');
        Ok(text.into())
    }),
    function("printf", &[Text], Some(Any), |_, args| {
        let (format, args) = args.split_first().ok_or("no format")?;
        let format = String::from_utf8_lossy(&format.shown()).into_owned();
        sprintf(&format, args).map(Value::from)
    }),
    function("html", &[], Some(Any), |_, args| {
        Ok(html(&lossy(args)).into())
    }),
    function("js", &[], Some(Any), |_, args| Ok(js(&lossy(args)).into())),
    function("urlquery", &[], Some(Any), |_, args| {
        Ok(query_escape(&printed(args)).into())
    }),
];

const fn function(
    name: &'static str,
    params: &'static [Param],
    rest: Option<Param>,
    call: fn(&mut dyn Call, &[Value]) -> Result<Value, String>,
) -> Function {
    Function {
        name,
        params,
        rest,
        call,
    }
}

const NOTHING: &Value = &Value::Missing;

fn arg(args: &[Value], index: usize) -> &Value {
    args.get(index).unwrap_or(NOTHING)
}

/// The last argument: those before it have decided nothing.
#[expect(clippy::unnecessary_wraps, reason = "the type that all functions have")]
fn last(_: &mut dyn Call, args: &[Value]) -> Result<Value, String> {
    Ok(args.last().cloned().unwrap_or_default())
}

#[expect(clippy::cast_possible_wrap, reason = "no length comes near")]
fn len(_: &mut dyn Call, args: &[Value]) -> Result<Value, String> {
    let length = match arg(args, 0) {
        Value::Text(text) => text.len(),
        Value::List(list) => list.items().len(),
        Value::Map(map) => map.entries().len(),
        Value::Pairs(pairs) => pairs.len(),
        Value::Missing | Value::Nil => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", other.go_type())),
    };
    Ok(Value::int(length as i64))
}

fn index(_: &mut dyn Call, args: &[Value]) -> Result<Value, String> {
    let (first, keys) = args.split_first().ok_or("index of nothing")?;
    if first.is_nil() && matches!(first, Value::Missing) {
        return Err("index of untyped nil".to_owned());
    }
    let mut item = first.clone();
    for key in keys {
        item = match &item {
            Value::Missing | Value::Nil => return Err("index of nil pointer".to_owned()),
            Value::Map(map) => match key {
                Value::Text(key) => map.get(key).unwrap_or(match map.members() {
                    crate::value::Members::Texts => Value::text(""),
                    _ => Value::Nil,
                }),
                Value::Missing | Value::Nil => {
                    return Err("value is nil; should be of type string".to_owned());
                }
                other => {
                    return Err(format!(
                        "value has type {}; should be string",
                        other.go_type()
                    ));
                }
            },
            Value::Pairs(pairs) => pairs
                .iter()
                .find(|(held, _)| deep_equal(held, key, 0))
                .map_or(Value::Nil, |(_, value)| value.clone()),
            Value::List(list) => {
                let items = list.items();
                let at = position(key, items.len(), false)?;
                items.get(at).cloned().unwrap_or_default()
            }
            Value::Text(text) => {
                let at = position(key, text.len(), false)?;
                let byte = text.get(at).copied().unwrap_or_default();
                Value::Int(byte.into(), crate::value::Whole::Uint8)
            }
            other => return Err(format!("can't index item of type {}", other.go_type())),
        };
    }
    Ok(item)
}

/// An index into something of a length.
fn position(key: &Value, length: usize, end: bool) -> Result<usize, String> {
    match key {
        Value::Int(at, _) => usize::try_from(*at)
            .ok()
            .filter(|at| *at < length || (end && *at == length))
            .ok_or_else(|| format!("index out of range: {at}")),
        Value::Missing | Value::Nil => Err("cannot index slice/array with nil".to_owned()),
        other => Err(format!(
            "cannot index slice/array with type {}",
            other.go_type()
        )),
    }
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Basic {
    Bool,
    Whole,
    Float,
    Text,
    Other,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(..) => Basic::Whole,
        Value::Float(_) => Basic::Float,
        Value::Text(_) => Basic::Text,
        _ => Basic::Other,
    }
}

fn equal(args: &[Value]) -> Result<bool, String> {
    let (first, others) = args
        .split_first()
        .ok_or("missing argument for comparison")?;
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if basic(first) != basic(other) {
            if !first.is_nil() && !other.is_nil() {
                return Err("incompatible types for comparison".to_owned());
            }
            continue;
        }
        let same = match (first, other) {
            (Value::Int(a, _), Value::Int(b, _)) => a == b,
            (Value::Native(a), Value::Native(b)) => {
                a.go_type() == b.go_type() && a.text() == b.text()
            }
            (a, b) if basic(a) != Basic::Other => deep_equal(a, b, MAX_DEPTH),
            (a, b) if is_nil(a) || is_nil(b) => is_nil(a) == is_nil(b),
            (a, _) => return Err(format!("non-comparable type {}", a.go_type())),
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Nothing, nil, or a nil of some type.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        other => other.is_nil(),
    }
}

fn less(args: &[Value]) -> Result<bool, String> {
    match (arg(args, 0), arg(args, 1)) {
        (Value::Int(a, _), Value::Int(b, _)) => Ok(a < b),
        (Value::Float(a), Value::Float(b)) => Ok(a < b),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b) == Ordering::Less),
        (a, b) if basic(a) == Basic::Other || basic(b) == Basic::Other => {
            Err("invalid type for comparison".to_owned())
        }
        (a, b) if basic(a) == basic(b) => Err("invalid type for comparison".to_owned()),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn less_or_equal(args: &[Value]) -> Result<bool, String> {
    Ok(less(args)? || equal(args)?)
}

/// `fmt.Sprint`: a space between two arguments when neither is text.
pub(crate) fn sprint(args: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut was_text = true;
    for (index, value) in args.iter().enumerate() {
        let is_text = matches!(value, Value::Text(_));
        if index > 0 && !is_text && !was_text {
            out.push(b' ');
        }
        out.extend_from_slice(&value.shown());
        was_text = is_text;
    }
    out
}

/// `fmt.Sprintf`.
pub(crate) fn sprintf(format: &str, args: &[Value]) -> Result<Vec<u8>, String> {
    let texts: Vec<String> = args
        .iter()
        .map(|arg| match arg {
            Value::Native(native) => native.text(),
            _ => String::new(),
        })
        .collect();
    let args: Vec<Arg<'_>> = (args.iter().zip(&texts))
        .map(|(arg, text)| match arg {
            Value::Native(native) => Arg::Named(text.as_bytes(), native.go_type()),
            other => other.arg(),
        })
        .collect();
    gofmt::sprintf(format, &args).map_err(|error| error.to_string())
}

/// The text of the arguments of `html` and its like, to which nothing is `<no value>`.
fn printed(args: &[Value]) -> Vec<u8> {
    let named: Vec<Value> = (args.iter())
        .map(|arg| {
            if arg.is_nil() {
                "<no value>".into()
            } else {
                arg.clone()
            }
        })
        .collect();
    sprint(&named)
}

fn lossy(args: &[Value]) -> String {
    String::from_utf8_lossy(&printed(args)).into_owned()
}

pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => push!(out, "\\u{:04X}", u32::from(c)),
            c if c < ' ' || c == '\u{7f}' => push!(out, "\\u{:04X}", u32::from(c)),
            c if c.is_ascii() || (!c.is_whitespace() && !c.is_control()) => out.push(c),
            c => push!(out, "\\u{:04X}", u32::from(c)),
        }
    }
    out
}

/// `url.QueryEscape`.
pub(crate) fn query_escape(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(*byte));
            }
            b' ' => out.push('+'),
            other => push!(out, "%{other:02X}"),
        }
    }
    out
}
