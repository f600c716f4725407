//! Was this asked before? Answers of functions that repeat, by the bytes of their requests.
//!
//! A control plane asks the same again every minute, as long as nothing changes. A request that is the same byte for byte has the
//! same answer, with the same tag. Nothing is kept of requests that are seen once: where each differs from all others, a
//! request costs its hash and no memory. Bounded by bytes and by count; what was not asked for longest goes first.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use foldhash::fast::RandomState;

use crate::message::Frame;

/// How many answers are kept, however small.
const MAX_ANSWERS: usize = 4096;
/// How many hashes are remembered of requests that were seen once.
const SEEN: usize = 4096;

/// The answers kept.
#[derive(Debug)]
pub(crate) struct Kept {
    /// How many bytes requests and answers may have together; none are kept when it is zero.
    capacity: usize,
    random: RandomState,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Hashes of requests seen once, each at the place that its last bits say.
    seen: Vec<u64>,
    answers: HashMap<u64, Entry>,
    bytes: usize,
    /// Counts questions, as a clock.
    now: u64,
}

#[derive(Debug)]
struct Entry {
    request: Bytes,
    answer: Frame,
    used: u64,
}

impl Entry {
    fn len(&self) -> usize {
        self.request.len() + self.answer.len()
    }
}

/// What is known of a request.
#[derive(Debug)]
pub(crate) enum Known {
    /// It was answered before.
    Answer(Frame),
    /// It was seen before, so its answer is worth keeping, by this hash.
    Again(u64),
    /// Nothing, or nothing is kept here.
    Nothing,
}

impl Kept {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            random: RandomState::default(),
            state: Mutex::default(),
        }
    }

    /// What is known of a request.
    pub(crate) fn find(&self, request: &Bytes) -> Known {
        if self.capacity == 0 {
            return Known::Nothing;
        }
        let mut hasher = self.random.build_hasher();
        hasher.write(request);
        let hash = hasher.finish();
        let held = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.now += 1;
            let now = state.now;
            let Some(entry) = state.answers.get_mut(&hash) else {
                return if state.see(hash) {
                    Known::Again(hash)
                } else {
                    Known::Nothing
                };
            };
            entry.used = now;
            (entry.request.clone(), entry.answer.clone())
        };
        // Compared without the lock. Another request of the same hash is never kept, which costs it only its time.
        if held.0 == *request {
            Known::Answer(held.1)
        } else {
            Known::Nothing
        }
    }

    /// Keeps the answer to a request that [`Known::Again`] was said of.
    pub(crate) fn keep(&self, hash: u64, request: &[u8], answer: &Frame) {
        let length = request.len() + answer.len();
        // One request must not drive out all others.
        if length > self.capacity / 4 {
            return;
        }
        // Bytes of its own: those at hand may be a part of a larger buffer.
        let request = Bytes::copy_from_slice(request);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let used = state.now;
        let entry = Entry {
            request,
            answer: answer.clone(),
            used,
        };
        state.bytes += length;
        if let Some(before) = state.answers.insert(hash, entry) {
            state.bytes -= before.len();
        }
        if state.bytes > self.capacity || state.answers.len() > MAX_ANSWERS {
            state.shrink(self.capacity);
        }
    }
}

impl State {
    /// Whether a hash was seen before; from now on it was.
    fn see(&mut self, hash: u64) -> bool {
        if self.seen.is_empty() {
            self.seen.resize(SEEN, 0);
        }
        let place = usize::try_from(hash % SEEN as u64).unwrap_or_default();
        match self.seen.get_mut(place) {
            Some(held) => std::mem::replace(held, hash) == hash,
            None => false,
        }
    }

    /// Forgets what was not asked for longest, until an eighth of the room is free: not for each answer that is kept.
    fn shrink(&mut self, capacity: usize) {
        let mut ages: Vec<(u64, u64, usize)> = (self.answers.iter())
            .map(|(hash, entry)| (entry.used, *hash, entry.len()))
            .collect();
        ages.sort_unstable();
        for (_, hash, length) in ages {
            if self.bytes <= capacity / 8 * 7 && self.answers.len() <= MAX_ANSWERS / 8 * 7 {
                return;
            }
            self.answers.remove(&hash);
            self.bytes -= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use purlin_function::RunFunctionResponse;

    use super::{Kept, Known};
    use crate::message::Frame;

    fn request(number: usize) -> Bytes {
        format!("request {number:>100}").into()
    }

    fn answer(tag: &str) -> Frame {
        let mut response = RunFunctionResponse::default();
        tag.clone_into(&mut response.meta.get_or_insert_default().tag);
        Frame::of(&response)
    }

    fn ask(kept: &Kept, number: usize) -> bool {
        match kept.find(&request(number)) {
            Known::Answer(_) => return true,
            Known::Again(hash) => kept.keep(hash, &request(number), &answer("x")),
            Known::Nothing => {}
        }
        false
    }

    #[test]
    fn the_third_question_is_answered_from_what_is_kept() {
        let kept = Kept::new(1 << 20);
        assert!(!ask(&kept, 1));
        assert!(!ask(&kept, 1));
        assert!(ask(&kept, 1));
        assert!(!ask(&kept, 2));
        let off = Kept::new(0);
        assert!(!(0..5).any(|_| ask(&off, 1)));
        assert!(off.state.lock().unwrap().seen.is_empty());
    }

    #[test]
    fn what_is_kept_stays_within_its_bounds_and_the_oldest_goes_first() {
        let kept = Kept::new(4096);
        for number in 0..200 {
            ask(&kept, number);
            ask(&kept, number);
            // Asked all the time, so never forgotten.
            assert!(ask(&kept, 0));
            let state = kept.state.lock().unwrap();
            let sum: usize = state.answers.values().map(super::Entry::len).sum();
            assert_eq!(state.bytes, sum);
            assert!(sum <= 4096);
        }
        let large = answer(&"x".repeat(2000));
        kept.keep(7, b"large", &large);
        assert!(!kept.state.lock().unwrap().answers.contains_key(&7));
    }

    #[test]
    fn another_request_of_the_same_hash_is_not_answered() {
        let kept = Kept::new(1 << 20);
        kept.find(&request(1));
        let Known::Again(hash) = kept.find(&request(1)) else {
            panic!("it was seen before");
        };
        kept.keep(hash, b"something else", &answer("wrong"));
        assert!(matches!(kept.find(&request(1)), Known::Nothing));
    }
}
