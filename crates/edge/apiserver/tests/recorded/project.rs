//! Parts of answers, and their comparison.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// What stands for a missing part.
pub(crate) const ABSENT: &str = "<absent>";

/// Equality in which 1 and 1.0 are the same.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (a, b) => a == b,
    }
}

/// Follows dots.
pub(crate) fn dig<'a>(value: &'a Value, dotted: &str) -> &'a Value {
    dotted.split('.').fold(value, |value, part| &value[part])
}

/// The text of a value as Python's `str` gives it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        other => other.to_string(),
    }
}

/// A JSON pointer in which `/items[metadata.name=x]` chooses a member.
pub(crate) fn pick(document: &Value, pointer: &str) -> Value {
    let mut current = document.clone();
    for segment in segments(pointer) {
        let (name, filter) = match segment.strip_suffix(']').and_then(|s| s.split_once('[')) {
            Some((name, filter)) if filter.contains('=') => {
                (name.to_owned(), filter.split_once('='))
            }
            _ => (segment.clone(), None),
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        if !name.is_empty() {
            let next = match &current {
                Value::Array(list) => name.parse::<usize>().ok().and_then(|i| list.get(i)),
                Value::Object(map) => map.get(&name),
                _ => None,
            };
            let Some(next) = next.cloned() else {
                return ABSENT.into();
            };
            current = next;
        }
        if let Some((key, wanted)) = filter {
            let list = current.as_array();
            let hit = list
                .into_iter()
                .flatten()
                .find(|v| v.is_object() && shown(dig(v, key)) == wanted);
            let Some(hit) = hit.cloned() else {
                return ABSENT.into();
            };
            current = hit;
        }
    }
    current
}

fn segments(pointer: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut depth = 0;
    let mut chars = pointer.chars();
    if chars.next().is_none() {
        return out;
    }
    let mut current = String::new();
    for c in chars {
        if c == '/' && depth == 0 {
            out.push(std::mem::take(&mut current));
            continue;
        }
        depth += i32::from(c == '[') - i32::from(c == ']');
        current.push(c);
    }
    out.push(current);
    out
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().map(|(k, v)| (k.clone(), shape(v))).collect())
        }
        Value::Array(list) => match list.first() {
            Some(first) => json!([format!("[{}]", type_name(first))]),
            None => json!([]),
        },
        other => type_name(other).into(),
    }
}

/// The texts of values, for a stable order.
fn by_text(a: &Value, b: &Value) -> Ordering {
    a.to_string().cmp(&b.to_string())
}

/// Keeps the parts of a body that a step asks for.
pub(crate) fn project(step: &Value, body: Value) -> Value {
    let Some(specs) = step["project"].as_array().filter(|p| !p.is_empty()) else {
        return body;
    };
    let mut out = Map::new();
    for spec in specs {
        let pointer = spec
            .as_str()
            .or_else(|| spec["ptr"].as_str())
            .unwrap_or_default();
        let mode = spec["mode"].as_str().unwrap_or("value");
        let value = pick(&body, pointer);
        let value = match (mode, value) {
            ("keys", Value::Object(map)) => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort();
                json!(keys)
            }
            ("shape", value) => shape(&value),
            ("exists", value) => (value != ABSENT).into(),
            ("sorted", Value::Array(mut list)) => {
                list.sort_by(by_text);
                list.into()
            }
            ("names", Value::Array(list)) => {
                let key = spec["key"].as_str().unwrap_or("name");
                let mut names: Vec<String> = list.iter().map(|v| shown(dig(v, key))).collect();
                names.sort();
                json!(names)
            }
            ("count", Value::Array(list)) => list.len().into(),
            ("count", Value::Object(map)) => map.len().into(),
            ("nonempty", value) => {
                let empty = match &value {
                    Value::Null => true,
                    Value::Bool(flag) => !flag,
                    Value::Number(n) => n.as_f64() == Some(0.0),
                    Value::String(text) => text.is_empty() || text == ABSENT,
                    Value::Array(list) => list.is_empty(),
                    Value::Object(map) => map.is_empty(),
                };
                (!empty).into()
            }
            (_, value) => value,
        };
        let suffix = if mode == "value" {
            String::new()
        } else {
            format!("#{mode}")
        };
        out.insert(format!("{pointer}{suffix}"), value);
    }
    Value::Object(out)
}
