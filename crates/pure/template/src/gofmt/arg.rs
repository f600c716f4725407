//! Which value, of which Go type, is formatted?

use std::fmt::Debug;

use purlin_object::{ListRef, ObjectRef, ValueRef};

/// One argument, or an element of one.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// `nil`.
    Nil,
    /// `bool`.
    Bool(bool),
    /// `int64`.
    Int(i64),
    /// A whole number of another Go type, named.
    Whole(i64, &'static str),
    /// `float64`.
    Float(f64),
    /// `string`.
    Text(&'a [u8]),
    /// The text of a value of another Go type, named.
    Named(&'a [u8], &'static str),
    /// `[]interface {}` of a request.
    List(ListRef<'a>),
    /// `map[string]interface {}` of a request.
    Map(ObjectRef<'a>),
    /// Any other list.
    Sequence(&'a dyn Sequence),
    /// Any other map, or a struct.
    Mapping(&'a dyn Mapping),
}

/// A list of some Go type.
pub trait Sequence: Debug {
    /// Shows every element in order.
    fn each(&self, show: &mut dyn FnMut(Arg<'_>));
    /// The name of the type.
    fn go_type(&self) -> &'static str;
}

/// A map or a struct of some Go type.
pub trait Mapping: Debug {
    /// Shows every key and value in the order in which Go prints them.
    fn each(&self, show: &mut dyn FnMut(Arg<'_>, Arg<'_>));
    /// The name of the type.
    fn go_type(&self) -> &'static str;
    /// Whether this is a struct, printed in braces.
    fn is_struct(&self) -> bool;
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
    pub fn go_type(self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Whole(_, name) | Self::Named(_, name) => name,
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Sequence(list) => list.go_type(),
            Self::Mapping(map) => map.go_type(),
        }
    }
}
