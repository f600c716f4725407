//! Has this input been compiled before?
//!
//! What an input compiles to is kept by the bytes of the input: found by a hash, and taken only when the bytes are the
//! same. Bounded by count and by bytes; what was not used for longest goes first.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use purlin_object::Object;

/// How many inputs are kept.
const MAX_INPUTS: usize = 256;
/// How many bytes of inputs are kept.
const MAX_BYTES: usize = 32 << 20;

/// What inputs compiled to.
#[derive(Debug)]
pub struct Plans<T> {
    /// The one used last is at the end.
    kept: Mutex<Vec<Entry<T>>>,
}

#[derive(Debug)]
struct Entry<T> {
    hash: u64,
    input: Box<[u8]>,
    compiled: Arc<T>,
}

impl<T> Default for Plans<T> {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
        }
    }
}

impl<T> Plans<T> {
    /// What an input compiles to, now or before.
    pub fn of(&self, input: &Object, compile: impl FnOnce() -> T) -> Arc<T> {
        let bytes = input.to_wire();
        let hash = hash(&bytes);
        if let Some(found) = self.find(hash, &bytes) {
            return found;
        }
        // Compiled without the lock: two requests may compile the same input, and one of the results is dropped.
        let compiled = Arc::new(compile());
        self.keep(hash, &bytes, &compiled);
        compiled
    }

    fn find(&self, hash: u64, bytes: &Bytes) -> Option<Arc<T>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept
            .iter()
            .rposition(|entry| entry.hash == hash && *entry.input == **bytes)?;
        if at + 1 < kept.len() {
            let entry = kept.remove(at);
            kept.push(entry);
        }
        kept.last().map(|entry| Arc::clone(&entry.compiled))
    }

    fn keep(&self, hash: u64, bytes: &Bytes, compiled: &Arc<T>) {
        if bytes.len() > MAX_BYTES {
            return;
        }
        // Bytes of its own: those at hand belong to a whole request.
        let input: Box<[u8]> = bytes.to_vec().into_boxed_slice();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept
            .iter()
            .any(|held| held.hash == hash && held.input == input)
        {
            return;
        }
        kept.push(Entry {
            hash,
            input,
            compiled: Arc::clone(compiled),
        });
        let mut total: usize = kept.iter().map(|entry| entry.input.len()).sum();
        let mut drop_first = 0;
        while kept.len() - drop_first > MAX_INPUTS || total > MAX_BYTES {
            total -= kept
                .get(drop_first)
                .map_or(total, |entry| entry.input.len());
            drop_first += 1;
        }
        kept.drain(..drop_first);
    }
}

/// Equal bytes have equal hashes; that unequal ones may too is why bytes are compared.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use purlin_object::Object;

    use super::{MAX_INPUTS, Plans};

    fn input(name: &str) -> Object {
        Object::from_iter([("name", name)])
    }

    #[test]
    fn an_input_is_compiled_once_and_the_oldest_is_forgotten() {
        let plans = Plans::default();
        let first = plans.of(&input("a"), || 1);
        for index in 0..MAX_INPUTS - 1 {
            drop(plans.of(&input(&index.to_string()), || 2));
            let again = plans.of(&input("a"), || 3);
            assert!(Arc::ptr_eq(&first, &again));
        }
        for index in 0..MAX_INPUTS {
            drop(plans.of(&input(&index.to_string()), || 2));
        }
        assert_eq!(*plans.of(&input("a"), || 3), 3);
        assert_eq!(plans.kept.lock().expect("not poisoned").len(), MAX_INPUTS);
    }
}
