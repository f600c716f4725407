//! How is a value written as JSON, and read from it?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::gofmt::{json_number, json_string};
use crate::value::{Elements, List, MAX_DEPTH, Map, Members, Text, Value};

/// How JSON is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Each member on a line of its own, two spaces further in.
    pub pretty: bool,
    /// `<`, `>` and `&` stay as they are.
    pub raw: bool,
}

/// `json.Marshal`.
///
/// # Errors
/// JSON has no NaN, no infinity and no keys but texts.
pub fn write(value: &Value, style: Style) -> Result<String, String> {
    let mut writer = Writer {
        out: String::new(),
        style,
    };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    style: Style,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "the value is nested deeper than {MAX_DEPTH} levels"
            ));
        }
        match value {
            Value::Missing | Value::Nil => self.out.push_str("null"),
            Value::List(list) if list.is_nil() => self.out.push_str("null"),
            Value::Map(map) if map.is_nil() => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value, _) => push!(self.out, "{value}"),
            Value::Float(value) => self.out.push_str(&json_number(*value)?),
            Value::Text(text) => self.text(text),
            Value::List(list) if list.elements() == Elements::Bytes => {
                let text = STANDARD.encode(bytes(list));
                self.text(text.as_bytes());
            }
            Value::List(list) => {
                let items = list.items();
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.between(index, depth + 1);
                    self.value(item, depth + 1)?;
                }
                self.close(items.is_empty(), depth, ']');
            }
            Value::Map(map) => {
                let entries = map.entries();
                self.out.push('{');
                for (index, (key, item)) in entries.iter().enumerate() {
                    self.between(index, depth + 1);
                    self.text(key);
                    self.out
                        .push_str(if self.style.pretty { ": " } else { ":" });
                    self.value(item, depth + 1)?;
                }
                self.close(entries.is_empty(), depth, '}');
            }
            Value::Pairs(_) => {
                return Err("json: unsupported type: map[interface {}]interface {}".to_owned());
            }
            Value::Native(native) => self.out.push_str(&native.json()),
        }
        Ok(())
    }

    fn between(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.line(depth);
    }

    fn line(&mut self, depth: usize) {
        if self.style.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn close(&mut self, empty: bool, depth: usize, bracket: char) {
        if !empty {
            self.line(depth);
        }
        self.out.push(bracket);
    }

    fn text(&mut self, text: &[u8]) {
        if !self.style.raw {
            return json_string(&mut self.out, text);
        }
        self.out.push('"');
        let mut piece = String::new();
        for part in text.split_inclusive(|b| matches!(b, b'<' | b'>' | b'&')) {
            let (part, mark) = match part.split_last() {
                Some((last @ (b'<' | b'>' | b'&'), rest)) => (rest, Some(char::from(*last))),
                _ => (part, None),
            };
            piece.clear();
            json_string(&mut piece, part);
            let inner = piece.strip_prefix('"').and_then(|p| p.strip_suffix('"'));
            self.out.push_str(inner.unwrap_or_default());
            self.out.extend(mark);
        }
        self.out.push('"');
    }
}

/// The bytes of a `[]uint8`.
pub fn bytes(list: &List) -> Vec<u8> {
    let byte = |value: &Value| match value {
        Value::Int(byte, _) => u8::try_from(*byte).unwrap_or_default(),
        _ => 0,
    };
    list.items().iter().map(byte).collect()
}

/// `json.Unmarshal` into anything: all numbers are `float64`.
///
/// # Errors
/// What is wrong with the text.
pub fn read(text: &[u8]) -> Result<Value, String> {
    let json: serde_json::Value = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    Ok(from_json(&json))
}

fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or_default()),
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(items) => Value::list(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (Text::from(key.as_bytes()), from_json(value)));
            Value::Map(Map::of(Members::Any, entries.collect()))
        }
    }
}
