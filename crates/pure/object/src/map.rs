//! One expanded level of an object: its entries in order, each still encoded until somebody changes it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::key::Key;
use crate::{Value, ValueRef, wire};

/// From this many entries on, keys are found through an index instead of one after the other.
const INDEXED: usize = 24;

#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// The body of a strict map entry.
    Wire(Bytes),
    /// Somebody wrote it, or may have.
    Owned(Key, Value),
}

impl Entry {
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Self::Wire(body) => wire::entry(body).0,
            Self::Owned(key, _) => key.as_bytes(),
        }
    }

    pub(crate) fn value(&self) -> ValueRef<'_> {
        match self {
            Self::Wire(body) => wire::value(body, wire::entry(body).1),
            Self::Owned(_, value) => value.as_ref(),
        }
    }

    fn value_mut(&mut self) -> &mut Value {
        if let Self::Wire(body) = self {
            let (key, payload) = wire::entry(body);
            let value = wire::value(body, payload).to_owned();
            *self = Self::Owned(Key::new(wire::text(key)), value);
        }
        match self {
            Self::Owned(_, value) => value,
            Self::Wire(_) => unreachable!("the entry was just decoded"),
        }
    }

    fn into_value(mut self) -> Value {
        std::mem::take(self.value_mut())
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    entries: Vec<Entry>,
    /// Where each key is; kept while it is cheap to keep, absent otherwise.
    index: Option<BTreeMap<Box<[u8]>, usize>>,
    /// How many bytes the level takes when it is encoded. Writing a message asks for it at every level above.
    length: OnceLock<usize>,
}

/// Room for what most levels hold: an object's apiVersion, kind, metadata, spec and status.
const ROOM: usize = 6;

impl Map {
    /// Expands the entries of a strict Struct.
    pub(crate) fn expand(object: &Bytes) -> Self {
        let mut rest: &[u8] = object;
        let mut entries = Vec::with_capacity(ROOM);
        while let Some(body) = wire::tagged(&mut rest, wire::FIRST) {
            entries.push(Entry::Wire(object.slice_ref(body)));
        }
        Self {
            entries,
            ..Self::default()
        }
    }

    /// The encoded length, counted by `count` unless it is known.
    pub(crate) fn length(&self, count: impl FnOnce(&[Entry]) -> usize) -> usize {
        *self.length.get_or_init(|| count(&self.entries))
    }

    /// Forgets what is known of the content, which is about to change.
    pub(crate) fn touch(&mut self) {
        self.length.take();
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&Entry> {
        let at = self.find(key)?;
        self.entries.get(at)
    }

    pub(crate) fn get_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        self.build_index();
        let at = self.find(key)?;
        self.entries.get_mut(at).map(Entry::value_mut)
    }

    /// Sets a key; answers what it held.
    pub(crate) fn set(&mut self, entry: Entry) -> Option<Entry> {
        self.build_index();
        if let Some(held) = self
            .find(entry.key())
            .and_then(|at| self.entries.get_mut(at))
        {
            return Some(std::mem::replace(held, entry));
        }
        if let Some(index) = &mut self.index {
            index.insert(entry.key().into(), self.entries.len());
        }
        if self.entries.capacity() == 0 {
            self.entries.reserve(ROOM);
        }
        self.entries.push(entry);
        None
    }

    /// The value of a key, which becomes null when it was not there.
    pub(crate) fn get_or_insert(&mut self, key: &str) -> &mut Value {
        if self.find(key.as_bytes()).is_none() {
            self.set(Entry::Owned(Key::new(key), Value::Null));
        }
        self.get_mut(key.as_bytes())
            .expect("the key was just set when it was not there")
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Value> {
        let at = self.find(key)?;
        self.index = None;
        Some(self.entries.remove(at).into_value())
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&str, ValueRef<'_>) -> bool) {
        self.index = None;
        self.entries
            .retain(|entry| keep(wire::text(entry.key()), entry.value()));
    }

    fn find(&self, key: &[u8]) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|entry| entry.key() == key),
        }
    }

    fn build_index(&mut self) {
        if self.index.is_some() || self.entries.len() < INDEXED {
            return;
        }
        self.index = Some(
            self.entries
                .iter()
                .enumerate()
                .map(|(at, entry)| (entry.key().into(), at))
                .collect(),
        );
    }
}
