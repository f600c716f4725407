//! How is an object written? Untouched parts as they are, the rest around them.

use bytes::BufMut;

use crate::list::Item;
use crate::map::Entry;
use crate::wire::{
    self, BOOL, ENTRY_VALUE, FIRST, LIST, NULL, NUMBER, STRING, STRUCT, delimited_len,
};
use crate::{List, Object, Value, list, object};

pub(crate) fn object_len(object: &Object) -> usize {
    match &object.0 {
        object::Repr::Wire(bytes) => bytes.len(),
        object::Repr::Map(map) => map.length(|entries| {
            entries
                .iter()
                .map(|entry| delimited_len(entry_len(entry)))
                .sum()
        }),
    }
}

fn entry_len(entry: &Entry) -> usize {
    match entry {
        Entry::Wire(body) => body.len(),
        Entry::Owned(key, value) => {
            delimited_len(key.as_bytes().len()) + delimited_len(value_len(value))
        }
    }
}

fn list_len(list: &List) -> usize {
    match &list.0 {
        list::Repr::Wire(bytes) => bytes.len(),
        list::Repr::Items(items) => items.iter().map(|item| delimited_len(item_len(item))).sum(),
    }
}

fn item_len(item: &Item) -> usize {
    match item {
        Item::Wire(payload) => payload.len(),
        Item::Owned(value) => value_len(value),
    }
}

pub(crate) fn value_len(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 2,
        Value::Int(_) | Value::Double(_) => 9,
        Value::String(text) => delimited_len(text.len()),
        Value::List(list) => delimited_len(list_len(list)),
        Value::Object(object) => delimited_len(object_len(object)),
    }
}

pub(crate) fn put_object(object: &Object, out: &mut impl BufMut) {
    match &object.0 {
        object::Repr::Wire(bytes) => out.put_slice(bytes),
        object::Repr::Map(map) => {
            for entry in map.entries() {
                put_entry(entry, out);
            }
        }
    }
}

fn put_entry(entry: &Entry, out: &mut impl BufMut) {
    put_head(FIRST, entry_len(entry), out);
    match entry {
        Entry::Wire(body) => out.put_slice(body),
        Entry::Owned(key, value) => {
            let key = key.as_bytes();
            put_head(FIRST, key.len(), out);
            out.put_slice(key);
            put_head(ENTRY_VALUE, value_len(value), out);
            put_value(value, out);
        }
    }
}

fn put_list(list: &List, out: &mut impl BufMut) {
    match &list.0 {
        list::Repr::Wire(bytes) => out.put_slice(bytes),
        list::Repr::Items(items) => {
            for item in items.iter() {
                put_head(FIRST, item_len(item), out);
                match item {
                    Item::Wire(payload) => out.put_slice(payload),
                    Item::Owned(value) => put_value(value, out),
                }
            }
        }
    }
}

pub(crate) fn put_value(value: &Value, out: &mut impl BufMut) {
    match value {
        Value::Null => out.put_slice(&[NULL, 0]),
        Value::Bool(bit) => out.put_slice(&[BOOL, u8::from(*bit)]),
        Value::Int(_) | Value::Double(_) => {
            out.put_u8(NUMBER);
            out.put_f64_le(value.as_f64().unwrap_or_default());
        }
        Value::String(text) => put_text(text, out),
        Value::List(list) => {
            put_head(LIST, list_len(list), out);
            put_list(list, out);
        }
        Value::Object(object) => {
            put_head(STRUCT, object_len(object), out);
            put_object(object, out);
        }
    }
}

pub(crate) fn put_text(text: &str, out: &mut impl BufMut) {
    put_head(STRING, text.len(), out);
    out.put_slice(text.as_bytes());
}

/// Writes a tag and a length.
#[inline]
pub(crate) fn put_head(tag: u8, length: usize, out: &mut impl BufMut) {
    out.put_u8(tag);
    put_length(length, out);
}

/// Writes a length.
#[inline]
pub(crate) fn put_length(length: usize, out: &mut impl BufMut) {
    // Nearly all take a byte or two.
    match u8::try_from(length) {
        Ok(short @ 0..0x80) => out.put_u8(short),
        _ if length < 1 << 14 => {
            let parts = [length & 0x7F | 0x80, length >> 7];
            out.put_slice(&parts.map(|part| u8::try_from(part).unwrap_or_default()));
        }
        _ => put_long_length(length, out),
    }
}

#[cold]
fn put_long_length(length: usize, out: &mut impl BufMut) {
    let mut rest = length;
    for _ in 1..wire::varint_len(length) {
        out.put_u8(u8::try_from(rest & 0x7F).unwrap_or_default() | 0x80);
        rest >>= 7;
    }
    out.put_u8(u8::try_from(rest).unwrap_or_default());
}
