//! One step from a value to a part of it, as `fieldsV1` writes it.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::shape::{Identity, ListShape};

/// A step.
#[derive(Debug, Clone)]
pub(crate) enum Element {
    Field(String),
    /// An item of a list, by its key fields, sorted by name.
    Key(Vec<(String, Value)>),
    /// A member of a set.
    Value(Value),
    Index(u64),
}

impl Element {
    pub(crate) fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    /// Reads a key of a `fieldsV1` object.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "f" => Some(Self::Field(rest.to_owned())),
            "v" => serde_json::from_str(rest).ok().map(Self::Value),
            "i" => rest.parse().ok().map(Self::Index),
            "k" => {
                let fields: Map<String, Value> = serde_json::from_str(rest).ok()?;
                let mut fields: Vec<_> = fields.into_iter().collect();
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                Some(Self::Key(fields))
            }
            _ => None,
        }
    }

    /// Writes a key of a `fieldsV1` object.
    pub(crate) fn render(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Value(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
            Self::Key(fields) => {
                let parts: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
                    .collect();
                format!("k:{{{}}}", parts.join(","))
            }
        }
    }

    /// Writes the step as conflict messages show it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Field(name) => format!(".{name}"),
            Self::Value(value) => format!("[={value}]"),
            Self::Index(index) => format!("[{index}]"),
            Self::Key(fields) => {
                let parts: Vec<String> = fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
                format!("[{}]", parts.join(","))
            }
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Value(a), Self::Value(b)) => order(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => {
                let pairs = a
                    .iter()
                    .zip(b)
                    .map(|(x, y)| x.0.cmp(&y.0).then_with(|| order(&x.1, &y.1)));
                pairs
                    .fold(Ordering::Equal, Ordering::then)
                    .then_with(|| a.len().cmp(&b.len()))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Element {}

/// Whether two values are the same, whatever form their numbers have.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    order(a, b) == Ordering::Equal
}

/// A total order of values in which 1 and 1.0 are equal.
pub(crate) fn order(a: &Value, b: &Value) -> Ordering {
    fn rank(value: &Value) -> u8 {
        match value {
            Value::Null => 0,
            Value::Number(_) => 1,
            Value::String(_) => 2,
            Value::Bool(_) => 3,
            Value::Array(_) => 4,
            Value::Object(_) => 5,
        }
    }
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => x
                .as_f64()
                .unwrap_or_default()
                .total_cmp(&y.as_f64().unwrap_or_default()),
        },
        (Value::String(x), Value::String(y)) => x.cmp(y),
        (Value::Bool(x), Value::Bool(y)) => x.cmp(y),
        (Value::Array(x), Value::Array(y)) => x
            .iter()
            .zip(y)
            .map(|(x, y)| order(x, y))
            .find(|o| *o != Ordering::Equal)
            .unwrap_or_else(|| x.len().cmp(&y.len())),
        (Value::Object(x), Value::Object(y)) => order_maps(x, y),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn order_maps(x: &Map<String, Value>, y: &Map<String, Value>) -> Ordering {
    if x.len() != y.len() {
        return x.len().cmp(&y.len());
    }
    let mut left: Vec<_> = x.iter().collect();
    let mut right: Vec<_> = y.iter().collect();
    left.sort_by(|a, b| a.0.cmp(b.0));
    right.sort_by(|a, b| a.0.cmp(b.0));
    left.iter()
        .zip(&right)
        .map(|(a, b)| a.0.cmp(b.0).then_with(|| order(a.1, b.1)))
        .find(|o| *o != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

/// The step to an item of a list that is a set or a map.
pub(crate) fn item_element(list: &ListShape, item: &Value) -> Result<Element, String> {
    match &list.identity {
        Identity::Atomic => Err("an item of an atomic list has no identity".into()),
        Identity::Set => match item {
            Value::Null => {
                Err("associative list without keys has an element that's an explicit null".into())
            }
            Value::Object(_) => {
                Err("associative list without keys has an element that's a map type".into())
            }
            Value::Array(_) => {
                Err("associative list without keys has an element that's a list type".into())
            }
            scalar => Ok(Element::Value(scalar.clone())),
        },
        Identity::Keys(keys) => {
            let Some(fields) = item.as_object() else {
                return Err("associative list with keys may not have non-map elements".into());
            };
            let mut found: Vec<(String, Value)> = keys
                .iter()
                .filter_map(|(key, default)| {
                    let value = fields.get(key).or(default.as_ref())?;
                    Some((key.clone(), value.clone()))
                })
                .collect();
            if found.is_empty() {
                return Err(
                    "associative list with keys has an element that omits all key fields".into(),
                );
            }
            found.sort_by(|a, b| a.0.cmp(&b.0));
            Ok(Element::Key(found))
        }
    }
}
