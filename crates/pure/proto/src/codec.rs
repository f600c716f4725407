//! How do messages become gRPC frames? As with tonic's codec, but in one piece: values share the request's buffer, and
//! a response's buffer has the right size at once.

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::{Buf as _, BufMut as _};
use tonic::Status;
use tonic::codec::{DecodeBuf, Decoder, EncodeBuf, Encoder};

/// The codec of the generated clients and servers.
#[derive(Debug, Clone)]
pub struct Codec<T, U>(PhantomData<fn() -> (T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> tonic::codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = Write<T>;
    type Decoder = Read<U>;

    fn encoder(&mut self) -> Write<T> {
        Write(PhantomData)
    }

    fn decoder(&mut self) -> Read<U> {
        Read(PhantomData)
    }
}

/// Encodes messages.
#[derive(Debug)]
pub struct Write<T>(PhantomData<fn(T)>);

impl<T: Message> Encoder for Write<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.reserve(message.encoded_len());
        debug_assert!(buf.has_remaining_mut(), "a response buffer grows");
        message.encode_raw(buf);
        Ok(())
    }
}

/// Decodes messages.
#[derive(Debug)]
pub struct Read<U>(PhantomData<fn() -> U>);

impl<U: Message + Default> Decoder for Read<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let frame = buf.copy_to_bytes(buf.remaining());
        match U::decode(frame) {
            Ok(message) => Ok(Some(message)),
            Err(error) => Err(Status::invalid_argument(error.to_string())),
        }
    }
}
