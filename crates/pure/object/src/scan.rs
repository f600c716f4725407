//! Are these bytes an object in the strict layout, and all its texts ASCII? Says yes for nearly all that is sent, and leaves
//! everything else to [`crate::check`].
//!
//! One walk looks at tags and lengths, and never into a text. The texts are judged all at once: bytes of 0x80 and more stand
//! in lengths, in numbers, and in texts that are not ASCII. When the lengths and numbers have as many of them as all bytes
//! together, no text has one. Counting runs over the bytes 16 and more at a time.

use crate::Limits;
use crate::wire::{BOOL, ENTRY_VALUE, FIRST, LIST, NULL, NUMBER, STRING, STRUCT};

/// Whether the fields of a Struct are strict and plain, and within the limits.
pub(crate) fn is_plain_object(bytes: &[u8], limits: Limits) -> bool {
    is_plain(bytes, limits, |scan| scan.object(bytes.len(), 0))
}

/// The same of one `Struct.fields` entry.
pub(crate) fn is_plain_entry(bytes: &[u8], limits: Limits) -> bool {
    is_plain(bytes, limits, |scan| scan.entry(bytes.len(), 0).map(|_| ()))
}

fn is_plain(bytes: &[u8], limits: Limits, walk: impl FnOnce(&mut Scan<'_>) -> Option<()>) -> bool {
    let mut scan = Scan {
        bytes,
        at: 0,
        high: 0,
        values: limits.values,
        depth: limits.depth,
    };
    bytes.len() <= limits.bytes && walk(&mut scan).is_some() && scan.high == high_bytes(bytes)
}

/// How many bytes are 0x80 or more.
fn high_bytes(bytes: &[u8]) -> usize {
    // A sum of at most 255 bits fits a byte, which lets the compiler add them in wide registers.
    let sum = |piece: &[u8]| piece.iter().fold(0_u8, |sum, byte| sum + (byte >> 7));
    bytes.chunks(255).map(|piece| usize::from(sum(piece))).sum()
}

/// Where the walk is. Every step answers `None` as soon as anything is unusual.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many bytes of lengths and numbers are 0x80 or more.
    high: usize,
    /// How many more values there may be.
    values: usize,
    depth: usize,
}

/// The keys seen at one level, each as one of 512 bits.
#[derive(Default)]
struct Seen([u64; 8]);

impl Seen {
    /// Whether the bit was set before.
    #[inline]
    fn add(&mut self, bit: usize) -> bool {
        let Some(word) = self.0.get_mut(bit / 64 % 8) else {
            return true;
        };
        let mask = 1 << (bit % 64);
        let before = *word & mask != 0;
        *word |= mask;
        before
    }
}

