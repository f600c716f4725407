//! Compresses layers so that the same bytes always give the same bytes, and decompresses them within bounds.

use std::io::{self, Read, Write as _};

use bytes::Bytes;
use flate2::{Compression, GzBuilder, bufread::MultiGzDecoder};

use crate::error::TooMuch;
use crate::limits::Limits;

/// No clock and no operating system is in the header, and the compressor is portable code, so that every machine gives
/// the same bytes.
pub(crate) fn compress(bytes: &[u8]) -> Bytes {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .expect("writing to a Vec does not fail");
    encoder
        .finish()
        .expect("writing to a Vec does not fail")
        .into()
}

/// Reads a layer, whether it is compressed or not, up to the limits.
pub(crate) fn decompress<'a>(layer: &'a [u8], limits: &Limits) -> impl Read + 'a {
    let inner: Box<dyn Read + 'a> = if is_gzip(layer) {
        Box::new(MultiGzDecoder::new(layer))
    } else {
        Box::new(layer)
    };
    Bounded {
        inner,
        read: 0,
        ratio: limits.ratio,
        most: limits.layer.min(
            (layer.len() as u64)
                .saturating_mul(limits.ratio)
                .max(Limits::FREE),
        ),
        largest: limits.layer,
    }
}

pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

struct Bounded<'a> {
    inner: Box<dyn Read + 'a>,
    read: u64,
    most: u64,
    ratio: u64,
    largest: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.read = self.read.saturating_add(count as u64);
        if self.read <= self.most {
            return Ok(count);
        }
        Err(io::Error::other(if self.most == self.largest {
            TooMuch {
                what: "a layer, decompressed",
                limit: self.largest,
                unit: "bytes",
            }
        } else {
            TooMuch {
                what: "a layer, decompressed",
                limit: self.ratio,
                unit: "times its compressed size",
            }
        }))
    }
}
