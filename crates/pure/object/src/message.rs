//! An object as a protobuf message: `google.protobuf.Struct`.

use bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType, decode_varint, skip_field};
use prost::{DecodeError, Message};

use crate::check::{self, Layout};
use crate::key::Key;
use crate::map::Entry;
use crate::{Error, Limits, Object, encode, loose};

impl Message for Object {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        encode::put_object(self, buf);
    }

    /// Checks one entry against the default [`Limits`] and keeps its bytes, shared with `buf` where that can share.
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        if tag != 1 {
            // Refused as everywhere in an object, where no message ever had one.
            if wire_type == WireType::StartGroup {
                return Err(refuse(Error::Malformed("unknown wire type")));
            }
            return skip_field(wire_type, tag, buf, ctx);
        }
        if wire_type != WireType::LengthDelimited {
            return Err(refuse(Error::Malformed("wrong wire type")));
        }
        let length = decode_varint(buf)?;
        let body = match usize::try_from(length) {
            Ok(length) if length <= buf.remaining() => buf.copy_to_bytes(length),
            _ => return Err(refuse(Error::Malformed("cut off"))),
        };
        self.add(body, Limits::default()).map_err(refuse)
    }

    fn encoded_len(&self) -> usize {
        encode::object_len(self)
    }

    fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Object {
    /// Adds one encoded map entry.
    fn add(&mut self, body: Bytes, limits: Limits) -> Result<(), Error> {
        let layout = check::entry(&body, limits)?;
        let map = self.map_mut();
        if map.entries().len() >= limits.values {
            return Err(Error::TooMany(limits.values));
        }
        map.set(match layout {
            Layout::Strict => Entry::Wire(body),
            Layout::Loose => {
                let (key, value) = loose::entry(&body);
                Entry::Owned(Key::new(&key), value)
            }
        });
        Ok(())
    }
}

#[expect(
    deprecated,
    reason = "the only way an implementation of Message can refuse its content in prost 0.14"
)]
fn refuse(error: Error) -> DecodeError {
    DecodeError::new(error.to_string())
}
