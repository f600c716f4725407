//! Was this asked before? Answers of functions that repeat, by what their requests say.
//!
//! A control plane asks the same again every minute, as long as nothing changes. A request that is the same byte for byte has the
//! same answer, with the same tag. So has one that writes its maps in another order, as Go does each time: a core's tag is a hash of
//! what the request says, so the tag finds the candidate, and a walk over both requests decides. Nothing is kept of requests that are
//! seen once: where each differs from all others, a request costs two hashes and no memory. Bounded by bytes and by count; what was
//! not asked for longest goes first.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use foldhash::fast::RandomState;
use purlin_proto::{is_same_request, tag_of_request};

use crate::message::Frame;

/// How many answers are kept, however small.
const MAX_ANSWERS: usize = 4096;
/// How many hashes are remembered of requests that were seen once.
const SEEN: usize = 4096;
/// How often in a row a tag may lead to a request that is not the same, until it is looked at no more. Not every caller's tags say
/// what a request holds, and a core leaves them as they are when it adds the objects that a function required.
const MISSES: u8 = 4;

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
    /// By the hash of a tag and a length.
    tags: HashMap<u64, Tagged>,
    bytes: usize,
    /// Counts questions, as a clock.
    now: u64,
}

/// What is known of a tag.
#[derive(Debug, Clone, Copy)]
struct Tagged {
    /// The answer to a request with this tag is kept by this hash.
    hash: u64,
    /// How often in a row that was not the request asked for.
    missed: u8,
}

#[derive(Debug)]
struct Entry {
    request: Bytes,
    answer: Frame,
    used: u64,
}

/// Where an answer is kept: by the hash of its request, and that of the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    hash: u64,
    tag: Option<u64>,
}

impl Entry {
    fn len(&self) -> usize {
        self.request.len() + self.answer.len()
    }
}

/// What may be the same request.
#[derive(Debug)]
struct Candidate {
    request: Bytes,
    answer: Frame,
    /// Found by its bytes, not by its tag.
    by_bytes: bool,
}

