//! How does a structural schema see JSON?
//!
//! The types a rule of a custom resource works with come from the schema, not from the JSON: integers and floating
//! numbers are told apart, dates are moments, fields the schema does not know are invisible, and lists are sets or maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use purlin_schema::{Additional, Kind, ListType, Schema};
use serde_json::{Map as JsonMap, Value as Json};

use crate::key::Key;
use crate::list::List;
use crate::map::Map;
use crate::time;
use crate::value::{Text, Val};

/// What identifies an element of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Keyed {
    /// Its position.
    #[default]
    Atomic,
    /// Its value.
    Set,
    /// The values of these fields.
    Map(Vec<String>),
}

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// Not known: the JSON decides.
    #[default]
    Any,
    Bool,
    Int,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    List,
    /// An object with fields of its own.
    Object,
    /// Any keys, values of one form.
    Map,
}

/// A schema as a rule sees it.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    pub(crate) form: Form,
    pub(crate) keyed: Keyed,
    /// By the name a rule uses, which differs from the field's where that is no identifier.
    pub(crate) fields: BTreeMap<String, Field>,
    pub(crate) each: Option<Arc<Shape>>,
    pub(crate) nullable: bool,
}

/// A field of an object.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) shape: Arc<Shape>,
}

static ANY: Shape = Shape {
    form: Form::Any,
    keyed: Keyed::Atomic,
    fields: BTreeMap::new(),
    each: None,
    nullable: true,
};

impl Shape {
    /// Anything.
    pub fn any() -> Self {
        ANY.clone()
    }

    /// A truth value.
    pub fn bool() -> Self {
        Self::scalar(Form::Bool)
    }

    /// A signed whole number.
    pub fn int() -> Self {
        Self::scalar(Form::Int)
    }

    /// Bytes.
    pub fn bytes() -> Self {
        Self::scalar(Form::Bytes)
    }

    /// Texts as keys, and values of one shape.
    pub fn map_of(each: Self) -> Self {
        Self {
            each: Some(Arc::new(each)),
            ..Self::scalar(Form::Map)
        }
    }

