//! How are the fields of an encoded object laid out?
//!
//! The strict layout, which [`crate::check`] establishes and everything else relies on:
//! a Struct is a run of `0A len entry`; an entry is `0A len key 12 len value` and nothing else; a value is exactly one
//! field; a list is a run of `0A len value`. Field numbers and types are those of protobuf's `struct.proto`.

use bytes::Bytes;

use crate::{ListRef, ObjectRef, ValueRef};

/// `Struct.fields`, `FieldsEntry.key` and `ListValue.values`: field 1, length-delimited.
pub(crate) const FIRST: u8 = 0x0A;
/// `FieldsEntry.value`: field 2, length-delimited.
pub(crate) const ENTRY_VALUE: u8 = 0x12;
/// `Value.null_value`: field 1, varint.
pub(crate) const NULL: u8 = 0x08;
/// `Value.number_value`: field 2, 64 bits.
pub(crate) const NUMBER: u8 = 0x11;
/// `Value.string_value`: field 3, length-delimited.
pub(crate) const STRING: u8 = 0x1A;
/// `Value.bool_value`: field 4, varint.
pub(crate) const BOOL: u8 = 0x20;
/// `Value.struct_value`: field 5, length-delimited.
pub(crate) const STRUCT: u8 = 0x2A;
/// `Value.list_value`: field 6, length-delimited.
pub(crate) const LIST: u8 = 0x32;

/// Reads a varint from the front of `bytes`; `None` when it is cut off or longer than 64 bits.
#[inline]
pub(crate) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(u64::from(first));
    }
    // Lengths below 16384 cover nearly everything that is longer than one byte.
    if let Some((&second, rest)) = rest.split_first()
        && second < 0x80
    {
        *bytes = rest;
        return Some(u64::from(first & 0x7F) | u64::from(second) << 7);
    }
    long_varint(bytes)
}

#[cold]
fn long_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        let shift = 7 * index;
        if shift == 63 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            *bytes = bytes.get(index + 1..)?;
            return Some(value);
        }
    }
    None
}

/// Takes `length` bytes from the front.
#[inline]
pub(crate) fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

/// Takes a length and that many bytes from the front.
#[inline]
pub(crate) fn delimited<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = varint(bytes)?;
    take(bytes, length)
}

/// Takes the next `tag len payload` from the front; `None` at the end or when something else is there.
#[inline]
pub(crate) fn tagged<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&first, rest) = bytes.split_first()?;
    if first != tag {
        return None;
    }
    *bytes = rest;
    delimited(bytes)
}

/// The key and the encoded value of a strict map entry.
#[inline]
pub(crate) fn entry(mut body: &[u8]) -> (&[u8], &[u8]) {
    let key = tagged(&mut body, FIRST).unwrap_or_default();
    let value = tagged(&mut body, ENTRY_VALUE).unwrap_or_default();
    (key, value)
}

/// Checked bytes as text.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// What a strict encoded value is. `parent` is the buffer that `payload` lies in.
#[inline]
pub(crate) fn value<'a>(parent: &'a Bytes, payload: &'a [u8]) -> ValueRef<'a> {
    let Some((&tag, mut rest)) = payload.split_first() else {
        return ValueRef::Null;
    };
    match tag {
        NUMBER => ValueRef::Double(
            rest.first_chunk()
                .map_or(0.0, |bits| f64::from_le_bytes(*bits)),
        ),
        STRING => ValueRef::String(text(delimited(&mut rest).unwrap_or_default())),
        BOOL => ValueRef::Bool(varint(&mut rest).unwrap_or_default() != 0),
        STRUCT => ValueRef::Object(ObjectRef::wire(
            parent,
            delimited(&mut rest).unwrap_or_default(),
        )),
        LIST => ValueRef::List(ListRef::wire(
            parent,
            delimited(&mut rest).unwrap_or_default(),
        )),
        _ => ValueRef::Null,
    }
}

/// How many bytes a varint takes.
#[inline]
pub(crate) fn varint_len(value: usize) -> usize {
    ((value | 1).ilog2() as usize * 9 + 73) / 64
}

/// How many bytes `tag len payload` takes.
#[inline]
pub(crate) fn delimited_len(payload: usize) -> usize {
    1 + varint_len(payload) + payload
}

#[cfg(test)]
mod tests {
    use super::{varint, varint_len};

    #[test]
    fn a_varint_is_read_to_its_end_and_no_further() {
        let check = |bytes: &[u8], value: Option<u64>, left: usize| {
            let mut rest = bytes;
            assert_eq!(varint(&mut rest), value, "{bytes:?}");
            assert_eq!(rest.len(), left, "{bytes:?}");
        };
        check(&[0x05, 0x01], Some(5), 1);
        check(&[0xAC, 0x02], Some(300), 0);
        check(&[0x80, 0x00], Some(0), 0);
        check(&[], None, 0);
        check(&[0x80], None, 1);
        let mut longest = [0xFF; 10];
        longest[9] = 1;
        check(&longest, Some(u64::MAX), 0);
        check(&[0xFF; 11], None, 11);
    }

    #[test]
    fn the_length_of_a_varint_is_known_without_writing_it() {
        for (value, length) in [
            (0, 1),
            (127, 1),
            (128, 2),
            (16_383, 2),
            (16_384, 3),
            (1 << 21, 4),
        ] {
            assert_eq!(varint_len(value), length, "{value}");
        }
    }
}
