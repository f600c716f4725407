//! The built-in messages: what their fields are called, numbered and made of.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use crate::apply::shape::{Identity, ListShape, MapShape, Scalar, Shape};

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    Text,
    Bool,
    Int { bits: u8 },
    Bytes,
    Time,
    MicroTime,
    Json,
    Map(Box<Type>),
    List(Box<Type>),
    Message(&'static str),
}

/// How the items of a list are told apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Items {
    Atomic,
    Set,
    Key(&'static str),
}

/// One field of a message.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub number: u32,
    pub name: &'static str,
    pub holds: Type,
    pub items: Items,
    /// A zero value means something.
    pub pointer: bool,
    /// Written even when empty.
    pub always: bool,
}

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub fields: Vec<Field>,
    /// The name of its OpenAPI schema.
    pub schema: &'static str,
    pub atomic: bool,
    /// Any JSON at all.
    pub json: bool,
}

impl Message {
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

static MESSAGES: LazyLock<BTreeMap<&'static str, Message>> =
    LazyLock::new(|| parse(include_str!("builtin.types")));

/// A message by its name in the table.
pub(crate) fn message(name: &str) -> Option<&'static Message> {
    MESSAGES.get(name)
}

fn parse(table: &'static str) -> BTreeMap<&'static str, Message> {
    let mut messages = BTreeMap::new();
    for block in table.split("\n\n") {
        let mut lines = block
            .lines()
            .filter(|l| !l.starts_with('#') && !l.trim().is_empty());
        let Some(head) = lines.next() else { continue };
        let mut words = head.split_whitespace();
        let (Some(name), Some(schema)) = (words.next(), words.next()) else {
            continue;
        };
        let flags: Vec<&str> = words.collect();
        let message = Message {
            fields: lines.filter_map(parse_field).collect(),
            schema,
            atomic: flags.contains(&"atomic"),
            json: flags.contains(&"json"),
        };
        messages.insert(name, message);
    }
    messages
}

fn parse_field(line: &'static str) -> Option<Field> {
    let mut words = line.split_whitespace();
    let number = words.next()?.parse().ok()?;
    let name = words.next()?;
    let holds = parse_type(words.next()?);
    let mut field = Field {
        number,
        name,
        holds,
        items: Items::Atomic,
        pointer: false,
        always: false,
    };
    for flag in words {
        match flag {
            "ptr" => field.pointer = true,
            "always" => field.always = true,

            "set" => field.items = Items::Set,
            other => {
                if let Some(key) = other.strip_prefix("key=") {
                    field.items = Items::Key(key);
                }
            }
        }
    }
    Some(field)
}

fn parse_type(text: &'static str) -> Type {
    let inner = |prefix: &str| text.strip_prefix(prefix).and_then(|t| t.strip_suffix('>'));
    if let Some(item) = inner("list<") {
        return Type::List(Box::new(parse_type(item)));
    }
    if let Some(value) = inner("map<") {
        return Type::Map(Box::new(parse_type(value)));
    }
    match text {
        "string" => Type::Text,
        "bool" => Type::Bool,
        "int32" => Type::Int { bits: 32 },
        "int64" => Type::Int { bits: 64 },
        "bytes" => Type::Bytes,
        "time" => Type::Time,
        "microtime" => Type::MicroTime,
        "json" => Type::Json,
        name => Type::Message(name),
    }
}

/// The server-side-apply shape of `ObjectMeta`.
pub(crate) static METADATA: LazyLock<Arc<Shape>> =
    LazyLock::new(|| shape_of(&Type::Message("ObjectMeta"), &Items::Atomic));

/// The server-side-apply shape of a built-in kind.
pub(crate) fn shape(name: &'static str) -> Arc<Shape> {
    let shape = shape_of(&Type::Message(name), &Items::Atomic);
    let Shape::Map(map) = &*shape else {
        return shape;
    };
    let mut map = map.clone();
    let text = Arc::new(Shape::Scalar(Scalar::String));
    map.fields.insert("apiVersion".into(), text.clone());
    map.fields.insert("kind".into(), text);
    Arc::new(Shape::Map(map))
}

fn shape_of(holds: &Type, items: &Items) -> Arc<Shape> {
    let shape = match holds {
        Type::Text | Type::Bytes => Shape::Scalar(Scalar::String),
        // Times are untyped in the published schemas.
        Type::Time | Type::MicroTime => Shape::Scalar(Scalar::Any),
        Type::Bool => Shape::Scalar(Scalar::Boolean),
        Type::Int { .. } => Shape::Scalar(Scalar::Numeric),
        Type::Json => return Shape::deduced(),
        Type::Map(value) => Shape::Map(MapShape {
            fields: BTreeMap::new(),
            rest: Some(shape_of(value, &Items::Atomic)),
            atomic: false,
        }),
        Type::List(item) => Shape::List(ListShape {
            item: shape_of(item, &Items::Atomic),
            identity: match items {
                Items::Atomic => Identity::Atomic,
                Items::Set => Identity::Set,
                Items::Key(key) => Identity::Keys(vec![((*key).to_owned(), None)]),
            },
        }),
        Type::Message(name) => match message(name) {
            Some(message) if !message.json => Shape::Map(MapShape {
                fields: message
                    .fields
                    .iter()
                    .map(|f| (f.name.to_owned(), shape_of(&f.holds, &f.items)))
                    .collect(),
                rest: None,
                atomic: message.atomic,
            }),
            _ => return Shape::deduced(),
        },
    };
    Arc::new(shape)
}

/// The OpenAPI schema of a message, and the names of the messages it refers to.
pub(crate) fn openapi(message: &Message, refers: &mut Vec<&'static str>) -> Value {
    if message.json {
        return json!({"type": "object"});
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in &message.fields {
        let mut property = openapi_type(&field.holds, refers);
        match field.items {
            Items::Atomic if matches!(field.holds, Type::List(_)) => {
                property["x-kubernetes-list-type"] = "atomic".into();
            }
            Items::Atomic => {}
            Items::Set => {
                property["x-kubernetes-list-type"] = "set".into();
                property["x-kubernetes-patch-strategy"] = "merge".into();
            }
            Items::Key(key) => {
                property["x-kubernetes-list-type"] = "map".into();
                property["x-kubernetes-list-map-keys"] = json!([key]);
                property["x-kubernetes-patch-strategy"] = "merge".into();
                property["x-kubernetes-patch-merge-key"] = key.into();
            }
        }
        if field.always && !matches!(field.holds, Type::Message(_) | Type::Time | Type::MicroTime) {
            required.push(Value::from(field.name));
        }
        properties.insert(field.name.into(), property);
    }
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    if message.atomic {
        schema["x-kubernetes-map-type"] = "atomic".into();
    }
    schema
}

fn openapi_type(holds: &Type, refers: &mut Vec<&'static str>) -> Value {
    match holds {
        Type::Text => json!({"type": "string"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Int { bits } => json!({"type": "integer", "format": format!("int{bits}")}),
        Type::Bytes => json!({"type": "string", "format": "byte"}),
        Type::Time | Type::MicroTime => json!({"type": "string", "format": "date-time"}),
        Type::Json => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        Type::Map(value) => {
            json!({"type": "object", "additionalProperties": openapi_type(value, refers)})
        }
        Type::List(item) => json!({"type": "array", "items": openapi_type(item, refers)}),
        Type::Message(name) => {
            refers.push(name);
            let schema = message(name).map_or("", |m| m.schema);
            json!({"allOf": [{"$ref": format!("#/components/schemas/{schema}")}], "default": {}})
        }
    }
}
