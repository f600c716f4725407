//! Which type does an expression give?
//!
//! Types are made lazily: an object or a list of a schema points into the schema, so a variable of a large kind costs
//! nothing until a field of it is read. What is not known is [`Ty::Dyn`], passes everywhere, and is held against the
//! schema when the expression runs.

mod calls;
mod check;
mod class;
mod env;
mod expect;
mod fit;
mod infer;
mod literals;
mod look;
mod operators;
mod signature;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use purlin_schema::{Additional, Kind, Schema};
use serde_json::json;

use crate::shape::{Form, Shape};

pub(crate) use check::{Checker, Dialect};
pub use env::{Checked, Env, Wanted, check_text};

/// A type.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Ty<'s> {
    /// Not known: anything.
    Dyn,
    /// Something is wrong with it, and that is told already.
    Err,
    /// `null`
    Null,
    /// A truth value.
    Bool,
    /// A signed whole number.
    Int,
    /// An unsigned whole number.
    UInt,
    /// A floating number.
    Double,
    /// A number of data, which is an int when it is whole and a double else.
    Number,
    /// An int or a text.
    IntOrString,
    /// A text, and the schema that says which ones when there is one.
    String(Option<&'s Schema>),
    /// Bytes.
    Bytes,
    /// A length of time.
    Duration,
    /// A moment.
    Timestamp,
    /// A type itself.
    Type,
    /// A list.
    List(Arc<Ty<'s>>),
    /// A map: the types of its keys and of its values.
    Map(Arc<(Ty<'s>, Ty<'s>)>),
    /// An optional value.
    Optional(Arc<Ty<'s>>),
    /// Fields with types of their own.
    Record(Arc<Record<'s>>),
    /// A list of a schema.
    Array(&'s Schema),
    /// An object of a schema.
    Object(&'s Schema),
    /// A whole Kubernetes object: `apiVersion`, `kind` and `metadata` are there whatever its schema says.
    Whole(&'s Schema),
    /// An object as the rules of a custom resource see it.
    Shaped(&'s Shape),
    /// A value of a library, by the name of its type.
    Special(&'static str),
}

/// Fields that are known by name.
#[derive(Debug, Clone)]
pub struct Record<'s> {
    pub(crate) fields: Vec<(Cow<'s, str>, Ty<'s>)>,
    /// What every other field is; none means that there is none.
    pub(crate) rest: Option<Ty<'s>>,
}

impl<'s> Ty<'s> {
    /// The type of a field of this schema.
    pub fn of(schema: &'s Schema) -> Self {
        if schema.int_or_string {
            return Self::IntOrString;
        }
        match schema.kind {
            None => Self::Dyn,
            Some(Kind::Boolean) => Self::Bool,
            Some(Kind::Integer) => Self::Int,
            Some(Kind::Number) => Self::Number,
            Some(Kind::String) => Self::String(Some(schema)),
            Some(Kind::Array) => Self::Array(schema),
            Some(Kind::Object) if schema.embedded => Self::Whole(schema),
            Some(Kind::Object) => Self::Object(schema),
        }
    }

    /// The type of a whole Kubernetes object of this schema.
    pub fn whole(schema: &'s Schema) -> Self {
        Self::Whole(schema)
    }

    /// A list of `item`.
    pub fn list(item: Self) -> Self {
        Self::List(Arc::new(item))
    }

    /// A map from texts to `value`.
    pub fn map(value: Self) -> Self {
        Self::Map(Arc::new((Self::String(None), value)))
    }

    /// An optional `inner`; an optional of an optional is one optional.
    pub fn optional(inner: Self) -> Self {
        match inner {
            Self::Optional(_) | Self::Err => inner,
            inner => Self::Optional(Arc::new(inner)),
        }
    }

    /// Fields with types of their own and no others.
    pub fn record<N: Into<Cow<'s, str>>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::record_with(fields, None)
    }

    /// These fields beside (and before) those of `rest`.
    pub fn beside<N: Into<Cow<'s, str>>>(
        fields: impl IntoIterator<Item = (N, Self)>,
        rest: Self,
    ) -> Self {
        Self::record_with(fields, Some(rest))
    }

    fn record_with<N: Into<Cow<'s, str>>>(
        fields: impl IntoIterator<Item = (N, Self)>,
        rest: Option<Self>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, ty)| (name.into(), ty));
        Self::Record(Arc::new(Record {
            fields: fields.collect(),
            rest,
        }))
    }

    /// What stands for one element where a list or a map is gone over one by one and the map's keys matter: an element of
    /// a list, or `key` and `value` of a map. None when it has no elements.
    pub fn entry(&self) -> Option<Self> {
        let element = self.element()?;
        Some(match self {
            Self::Map(_) | Self::Object(_) | Self::Record(_) => {
                Self::record([("key", Self::String(None)), ("value", element)])
            }
            _ => element,
        })
    }

    /// The type of the elements of a list or of the values of a map; none when it has no elements.
    pub fn element(&self) -> Option<Self> {
        match self {
            Self::Err => Some(Self::Err),
            Self::List(item) => Some(item.as_ref().clone()),
            Self::Array(schema) => Some(schema.items.as_deref().map_or(Self::Dyn, Self::of)),
            Self::Map(pair) => Some(pair.1.clone()),
            Self::Object(schema) => Some(match schema.additional.as_ref() {
                Some(Additional::Schema(value)) if schema.properties.is_empty() => Self::of(value),
                _ => Self::Dyn,
            }),
            Self::Record(record) if record.rest.is_none() => Some(
                record
                    .fields
                    .iter()
                    .map(|(_, ty)| ty.clone())
                    .reduce(Self::join)
                    .unwrap_or(Self::Dyn),
            ),
            Self::Dyn | Self::Record(_) | Self::Whole(_) | Self::Shaped(_) => Some(Self::Dyn),
            _ => None,
        }
    }

    /// Whether anything is known about it.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Dyn | Self::Err)
    }

    pub(crate) fn unwrapped(self) -> Self {
        match self {
            Self::Optional(inner) => inner.as_ref().clone(),
            ty => ty,
        }
    }

    /// A type that holds the values of both.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Err | Self::Null, ty) | (ty, Self::Err | Self::Null) => ty,
            (Self::String(a), Self::String(b)) => {
                let same = matches!((a, b), (Some(a), Some(b)) if std::ptr::eq(a, b));
                Self::String(a.filter(|_| same))
            }
            (Self::Int | Self::Number, Self::Double | Self::Number)
            | (Self::Double | Self::Number, Self::Int) => Self::Number,
            (Self::Int, Self::String(_) | Self::IntOrString)
            | (Self::String(_), Self::Int | Self::IntOrString) => Self::IntOrString,
            (Self::Optional(a), Self::Optional(b)) => {
                Self::optional(a.as_ref().clone().join(b.as_ref().clone()))
            }
            (Self::Object(a), Self::Object(b)) if std::ptr::eq(a, b) => Self::Object(a),
            (Self::Whole(a), Self::Whole(b)) if std::ptr::eq(a, b) => Self::Whole(a),
            (Self::Array(a), Self::Array(b)) if std::ptr::eq(a, b) => Self::Array(a),
            (Self::Shaped(a), Self::Shaped(b)) if std::ptr::eq(a, b) => Self::Shaped(a),
            (Self::Special(a), Self::Special(b)) if a == b => Self::Special(a),
            (a, b) if a.is_list() && b.is_list() => Self::list(
                a.element()
                    .unwrap_or(Self::Dyn)
                    .join(b.element().unwrap_or(Self::Dyn)),
            ),
            (a, b) if a.is_map() && b.is_map() => Self::map(
                a.element()
                    .unwrap_or(Self::Dyn)
                    .join(b.element().unwrap_or(Self::Dyn)),
            ),
            (a, b) if std::mem::discriminant(&a) == std::mem::discriminant(&b) && a.is_plain() => a,
            _ => Self::Dyn,
        }
    }

    /// Whether two of the same variant are the same type.
    fn is_plain(&self) -> bool {
        matches!(
            self,
            Self::Dyn
                | Self::Bool
                | Self::Int
                | Self::UInt
                | Self::Double
                | Self::Number
                | Self::IntOrString
                | Self::Bytes
                | Self::Duration
                | Self::Timestamp
                | Self::Type
        )
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::Array(_))
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(
            self,
            Self::Map(_) | Self::Record(_) | Self::Object(_) | Self::Whole(_) | Self::Shaped(_)
        )
    }

    /// The type of a value of this shape.
    pub(crate) fn of_shape(shape: &'s Shape) -> Self {
        match shape.form {
            Form::Any => Self::Dyn,
            Form::Bool => Self::Bool,
            Form::Int => Self::Int,
            Form::Double => Self::Double,
            Form::String => Self::String(None),
            Form::Bytes => Self::Bytes,
            Form::Timestamp => Self::Timestamp,
            Form::Duration => Self::Duration,
            Form::List => Self::list(Self::of_shape(shape.item())),
            Form::Map => Self::map(Self::of_shape(shape.item())),
            Form::Object => Self::Shaped(shape),
        }
    }
}

