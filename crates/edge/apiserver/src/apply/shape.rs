//! What a value looks like to server-side apply: which maps and lists are merged, and by what.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

/// What a scalar may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Numeric,
    String,
    Boolean,
    Any,
}

/// How a list's items are told apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Identity {
    /// Not at all: the list is one value.
    Atomic,
    /// By the item itself.
    Set,
    /// By these fields of the item, each with its default.
    Keys(Vec<(String, Option<Value>)>),
}

/// A map or struct.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MapShape {
    pub fields: BTreeMap<String, Arc<Shape>>,
    /// What undeclared keys hold; `None` when there may be none.
    pub rest: Option<Arc<Shape>>,
    pub atomic: bool,
}

/// A list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListShape {
    pub item: Arc<Shape>,
    pub identity: Identity,
}

/// The shape of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Scalar(Scalar),
    Map(MapShape),
    List(ListShape),
    /// Undeclared content: maps are merged, lists are atomic. The flag makes maps atomic too.
    Deduced {
        atomic: bool,
    },
}

static DEDUCED: LazyLock<Arc<Shape>> = LazyLock::new(|| Arc::new(Shape::Deduced { atomic: false }));
static DEDUCED_MAP: LazyLock<MapShape> = LazyLock::new(|| MapShape {
    fields: BTreeMap::new(),
    rest: Some(DEDUCED.clone()),
    atomic: false,
});
static ATOMIC_MAP: LazyLock<MapShape> = LazyLock::new(|| MapShape {
    fields: BTreeMap::new(),
    rest: Some(DEDUCED.clone()),
    atomic: true,
});
static ATOMIC_LIST: LazyLock<ListShape> = LazyLock::new(|| ListShape {
    item: DEDUCED.clone(),
    identity: Identity::Atomic,
});

/// The shape of a value that is known to be of one form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form<'a> {
    Scalar(Scalar),
    Map(&'a MapShape),
    List(&'a ListShape),
}

impl Shape {
    pub(crate) fn deduced() -> Arc<Self> {
        DEDUCED.clone()
    }

    /// The form this shape takes for a value; a null takes the shape's first form.
    pub(crate) fn form(&self, value: Option<&Value>) -> Form<'_> {
        match self {
            Self::Scalar(kind) => Form::Scalar(*kind),
            Self::Map(map) => Form::Map(map),
            Self::List(list) => Form::List(list),
            Self::Deduced { atomic } => match value {
                Some(Value::Array(_)) => Form::List(&ATOMIC_LIST),
                None | Some(Value::Object(_) | Value::Null) if *atomic => Form::Map(&ATOMIC_MAP),
                None | Some(Value::Object(_) | Value::Null) => Form::Map(&DEDUCED_MAP),
                Some(_) => Form::Scalar(Scalar::Any),
            },
        }
    }

    /// The shape below a path element, as far as it is declared.
    pub(crate) fn child(&self, element: &super::path::Element) -> Option<&Arc<Self>> {
        use super::path::Element;
        match (self, element) {
            (Self::Map(map), Element::Field(name)) => map.field(name),
            (Self::List(list), Element::Key(_) | Element::Value(_)) => Some(&list.item),
            (Self::Deduced { .. }, _) => Some(&DEDUCED),
            _ => None,
        }
    }
}

impl MapShape {
    pub(crate) fn field(&self, name: &str) -> Option<&Arc<Shape>> {
        self.fields.get(name).or(self.rest.as_ref())
    }
}

/// The shape of custom resources of one version, from its OpenAPI schema. `metadata` is typed by the caller.
pub(crate) fn from_openapi(schema: &Value, metadata: &Arc<Shape>) -> Arc<Shape> {
    let shape = node(schema, metadata);
    let mut map = match &*shape {
        Shape::Map(map) => map.clone(),
        Shape::Scalar(_) | Shape::List(_) | Shape::Deduced { .. } => DEDUCED_MAP.clone(),
    };
    embed(&mut map, metadata);
    map.atomic = false;
    Arc::new(Shape::Map(map))
}

fn embed(map: &mut MapShape, metadata: &Arc<Shape>) {
    let text = Arc::new(Shape::Scalar(Scalar::String));
    map.fields.insert("apiVersion".into(), text.clone());
    map.fields.insert("kind".into(), text);
    map.fields.insert("metadata".into(), metadata.clone());
}

fn flag(schema: &Map<String, Value>, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

fn text<'a>(schema: &'a Map<String, Value>, name: &str) -> &'a str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn node(schema: &Value, metadata: &Arc<Shape>) -> Arc<Shape> {
    let Some(schema) = schema.as_object() else {
        return Shape::deduced();
    };
    if flag(schema, "x-kubernetes-int-or-string") {
        return Arc::new(Shape::Scalar(Scalar::Any));
    }
    let shape = match text(schema, "type") {
        "array" => Shape::List(ListShape {
            item: schema
                .get("items")
                .map_or_else(Shape::deduced, |items| node(items, metadata)),
            identity: identity(schema),
        }),
        "string" if text(schema, "format") == "int-or-string" => Shape::Scalar(Scalar::Any),
        "string" => Shape::Scalar(Scalar::String),
        "integer" | "number" => Shape::Scalar(Scalar::Numeric),
        "boolean" => Shape::Scalar(Scalar::Boolean),
        _ => return object(schema, metadata),
    };
    Arc::new(shape)
}

fn object(schema: &Map<String, Value>, metadata: &Arc<Shape>) -> Arc<Shape> {
    let preserve = flag(schema, "x-kubernetes-preserve-unknown-fields");
    let atomic = text(schema, "x-kubernetes-map-type") == "atomic";
    let embedded = flag(schema, "x-kubernetes-embedded-resource");
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties");
    let bare = properties.is_none_or(Map::is_empty) && !additional.is_some_and(Value::is_object);
    if bare && !embedded {
        return Arc::new(Shape::Deduced { atomic });
    }
    let mut fields: BTreeMap<String, Arc<Shape>> = BTreeMap::new();
    for (name, property) in properties.into_iter().flatten() {
        fields.insert(name.clone(), node(property, metadata));
    }
    let rest = match additional {
        Some(extra @ Value::Object(_)) => Some(node(extra, metadata)),
        _ if preserve || (embedded && bare) || additional == Some(&Value::Bool(true)) => {
            Some(Shape::deduced())
        }
        _ => None,
    };
    let mut map = MapShape {
        fields,
        rest,
        atomic,
    };
    if embedded {
        embed(&mut map, metadata);
    }
    Arc::new(Shape::Map(map))
}

fn identity(schema: &Map<String, Value>) -> Identity {
    match text(schema, "x-kubernetes-list-type") {
        "set" => Identity::Set,
        "map" => {
            let keys = schema
                .get("x-kubernetes-list-map-keys")
                .and_then(Value::as_array);
            let keys = keys
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|key| {
                    let default = schema
                        .get("items")
                        .and_then(|items| items.get("properties")?.get(key)?.get("default"));
                    (key.to_owned(), default.cloned())
                });
            Identity::Keys(keys.collect())
        }
        _ => Identity::Atomic,
    }
}