impl Scan<'_> {
    fn object(&mut self, end: usize, depth: usize) -> Option<()> {
        if depth >= self.depth {
            return None;
        }
        let start = self.at;
        let mut seen = Seen::default();
        let mut again = false;
        while self.at < end {
            let key = if let Some((key, stop)) = self.short_entry(end) {
                if self.at < stop {
                    self.value(stop, depth)?;
                }
                key
            } else {
                self.tag(FIRST)?;
                let stop = self.length(end)?;
                self.entry(stop, depth)?
            };
            again |= seen.add(key);
        }
        if again && has_repeated_key(self.bytes.get(start..end)?) {
            return None;
        }
        Some(())
    }

    /// Walks over an entry whose lengths take a byte each, as nearly all do: over all of it when its value is a text, else
    /// up to its value. Answers a cheap hash of its key, and where it ends. None leaves everything as it is.
    #[inline]
    fn short_entry(&mut self, end: usize) -> Option<(usize, usize)> {
        let &[FIRST, length @ 0..0x80, FIRST, key @ 0..0x80] =
            self.bytes.get(self.at..)?.first_chunk()?
        else {
            return None;
        };
        let (key_at, stop) = (self.at + 4, self.at + 2 + usize::from(length));
        let key_end = key_at + usize::from(key);
        let &[ENTRY_VALUE, value @ 1..0x80, tag, text] =
            self.bytes.get(key_end..)?.first_chunk()?
        else {
            return None;
        };
        let (value_at, value) = (key_end + 2, usize::from(value));
        if value_at + value != stop || stop > end {
            return None;
        }
        let hash = hash(self.bytes.get(key_at..key_end)?);
        if tag == STRING && usize::from(text) + 2 == value {
            self.values = self.values.checked_sub(1)?;
            self.at = stop;
        } else {
            self.at = value_at;
        }
        Some((hash, stop))
    }

    /// Walks over an entry; answers a cheap hash of its key.
    #[inline]
    fn entry(&mut self, end: usize, depth: usize) -> Option<usize> {
        self.tag(FIRST)?;
        let stop = self.length(end)?;
        let hash = hash(self.bytes.get(self.at..stop)?);
        self.at = stop;
        self.tag(ENTRY_VALUE)?;
        if self.length(end)? != end {
            return None;
        }
        self.value(end, depth)?;
        Some(hash)
    }

    fn list(&mut self, end: usize, depth: usize) -> Option<()> {
        if depth >= self.depth {
            return None;
        }
        while self.at < end {
            self.tag(FIRST)?;
            let stop = self.length(end)?;
            self.value(stop, depth)?;
        }
        Some(())
    }

    #[inline]
    fn value(&mut self, end: usize, depth: usize) -> Option<()> {
        self.values = self.values.checked_sub(1)?;
        if self.at == end {
            return Some(());
        }
        let tag = *self.bytes.get(self.at)?;
        self.at += 1;
        match tag {
            STRING => {
                if self.length(end)? != end {
                    return None;
                }
                self.at = end;
            }
            STRUCT => {
                if self.length(end)? != end {
                    return None;
                }
                self.object(end, depth + 1)?;
            }
            LIST => {
                if self.length(end)? != end {
                    return None;
                }
                self.list(end, depth + 1)?;
            }
            NUMBER => {
                let bits: &[u8; 8] = self.bytes.get(self.at..end)?.try_into().ok()?;
                self.high += high_bits(u64::from_le_bytes(*bits));
                self.at = end;
            }
            NULL | BOOL => {
                if self.at + 1 != end || *self.bytes.get(self.at)? >= 0x80 {
                    return None;
                }
                self.at = end;
            }
            _ => return None,
        }
        Some(())
    }

    #[inline]
    fn tag(&mut self, wanted: u8) -> Option<()> {
        let found = *self.bytes.get(self.at)?;
        self.at += 1;
        (found == wanted).then_some(())
    }

    /// Reads a length; answers where what it measures ends, which is not after `end`.
    #[inline]
    fn length(&mut self, end: usize) -> Option<usize> {
        let first = usize::from(*self.bytes.get(self.at)?);
        self.at += 1;
        if first < 0x80 {
            let stop = self.at + first;
            return (stop <= end).then_some(stop);
        }
        let second = usize::from(*self.bytes.get(self.at)?);
        self.at += 1;
        self.high += 1;
        let low = first & 0x7F;
        if second < 0x80 {
            let stop = self.at + (low | second << 7);
            return (stop <= end).then_some(stop);
        }
        self.long_length(low | (second & 0x7F) << 7, end)
    }

    /// The rest of a length of three or four bytes. More are for [`crate::check`].
    #[cold]
    fn long_length(&mut self, low: usize, end: usize) -> Option<usize> {
        let mut length = low;
        for shift in [14, 21] {
            let byte = usize::from(*self.bytes.get(self.at)?);
            self.at += 1;
            self.high += 1;
            length |= (byte & 0x7F) << shift;
            if byte < 0x80 {
                let stop = self.at + length;
                return (stop <= end).then_some(stop);
            }
        }
        None
    }
}

/// How many bytes of a word are 0x80 or more.
#[inline]
fn high_bits(word: u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    usize::try_from((word >> 7 & ONES).wrapping_mul(ONES) >> 56).unwrap_or_default()
}

