//! How is a map read, wherever its entries are kept?

use std::rc::Rc;

use purlin_object::ObjectRef;
use serde_json::Value as Json;

use crate::key::Key;
use crate::shape::Shape;
use crate::value::{Origin, Text, Val};

/// A map of an expression.
#[derive(Debug, Clone)]
pub enum Map<'a> {
    /// Made by the expression or the caller: entries in the order of their keys, and the variable it stands for if that
    /// is waited for.
    Owned(Rc<Vec<(Key<'a>, Val<'a>)>>, Option<&'a str>),
    /// JSON.
    Json(&'a serde_json::Map<String, Json>),
    /// JSON seen through the schema of the object or map.
    Shaped(&'a serde_json::Map<String, Json>, &'a Shape),
    /// Data of an object, and the variable it came from if that is waited for.
    Data(ObjectRef<'a>, Option<&'a str>),
    /// Data of an object whose numbers are all floating, as protobuf has them.
    Wire(ObjectRef<'a>),
    /// A variable whose data is not there yet.
    Absent(&'a str),
    /// A variable whose data is known not to come: reading it waits, but that something is missing in it is a fact.
    Off(&'a str),
}

impl<'a> Map<'a> {
    /// A map of entries in any order; of equal keys the first one wins.
    pub(crate) fn owned(entries: Vec<(Key<'a>, Val<'a>)>) -> Self {
        Self::made(entries, None)
    }

    pub(crate) fn made(mut entries: Vec<(Key<'a>, Val<'a>)>, origin: Origin<'a>) -> Self {
        entries.sort_by(|a, b| a.0.order(&b.0));
        entries.dedup_by(|later, earlier| later.0.order(&earlier.0).is_eq());
        Self::Owned(Rc::new(entries), origin)
    }

    /// How many entries there are; `None` when the map is not there yet.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Owned(entries, _) => Some(entries.len()),
            Self::Json(map) => Some(map.len()),
            Self::Shaped(map, shape) => Some(map.iter().filter(|(key, _)| shape.sees(key)).count()),
            Self::Data(object, _) | Self::Wire(object) => Some(object.len()),
            Self::Absent(_) | Self::Off(_) => None,
        }
    }

    /// The value at a field name, as `m.field` means it.
    pub(crate) fn field(&self, name: &str) -> Option<Val<'a>> {
        match self {
            Self::Owned(entries, _) => find(entries, &Key::String(Text::Borrowed(name))),
            Self::Json(map) => map.get(name).map(Val::from_json),
            Self::Shaped(map, shape) => shape.field(map, name),
            Self::Data(object, origin) => object
                .get(name)
                .map(|value| Val::from_origin(value, *origin)),
            Self::Wire(object) => object.get(name).map(Val::from_wire),
            Self::Absent(_) | Self::Off(_) => None,
        }
    }

    /// The value at a key.
    pub(crate) fn get(&self, key: &Key<'_>) -> Option<Val<'a>> {
        match (self, key) {
            (Self::Owned(entries, _), key) => find(entries, key),
            (_, Key::String(text)) => self.field(text.as_str()),
            (_, Key::Bool(_) | Key::Int(_) | Key::UInt(_)) => None,
        }
    }

    /// The entries in a stable order; `None` when the map is not there yet.
    pub(crate) fn entries(&self) -> Option<Vec<(Key<'a>, Val<'a>)>> {
        let text = |key: &'a str| Key::String(Text::Borrowed(key));
        Some(match self {
            Self::Owned(entries, _) => entries.as_ref().clone(),
            Self::Json(map) => map
                .iter()
                .map(|(key, value)| (text(key), Val::from_json(value)))
                .collect(),
            Self::Shaped(map, shape) => shape.entries(map),
            Self::Data(object, origin) => object
                .iter()
                .map(|(key, value)| (text(key), Val::from_origin(value, *origin)))
                .collect(),
            Self::Wire(object) => object
                .iter()
                .map(|(key, value)| (text(key), Val::from_wire(value)))
                .collect(),
            Self::Absent(_) | Self::Off(_) => return None,
        })
    }

    pub(crate) fn origin(&self) -> Origin<'a> {
        match self {
            Self::Data(_, origin) | Self::Owned(_, origin) => *origin,
            Self::Absent(root) | Self::Off(root) => Some(root),
            Self::Json(_) | Self::Shaped(..) | Self::Wire(_) => None,
        }
    }

    /// The variable the map came from, when something missing in it may still come.
    pub(crate) fn hopes(&self) -> Origin<'a> {
        match self {
            Self::Off(_) => None,
            other => other.origin(),
        }
    }

    /// The name of the variable the map came from, for a message.
    pub(crate) fn root(&self) -> &str {
        self.origin().unwrap_or("value")
    }
}

fn find<'a>(entries: &[(Key<'a>, Val<'a>)], key: &Key<'_>) -> Option<Val<'a>> {
    entries
        .binary_search_by(|(have, _)| have.order(key))
        .ok()
        .and_then(|at| entries.get(at))
        .map(|(_, value)| value.clone())
}
