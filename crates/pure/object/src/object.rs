//! An object: owned, and borrowed.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::check::{self, Layout};
use crate::key::Key;
use crate::map::{Entry, Map};
use crate::{Error, Limits, Value, ValueRef, loose, wire};

/// A `google.protobuf.Struct`. Cloning shares everything; changing a clone copies one level at a time.
///
/// Keys keep the order they arrived or were inserted in; equality and [`Object::canonical_hash`] ignore it.
#[derive(Clone)]
pub struct Object(pub(crate) Repr);

#[derive(Clone)]
pub(crate) enum Repr {
    /// Strict bytes, nobody changed them.
    Wire(Bytes),
    /// At least one entry was set.
    Map(Arc<Map>),
}

impl Object {
    /// An object without keys.
    pub const fn new() -> Self {
        Self(Repr::Wire(Bytes::new()))
    }

    /// Reads an encoded `google.protobuf.Struct`. The bytes are checked once and then kept, not copied.
    pub fn from_wire(bytes: impl Into<Bytes>, limits: Limits) -> Result<Self, Error> {
        let bytes = bytes.into();
        match check::object(&bytes, limits)? {
            Layout::Strict => Ok(Self(Repr::Wire(bytes))),
            Layout::Loose => {
                let mut object = Self::new();
                loose::object(&mut object, &bytes);
                Ok(object)
            }
        }
    }

    /// The same object, borrowed.
    pub fn as_ref(&self) -> ObjectRef<'_> {
        match &self.0 {
            Repr::Wire(bytes) => ObjectRef::wire(bytes, bytes),
            Repr::Map(map) => ObjectRef(Borrowed::Map(map)),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<ValueRef<'_>> {
        self.as_ref().get(key)
    }

    /// The value at the end of a path of keys.
    pub fn get_path(&self, path: &[&str]) -> Option<ValueRef<'_>> {
        self.as_ref().get_path(path)
    }

    /// Whether the key is there, also when it holds null.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Sets a key; answers what it held.
    pub fn insert(&mut self, key: impl AsRef<str>, value: impl Into<Value>) -> Option<Value> {
        let key = Key::new(key.as_ref());
        let held = self.map_mut().set(Entry::Owned(key, value.into()))?;
        Some(held.value().to_owned())
    }

    /// Removes a key; answers what it held. The order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.as_ref().get(key)?;
        self.map_mut().remove(key.as_bytes())
    }

    /// Keeps the keys for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&str, ValueRef<'_>) -> bool) {
        self.map_mut().retain(keep);
    }

    /// The value of a key, to be changed. Expands this level and no deeper one.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.as_ref().get(key)?;
        self.map_mut().get_mut(key.as_bytes())
    }

    /// The object at a key, to be changed. What was there is replaced when it was no object.
    pub fn object_mut(&mut self, key: &str) -> &mut Self {
        self.map_mut().get_or_insert(key).make_object()
    }

    /// The value of a key, to be changed; null when it was not there.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        self.map_mut().get_or_insert(key)
    }

    /// The keys and values in order.
    pub fn iter(&self) -> ObjectIter<'_> {
        self.as_ref().iter()
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }

    /// The encoded object. Shared with this one when nobody changed it since it was read.
    pub fn to_wire(&self) -> Bytes {
        match &self.0 {
            Repr::Wire(bytes) => bytes.clone(),
            Repr::Map(_) => prost::Message::encode_to_vec(self).into(),
        }
    }

    /// The SHA-256 of the content: the same for equal objects, whatever the order of their keys.
    pub fn canonical_hash(&self) -> [u8; 32] {
        self.as_ref().canonical_hash()
    }

    /// The object as JSON; whole numbers below 2^53 are written as integers.
    pub fn to_json(&self) -> serde_json::Value {
        self.as_ref().to_json()
    }

    pub(crate) fn map_mut(&mut self) -> &mut Map {
        if let Repr::Wire(bytes) = &self.0 {
            self.0 = Repr::Map(Arc::new(Map::expand(bytes)));
        }
        match &mut self.0 {
            Repr::Map(map) => {
                let map = Arc::make_mut(map);
                map.touch();
                map
            }
            Repr::Wire(_) => unreachable!("the object was just expanded"),
        }
    }
}

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl<K: AsRef<str>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut object = Self::new();
        object.extend(entries);
        object
    }
}

impl<K: AsRef<str>, V: Into<Value>> Extend<(K, V)> for Object {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a str, ValueRef<'a>);
    type IntoIter = ObjectIter<'a>;
    fn into_iter(self) -> ObjectIter<'a> {
        self.iter()
    }
}

/// An object, borrowed; cheap to copy.
#[derive(Clone, Copy)]
pub struct ObjectRef<'a>(Borrowed<'a>);