/// One of 512, by the length and the last letters.
#[inline]
fn hash(key: &[u8]) -> usize {
    let letters = match key.last_chunk::<4>() {
        Some(last) => u32::from_le_bytes(*last),
        None => key.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)),
    };
    let length = u32::try_from(key.len() & 0xFF).unwrap_or_default();
    let mixed = (letters ^ (length << 24)).wrapping_mul(0x9E37_79B9);
    usize::try_from(mixed >> 23).unwrap_or_default()
}

/// Whether a strict object has a key twice.
pub(crate) fn has_repeated_key(object: &[u8]) -> bool {
    const FEW: usize = 32;
    let mut few: [&[u8]; FEW] = [&[]; FEW];
    let mut count = 0;
    let mut rest = object;
    while let Some(body) = crate::wire::tagged(&mut rest, FIRST) {
        let key = crate::wire::entry(body).0;
        let Some(room) = few.get_mut(count) else {
            return has_repeated_key_among_many(object);
        };
        *room = key;
        if few.iter().take(count).any(|held| *held == key) {
            return true;
        }
        count += 1;
    }
    false
}

fn has_repeated_key_among_many(object: &[u8]) -> bool {
    let mut rest = object;
    let mut keys = Vec::new();
    while let Some(body) = crate::wire::tagged(&mut rest, FIRST) {
        keys.push(crate::wire::entry(body).0);
    }
    keys.sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use serde_json::{Value, json};

    use super::{has_repeated_key, high_bytes, is_plain_object};
    use crate::{Limits, Object};

    fn check(object: Value, expect: bool) {
        let bytes = Object::from_json(object).unwrap().encode_to_vec();
        assert_eq!(
            is_plain_object(&bytes, Limits::default()),
            expect,
            "{bytes:?}"
        );
    }

    #[test]
    fn what_is_sent_every_day_is_plain() {
        check(json!({}), true);
        check(
            json!({"a": null, "b": true, "c": -1.5, "d": "x", "e": [1, "2", [], {}], "f": {"g": {"h": 1e300}}}),
            true,
        );
        check(
            json!({"long": "x".repeat(200), "longer": "x".repeat(70_000)}),
            true,
        );
        let many: serde_json::Map<_, _> = (0..100)
            .map(|index| (format!("key-{index}"), json!(index)))
            .collect();
        check(many.into(), true);
    }

    #[test]
    fn texts_that_are_not_ascii_are_left_to_the_check() {
        check(json!({"a": "é"}), false);
        check(json!({"é": 1}), false);
        check(json!({"a": {"b": ["\u{1F600}"]}}), false);
    }

    #[test]
    fn limits_are_kept() {
        let bytes = Object::from_json(json!({"a": {"b": {"c": 1}}}))
            .unwrap()
            .encode_to_vec();
        let plain = |depth, values, size| {
            let limits = Limits {
                depth,
                values,
                bytes: size,
            };
            is_plain_object(&bytes, limits)
        };
        assert!(plain(3, 3, bytes.len()));
        assert!(!plain(2, 3, bytes.len()));
        assert!(!plain(3, 2, bytes.len()));
        assert!(!plain(3, 3, bytes.len() - 1));
    }

    #[test]
    fn bytes_are_counted_and_repeated_keys_found() {
        for length in [0, 1, 254, 255, 256, 1000] {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            let expect = bytes.iter().filter(|byte| **byte >= 0x80).count();
            assert_eq!(high_bytes(&bytes), expect, "{length}");
        }
        for count in [2, 31, 32, 33, 100] {
            let mut bytes = Vec::new();
            for index in 0..count {
                let one = Object::from_iter([(format!("k{index}"), 1)]);
                bytes.extend(one.encode_to_vec());
            }
            assert!(!has_repeated_key(&bytes), "{count}");
            bytes.extend(Object::from_iter([("k0", 1)]).encode_to_vec());
            assert!(has_repeated_key(&bytes), "{count}");
            assert!(!is_plain_object(&bytes, Limits::default()));
        }
    }
}
