//! Where does a message lie? A small one on the heap, a large one in pages of its own, which go back to the system with it.
//!
//! On the heap large messages come and go between small things that stay, and each leaves a hole that the next one does
//! not fit into: a server of a few large requests at once had twice the memory that it used.

use bytes::{BufMut as _, Bytes, BytesMut};
use memmap2::{MmapMut, MmapOptions};

/// From this length on a message is large. Below it the heap is faster than the system, which has to clear every page.
pub(crate) const LARGE: usize = 1 << 20;
/// As much as is reserved at first for a message, before any of it has come.
const FIRST: usize = 256 << 10;

/// Pages for a large message that is written at once, and `None` for a small one, or when the system gives none.
pub(crate) fn pages(length: usize) -> Option<MmapMut> {
    (length > LARGE)
        .then(|| MmapOptions::new().len(length).populate().map_anon().ok())
        .flatten()
}

/// A message that comes in pieces.
#[derive(Debug)]
pub(crate) enum Buffer {
    Heap(BytesMut),
    /// Pages, and how much of them is filled.
    Pages(MmapMut, usize),
}

impl Buffer {
    pub(crate) fn new() -> Self {
        Self::Heap(BytesMut::new())
    }

    /// What has come.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Pages(pages, filled) => pages.get(..*filled).unwrap_or_default(),
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
            && let Ok(mut pages) = MmapOptions::new().len(whole).map_anon()
        {
            let filled = bytes.len();
            if let Some(room) = pages.get_mut(..filled) {
                room.copy_from_slice(bytes);
            }
            *self = Self::Pages(pages, filled);
        }
        match self {
            Self::Heap(bytes) => bytes.put(piece),
            Self::Pages(pages, filled) => {
                if let Some(room) = pages.get_mut(*filled..length) {
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
    use super::{Buffer, FIRST, LARGE, pages};

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
        assert_eq!(pages(LARGE + 1).unwrap().len(), LARGE + 1);
    }
}
