//! How is a request taken in? Whole, before anybody works on it, and within limits of size, time and memory.
//!
//! A caller that stops in the middle of its request holds nothing but the bytes it sent, and those not for long.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;

use crate::large::Buffer;

/// A flag that says whether the message is compressed, and its length in four bytes.
const HEAD: usize = 5;
/// How much is taken in.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    /// The largest message in bytes.
    pub(crate) max_size: usize,
    /// How long a caller may send nothing, or wait for memory.
    pub(crate) patience: Duration,
    /// A permit for each byte that requests may take together.
    pub(crate) memory: Arc<Semaphore>,
    /// How many there are.
    pub(crate) max_memory: usize,
}

/// Which limit a request hit, for the metrics, and what its caller is told.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) limit: &'static str,
    pub(crate) status: Status,
}

/// A request's message with its head, not compressed, and the right to the memory it takes.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) frame: Bytes,
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

impl Intake {
    /// Takes in the one message of a call.
    pub(crate) async fn take(&self, headers: &HeaderMap, body: Body) -> Result<Taken, Refusal> {
        let gzip = is_gzip(headers)?;
        let (bytes, mut memory) = self.bytes(body).await?;
        if bytes.first().is_none_or(|flag| *flag == 0) {
            return Ok(Taken {
                frame: bytes,
                memory,
            });
        }
        if !gzip {
            return Err(malformed(
                "the message says that it is compressed, but the call does not say how",
            ));
        }
        let frame = self.unpacked(bytes.get(HEAD..).unwrap_or_default())?;
        let more = frame.len().saturating_sub(bytes.len());
        self.remember(&mut memory, more).await?;
        Ok(Taken { frame, memory })
    }

    /// All that is sent, which is no more than a message and its head.
    async fn bytes(
        &self,
        mut body: Body,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let mut taken = Buffer::new();
        let mut memory = None;
        loop {
            let frame = match timeout(self.patience, body.frame()).await {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(_elapsed) => return Err(self.stalled()),
            };
            let frame = frame.map_err(|status| Refusal { limit: "", status })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            self.remember(&mut memory, data.len()).await?;
            if taken.bytes().is_empty() && http_body::Body::is_end_stream(&body) {
                return Ok((self.one(data)?, memory));
            }
            let known = match taken.bytes() {
                [] => &data[..],
                taken => taken,
            };
            let whole = self.check_length(known)?.unwrap_or(HEAD);
            taken.put(&data, whole);
            let whole = self.check_length(taken.bytes())?;
            if whole.is_some_and(|whole| taken.bytes().len() > whole) {
                break;
            }
        }
        Ok((self.one(taken.freeze())?, memory))
    }

    /// The bytes, if they are one message with its head.
    fn one(&self, bytes: Bytes) -> Result<Bytes, Refusal> {
        match self.check_length(&bytes)? {
            Some(whole) if whole == bytes.len() => Ok(bytes),
            Some(whole) if whole < bytes.len() => {
                Err(malformed("there is more than one message in the call"))
            }
            None if bytes.is_empty() => Err(malformed("there is no message in the call")),
            Some(_) | None => Err(malformed("the message is cut off")),
        }
    }

    /// How long the message is with its head, as soon as that is known.
    fn check_length(&self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        let Some(&[_, a, b, c, d]) = bytes.get(..HEAD) else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > self.max_size {
            return Err(self.too_large(&format!("has {length} bytes")));
        }
        Ok(Some(HEAD.saturating_add(length)))
    }

    fn unpacked(&self, packed: &[u8]) -> Result<Bytes, Refusal> {
        let most = u64::try_from(self.max_size).unwrap_or(u64::MAX);
        let mut frame = vec![0; HEAD];
        let unpacked = flate2::read::GzDecoder::new(packed)
            .take(most.saturating_add(1))
            .read_to_end(&mut frame);
        if unpacked.is_err() {
            return Err(malformed("the message is not what gzip writes"));
        }
        let length = frame.len() - HEAD;
        if length > self.max_size {
            return Err(self.too_large("is larger than that once it is unpacked"));
        }
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        for (byte, value) in frame.iter_mut().skip(1).zip(length) {
            *byte = value;
        }
        Ok(frame.into())
    }

    /// Waits for the right to some more bytes.
    async fn remember(
        &self,
        held: &mut Option<OwnedSemaphorePermit>,
        bytes: usize,
    ) -> Result<(), Refusal> {
        let count = u32::try_from(bytes).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.memory).acquire_many_owned(count);
        let Ok(Ok(more)) = timeout(self.patience, more).await else {
            return Err(Refusal {
                limit: "memory",
                status: Status::resource_exhausted(format!(
                    "requests take all of the {} MiB that --max-request-memory allows; try again later, or raise it",
                    self.max_memory >> 20
                )),
            });
        };
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }

    fn too_large(&self, what: &str) -> Refusal {
        Refusal {
            limit: "message_size",
            status: Status::resource_exhausted(format!(
                "the request {what}, and --max-recv-message-size allows {} ({} MiB); send less, or raise it",
                self.max_size,
                self.max_size >> 20
            )),
        }
    }

    fn stalled(&self) -> Refusal {
        Refusal {
            limit: "stall",
            status: Status::deadline_exceeded(format!(
                "nothing more of the request came for {} s (--stall-timeout)",
                self.patience.as_secs_f64()
            )),
        }
    }
}

fn malformed(what: &str) -> Refusal {
    Refusal {
        limit: "",
        status: Status::invalid_argument(what.to_owned()),
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, Refusal> {
    match headers
        .get("grpc-encoding")
        .map(http::HeaderValue::as_bytes)
    {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(other) => Err(Refusal {
            limit: "",
            status: Status::unimplemented(format!(
                "the request is compressed with {}, and only gzip and identity are read",
                String::from_utf8_lossy(other)
            )),
        }),
    }
}