impl fmt::Display for Ty<'_> {
    /// In words, as messages have it: `list of string`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dyn | Self::Err => "any type",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::UInt => "uint",
            Self::Double => "double",
            Self::Number => "number",
            Self::IntOrString => "int or string",
            Self::String(_) => "string",
            Self::Bytes => "bytes",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::Type => "type",
            Self::List(item) if !item.is_known() => "list",
            Self::List(item) => return write!(f, "list of {item}"),
            Self::Array(schema) => match schema.items.as_deref().map(Ty::of) {
                Some(item) if item.is_known() => return write!(f, "list of {item}"),
                _ => "list",
            },
            Self::Map(pair) if !pair.1.is_known() => "map",
            Self::Map(pair) => return write!(f, "map to {}", pair.1),
            Self::Optional(inner) if !inner.is_known() => "optional",
            Self::Optional(inner) => return write!(f, "optional {inner}"),
            Self::Record(_) => "map",
            Self::Object(schema) if schema.properties.is_empty() && schema.additional.is_some() => {
                "map"
            }
            Self::Object(_) | Self::Whole(_) | Self::Shaped(_) => "object",
            Self::Special(name) => name,
        })
    }
}

/// What every Kubernetes object has, whatever its schema says.
pub(crate) static OBJECT: LazyLock<Schema> = LazyLock::new(|| {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let metadata = json!({"type": "object", "properties": {
        "name": text, "namespace": text, "generateName": text, "uid": text, "resourceVersion": text, "selfLink": text,
        "creationTimestamp": text, "deletionTimestamp": text, "deletionGracePeriodSeconds": {"type": "integer"},
        "generation": {"type": "integer"}, "labels": texts, "annotations": texts,
        "finalizers": {"type": "array", "items": text}, "ownerReferences": {"type": "array", "items": open},
        "managedFields": {"type": "array", "items": open},
    }});
    let whole = json!({"type": "object", "properties": {"apiVersion": text, "kind": text, "metadata": metadata}});
    Schema::parse(&whole).unwrap_or_default()
});

#[cfg(test)]
mod tests;