    /// An object with these fields and no others.
    pub fn fields<'n>(fields: impl IntoIterator<Item = (&'n str, Self)>) -> Self {
        let mut object = Self::scalar(Form::Object);
        for (name, shape) in fields {
            object.know(name.to_owned(), name, Arc::new(shape));
        }
        object
    }

    fn scalar(form: Form) -> Self {
        Self {
            form,
            ..Self::default()
        }
    }

    /// The shape of a schema. `whole` marks the schema of a whole object at the top.
    pub(crate) fn of(schema: &Schema, whole: bool) -> Self {
        let mut shape = Self {
            nullable: schema.nullable,
            ..Self::default()
        };
        if schema.int_or_string {
            return shape;
        }
        shape.form = match (schema.kind, schema.format.as_deref().unwrap_or("")) {
            (Some(Kind::Boolean), _) => Form::Bool,
            (Some(Kind::Integer), _) => Form::Int,
            (Some(Kind::Number), _) => Form::Double,
            (Some(Kind::String), "byte") => Form::Bytes,
            (Some(Kind::String), "date-time" | "datetime" | "date") => Form::Timestamp,
            (Some(Kind::String), "duration") => Form::Duration,
            (Some(Kind::String), _) => Form::String,
            (Some(Kind::Array), _) => Form::List,
            (Some(Kind::Object), _) => Form::Object,
            (None, _) => Form::Any,
        };
        if shape.form == Form::List {
            shape.each = schema
                .items
                .as_ref()
                .map(|items| Arc::new(Self::of(items, false)));
            shape.keyed = match schema.list_type {
                ListType::Atomic => Keyed::Atomic,
                ListType::Set => Keyed::Set,
                ListType::Map => Keyed::Map(
                    schema
                        .list_map_keys
                        .iter()
                        .filter_map(|key| escape(key))
                        .collect(),
                ),
            };
        }
        if shape.form == Form::Object {
            shape.object(schema, whole || schema.embedded);
        }
        shape
    }

    fn object(&mut self, schema: &Schema, whole: bool) {
        if let Some(each) = schema.additional.as_ref().and_then(Additional::schema) {
            self.form = Form::Map;
            self.each = Some(Arc::new(Self::of(each, false)));
            return;
        }
        for (name, property) in &schema.properties {
            let meta = whole && matches!(name.as_str(), "metadata" | "apiVersion" | "kind");
            if let (true, false, Some(called)) = (is_seen(property), meta, escape(name)) {
                self.know(called, name, Arc::new(Self::of(property, false)));
            }
        }
        if whole {
            let text = Arc::new(Self {
                form: Form::String,
                ..Self::default()
            });
            let mut metadata = Self {
                form: Form::Object,
                ..Self::default()
            };
            metadata.know("name".to_owned(), "name", Arc::clone(&text));
            metadata.know("generateName".to_owned(), "generateName", Arc::clone(&text));
            self.know("apiVersion".to_owned(), "apiVersion", Arc::clone(&text));
            self.know("kind".to_owned(), "kind", text);
            self.know("metadata".to_owned(), "metadata", Arc::new(metadata));
        }
    }

    fn know(&mut self, called: String, name: &str, shape: Arc<Self>) {
        let name = name.to_owned();
        self.fields.insert(called, Field { name, shape });
    }

    pub(crate) fn keyed(&self) -> &Keyed {
        &self.keyed
    }

    /// The shape of the elements or of the values.
    pub(crate) fn item(&self) -> &Shape {
        self.each.as_deref().unwrap_or(&ANY)
    }

    /// The JSON as a value of this shape. JSON of another type is seen as what it is.
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 64 bits")]
    pub(crate) fn view<'a>(&'a self, json: &'a Json) -> Val<'a> {
        match (self.form, json) {
            (Form::Int, Json::Number(n)) => match (n.as_i64(), n.as_f64()) {
                (None, Some(d)) if d.fract() == 0.0 && d.abs() < 9.2e18 => Val::Int(d as i64),
                _ => Val::from_json(json),
            },
            (Form::Double, Json::Number(n)) => Val::Double(n.as_f64().unwrap_or(f64::NAN)),
            (Form::Bytes, Json::String(text)) => crate::convert::from_base64(text)
                .map_or_else(|| Val::from_json(json), |bytes| Val::Bytes(bytes.into())),
            (Form::Timestamp, Json::String(text)) => time::parse_timestamp(text)
                .or_else(|| time::parse_timestamp(&format!("{text}T00:00:00Z")))
                .map_or_else(|| Val::from_json(json), Val::Timestamp),
            (Form::Duration, Json::String(text)) => {
                time::parse_duration(text).map_or_else(|| Val::from_json(json), Val::Duration)
            }
            (Form::List, Json::Array(items)) => Val::List(List::Shaped(items, self)),
            (Form::Object | Form::Map, Json::Object(map)) => Val::Map(Map::Shaped(map, self)),
            _ => Val::from_json(json),
        }
    }

    /// Whether a rule sees this key of the object.
    pub(crate) fn sees(&self, key: &str) -> bool {
        self.form == Form::Map || self.fields.values().any(|field| field.name == key)
    }

    /// The value of the field a rule calls `name`.
    pub(crate) fn field<'a>(
        &'a self,
        map: &'a JsonMap<String, Json>,
        name: &str,
    ) -> Option<Val<'a>> {
        if self.form == Form::Map {
            return map.get(name).map(|value| self.item().view(value));
        }
        let field = self.fields.get(name)?;
        let value = map.get(&field.name)?;
        (!value.is_null() || field.shape.nullable).then(|| field.shape.view(value))
    }

    pub(crate) fn entries<'a>(&'a self, map: &'a JsonMap<String, Json>) -> Vec<(Key<'a>, Val<'a>)> {
        let text = |key: &'a str| Key::String(Text::Borrowed(key));
        if self.form == Form::Map {
            return map
                .iter()
                .map(|(key, value)| (text(key), self.item().view(value)))
                .collect();
        }
        let fields = self.fields.keys();
        fields
            .filter_map(|name| self.field(map, name).map(|value| (text(name), value)))
            .collect()
    }
}

/// Whether rules see values of a schema: those that keep what they are given without being objects, lists or maps of
/// such values included, have no form a rule could rely on.
fn is_seen(schema: &Schema) -> bool {
    if schema.int_or_string || schema.embedded {
        return true;
    }
    match schema.kind {
        None => !schema.preserve_unknown,
        Some(Kind::Array) => schema.items.as_deref().is_none_or(is_seen),
        Some(Kind::Object) => match &schema.additional {
            Some(Additional::Schema(each)) => is_seen(each),
            Some(Additional::Flag(_)) | None => true,
        },
        Some(_) => true,
    }
}

/// Words that an expression cannot use as a field name.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The name a rule uses for a field, if it has one (Kubernetes' escaping).
pub(crate) fn escape(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let escaped = name
        .replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__");
    let identifier = escaped.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && escaped
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_');
    identifier.then_some(escaped)
}
