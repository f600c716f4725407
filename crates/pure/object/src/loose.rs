//! What do valid bytes in an unusual layout mean?
//!
//! Protobuf's rules: the last of repeated keys and scalars wins, repeated messages merge, unknown fields are skipped, what
//! is absent has its default. The bytes were checked, so what cannot be read ends the loop instead of failing.

use crate::check::{Content, field};
use crate::wire::text;
use crate::{List, Object, Value};

/// Adds the fields of an encoded Struct to `object`.
pub(crate) fn object(object: &mut Object, bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok((number, content)) = field(&mut rest) {
        if let (1, Content::Delimited(body)) = (number, content) {
            let (key, value) = entry(body);
            object.insert(key, value);
        }
    }
}

/// The key and value of an encoded entry.
pub(crate) fn entry(body: &[u8]) -> (String, Value) {
    let mut rest = body;
    let mut key = String::new();
    let mut held = Value::Null;
    while let Ok((number, content)) = field(&mut rest) {
        match (number, content) {
            (1, Content::Delimited(bytes)) => text(bytes).clone_into(&mut key),
            (2, Content::Delimited(payload)) => value(&mut held, payload),
            _ => {}
        }
    }
    (key, held)
}

fn value(held: &mut Value, payload: &[u8]) {
    let mut rest = payload;
    while let Ok((number, content)) = field(&mut rest) {
        match (number, content) {
            (1, Content::Varint(_)) => *held = Value::Null,
            (2, Content::Fixed64(bits)) => *held = Value::Double(f64::from_le_bytes(bits)),
            (3, Content::Delimited(bytes)) => *held = Value::String(text(bytes).to_owned()),
            (4, Content::Varint(bit)) => *held = Value::Bool(bit != 0),
            (5, Content::Delimited(fields)) => {
                let mut merged = match std::mem::replace(held, Value::Null) {
                    Value::Object(object) => object,
                    _ => Object::new(),
                };
                object(&mut merged, fields);
                *held = Value::Object(merged);
            }
            (6, Content::Delimited(values)) => {
                let mut merged = match std::mem::replace(held, Value::Null) {
                    Value::List(list) => list,
                    _ => List::new(),
                };
                list(&mut merged, values);
                *held = Value::List(merged);
            }
            _ => {}
        }
    }
}

fn list(list: &mut List, bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok((number, content)) = field(&mut rest) {
        if let (1, Content::Delimited(payload)) = (number, content) {
            let mut held = Value::Null;
            value(&mut held, payload);
            list.push(held);
        }
    }
}
