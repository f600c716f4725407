//! Are these bytes an object, and how are they laid out?
//!
//! [`crate::scan`] says yes to nearly everything that is sent; this is the full answer for the rest, with the mistake. One pass
//! without allocation over well-formed bytes as every protobuf library writes them. What the format allows but nobody
//! writes (unknown fields, a value before its key, repeated keys) is [`Layout::Loose`] and is decoded by [`crate::loose`]
//! under protobuf's rules.

use crate::wire::{self, BOOL, ENTRY_VALUE, FIRST, LIST, NULL, NUMBER, STRING, STRUCT};
use crate::{Error, Limits, scan};

/// How checked bytes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As [`crate::wire`] says.
    Strict,
    /// Valid protobuf, but not in the strict layout.
    Loose,
}

/// Checks the fields of a Struct.
pub(crate) fn object(bytes: &[u8], limits: Limits) -> Result<Layout, Error> {
    if scan::is_plain_object(bytes, limits) {
        return Ok(Layout::Strict);
    }
    let mut check = Check::new(bytes, limits)?;
    check.object(bytes, 0)?;
    Ok(check.layout)
}

/// Checks one `Struct.fields` entry.
pub(crate) fn entry(bytes: &[u8], limits: Limits) -> Result<Layout, Error> {
    if scan::is_plain_entry(bytes, limits) {
        return Ok(Layout::Strict);
    }
    let mut check = Check::new(bytes, limits)?;
    check.entry(bytes, 0)?;
    Ok(check.layout)
}

const CUT: Error = Error::Malformed("cut off");
const WRONG: Error = Error::Malformed("wrong wire type");

struct Check {
    limits: Limits,
    values: usize,
    layout: Layout,
}

impl Check {
    fn new(bytes: &[u8], limits: Limits) -> Result<Self, Error> {
        if bytes.len() > limits.bytes {
            return Err(Error::TooLarge(limits.bytes));
        }
        Ok(Self {
            limits,
            values: 0,
            layout: Layout::Strict,
        })
    }

    fn object(&mut self, bytes: &[u8], depth: usize) -> Result<(), Error> {
        if depth >= self.limits.depth {
            return Err(Error::TooDeep(self.limits.depth));
        }
        let mut rest = bytes;
        let mut seen = 0_u128;
        let mut repeats = false;
        while let Some(&tag) = rest.first() {
            if tag != FIRST {
                self.field_of_object(&mut rest, depth)?;
                continue;
            }
            rest = rest.get(1..).unwrap_or_default();
            let body = wire::delimited(&mut rest).ok_or(CUT)?;
            let bit = 1 << (self.entry(body, depth)? & 127);
            repeats |= seen & bit != 0;
            seen |= bit;
        }
        if repeats && self.layout == Layout::Strict && scan::has_repeated_key(bytes) {
            self.layout = Layout::Loose;
        }
        Ok(())
    }

    /// A field of a Struct that does not start with the usual byte: one we do not know, or a long way to write its tag.
    fn field_of_object(&mut self, rest: &mut &[u8], depth: usize) -> Result<(), Error> {
        self.layout = Layout::Loose;
        match field(rest)? {
            (1, Content::Delimited(body)) => self.entry(body, depth).map(|_| ()),
            (1, _) => Err(WRONG),
            _ => Ok(()),
        }
    }

    /// Checks an entry; answers a cheap hash of its key.
    fn entry(&mut self, body: &[u8], depth: usize) -> Result<usize, Error> {
        let mut rest = body;
        if let Some(key) = wire::tagged(&mut rest, FIRST)
            && let Some(value) = wire::tagged(&mut rest, ENTRY_VALUE)
            && rest.is_empty()
        {
            text(key)?;
            self.value(value, depth)?;
            let ends = (key.first().copied(), key.last().copied());
            let ends = (
                usize::from(ends.0.unwrap_or_default()),
                usize::from(ends.1.unwrap_or_default()),
            );
            return Ok(key.len().wrapping_mul(31)
                ^ ends.0.wrapping_mul(7)
                ^ ends.1.wrapping_mul(3));
        }
        self.layout = Layout::Loose;
        let mut rest = body;
        while !rest.is_empty() {
            match field(&mut rest)? {
                (1, Content::Delimited(key)) => text(key)?,
                (2, Content::Delimited(value)) => self.value(value, depth)?,
                (1 | 2, _) => return Err(WRONG),
                _ => {}
            }
        }
        Ok(0)
    }

