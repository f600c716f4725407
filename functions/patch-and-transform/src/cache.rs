//! Has this input been compiled before?
//!
//! Plans are kept by the bytes of their input: found by a hash, and taken only when the bytes are the same. Bounded by
//! count and by bytes; what was not used for longest goes first.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message as _;
use purlin_diag::Diagnostics;
use purlin_object::Object;

use crate::compile::compile;
use crate::plan::Plan;

type Compiled = Result<Arc<Plan>, Arc<Diagnostics>>;

/// How many plans are kept.
const MAX_PLANS: usize = 256;
/// How many bytes of inputs are kept.
const MAX_BYTES: usize = 32 << 20;

/// The plans kept.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// The one used last is at the end.
    kept: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    bytes: Box<[u8]>,
    compiled: Compiled,
}

impl Cache {
    /// The plan of an input, compiled now or before.
    pub(crate) fn plan(&self, input: &Object) -> Compiled {
        let bytes = input.encode_to_vec();
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(found) = self.find(hash, &bytes) {
            return found;
        }
        // Compiled without the lock: two requests may compile the same input, and one of the plans is dropped.
        let compiled = compile(input).map(Arc::new).map_err(Arc::new);
        self.keep(Entry {
            hash,
            bytes: bytes.into_boxed_slice(),
            compiled: compiled.clone(),
        });
        compiled
    }

    fn find(&self, hash: u64, bytes: &[u8]) -> Option<Compiled> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept
            .iter()
            .rposition(|entry| entry.hash == hash && *entry.bytes == *bytes)?;
        if at + 1 < kept.len() {
            let entry = kept.remove(at);
            kept.push(entry);
        }
        kept.last().map(|entry| entry.compiled.clone())
    }

    fn keep(&self, entry: Entry) {
        if entry.bytes.len() > MAX_BYTES {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept
            .iter()
            .any(|held| held.hash == entry.hash && held.bytes == entry.bytes)
        {
            return;
        }
        kept.push(entry);
        let mut total: usize = kept.iter().map(|entry| entry.bytes.len()).sum();
        let mut drop_first = 0;
        while kept.len() - drop_first > MAX_PLANS || total > MAX_BYTES {
            total -= kept
                .get(drop_first)
                .map_or(total, |entry| entry.bytes.len());
            drop_first += 1;
        }
        kept.drain(..drop_first);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use purlin_object::Object;
    use serde_json::json;

    use super::{Cache, MAX_PLANS};

    fn input(name: &str) -> Object {
        Object::from_json(json!({"resources": [{"name": name}]})).expect("an object")
    }

    #[test]
    fn an_input_is_compiled_once_and_the_oldest_is_forgotten() {
        let cache = Cache::default();
        let first = cache.plan(&input("a")).expect("a plan");
        for index in 0..MAX_PLANS - 1 {
            drop(cache.plan(&input(&index.to_string())));
            let again = cache.plan(&input("a")).expect("a plan");
            assert!(Arc::ptr_eq(&first, &again));
        }
        for index in 0..MAX_PLANS {
            drop(cache.plan(&input(&index.to_string())));
        }
        let again = cache.plan(&input("a")).expect("a plan");
        assert!(!Arc::ptr_eq(&first, &again));
        assert_eq!(cache.kept.lock().expect("not poisoned").len(), MAX_PLANS);
    }

    #[test]
    fn mistakes_are_kept_too() {
        let cache = Cache::default();
        let first = cache.plan(&Object::new()).expect_err("no resources");
        let again = cache.plan(&Object::new()).expect_err("no resources");
        assert!(Arc::ptr_eq(&first, &again));
    }
}
