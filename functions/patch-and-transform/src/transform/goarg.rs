//! Which value, of which Go type, is formatted?

use purlin_object::{ListRef, ObjectRef, ValueRef};

/// One argument, or an element of one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a [u8]),
    List(ListRef<'a>),
    Map(ObjectRef<'a>),
}

impl<'a> From<ValueRef<'a>> for Arg<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Nil,
            ValueRef::Bool(value) => Self::Bool(value),
            ValueRef::Int(value) => Self::Int(value),
            ValueRef::Double(value) => Self::Float(value),
            ValueRef::String(text) => Self::Text(text.as_bytes()),
            ValueRef::List(list) => Self::List(list),
            ValueRef::Object(object) => Self::Map(object),
        }
    }
}

impl Arg<'_> {
    /// The name of the Go type that holds such a value.
    pub(crate) fn go_type(self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }
}
