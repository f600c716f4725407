//! Reads a built-in object strictly by its message: types are checked, times normalised, unknown fields dropped.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::types::{Field, Message, Type, message};

/// What decoding notices besides its result.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    /// Paths of fields that are in no message.
    pub unknown: Vec<String>,
}

/// Brings an object into the form in which it is stored and shown. `top` keeps `apiVersion` and `kind`.
pub(crate) fn decode(name: &str, value: &mut Value, noticed: &mut Noticed) -> Result<(), String> {
    let message = message(name).ok_or_else(|| format!("no such kind: {name}"))?;
    let Some(fields) = value.as_object_mut() else {
        return Err(format!(
            "cannot unmarshal {} into an object of type {name}",
            kind_of(value)
        ));
    };
    let head: Vec<(String, Value)> = ["apiVersion", "kind"]
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), fields.remove(*key)?)))
        .collect();
    decode_message(message, fields, "", noticed)?;
    fields.extend(head);
    Ok(())
}

fn decode_message(
    message: &Message,
    fields: &mut Map<String, Value>,
    at: &str,
    noticed: &mut Noticed,
) -> Result<(), String> {
    if message.json {
        return Ok(());
    }
    let known = fields.keys().filter(|k| message.field(k).is_none());
    let unknown: Vec<String> = known.cloned().collect();
    for key in unknown {
        fields.remove(&key);
        noticed.unknown.push(join(at, &key));
    }
    for field in &message.fields {
        let path = join(at, field.name);
        if let Some(value) = fields.get_mut(field.name) {
            decode_value(&field.holds, value, &path, noticed)?;
        }
        settle(field, fields);
    }
    Ok(())
}

/// Drops what Go's `omitempty` would not write, and adds what is always written.
fn settle(field: &Field, fields: &mut Map<String, Value>) {
    let present = fields.get(field.name);
    let empty = present.is_none_or(|value| match (&field.holds, value) {
        (_, Value::Null) => true,
        (Type::Message(_) | Type::Json, _) => false,
        (_, _) if field.pointer => false,
        (_, Value::String(text)) => text.is_empty(),
        (_, Value::Bool(flag)) => !flag,
        (_, Value::Number(number)) => number.as_i64() == Some(0),
        (_, Value::Array(items)) => items.is_empty() && !field.always,
        (_, Value::Object(map)) => map.is_empty(),
    });
    if !empty {
        return;
    }
    let zero = match &field.holds {
        _ if !field.always => None,
        Type::Message(name) if !field.pointer => {
            let mut inner = Map::new();
            for field in message(name).into_iter().flat_map(|m| &m.fields) {
                settle(field, &mut inner);
            }
            Some(Value::Object(inner))
        }
        Type::Text => Some("".into()),
        Type::Bool => Some(false.into()),
        Type::Int { .. } => Some(0.into()),
        _ => Some(Value::Null),
    };
    match zero {
        Some(value) => fields.insert(field.name.into(), value),
        None => fields.remove(field.name),
    };
}

fn decode_value(
    holds: &Type,
    value: &mut Value,
    at: &str,
    noticed: &mut Noticed,
) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    match (holds, &mut *value) {
        (Type::Json, _) | (Type::Text, Value::String(_)) | (Type::Bool, Value::Bool(_)) => Ok(()),
        (Type::Int { bits }, Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| whole(number.as_f64()?));
            match whole {
                Some(n) if *bits == 64 || i32::try_from(n).is_ok() => {
                    *value = n.into();
                    Ok(())
                }
                _ => Err(format!(
                    "{at}: cannot unmarshal number {number} into an int{bits}"
                )),
            }
        }
        (Type::Bytes, Value::String(text)) => {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text.as_bytes())
                .map_err(|error| format!("{at}: illegal base64 data: {error}"))?;
            *value = base64::engine::general_purpose::STANDARD
                .encode(bytes)
                .into();
            Ok(())
        }
        (Type::Time, Value::String(text)) => {
            let time: Timestamp = text.parse().map_err(|_| bad_time(at, text))?;
            *value = seconds(time).into();
            Ok(())
        }
        (Type::MicroTime, Value::String(text)) => {
            let fraction = text
                .split_once('.')
                .map(|(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
            let time: Timestamp = text.parse().map_err(|_| bad_time(at, text))?;
            if fraction != Some(6) {
                return Err(bad_time(at, text));
            }
            *value = micros(time).into();
            Ok(())
        }
        (Type::Map(inner), Value::Object(map)) => map
            .iter_mut()
            .try_for_each(|(key, value)| null_zero(inner, value, &format!("{at}.{key}"), noticed)),
        (Type::List(inner), Value::Array(items)) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(i, item)| null_zero(inner, item, &format!("{at}[{i}]"), noticed)),
        (Type::Message(name), Value::Object(fields)) => match message(name) {
            Some(message) => decode_message(message, fields, at, noticed),
            None => Err(format!("{at}: unknown type {name}")),
        },
        (_, other) => Err(format!(
            "json: cannot unmarshal {} into Go struct field {at} of type {}",
            kind_of(other),
            go_type(holds)
        )),
    }
}

/// A null inside a map or list is the zero value of its type.
fn null_zero(
    holds: &Type,
    value: &mut Value,
    at: &str,
    noticed: &mut Noticed,
) -> Result<(), String> {
    if value.is_null() {
        match holds {
            Type::Text | Type::Bytes => *value = "".into(),
            Type::Message(_) => *value = Value::Object(Map::new()),
            _ => {}
        }
    }
    decode_value(holds, value, at, noticed)
}

fn bad_time(at: &str, text: &str) -> String {
    format!("{at}: parsing time {text:?}: cannot parse it as a time of this field's layout")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the bounds are checked first"
)]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

fn go_type(holds: &Type) -> &'static str {
    match holds {
        Type::Text => "string",
        Type::Bool => "bool",
        Type::Int { bits: 32 } => "int32",
        Type::Int { .. } => "int64",
        Type::Bytes => "[]uint8",
        Type::Time => "v1.Time",
        Type::MicroTime => "v1.MicroTime",
        Type::Json => "interface {}",
        Type::Map(_) => "map",
        Type::List(_) => "slice",
        Type::Message(name) => name,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        name.to_owned()
    } else {
        format!("{at}.{name}")
    }
}

/// `metav1.Time`: whole seconds, UTC.
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `metav1.MicroTime`: six digits, UTC.
pub(crate) fn micros(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A built-in object with nothing set, as it is before it is created.
pub(crate) fn zero(name: &str) -> Value {
    let mut object = Value::Object(Map::new());
    // An empty object has no field of a wrong type.
    match decode(name, &mut object, &mut Noticed::default()) {
        Ok(()) => object,
        Err(_) => Value::Null,
    }
}
