//! Do two encoded requests say the same? Yes also when their maps are written in another order, as Go does each time.
//!
//! A walk over both at once, which makes nothing and decodes nothing: every map entry has to have one with the same key and
//! the same content in the other request, everything else has to be the same bytes. What is laid out in an unusual way is
//! not the same unless its bytes are, so a yes is always right, and what takes too long is not the same.

/// Fields of a message that are matched without an allocation.
const FEW: usize = 24;

/// How deep messages may be inside one another: that of objects, each level of which is an object and a value.
const DEPTH: usize = 300;

/// How many times the length of a request is compared at most: about how deep things are inside one another, twice for each
/// level of an object. Only what is made to be slow is deeper on the whole.
const WORK: usize = 64;

/// How many fields of messages with more than a few are put in order at most, which takes memory.
const MANY: usize = 1 << 15;

/// What some bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing that has a map inside.
    Plain,
    Request,
    State,
    Resource,
    Resources,
    Credentials,
    CredentialData,
    Schema,
    Struct,
    Value,
    List,
}

/// What a field is.
#[derive(Debug, Clone, Copy)]
enum Is {
    /// One of these.
    One(Kind),
    /// An entry of a map to these.
    Entry(Kind),
}

impl Kind {
    /// What the field with this number, and a length, is.
    fn field(self, number: u64) -> Is {
        use Is::{Entry, One};
        match (self, number) {
            (Self::Request, 2 | 3) => One(Self::State),
            (Self::Request, 4 | 5) | (Self::Resource | Self::Schema, 1) | (Self::Value, 5) => {
                One(Self::Struct)
            }
            (Self::Request, 6 | 8) => Entry(Self::Resources),
            (Self::Request, 7) => Entry(Self::Credentials),
            (Self::Request, 9) => Entry(Self::Schema),
            (Self::State | Self::Resources, 1) => One(Self::Resource),
            (Self::State, 2) => Entry(Self::Resource),
            (Self::Resource, 2) | (Self::CredentialData, 1) => Entry(Self::Plain),
            (Self::Credentials, 1) => One(Self::CredentialData),
            (Self::Struct, 1) => Entry(Self::Value),
            (Self::Value, 6) => One(Self::List),
            (Self::List, 1) => One(Self::Value),
            _ => One(Self::Plain),
        }
    }
}

/// Whether two encoded requests are equal but for the order of entries in their maps.
pub fn is_same_request(a: &[u8], b: &[u8]) -> bool {
    let mut left = Left {
        depth: DEPTH,
        bytes: a.len().saturating_mul(WORK),
        fields: MANY,
    };
    a.len() == b.len() && same(Kind::Request, a, b, &mut left).is_some()
}

/// The tag that a caller gave a request, when it comes first, as it does, and is not empty.
pub fn tag_of_request(request: &[u8]) -> Option<&[u8]> {
    const FIRST: u8 = 0x0A;
    let mut rest = request;
    let mut inner: &[u8] = &[];
    for _ in 0..2 {
        if rest.split_off_first() != Some(&FIRST) {
            return None;
        }
        inner = delimited(&mut rest)?;
        rest = inner;
    }
    (!inner.is_empty()).then_some(inner)
}

/// What may still be done.
#[derive(Debug)]
struct Left {
    /// How many levels further down.
    depth: usize,
    /// How many bytes may be compared with others.
    bytes: usize,
    /// How many fields may be put in order.
    fields: usize,
}

/// A field of a message: what it is known by, and the rest.
#[derive(Debug, Clone, Copy, Default)]
struct Field<'a> {
    /// Its number and wire type.
    tag: u64,
    /// The key, if it is an entry of a map.
    key: &'a [u8],
    /// The value of the entry, or of the field.
    value: &'a [u8],
    kind: Option<Kind>,
}

/// The fields of a message, as they come.
struct Fields<'a> {
    kind: Kind,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The next one, when there is one; none when the bytes are no message.
    #[inline]
    fn take(&mut self) -> Option<Field<'a>> {
        let before = self.rest;
        let tag = varint(&mut self.rest)?;
        let mut field = Field {
            tag,
            ..Field::default()
        };
        match tag & 7 {
            2 => {
                let value = delimited(&mut self.rest)?;
                field.value = value;
                field.kind = match self.kind.field(tag >> 3) {
                    Is::One(kind) => Some(kind),
                    Is::Entry(kind) => {
                        (field.key, field.value) = entry(value)?;
                        Some(kind)
                    }
                };
                return Some(field);
            }
            0 => drop(varint(&mut self.rest)?),
            1 => self.rest = self.rest.get(8..)?,
            5 => self.rest = self.rest.get(4..)?,
            _ => return None,
        }
        field.value = before.get(..before.len() - self.rest.len())?;
        Some(field)
    }
}

