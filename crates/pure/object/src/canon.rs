//! What is the hash of an object's content, whatever the order of its keys?

use sha2::{Digest as _, Sha256};

use crate::value::whole;
use crate::{ObjectRef, ValueRef};

impl ObjectRef<'_> {
    /// The SHA-256 of the content: the same for equal objects, whatever the order of their keys.
    pub fn canonical_hash(self) -> [u8; 32] {
        ValueRef::Object(self).canonical_hash()
    }
}

impl ValueRef<'_> {
    /// The SHA-256 of the content: the same for equal values, whatever the order of keys.
    pub fn canonical_hash(self) -> [u8; 32] {
        let mut hash = Sha256::new();
        feed(self, &mut hash);
        hash.finalize().into()
    }
}

/// Feeds a kind, a length and the content, so that no two different values feed the same bytes.
fn feed(value: ValueRef<'_>, hash: &mut Sha256) {
    match value {
        ValueRef::Null => hash.update([0]),
        ValueRef::Bool(bit) => hash.update([1, u8::from(bit)]),
        ValueRef::Int(number) => feed_whole(number, hash),
        ValueRef::Double(number) => match whole(number) {
            Some(number) => feed_whole(number, hash),
            None if number.is_nan() => hash.update([2]),
            None => {
                hash.update([3]);
                hash.update(number.to_bits().to_le_bytes());
            }
        },
        ValueRef::String(text) => {
            hash.update([4]);
            feed_bytes(text.as_bytes(), hash);
        }
        ValueRef::List(list) => {
            hash.update([5]);
            feed_length(list.len(), hash);
            for value in list {
                feed(value, hash);
            }
        }
        ValueRef::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            hash.update([6]);
            feed_length(entries.len(), hash);
            for (key, value) in entries {
                feed_bytes(key.as_bytes(), hash);
                feed(value, hash);
            }
        }
    }
}

fn feed_whole(number: i64, hash: &mut Sha256) {
    hash.update([7]);
    hash.update(number.to_le_bytes());
}

fn feed_bytes(bytes: &[u8], hash: &mut Sha256) {
    feed_length(bytes.len(), hash);
    hash.update(bytes);
}

fn feed_length(length: usize, hash: &mut Sha256) {
    hash.update((length as u64).to_le_bytes());
}
