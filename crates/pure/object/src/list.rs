//! A list: owned, and borrowed.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Value, ValueRef, wire};

/// A `google.protobuf.ListValue`. Cloning shares everything.
#[derive(Clone)]
pub struct List(pub(crate) Repr);

#[derive(Clone)]
pub(crate) enum Repr {
    /// Strict bytes, nobody changed them.
    Wire(Bytes),
    /// At least one element was set.
    Items(Arc<Vec<Item>>),
}

#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A strict encoded value.
    Wire(Bytes),
    /// Somebody wrote it, or may have.
    Owned(Value),
}

impl Item {
    pub(crate) fn value(&self) -> ValueRef<'_> {
        match self {
            Self::Wire(payload) => wire::value(payload, payload),
            Self::Owned(value) => value.as_ref(),
        }
    }

    fn value_mut(&mut self) -> &mut Value {
        if let Self::Wire(payload) = self {
            *self = Self::Owned(wire::value(payload, payload).to_owned());
        }
        match self {
            Self::Owned(value) => value,
            Self::Wire(_) => unreachable!("the element was just decoded"),
        }
    }
}

impl List {
    /// A list without elements.
    pub const fn new() -> Self {
        Self(Repr::Wire(Bytes::new()))
    }

    /// The same list, borrowed.
    pub fn as_ref(&self) -> ListRef<'_> {
        match &self.0 {
            Repr::Wire(bytes) => ListRef::wire(bytes, bytes),
            Repr::Items(items) => ListRef(Borrowed::Items(items)),
        }
    }

    /// The element at an index.
    pub fn get(&self, index: usize) -> Option<ValueRef<'_>> {
        self.as_ref().get(index)
    }

    /// The element at an index, to be changed. Expands this level and no deeper one.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Value> {
        self.items_mut().get_mut(index).map(Item::value_mut)
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }

    /// The elements in order.
    pub fn iter(&self) -> ListIter<'_> {
        self.as_ref().iter()
    }

    /// Adds an element at the end.
    pub fn push(&mut self, value: impl Into<Value>) {
        self.items_mut().push(Item::Owned(value.into()));
    }

    /// Adds an element before `index`, or at the end when there are fewer.
    pub fn insert(&mut self, index: usize, value: impl Into<Value>) {
        let items = self.items_mut();
        items.insert(index.min(items.len()), Item::Owned(value.into()));
    }

    /// Removes an element; answers what it was.
    pub fn remove(&mut self, index: usize) -> Option<Value> {
        let items = self.items_mut();
        if index >= items.len() {
            return None;
        }
        Some(match items.remove(index) {
            Item::Owned(value) => value,
            item @ Item::Wire(_) => item.value().to_owned(),
        })
    }

    /// Makes the list `length` long: cuts it, or fills it with `filler`.
    pub fn resize(&mut self, length: usize, filler: impl Into<Value>) {
        self.items_mut().resize(length, Item::Owned(filler.into()));
    }

    /// The list as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        self.as_ref().to_json()
    }

    fn items_mut(&mut self) -> &mut Vec<Item> {
        if let Repr::Wire(bytes) = &self.0 {
            let mut rest: &[u8] = bytes;
            let mut items = Vec::new();
            while let Some(payload) = wire::tagged(&mut rest, wire::FIRST) {
                items.push(Item::Wire(bytes.slice_ref(payload)));
            }
            self.0 = Repr::Items(Arc::new(items));
        }
        match &mut self.0 {
            Repr::Items(items) => Arc::make_mut(items),
            Repr::Wire(_) => unreachable!("the list was just expanded"),
        }
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl<V: Into<Value>> FromIterator<V> for List {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        let items = values
            .into_iter()
            .map(|value| Item::Owned(value.into()))
            .collect();
        Self(Repr::Items(Arc::new(items)))
    }
}

impl<V: Into<Value>> Extend<V> for List {
    fn extend<I: IntoIterator<Item = V>>(&mut self, values: I) {
        self.items_mut()
            .extend(values.into_iter().map(|value| Item::Owned(value.into())));
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = ValueRef<'a>;
    type IntoIter = ListIter<'a>;
    fn into_iter(self) -> ListIter<'a> {
        self.iter()
    }
}

/// A list, borrowed; cheap to copy.
#[derive(Clone, Copy)]
pub struct ListRef<'a>(Borrowed<'a>);

#[derive(Clone, Copy)]
enum Borrowed<'a> {
    Wire { parent: &'a Bytes, bytes: &'a [u8] },
    Items(&'a Arc<Vec<Item>>),
}

impl<'a> ListRef<'a> {
    pub(crate) fn wire(parent: &'a Bytes, bytes: &'a [u8]) -> Self {
        Self(Borrowed::Wire { parent, bytes })
    }

    /// How many bytes are passed over at most to find an element, known at once.
    pub fn breadth(self) -> usize {
        match self.0 {
            Borrowed::Wire { bytes, .. } => bytes.len(),
            Borrowed::Items(items) => size_of_val(items.as_slice()),
        }
    }

    /// The element at an index.
    pub fn get(self, index: usize) -> Option<ValueRef<'a>> {
        match self.0 {
            Borrowed::Wire { .. } => self.iter().nth(index),
            Borrowed::Items(items) => items.get(index).map(Item::value),
        }
    }

    /// The elements in order.
    pub fn iter(self) -> ListIter<'a> {
        ListIter(match self.0 {
            Borrowed::Wire { parent, bytes } => Items::Wire {
                parent,
                rest: bytes,
            },
            Borrowed::Items(items) => Items::Items(items.iter()),
        })
    }

    /// How many elements there are.
    pub fn len(self) -> usize {
        match self.0 {
            Borrowed::Wire { .. } => self.iter().count(),
            Borrowed::Items(items) => items.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(self) -> bool {
        match self.0 {
            Borrowed::Wire { bytes, .. } => bytes.is_empty(),
            Borrowed::Items(items) => items.is_empty(),
        }
    }

    /// An owned list that shares the bytes of this one.
    pub fn to_owned(self) -> List {
        List(match self.0 {
            Borrowed::Wire { parent, bytes } => Repr::Wire(parent.slice_ref(bytes)),
            Borrowed::Items(items) => Repr::Items(Arc::clone(items)),
        })
    }

    /// The encoded bytes, when nobody changed the list since it was read.
    pub(crate) fn unchanged(self) -> Option<&'a [u8]> {
        match self.0 {
            Borrowed::Wire { bytes, .. } => Some(bytes),
            Borrowed::Items(_) => None,
        }
    }
}

impl PartialEq for ListRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.unchanged(), other.unchanged())
            && a == b
        {
            return true;
        }
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for ListRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for ListRef<'a> {
    type Item = ValueRef<'a>;
    type IntoIter = ListIter<'a>;
    fn into_iter(self) -> ListIter<'a> {
        self.iter()
    }
}

/// The elements of a list in order.
#[derive(Clone)]
pub struct ListIter<'a>(Items<'a>);

#[derive(Clone)]
enum Items<'a> {
    Wire { parent: &'a Bytes, rest: &'a [u8] },
    Items(std::slice::Iter<'a, Item>),
}

impl Default for ListIter<'_> {
    fn default() -> Self {
        Self(Items::Items([].iter()))
    }
}

impl fmt::Debug for ListIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'a> Iterator for ListIter<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<ValueRef<'a>> {
        match &mut self.0 {
            Items::Wire { parent, rest } => {
                Some(wire::value(parent, wire::tagged(rest, wire::FIRST)?))
            }
            Items::Items(items) => items.next().map(Item::value),
        }
    }
}
