//! Where does a message lie? A small one on the heap, a large one in pages of its own.
//!
//! On the heap large messages come and go between small things that stay, and each leaves a hole that the next one does
//! not fit into: a server of a few large requests at once had twice the memory that it used. Getting pages is dear, since the
//! system clears each of them, so a few that were used are kept for the next message; the others go back to it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{BufMut as _, Bytes, BytesMut};
use memmap2::{MmapMut, MmapOptions};

/// From this length on a message is large.
pub(crate) const LARGE: usize = 1 << 20;
/// As much as is reserved at first for a message, before any of it has come.
const FIRST: usize = 256 << 10;
/// How many bytes of pages are kept while no message lies in them: those of a few large requests.
const SPARE: usize = 8 << 20;

/// Pages that nobody uses, those that were used last at the end.
static POOL: Pool = Pool(Mutex::new(Vec::new()));

struct Pool(Mutex<Vec<MmapMut>>);

impl Pool {
    fn spare(&self) -> MutexGuard<'_, Vec<MmapMut>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pages for a message of a length: at least that many bytes, with anything in them.
    fn take(&self, length: usize) -> Option<MmapMut> {
        let wanted = length.checked_next_multiple_of(LARGE)?;
        {
            let mut spare = self.spare();
            // Not many times as much: others may need those.
            let fits = |pages: &MmapMut| (wanted..=wanted.saturating_mul(2)).contains(&pages.len());
            if let Some(at) = spare.iter().rposition(fits) {
                return Some(spare.swap_remove(at));
            }
        }
        MmapOptions::new().len(wanted).map_anon().ok()
    }

    fn give(&self, pages: MmapMut) {
        let mut spare = self.spare();
        let held: usize = spare.iter().map(|pages| pages.len()).sum();
        if held + pages.len() <= SPARE {
            spare.push(pages);
        }
    }
}

/// Pages that go back to where they came from.
#[derive(Debug)]
pub(crate) struct Pages {
    /// Always some, until they are dropped.
    map: Option<MmapMut>,
    length: usize,
}

impl Pages {
    fn new(length: usize) -> Option<Self> {
        let map = Some(POOL.take(length)?);
        Some(Self { map, length })
    }

    /// As many bytes as were asked for, with anything in them.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let map = self.map.as_deref_mut().unwrap_or_default();
        map.get_mut(..self.length).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        let map = self.map.as_deref().unwrap_or_default();
        map.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(map) = self.map.take() {
            POOL.give(map);
        }
    }
}

/// Pages for a large message that is written at once, and `None` for a small one, or when the system gives none.
pub(crate) fn pages(length: usize) -> Option<Pages> {
    (length > LARGE).then(|| Pages::new(length)).flatten()
}

/// A message that comes in pieces.
#[derive(Debug)]
pub(crate) enum Buffer {
    Heap(BytesMut),
    /// Pages, and how much of them is filled.
    Pages(Pages, usize),
}

impl Buffer {
    pub(crate) fn new() -> Self {
        Self::Heap(BytesMut::new())
    }

    /// What has come.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Pages(pages, filled) => pages.as_ref().get(..*filled).unwrap_or_default(),
        }
    }

    /// Takes a piece of a message that will have a whole length. Who says a large one and sends little takes little: pages
    /// that are not written to take no memory, and there are none before enough has come.
    pub(crate) fn put(&mut self, piece: &[u8], whole: usize) {
        let length = self.bytes().len() + piece.len();
        if let Self::Heap(bytes) = self
            && bytes.is_empty()
        {
            bytes.reserve(whole.clamp(piece.len(), FIRST.max(piece.len())));
        }
        if length > FIRST
            && length <= whole
            && whole > LARGE
            && let Self::Heap(bytes) = self
            && let Some(mut pages) = Pages::new(whole)
        {
            let filled = bytes.len();
            if let Some(room) = pages.bytes_mut().get_mut(..filled) {
                room.copy_from_slice(bytes);
            }
            *self = Self::Pages(pages, filled);
        }
        match self {
            Self::Heap(bytes) => bytes.put(piece),
            Self::Pages(pages, filled) => {
                if let Some(room) = pages.bytes_mut().get_mut(*filled..length) {
                    room.copy_from_slice(piece);
                    *filled = length;
                    return;
                }
                // More than was said: what is wrong with that is found by its length.
                let mut bytes = BytesMut::with_capacity(length);
                bytes.put(self.bytes());
                bytes.put(piece);
                *self = Self::Heap(bytes);
            }
        }
    }

    pub(crate) fn freeze(self) -> Bytes {
        match self {
            Self::Heap(bytes) => bytes.freeze(),
            Self::Pages(pages, filled) => Bytes::from_owner(pages).slice(..filled),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::{Buffer, FIRST, LARGE, Pool, SPARE, pages};

    /// A message in pieces of a length, with a word about its whole length.
    fn take(length: usize, piece: usize, whole: usize) -> (bool, Vec<u8>, Vec<u8>) {
        let bytes: Vec<u8> = (0..length)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        let mut buffer = Buffer::new();
        for piece in bytes.chunks(piece) {
            buffer.put(piece, whole);
        }
        let paged = matches!(buffer, Buffer::Pages(..));
        assert_eq!(buffer.bytes(), bytes);
        (paged, bytes, buffer.freeze().to_vec())
    }

    #[test]
    fn pieces_come_out_as_they_came_in() {
        for (length, piece, whole, paged) in [
            (0, 1, 0, false),
            (10, 3, 10, false),
            (FIRST + 7, 1000, FIRST + 7, false),
            (LARGE + 7, 16 << 10, LARGE + 7, true),
            (3 * LARGE, LARGE, 3 * LARGE, true),
            // A part only.
            (FIRST, 1000, 16 * LARGE, false),
            (FIRST + 1, 1000, 16 * LARGE, true),
            // More than was said.
            (2 * LARGE, 1000, LARGE + 1, false),
            (2 * LARGE, 1000, 5, false),
        ] {
            let (is_paged, sent, got) = take(length, piece, whole);
            assert_eq!(is_paged, paged, "{length} in {piece} of {whole}");
            assert_eq!(sent, got, "{length} in {piece} of {whole}");
        }
    }

    #[test]
    fn small_messages_get_no_pages() {
        assert!(pages(LARGE).is_none());
        assert_eq!(pages(LARGE + 1).unwrap().as_ref().len(), LARGE + 1);
    }

    #[test]
    fn a_few_pages_are_kept_and_fit_what_comes_next() {
        let pool = Pool(Mutex::new(Vec::new()));
        let held = || -> usize { pool.spare().iter().map(|pages| pages.len()).sum() };
        let taken: Vec<_> = (0..20).map(|_| pool.take(2 * LARGE - 5).unwrap()).collect();
        assert!(taken.iter().all(|pages| pages.len() == 2 * LARGE));
        for pages in taken {
            pool.give(pages);
        }
        assert_eq!(held(), SPARE);
        // One of them for what is a little smaller, none for what is much smaller or larger.
        assert_eq!(pool.take(LARGE + 1).unwrap().len(), 2 * LARGE);
        assert_eq!(held(), SPARE - 2 * LARGE);
        assert_eq!(pool.take(9).unwrap().len(), 2 * LARGE);
        assert_eq!(pool.take(3 * LARGE).unwrap().len(), 3 * LARGE);
        assert_eq!(held(), SPARE - 4 * LARGE);
        assert!(pool.take(usize::MAX).is_none());
    }
}