/// `Some` when two messages of a kind are the same.
fn same(kind: Kind, a: &[u8], b: &[u8], left: &mut Left) -> Option<()> {
    if a.len() != b.len() {
        return None;
    }
    left.bytes = left.bytes.checked_sub(a.len())?;
    if a == b {
        return Some(());
    }
    if kind == Kind::Plain {
        return None;
    }
    left.depth = left.depth.checked_sub(1)?;
    same_message(kind, a, b, left)?;
    left.depth += 1;
    Some(())
}

fn same_message(kind: Kind, a: &[u8], b: &[u8], left: &mut Left) -> Option<()> {
    let (mut these, mut those) = (Fields { kind, rest: a }, Fields { kind, rest: b });
    // Of several values of which only one can be set, the last counts, so their order has a meaning. There is just one.
    if matches!(kind, Kind::Value | Kind::Credentials) {
        same_field(&these.take()?, &those.take()?, left)?;
        return (these.rest.is_empty() && those.rest.is_empty()).then_some(());
    }
    if kind == Kind::List {
        while !these.rest.is_empty() {
            same_field(&these.take()?, &those.take()?, left)?;
        }
        return those.rest.is_empty().then_some(());
    }
    let mut few = [Field::default(); FEW];
    let mut count = 0;
    while !those.rest.is_empty() {
        let field = those.take()?;
        let Some(room) = few.get_mut(count) else {
            return same_of_many(kind, a, b, left);
        };
        *room = field;
        count += 1;
    }
    let others = few.get(..count)?;
    let mut taken = 0_u32;
    let mut all = 0;
    while !these.rest.is_empty() {
        let field = these.take()?;
        // The first of this name that is not taken yet: so those of the same name keep their order, in which the last counts.
        let begin = usize::try_from(taken.trailing_ones()).unwrap_or_default();
        let mut open = others.iter().enumerate().skip(begin);
        let (place, other) = open.find(|(place, other)| {
            taken >> place & 1 == 0 && other.tag == field.tag && other.key == field.key
        })?;
        taken |= 1 << place;
        same_field(&field, other, left)?;
        all += 1;
    }
    (all == count).then_some(())
}

fn same_field(a: &Field<'_>, b: &Field<'_>, left: &mut Left) -> Option<()> {
    if a.tag != b.tag {
        return None;
    }
    match a.kind {
        Some(kind) => same(kind, a.value, b.value, left),
        None => (a.value == b.value).then_some(()),
    }
}

/// The same with many fields, which are put in the order of their keys.
fn same_of_many(kind: Kind, a: &[u8], b: &[u8], left: &mut Left) -> Option<()> {
    let mut sorted = |bytes| {
        let mut fields = Fields { kind, rest: bytes };
        let mut all = Vec::new();
        while !fields.rest.is_empty() {
            all.push(fields.take()?);
            left.fields = left.fields.checked_sub(1)?;
        }
        // Those of the same name keep their order.
        all.sort_by(|a: &Field<'_>, b| (a.tag, a.key).cmp(&(b.tag, b.key)));
        Some(all)
    };
    let (a, b) = (sorted(a)?, sorted(b)?);
    let all = a.len() == b.len()
        && (a.iter().zip(&b)).all(|(a, b)| a.key == b.key && same_field(a, b, left).is_some());
    all.then_some(())
}

/// The key and the value of a map entry that is written as all of them are.
#[inline]
fn entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    const KEY: u8 = 0x0A;
    const VALUE: u8 = 0x12;
    let mut rest = bytes;
    let tagged = |rest: &mut &[u8], tag: u8| (rest.split_off_first() == Some(&tag)).then_some(());
    tagged(&mut rest, KEY)?;
    let key = delimited(&mut rest)?;
    tagged(&mut rest, VALUE)?;
    let value = delimited(&mut rest)?;
    rest.is_empty().then_some((key, value))
}

/// Takes a length, and as many bytes, from the front.
#[inline]
fn delimited<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[inline]
fn varint(rest: &mut &[u8]) -> Option<u64> {
    match **rest {
        [first @ 0..0x80, ref after @ ..] => {
            *rest = after;
            Some(first.into())
        }
        [first, second @ 0..0x80, ref after @ ..] => {
            *rest = after;
            Some(u64::from(first & 0x7F) | u64::from(second) << 7)
        }
        _ => prost::encoding::decode_varint(rest).ok(),
    }
}

#[cfg(test)]
mod tests;
