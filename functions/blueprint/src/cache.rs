//! Has this input been compiled before?
//!
//! An input is recognised by what it says, not by its bytes: callers write the members of an object in any order, and in
//! another one each time. Bounded by count and by bytes; what was not used for longest goes first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message as _;
use purlin_diag::Diagnostics;
use purlin_object::{Limits, Object};

use crate::compile::compile;
use crate::plan::Plan;

/// How many plans are kept.
const PLANS: usize = 256;
/// How many bytes of inputs are kept.
const BYTES: usize = 32 << 20;

pub(crate) type Compiled = Arc<Result<Plan, Diagnostics>>;

/// The plans kept.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// Most recently used first.
    kept: Mutex<VecDeque<Entry>>,
}

#[derive(Debug)]
struct Entry {
    /// The same for equal inputs, and quick to compare.
    length: usize,
    input: Object,
    compiled: Compiled,
}

impl Cache {
    /// The plan of an input, compiled now or before.
    pub(crate) fn plan(&self, input: &Object) -> Compiled {
        let length = input.encoded_len();
        if let Some(compiled) = self.find(length, input) {
            return compiled;
        }
        // Compiling is slow, so nobody waits for it; two requests may both do it.
        let compiled = Arc::new(compile(input));
        // The bytes of its own: those of the input are part of a whole request.
        if let Ok(input) = Object::from_wire(input.encode_to_vec(), Limits::default()) {
            self.keep(Entry {
                length,
                input,
                compiled: Arc::clone(&compiled),
            });
        }
        compiled
    }

    fn find(&self, length: usize, input: &Object) -> Option<Compiled> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut same = kept.iter();
        let at = same.position(|entry| entry.length == length && entry.input == *input)?;
        if at > 0 {
            let entry = kept.remove(at)?;
            kept.push_front(entry);
        }
        kept.front().map(|entry| Arc::clone(&entry.compiled))
    }

    fn keep(&self, entry: Entry) {
        if entry.length > BYTES {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(entry);
        let mut total = 0;
        let fitting = kept.iter().take(PLANS).take_while(|entry| {
            total += entry.length;
            total <= BYTES
        });
        let fitting = fitting.count();
        kept.truncate(fitting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, turned: bool) -> Object {
        let mut members: Vec<(&str, purlin_object::Value)> = vec![
            ("kind", "Blueprint".into()),
            ("status", Object::from_iter([("name", name)]).into()),
        ];
        if turned {
            members.reverse();
        }
        members.into_iter().collect::<Object>()
    }

    #[test]
    fn an_input_is_compiled_once_whatever_the_order_of_its_members() {
        let cache = Cache::default();
        let first = cache.plan(&input("a", false));
        assert!(first.is_ok());
        assert!(Arc::ptr_eq(&first, &cache.plan(&input("a", true))));
        assert!(!Arc::ptr_eq(&first, &cache.plan(&input("b", false))));
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let cache = Cache::default();
        let first = cache.plan(&input("a", false));
        for index in 0..PLANS {
            drop(cache.plan(&input(&index.to_string(), false)));
        }
        assert!(!Arc::ptr_eq(&first, &cache.plan(&input("a", false))));
        assert_eq!(cache.kept.lock().unwrap().len(), PLANS);
    }
}
