//! How is one message taken out of a call, and one put into its answer? In one piece and without a copy: tonic's own way
//! copies every message into a buffer that grows, on the way in and on the way out.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use prost::Message;
use tonic::Status;
use tonic::body::Body;

use crate::large::pages;

/// A flag, which says whether the message is compressed, and the length of the message in four bytes.
const HEAD: usize = 5;

/// A message as it is sent, with its head.
#[derive(Debug, Clone)]
pub(crate) struct Frame(Bytes);

impl Frame {
    pub(crate) fn of(message: &impl Message) -> Self {
        let length = message.encoded_len();
        Self(if let Some(mut pages) = pages(HEAD + length) {
            write(message, length, &mut pages.bytes_mut());
            Bytes::from_owner(pages)
        } else {
            let mut bytes = Vec::with_capacity(HEAD + length);
            write(message, length, &mut bytes);
            bytes.into()
        })
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The call's answer.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::new(Answer {
            frame: Some(self.0),
            ended: false,
        }));
        let kind = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

/// Writes a message of a length with its head.
fn write(message: &impl Message, length: usize, bytes: &mut impl BufMut) {
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    message.encode_raw(bytes);
}

/// The body of an answer: a frame, and the word that all is well.
struct Answer {
    frame: Option<Bytes>,
    ended: bool,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        if let Some(frame) = self.frame.take() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(frame))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        self.ended = true;
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(http_body::Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

/// The message of a call that was taken in as a whole ([`crate::incoming`]), without its head.
pub(crate) async fn read(request: Request<Body>) -> Result<Bytes, Status> {
    let mut frame = request.into_body().collect().await?.to_bytes();
    if frame.len() < HEAD {
        return Err(Status::internal("the call was not taken in"));
    }
    Ok(frame.split_off(HEAD))
}