/// What is known of a request.
#[derive(Debug)]
pub(crate) enum Known {
    /// It was answered before.
    Answer(Frame),
    /// It was seen before, so its answer is worth keeping, here.
    Again(Place),
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
        let hash = self.hash(request);
        let tag = tag_of_request(request).map(|tag| self.hash(tag) ^ request.len() as u64);
        let candidate = {
            let mut state = self.state();
            state.now += 1;
            match state.candidate(hash, tag) {
                Some(candidate) => candidate,
                None => return state.seen_before(hash, tag),
            }
        };
        // Compared without the lock.
        if candidate.by_bytes {
            // Another request of the same hash is never kept, which costs it only its time.
            return if candidate.request == *request {
                Known::Answer(candidate.answer)
            } else {
                Known::Nothing
            };
        }
        let is_same = is_same_request(&candidate.request, request);
        let mut state = self.state();
        if let Some(tagged) = tag.and_then(|tag| state.tags.get_mut(&tag)) {
            tagged.missed = if is_same { 0 } else { tagged.missed + 1 };
        }
        if is_same {
            Known::Answer(candidate.answer)
        } else {
            state.seen_before(hash, tag)
        }
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.random.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the answer to a request that [`Known::Again`] was said of.
    pub(crate) fn keep(&self, place: Place, request: &[u8], answer: &Frame) {
        let length = request.len() + answer.len();
        // One request must not drive out all others.
        if length > self.capacity / 4 {
            return;
        }
        // Bytes of its own: those at hand may be a part of a larger buffer.
        let request = Bytes::copy_from_slice(request);
        let mut state = self.state();
        let Place { hash, tag } = place;
        if let Some(tag) = tag {
            let tagged = state.tags.entry(tag);
            tagged.or_insert(Tagged { hash, missed: 0 }).hash = hash;
        }
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
    /// What is kept by the hash of a request, or by that of its tag. It is used now.
    fn candidate(&mut self, hash: u64, tag: Option<u64>) -> Option<Candidate> {
        let by_bytes = self.answers.contains_key(&hash);
        let found = if by_bytes {
            hash
        } else {
            self.tags.get(&self.trusted(tag)?)?.hash
        };
        let entry = self.answers.get_mut(&found)?;
        entry.used = self.now;
        Some(Candidate {
            request: entry.request.clone(),
            answer: entry.answer.clone(),
            by_bytes,
        })
    }

    /// The hash of a tag, unless that led to nothing too often.
    fn trusted(&self, tag: Option<u64>) -> Option<u64> {
        tag.filter(|tag| (self.tags.get(tag)).is_none_or(|tagged| tagged.missed < MISSES))
    }

    /// What to do with a request that no answer is kept for. From now on it was seen.
    fn seen_before(&mut self, hash: u64, tag: Option<u64>) -> Known {
        let tag = self.trusted(tag);
        // Both are remembered, whatever is known of the other.
        let seen = [Some(hash), tag].map(|hash| hash.is_some_and(|hash| self.see(hash)));
        if seen.contains(&true) {
            Known::Again(Place { hash, tag })
        } else {
            Known::Nothing
        }
    }

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
                break;
            }
            self.answers.remove(&hash);
            self.bytes -= length;
        }
        let answers = &self.answers;
        (self.tags).retain(|_, tagged| answers.contains_key(&tagged.hash));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use prost::Message as _;
    use purlin_function::{RunFunctionRequest, RunFunctionResponse};

    use super::{Kept, Known, Place};
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
            Known::Again(place) => kept.keep(place, &request(number), &answer("x")),
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
        let place = Place { hash: 7, tag: None };
        kept.keep(place, b"large", &large);
        assert!(!kept.state.lock().unwrap().answers.contains_key(&7));
    }

    #[test]
    fn another_request_of_the_same_hash_is_not_answered() {
        let kept = Kept::new(1 << 20);
        kept.find(&request(1));
        let Known::Again(place) = kept.find(&request(1)) else {
            panic!("it was seen before");
        };
        kept.keep(place, b"something else", &answer("wrong"));
        assert!(matches!(kept.find(&request(1)), Known::Nothing));
    }

    /// A request with this tag, and these keys in the context in this order.
    fn tagged(tag: &str, keys: &[&str]) -> Bytes {
        let mut request = RunFunctionRequest::default();
        tag.clone_into(&mut request.meta.get_or_insert_default().tag);
        request.context = Some(keys.iter().map(|key| (*key, true)).collect());
        request.encode_to_vec().into()
    }

    /// The answer that is kept, or keeps one that says `tag`.
    fn told(kept: &Kept, request: &Bytes, tag: &str) -> Option<Frame> {
        match kept.find(request) {
            Known::Answer(answer) => return Some(answer),
            Known::Again(place) => kept.keep(place, request, &answer(tag)),
            Known::Nothing => {}
        }
        None
    }

    #[test]
    fn a_map_in_another_order_is_the_same_question() {
        let kept = Kept::new(1 << 20);
        let orders = [
            ["a", "b", "c"],
            ["b", "c", "a"],
            ["c", "a", "b"],
            ["c", "b", "a"],
        ];
        let asked = orders.map(|order| told(&kept, &tagged("t", &order), "t").is_some());
        assert_eq!(asked, [false, false, true, true]);
        let state = kept.state.lock().unwrap();
        assert_eq!((state.answers.len(), state.tags.len()), (1, 1));
    }

    #[test]
    fn what_is_added_under_the_same_tag_is_another_question() {
        let kept = Kept::new(1 << 20);
        let ask = |keys: &[&str], tag: &str| {
            let answer = told(&kept, &tagged("t", keys), tag)?;
            Some(answer == self::answer(tag))
        };
        // The objects that a function required come with the tag of the request without them, and may change now and then.
        for turn in 0..10 {
            let (one, other) = (format!("one {turn}"), format!("other {turn}"));
            let tag = turn.to_string();
            ask(&[&one, &other], &tag);
            ask(&[&other, &one], &tag);
            assert_eq!(ask(&[&one, &other], &tag), Some(true), "{turn}");
            assert_eq!(ask(&[&other, &one], &tag), Some(true), "{turn}");
        }
    }

    #[test]
    fn a_tag_that_says_nothing_is_not_trusted_for_long() {
        let kept = Kept::new(1 << 20);
        let keys: Vec<String> = (10..60).map(|number| number.to_string()).collect();
        let ask = |keys: &[&str]| told(&kept, &tagged("t", keys), "t").is_some();
        for key in &keys {
            assert!(!ask(&[key, "a"]), "no other's answer");
        }
        // Only the first few were kept, and from now on the tag finds nothing, but the bytes do.
        assert!(kept.state.lock().unwrap().answers.len() <= usize::from(super::MISSES));
        assert_eq!(
            [ask(&["59", "a"]), ask(&["59", "a"]), ask(&["a", "59"])],
            [false, true, false]
        );
        // Without a tag there is nothing to find it by.
        let plain = |keys: &[&str]| told(&kept, &tagged("", keys), "").is_some();
        assert_eq!(
            [plain(&["x", "y"]), plain(&["y", "x"]), plain(&["x", "y"])],
            [false; 3]
        );
    }

    #[test]
    fn tags_are_forgotten_with_their_answers() {
        let kept = Kept::new(4096);
        for number in 0..500 {
            let request = tagged(&number.to_string(), &["a", "b"]);
            told(&kept, &request, "x");
            told(&kept, &request, "x");
            let state = kept.state.lock().unwrap();
            assert!(state.tags.len() <= state.answers.len());
        }
        // One that cannot be found any more is as one that never was.
        assert!(told(&kept, &tagged("0", &["b", "a"]), "x").is_none());
    }
}
