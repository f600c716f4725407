//! A value: owned, and borrowed.

use crate::{List, ListRef, Object, ObjectRef};

/// Anything an object can hold.
///
/// Equality is that of the content: `Int(1)` equals `Double(1.0)`, a NaN equals a NaN, the order of keys does not count.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Null.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number. Never read from the wire, which has only doubles.
    Int(i64),
    /// A number.
    Double(f64),
    /// Text.
    String(String),
    /// A list.
    List(List),
    /// An object.
    Object(Object),
}

/// A value, borrowed; cheap to copy and to match on.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// Text.
    String(&'a str),
    /// A list.
    List(ListRef<'a>),
    /// An object.
    Object(ObjectRef<'a>),
}

impl Value {
    /// The same value, borrowed.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Int(value) => ValueRef::Int(*value),
            Self::Double(value) => ValueRef::Double(*value),
            Self::String(value) => ValueRef::String(value),
            Self::List(value) => ValueRef::List(value.as_ref()),
            Self::Object(value) => ValueRef::Object(value.as_ref()),
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        self.as_ref().as_bool()
    }

    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_ref().as_f64()
    }

    /// The whole number, if this is a number without a fraction that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_ref().as_i64()
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(value) => Some(value),
            _ => None,
        }
    }

    /// The object to be changed, if this is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(value) => Some(value),
            _ => None,
        }
    }

    /// The list, if this is one.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(value) => Some(value),
            _ => None,
        }
    }

    /// The list to be changed, if this is one.
    pub fn as_list_mut(&mut self) -> Option<&mut List> {
        match self {
            Self::List(value) => Some(value),
            _ => None,
        }
    }

    /// The object to be changed; what was here is replaced by an empty one when it was no object.
    pub fn make_object(&mut self) -> &mut Object {
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Object::new());
        }
        match self {
            Self::Object(object) => object,
            _ => unreachable!("the value was just made an object"),
        }
    }

    /// The list to be changed; what was here is replaced by an empty one when it was no list.
    pub fn make_list(&mut self) -> &mut List {
        if !matches!(self, Self::List(_)) {
            *self = Self::List(List::new());
        }
        match self {
            Self::List(list) => list,
            _ => unreachable!("the value was just made a list"),
        }
    }

    /// The value as JSON; whole numbers below 2^53 are written as integers.
    pub fn to_json(&self) -> serde_json::Value {
        self.as_ref().to_json()
    }
}

impl<'a> ValueRef<'a> {
    /// An owned value; objects and lists share the bytes of this one.
    pub fn to_owned(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Double(value) => Value::Double(value),
            Self::String(value) => Value::String(value.to_owned()),
            Self::List(value) => Value::List(value.to_owned()),
            Self::Object(value) => Value::Object(value.to_owned()),
        }
    }

    /// Whether this is null.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if this is text.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    pub fn as_bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if this is one.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the protocol has only doubles; as on the wire"
    )]
    pub fn as_f64(self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(value as f64),
            Self::Double(value) => Some(value),
            _ => None,
        }
    }

    /// The whole number, if this is a number without a fraction that fits.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            Self::Double(value) => whole(value),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object(self) -> Option<ObjectRef<'a>> {
        match self {
            Self::Object(value) => Some(value),
            _ => None,
        }
    }

    /// The list, if this is one.
    pub fn as_list(self) -> Option<ListRef<'a>> {
        match self {
            Self::List(value) => Some(value),
            _ => None,
        }
    }

    /// The word for this kind of value in messages.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Double(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// The integer that a double is exactly, if there is one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
pub(crate) fn whole(value: f64) -> Option<i64> {
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    (value.fract() == 0.0 && (-ABOVE..ABOVE).contains(&value)).then_some(value as i64)
}

impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Double(a), Self::Double(b)) => same(a, b),
            (Self::Int(a), Self::Double(b)) | (Self::Double(b), Self::Int(a)) => {
                whole(b) == Some(a)
            }
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

#[expect(
    clippy::float_cmp,
    reason = "values are compared as data, not as results"
)]
fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

macro_rules! from {
    ($($from:ty => |$value:ident| $into:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        }
    )*};
}

from! {
    () => |_value| Self::Null;
    bool => |value| Self::Bool(value);
    i64 => |value| Self::Int(value);
    i32 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    f64 => |value| Self::Double(value);
    String => |value| Self::String(value);
    &str => |value| Self::String(value.to_owned());
    &String => |value| Self::String(value.clone());
    List => |value| Self::List(value);
    Object => |value| Self::Object(value);
    Vec<Value> => |value| Self::List(value.into_iter().collect());
    Vec<String> => |value| Self::List(value.into_iter().collect());
    ValueRef<'_> => |value| value.to_owned();
    ObjectRef<'_> => |value| Self::Object(value.to_owned());
    ListRef<'_> => |value| Self::List(value.to_owned());
    serde_json::Value => |value| Self::from_json(value);
}