    fn list(&mut self, bytes: &[u8], depth: usize) -> Result<(), Error> {
        if depth >= self.limits.depth {
            return Err(Error::TooDeep(self.limits.depth));
        }
        let mut rest = bytes;
        while let Some(&tag) = rest.first() {
            if tag == FIRST {
                rest = rest.get(1..).unwrap_or_default();
                let value = wire::delimited(&mut rest).ok_or(CUT)?;
                self.value(value, depth)?;
                continue;
            }
            self.layout = Layout::Loose;
            match field(&mut rest)? {
                (1, Content::Delimited(value)) => self.value(value, depth)?,
                (1, _) => return Err(WRONG),
                _ => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, payload: &[u8], depth: usize) -> Result<(), Error> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(Error::TooMany(self.limits.values));
        }
        let mut rest = payload.get(1..).unwrap_or_default();
        match payload.first() {
            Some(&STRING) => text(wire::delimited(&mut rest).ok_or(CUT)?)?,
            Some(&STRUCT) => self.object(wire::delimited(&mut rest).ok_or(CUT)?, depth + 1)?,
            Some(&LIST) => self.list(wire::delimited(&mut rest).ok_or(CUT)?, depth + 1)?,
            Some(&NUMBER) => {
                wire::take(&mut rest, 8).ok_or(CUT)?;
            }
            Some(&(NULL | BOOL)) => {
                wire::varint(&mut rest).ok_or(CUT)?;
            }
            Some(_) => return self.loose_value(payload, depth),
            None => {}
        }
        if rest.is_empty() {
            return Ok(());
        }
        self.loose_value(rest, depth)
    }

    /// A value that is not exactly one known field.
    fn loose_value(&mut self, payload: &[u8], depth: usize) -> Result<(), Error> {
        self.layout = Layout::Loose;
        let mut rest = payload;
        while !rest.is_empty() {
            match field(&mut rest)? {
                (1 | 4, Content::Varint(_)) | (2, Content::Fixed64(_)) => {}
                (3, Content::Delimited(string)) => text(string)?,
                (5, Content::Delimited(fields)) => self.object(fields, depth + 1)?,
                (6, Content::Delimited(values)) => self.list(values, depth + 1)?,
                (1..=6, _) => return Err(WRONG),
                _ => {}
            }
        }
        Ok(())
    }
}

#[inline]
fn text(bytes: &[u8]) -> Result<(), Error> {
    // Keys and most values are short and plain; this is cheaper for them than the general check.
    if bytes.len() < 64 && bytes.is_ascii() {
        return Ok(());
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Malformed("text is not UTF-8")),
    }
}

/// The content of a field.
pub(crate) enum Content<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Delimited(&'a [u8]),
    Fixed32,
}

/// Takes one field of any kind from the front: its number and content. Groups are refused: no message here ever had one.
pub(crate) fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Content<'a>), Error> {
    let key = wire::varint(rest).ok_or(CUT)?;
    let number = key >> 3;
    if number == 0 || key > u64::from(u32::MAX) {
        return Err(Error::Malformed("no such field number"));
    }
    let content = match key & 7 {
        0 => Content::Varint(wire::varint(rest).ok_or(CUT)?),
        1 => {
            let bits = wire::take(rest, 8).and_then(<[u8]>::first_chunk);
            Content::Fixed64(*bits.ok_or(CUT)?)
        }
        2 => Content::Delimited(wire::delimited(rest).ok_or(CUT)?),
        5 => {
            wire::take(rest, 4).ok_or(CUT)?;
            Content::Fixed32
        }
        _ => return Err(Error::Malformed("unknown wire type")),
    };
    Ok((number, content))
}
