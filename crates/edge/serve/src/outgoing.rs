//! How is an answer handed out? In pieces, so that it is seen when nobody takes them.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use crate::caller::Call;

/// As much as is handed out at once. HTTP/2 asks for the next piece when there is room for it.
const PIECE: usize = 64 << 10;

/// The body of an answer, which ends the call when it was taken or dropped.
pub(crate) struct Outgoing {
    inner: Body,
    rest: Bytes,
    call: Call,
}

impl Outgoing {
    pub(crate) fn new(inner: Body, call: Call) -> Self {
        call.answering();
        Self {
            inner,
            rest: Bytes::new(),
            call,
        }
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        this.call.answering();
        if this.rest.is_empty() {
            match Pin::new(&mut this.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return other,
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        !self.rest.has_remaining() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