#[derive(Clone, Copy)]
enum Borrowed<'a> {
    Wire { parent: &'a Bytes, bytes: &'a [u8] },
    Map(&'a Arc<Map>),
}

impl<'a> ObjectRef<'a> {
    pub(crate) fn wire(parent: &'a Bytes, bytes: &'a [u8]) -> Self {
        Self(Borrowed::Wire { parent, bytes })
    }

    /// The value of a key.
    pub fn get(self, key: &str) -> Option<ValueRef<'a>> {
        let (parent, mut rest) = match self.0 {
            Borrowed::Map(map) => return map.get(key.as_bytes()).map(Entry::value),
            Borrowed::Wire { parent, bytes } => (parent, bytes),
        };
        while let Some(body) = wire::tagged(&mut rest, wire::FIRST) {
            let (found, payload) = wire::entry(body);
            if found == key.as_bytes() {
                return Some(wire::value(parent, payload));
            }
        }
        None
    }

    /// The value at the end of a path of keys.
    pub fn get_path(self, path: &[&str]) -> Option<ValueRef<'a>> {
        path.iter().try_fold(ValueRef::Object(self), |value, key| {
            value.as_object()?.get(key)
        })
    }

    /// Whether the key is there, also when it holds null.
    pub fn contains_key(self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The keys and values in order.
    pub fn iter(self) -> ObjectIter<'a> {
        ObjectIter(match self.0 {
            Borrowed::Wire { parent, bytes } => Entries::Wire {
                parent,
                rest: bytes,
            },
            Borrowed::Map(map) => Entries::Map(map.entries().iter()),
        })
    }

    /// The keys in order.
    pub fn keys(self) -> impl Iterator<Item = &'a str> {
        self.iter().map(|(key, _)| key)
    }

    /// How many keys there are.
    pub fn len(self) -> usize {
        match self.0 {
            Borrowed::Wire { .. } => self.iter().count(),
            Borrowed::Map(map) => map.entries().len(),
        }
    }

    /// How many bytes are passed over at most to find a key, known at once.
    pub fn breadth(self) -> usize {
        match self.0 {
            Borrowed::Wire { bytes, .. } => bytes.len(),
            Borrowed::Map(map) => size_of_val(map.entries()),
        }
    }

    /// Whether there are no keys.
    pub fn is_empty(self) -> bool {
        match self.0 {
            Borrowed::Wire { bytes, .. } => bytes.is_empty(),
            Borrowed::Map(map) => map.entries().is_empty(),
        }
    }

    /// An owned object that shares the bytes of this one.
    pub fn to_owned(self) -> Object {
        Object(match self.0 {
            Borrowed::Wire { parent, bytes } => Repr::Wire(parent.slice_ref(bytes)),
            Borrowed::Map(map) => Repr::Map(Arc::clone(map)),
        })
    }

    /// The encoded bytes, when nobody changed the object since it was read.
    pub(crate) fn unchanged(self) -> Option<&'a [u8]> {
        match self.0 {
            Borrowed::Wire { bytes, .. } => Some(bytes),
            Borrowed::Map(_) => None,
        }
    }
}

impl PartialEq for ObjectRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.unchanged(), other.unchanged())
            && a == b
        {
            return true;
        }
        let (mut a, mut b): (Vec<_>, Vec<_>) = (self.iter().collect(), other.iter().collect());
        if a.len() != b.len() {
            return false;
        }
        if a.iter().zip(&b).any(|(a, b)| a.0 != b.0) {
            a.sort_unstable_by_key(|(key, _)| *key);
            b.sort_unstable_by_key(|(key, _)| *key);
        }
        a == b
    }
}

impl fmt::Debug for ObjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for ObjectRef<'a> {
    type Item = (&'a str, ValueRef<'a>);
    type IntoIter = ObjectIter<'a>;
    fn into_iter(self) -> ObjectIter<'a> {
        self.iter()
    }
}

/// The keys and values of an object in order.
#[derive(Clone)]
pub struct ObjectIter<'a>(Entries<'a>);

#[derive(Clone)]
enum Entries<'a> {
    Wire { parent: &'a Bytes, rest: &'a [u8] },
    Map(std::slice::Iter<'a, Entry>),
}

impl fmt::Debug for ObjectIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.clone()).finish()
    }
}

impl<'a> Iterator for ObjectIter<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Entries::Wire { parent, rest } => {
                let (key, payload) = wire::entry(wire::tagged(rest, wire::FIRST)?);
                Some((wire::text(key), wire::value(parent, payload)))
            }
            Entries::Map(entries) => {
                let entry = entries.next()?;
                Some((wire::text(entry.key()), entry.value()))
            }
        }
    }
}
