//! Reads the protobuf form in which Kubernetes clients send built-in objects, into JSON.
//!
//! The envelope is `k8s\0` and a `runtime.Unknown`; the message inside is read by the table of built-in types.

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::kinds::decode::{micros, seconds};
use crate::kinds::types::{Field, Message, Type, message};

/// How deep messages may nest.
const DEEPEST: usize = 32;

/// Decodes an enveloped object.
pub(crate) fn decode(body: &[u8]) -> Result<Value, String> {
    let rest = body
        .strip_prefix(b"k8s\0")
        .ok_or("the body does not begin with the magic number of protobuf objects")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Reader(rest) {
        match field? {
            (1, Wire::Bytes(meta)) => {
                for field in Reader(meta) {
                    match field? {
                        (1, Wire::Bytes(text)) => api_version = utf8(text)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let name = if kind == "Event" && api_version == "events.k8s.io/v1" {
        "NewEvent"
    } else {
        &kind
    };
    let known = message(name).filter(|m| m.fields.first().is_some_and(|f| f.number == 1));
    let message = known.ok_or_else(|| {
        format!("no kind {kind:?} is registered for version {api_version:?} in protobuf; send it as JSON")
    })?;
    let mut fields = read_message(message, raw, 0)?;
    fields.insert("apiVersion".into(), api_version.into());
    fields.insert("kind".into(), kind.into());
    Ok(Value::Object(fields))
}

enum Wire<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Other,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self
                .0
                .split_first()
                .ok_or("unexpected end of the message")?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number is longer than 64 bits".into())
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let length = usize::try_from(length).map_err(|_| "a length is out of range")?;
        let (head, rest) = self
            .0
            .split_at_checked(length)
            .ok_or("unexpected end of the message")?;
        self.0 = rest;
        Ok(head)
    }

    fn read(&mut self) -> Result<(u32, Wire<'a>), String> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| "a field number is out of range")?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => self.take(8).map(|_| Wire::Other)?,
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Other)?,
            other => return Err(format!("unknown wire type {other}")),
        };
        Ok((number, wire))
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<(u32, Wire<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.0 = &[];
        }
        Some(read)
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a string is not UTF-8".into())
}

fn read_message(
    message: &Message,
    bytes: &[u8],
    depth: usize,
) -> Result<Map<String, Value>, String> {
    if depth > DEEPEST {
        return Err("messages nest too deep".into());
    }
    let mut out = Map::new();
    for item in Reader(bytes) {
        let (number, wire) = item?;
        let Some(field) = message.fields.iter().find(|f| f.number == number) else {
            continue;
        };
        read_field(field, &wire, &mut out, depth)?;
    }
    Ok(out)
}

fn read_field(
    field: &Field,
    wire: &Wire<'_>,
    out: &mut Map<String, Value>,
    depth: usize,
) -> Result<(), String> {
    match (&field.holds, wire) {
        (Type::List(item), wire) => {
            let value = read_value(item, wire, depth)?;
            let list = out
                .entry(field.name)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Some(list) = list.as_array_mut() {
                list.push(value);
            }
        }
        (Type::Map(item), Wire::Bytes(entry)) => {
            let (mut key, mut value) = (String::new(), Value::from(""));
            for part in Reader(entry) {
                match part? {
                    (1, Wire::Bytes(text)) => key = utf8(text)?,
                    (2, wire) => value = read_value(item, &wire, depth)?,
                    _ => {}
                }
            }
            let map = out
                .entry(field.name)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(map) = map.as_object_mut() {
                map.insert(key, value);
            }
        }
        (holds, wire) => {
            let value = read_value(holds, wire, depth)?;
            if !value.is_null() {
                out.insert(field.name.into(), value);
            }
        }
    }
    Ok(())
}

fn read_value(holds: &Type, wire: &Wire<'_>, depth: usize) -> Result<Value, String> {
    let value = match (holds, wire) {
        (Type::Text, Wire::Bytes(text)) => utf8(text)?.into(),
        (Type::Bool, Wire::Varint(n)) => (*n != 0).into(),
        (Type::Int { .. }, Wire::Varint(n)) => n.cast_signed().into(),
        (Type::Bytes, Wire::Bytes(bytes)) => base64::engine::general_purpose::STANDARD
            .encode(bytes)
            .into(),
        (Type::Time, Wire::Bytes(bytes)) => {
            read_time(bytes)?.map_or(Value::Null, |t| seconds(t).into())
        }
        (Type::MicroTime, Wire::Bytes(bytes)) => {
            read_time(bytes)?.map_or(Value::Null, |t| micros(t).into())
        }
        (Type::Message("FieldsV1"), Wire::Bytes(bytes)) => {
            let raw = Reader(bytes)
                .filter_map(Result::ok)
                .find_map(|(number, wire)| match wire {
                    Wire::Bytes(raw) if number == 1 => Some(raw),
                    _ => None,
                });
            serde_json::from_slice(raw.unwrap_or_default()).map_err(|error| error.to_string())?
        }
        (Type::Message(name), Wire::Bytes(bytes)) => match message(name) {
            Some(message) => Value::Object(read_message(message, bytes, depth + 1)?),
            None => Value::Null,
        },
        // What the table holds as plain JSON is not read from protobuf.
        _ => Value::Null,
    };
    Ok(value)
}

/// A time of zero seconds and nanoseconds that was not sent at all stays absent.
fn read_time(bytes: &[u8]) -> Result<Option<Timestamp>, String> {
    let (mut second, mut nano) = (None, 0);
    for part in Reader(bytes) {
        match part? {
            (1, Wire::Varint(n)) => second = Some(n.cast_signed()),
            (2, Wire::Varint(n)) => nano = i32::try_from(n.cast_signed()).unwrap_or_default(),
            _ => {}
        }
    }
    let Some(second) = second else {
        return Ok(None);
    };
    // Go writes its zero time as a date in year one.
    if second <= -62_135_596_800 {
        return Ok(None);
    }
    Timestamp::new(second, nano)
        .map(Some)
        .map_err(|error| error.to_string())
}
