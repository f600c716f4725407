//! What is a value while an expression is evaluated?
//!
//! Data that came in stays borrowed: JSON, wire-backed objects, or JSON seen through a schema. Only what an expression
//! builds is owned, and shared by reference count.

use std::rc::Rc;

use purlin_object::{ListRef, ObjectRef, Value, ValueRef};
use serde_json::Value as Json;

use crate::key::Key;
use crate::list::List;
use crate::map::Map;
use crate::meter::weigh;
use crate::special::Special;

/// The variable a value was read from, when data missing below it means "not there yet" instead of a mistake.
pub(crate) type Origin<'a> = Option<&'a str>;

/// A value of an expression.
#[derive(Debug, Clone)]
pub enum Val<'a> {
    /// `null`
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number.
    UInt(u64),
    /// A floating point number.
    Double(f64),
    /// A text.
    String(Text<'a>),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A length of time in nanoseconds.
    Duration(i64),
    /// A moment, in nanoseconds since 1970 UTC.
    Timestamp(i128),
    /// A list.
    List(List<'a>),
    /// A map or an object.
    Map(Map<'a>),
    /// An optional value.
    Optional(Option<Rc<Val<'a>>>),
    /// A type, by its name.
    Type(&'static str),
    /// A value of a library: a quantity, an address, a URL …
    Special(Rc<Special>),
}

/// A borrowed or shared text.
#[derive(Debug, Clone)]
pub enum Text<'a> {
    /// Part of the input or of the expression.
    Borrowed(&'a str),
    /// Made by the expression.
    Shared(Rc<str>),
}

impl Text<'_> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// Why a value has no place in JSON or in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotData {
    /// Part of it is not there yet: the variable it hangs under.
    Waits(String),
    /// It has a form that data cannot have.
    Form(String),
}

impl<'a> Val<'a> {
    /// A text the expression made.
    pub fn text(text: impl Into<Rc<str>>) -> Self {
        Self::String(Text::Shared(text.into()))
    }

    /// JSON as a value. Whole numbers that JSON wrote as such are integers.
    pub fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => Self::Int(i),
                (None, Some(u)) => Self::UInt(u),
                (None, None) => Self::Double(n.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(s) => Self::String(Text::Borrowed(s)),
            Json::Array(items) => Self::List(List::Json(items)),
            Json::Object(map) => Self::Map(Map::Json(map)),
        }
    }

    /// Data of an object as a value.
    ///
    /// protobuf has only doubles, so a whole double below 2^53 is an integer: what a JSON decoder would have made of
    /// the same data.
    pub fn from_data(value: ValueRef<'a>) -> Self {
        Self::from_origin(value, None)
    }

    /// Data that other things wait for: what is missing in it is pending, not wrong. `root` is the variable's name.
    pub fn tracked(value: ValueRef<'a>, root: &'a str) -> Self {
        Self::from_origin(value, Some(root))
    }

    /// The whole of a tracked variable is not there yet.
    pub fn absent(root: &'a str) -> Self {
        Self::Map(Map::Absent(root))
    }

    /// The whole of a tracked variable is known not to come.
    pub fn off(root: &'a str) -> Self {
        Self::Map(Map::Off(root))
    }

    pub(crate) fn from_origin(value: ValueRef<'a>, origin: Origin<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(b) => Self::Bool(b),
            ValueRef::Int(i) => Self::Int(i),
            ValueRef::Double(d) => whole(d).map_or(Self::Double(d), Self::Int),
            ValueRef::String(s) => Self::String(Text::Borrowed(s)),
            ValueRef::List(list) => Self::List(List::Data(list, origin)),
            ValueRef::Object(object) => Self::Map(Map::Data(object, origin)),
        }
    }

    /// Data of an object as a value, its numbers floating as protobuf has them: `x + 1.0` is a number, `x + 1` is not.
    #[expect(clippy::cast_precision_loss, reason = "what the wire would do to it")]
    pub fn from_wire(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Int(i) => Self::Double(i as f64),
            ValueRef::Double(d) => Self::Double(d),
            ValueRef::List(list) => Self::List(List::Wire(list)),
            ValueRef::Object(object) => Self::Map(Map::Wire(object)),
            ValueRef::Null | ValueRef::Bool(_) | ValueRef::String(_) => {
                Self::from_origin(value, None)
            }
        }
    }

    /// A list of an object.
    pub fn from_list(list: ListRef<'a>) -> Self {
        Self::List(List::Data(list, None))
    }

    /// An object.
    pub fn from_object(object: ObjectRef<'a>) -> Self {
        Self::Map(Map::Data(object, None))
    }

    /// A map with text keys that the caller made.
    pub fn map(entries: impl IntoIterator<Item = (String, Val<'a>)>) -> Self {
        Self::Map(Map::owned(
            entries
                .into_iter()
                .map(|(key, value)| (Key::String(Text::Shared(key.into())), value))
                .collect(),
        ))
    }

    /// A map with text keys that other things wait for: a key that is not in it is pending. `root` is the variable.
    pub fn tracked_map(
        entries: impl IntoIterator<Item = (&'a str, Val<'a>)>,
        root: &'a str,
    ) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, value)| (Key::String(Text::Borrowed(key)), value));
        Self::Map(Map::made(entries.collect(), Some(root)))
    }

    /// A list that the caller made.
    pub fn list(items: impl IntoIterator<Item = Val<'a>>) -> Self {
        Self::List(List::Owned(Rc::new(items.into_iter().collect())))
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub fn elements(&self) -> Option<Vec<Val<'a>>> {
        match self {
            Self::List(list) => Some(list.items()),
            _ => None,
        }
    }

    /// The entries, if this is a map that is there.
    pub fn entries(&self) -> Option<Vec<(Key<'a>, Val<'a>)>> {
        match self {
            Self::Map(map) => map.entries(),
            _ => None,
        }
    }

    /// How many bytes are passed over to find something in it, about, known at once.
    pub(crate) fn breadth(&self) -> usize {
        const EACH: usize = 16;
        match self {
            Self::String(text) => text.as_str().len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(List::Data(list, _) | List::Wire(list)) => list.breadth(),
            Self::Map(Map::Data(object, _) | Map::Wire(object)) => object.breadth(),
            Self::List(list) => list.len() * EACH,
            Self::Map(Map::Owned(entries, _)) => entries.len() * EACH,
            Self::Map(Map::Json(map) | Map::Shaped(map, _)) => map.len() * EACH,
            Self::Optional(Some(inner)) => inner.breadth(),
            _ => 0,
        }
    }

    /// How many bytes it takes written out, or `most` if it is more.
    pub fn size(&self, most: u64) -> usize {
        let mut left = most;
        let size = if weigh(self, &mut left) {
            most - left
        } else {
            most
        };
        usize::try_from(size).unwrap_or(usize::MAX)
    }

    /// The name of the value's type, as `type(x)` gives it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::UInt(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Special(special) => special.type_name(),
        }
    }

    /// The value as data for an object: optionals are unwrapped, moments and lengths of time are texts, bytes are base64.
    ///
    /// # Errors
    /// Keys that are not texts, types, and whole numbers beyond 2^53, which protobuf would round.
    pub fn to_data(&self) -> Result<Value, NotData> {
        Ok(match self {
            Self::Null | Self::Optional(None) => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) if i.unsigned_abs() <= EXACT => Value::Int(*i),
            Self::UInt(u) if *u <= EXACT => Value::Int(i64::try_from(*u).unwrap_or(i64::MAX)),
            Self::Int(_) | Self::UInt(_) => {
                return Err(NotData::Form(format!(
                    "{} cannot be kept exactly: numbers of an object are exact up to 2^53; use a string",
                    self.show()
                )));
            }
            Self::Double(d) if !d.is_finite() => {
                return Err(NotData::Form(format!(
                    "{} is not a number that data can hold",
                    self.show()
                )));
            }
            Self::Double(d) => Value::Double(*d),
            Self::String(text) => Value::String(text.as_str().to_owned()),
            Self::Bytes(_) | Self::Duration(_) | Self::Timestamp(_) | Self::Special(_) => {
                Value::String(self.plain()?)
            }
            Self::Optional(Some(inner)) => inner.to_data()?,
            Self::List(List::Data(list, _) | List::Wire(list)) => ValueRef::List(*list).to_owned(),
            Self::Map(Map::Data(object, _) | Map::Wire(object)) => {
                ValueRef::Object(*object).to_owned()
            }
            Self::List(list) => Value::List(
                list.items()
                    .iter()
                    .map(Self::to_data)
                    .collect::<Result<_, _>>()?,
            ),
            Self::Map(map) => {
                let entries = map
                    .entries()
                    .ok_or_else(|| NotData::Waits(map.root().to_owned()))?;
                let mut object = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    object.push((key.to_field()?, value.to_data()?));
                }
                Value::Object(object.into_iter().collect())
            }
            Self::Type(name) => {
                return Err(NotData::Form(format!("the type `{name}` is not data")));
            }
        })
    }

    /// The value as JSON, by the same rules, but with whole numbers of any size.
    ///
    /// # Errors
    /// Keys that are not texts, and types.
    pub fn to_json(&self) -> Result<Json, NotData> {
        Ok(match self {
            Self::Int(i) => Json::from(*i),
            Self::UInt(u) => Json::from(*u),
            Self::List(list) => Json::Array(
                list.items()
                    .iter()
                    .map(Self::to_json)
                    .collect::<Result<_, _>>()?,
            ),
            Self::Map(map) => {
                let entries = map
                    .entries()
                    .ok_or_else(|| NotData::Waits(map.root().to_owned()))?;
                let mut object = serde_json::Map::new();
                for (key, value) in entries {
                    object.insert(key.to_field()?, value.to_json()?);
                }
                Json::Object(object)
            }
            Self::Optional(Some(inner)) => inner.to_json()?,
            Self::Double(d) if d.is_finite() => {
                whole(*d).map_or_else(|| Json::from(*d), Json::from)
            }
            _ => self.to_data()?.to_json(),
        })
    }

    /// The value inside a longer text: what `string(x)` gives, whole numbers without a decimal point.
    ///
    /// # Errors
    /// Lists, maps, `null` and types have no text.
    pub fn plain(&self) -> Result<String, NotData> {
        Ok(match self {
            Self::Bool(b) => b.to_string(),
            Self::Int(i) => i.to_string(),
            Self::UInt(u) => u.to_string(),
            Self::Double(d) => crate::convert::double_text(*d),
            Self::String(text) => text.as_str().to_owned(),
            Self::Bytes(bytes) => crate::convert::base64(bytes),
            Self::Duration(nanos) => crate::time::duration_text(*nanos),
            Self::Timestamp(nanos) => crate::time::timestamp_text(*nanos),
            Self::Optional(Some(inner)) => inner.plain()?,
            Self::Special(special) => special.text(),
            Self::Map(Map::Absent(root) | Map::Off(root)) => {
                return Err(NotData::Waits((*root).to_owned()));
            }
            Self::Null | Self::Optional(None) | Self::List(_) | Self::Map(_) | Self::Type(_) => {
                return Err(NotData::Form(format!(
                    "a {} has no place inside a text",
                    self.type_name()
                )));
            }
        })
    }

    /// The value for a message: short, never failing.
    pub(crate) fn show(&self) -> String {
        let mut text = match self {
            Self::String(text) => format!("{:?}", text.as_str()),
            other => other.plain().unwrap_or_else(|_| match other.to_json() {
                Ok(json) => json.to_string(),
                Err(_) => other.type_name().to_owned(),
            }),
        };
        if text.len() > 80 {
            let cut = (0..=77)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0);
            text.truncate(cut);
            text.push('…');
        }
        text
    }
}

/// Largest magnitude up to which every whole number is a double of its own.
const EXACT: u64 = 1 << 53;

/// The integer a double stands for, if it is whole and exactly representable.
#[expect(clippy::cast_possible_truncation, reason = "bounded by 2^53 and whole")]
pub(crate) fn whole(d: f64) -> Option<i64> {
    (d.fract() == 0.0 && d.abs() < 9_007_199_254_740_992.0).then_some(d as i64)
}
