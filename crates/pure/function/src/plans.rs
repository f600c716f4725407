//! Has this input been compiled before?
//!
//! An input is recognised by what it says, not by its bytes: callers write the members of an object in any order, and Go's
//! protobuf in another one each time. Equal bytes are equal at the speed of a comparison of memory, another order costs a
//! walk, and inputs of another length are not looked at: the length does not depend on the order. Bounded by count and by
//! bytes; what was not used for longest goes first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use purlin_object::{Limits, Object};

/// How many inputs are kept.
const MAX_INPUTS: usize = 256;
/// How many bytes of inputs are kept.
const MAX_BYTES: usize = 32 << 20;

/// What inputs compiled to.
#[derive(Debug)]
pub struct Plans<T> {
    /// Most recently used first.
    kept: Mutex<VecDeque<Entry<T>>>,
}

#[derive(Debug)]
struct Entry<T> {
    length: usize,
    input: Object,
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
        let wire = input.to_wire();
        if let Some(found) = self.find(wire.len(), input) {
            return found;
        }
        // Compiled without the lock: two requests may compile the same input, and one of the results is dropped.
        let compiled = Arc::new(compile());
        // Bytes of its own: those at hand belong to a whole request.
        if let Ok(input) = Object::from_wire(wire.to_vec(), Limits::default()) {
            self.keep(Entry {
                length: wire.len(),
                input,
                compiled: Arc::clone(&compiled),
            });
        }
        compiled
    }

    /// What an input compiled to before.
    pub fn known(&self, input: &Object) -> Option<Arc<T>> {
        self.find(input.to_wire().len(), input)
    }

    fn find(&self, length: usize, input: &Object) -> Option<Arc<T>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = kept.iter();
        let at = entries.position(|entry| entry.length == length && entry.input == *input)?;
        if at > 0 {
            let entry = kept.remove(at)?;
            kept.push_front(entry);
        }
        kept.front().map(|entry| Arc::clone(&entry.compiled))
    }

    fn keep(&self, entry: Entry<T>) {
        if entry.length > MAX_BYTES {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(entry);
        let mut total = 0;
        let fitting = kept.iter().take(MAX_INPUTS).take_while(|entry| {
            total += entry.length;
            total <= MAX_BYTES
        });
        let fitting = fitting.count();
        kept.truncate(fitting);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use purlin_object::{Object, Value};

    use super::{MAX_INPUTS, Plans};

    fn input(name: &str, turned: bool) -> Object {
        let mut members: Vec<(&str, Value)> = vec![
            ("kind", "Resources".into()),
            ("inner", Object::from_iter([("name", name)]).into()),
        ];
        if turned {
            members.reverse();
        }
        members.into_iter().collect()
    }

    #[test]
    fn an_input_is_compiled_once_whatever_the_order_of_its_members() {
        let plans = Plans::default();
        let first = plans.of(&input("a", false), || 1);
        assert!(Arc::ptr_eq(&first, &plans.of(&input("a", true), || 2)));
        assert!(!Arc::ptr_eq(&first, &plans.of(&input("b", false), || 3)));
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let plans = Plans::default();
        let first = plans.of(&input("a", false), || 1);
        for index in 0..MAX_INPUTS - 1 {
            drop(plans.of(&input(&index.to_string(), false), || 2));
            let again = plans.of(&input("a", false), || 3);
            assert!(Arc::ptr_eq(&first, &again));
        }
        for index in 0..MAX_INPUTS {
            drop(plans.of(&input(&index.to_string(), false), || 2));
        }
        assert_eq!(*plans.of(&input("a", false), || 3), 3);
        assert_eq!(plans.kept.lock().expect("not poisoned").len(), MAX_INPUTS);
    }
}
