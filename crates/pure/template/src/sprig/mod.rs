//! The functions of Sprig (v3), one file for each sort.
//!
//! What would read the environment or the network is not there (`env`, `expandenv`, `getHostByName`); what makes keys
//! and certificates is there and says that it cannot be had, because it would be different in every run.

mod base;
mod case;
mod date;
mod decimal;
mod dicts;
mod encode;
mod kinds;
mod lists;
mod math;
mod random;
mod regex;
mod semver;
mod strings;
mod url;

pub use base::decode_base64;
pub use date::{parse_time, time_value};

use crate::library::{Call, Function, Param};
use crate::value::{Elements, Text, Value};

pub(crate) static TABLES: &[&[Function]] = &[
    strings::FUNCTIONS,
    case::FUNCTIONS,
    lists::FUNCTIONS,
    dicts::FUNCTIONS,
    math::FUNCTIONS,
    kinds::FUNCTIONS,
    encode::FUNCTIONS,
    regex::FUNCTIONS,
    semver::FUNCTIONS,
    url::FUNCTIONS,
    date::FUNCTIONS,
    random::FUNCTIONS,
];

/// The longest text one function makes.
const MAX_TEXT: usize = 16 << 20;
/// The longest list one function makes.
const MAX_ITEMS: usize = 1 << 20;

type Made = Result<Value, String>;

const fn f(
    name: &'static str,
    params: &'static [Param],
    call: fn(&mut dyn Call, &[Value]) -> Made,
) -> Function {
    Function {
        name,
        params,
        rest: None,
        call,
    }
}

const fn rest(
    name: &'static str,
    params: &'static [Param],
    more: Param,
    call: fn(&mut dyn Call, &[Value]) -> Made,
) -> Function {
    Function {
        name,
        params,
        rest: Some(more),
        call,
    }
}

const NOTHING: &Value = &Value::Nil;

/// An argument; nil when there are fewer.
fn arg(args: &[Value], index: usize) -> &Value {
    args.get(index).unwrap_or(NOTHING)
}

/// The bytes of a text argument.
fn bytes(args: &[Value], index: usize) -> &[u8] {
    match arg(args, index) {
        Value::Text(text) => text,
        _ => b"",
    }
}

/// A text argument, with replacement characters for what is not UTF-8.
fn text(args: &[Value], index: usize) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes(args, index))
}

/// A whole number argument.
fn int(args: &[Value], index: usize) -> i64 {
    match arg(args, index) {
        Value::Int(value, _) => *value,
        _ => 0,
    }
}

/// `strval`: the text of a value.
fn strval(value: &Value) -> Text {
    match value {
        Value::Text(text) => text.clone(),
        Value::List(list) if list.elements() == Elements::Bytes => crate::json::bytes(list).into(),
        other => other.shown().into(),
    }
}

/// `strslice`: the texts of a list, or of one value.
fn strslice(value: &Value) -> Vec<Text> {
    match value {
        Value::Missing | Value::Nil => Vec::new(),
        Value::List(list) if list.elements() != Elements::Bytes => (list.items().iter())
            .filter(|item| !item.is_nil())
            .map(strval)
            .collect(),
        other => vec![strval(other)],
    }
}

fn too_long<T>() -> Result<T, String> {
    Err(format!("the text would be longer than {MAX_TEXT} bytes"))
}
