//! Compresses layers so that the same bytes always give the same bytes, and decompresses them within bounds.

use std::cell::Cell;
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
    Bounded {
        inner: open(layer),
        read: 0,
        bounds: of_layer(layer, limits),
        left: None,
    }
}

/// The same for one of several, which share what is `left`.
pub(crate) fn decompress_some<'a>(
    layer: &'a [u8],
    limits: &Limits,
    left: &'a Cell<u64>,
) -> impl Read + 'a {
    Bounded {
        inner: open(layer),
        read: 0,
        bounds: of_layer(layer, limits),
        left: Some((left, limits.image)),
    }
}

pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

fn open<'a>(layer: &'a [u8]) -> Box<dyn Read + 'a> {
    if is_gzip(layer) {
        Box::new(MultiGzDecoder::new(layer))
    } else {
        Box::new(layer)
    }
}

/// How many bytes a layer may have, and what to say when it has more.
fn of_layer(layer: &[u8], limits: &Limits) -> (u64, TooMuch) {
    let by_ratio = (layer.len() as u64)
        .saturating_mul(limits.ratio)
        .max(Limits::FREE);
    let what = "a layer, decompressed";
    if by_ratio < limits.layer {
        let unit = "times its compressed size";
        let limit = limits.ratio;
        (by_ratio, TooMuch { what, limit, unit })
    } else {
        let unit = "bytes";
        let limit = limits.layer;
        (limits.layer, TooMuch { what, limit, unit })
    }
}

struct Bounded<'a> {
    inner: Box<dyn Read + 'a>,
    read: u64,
    bounds: (u64, TooMuch),
    /// What all may have that is not read yet, and what that was.
    left: Option<(&'a Cell<u64>, u64)>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.read = self.read.saturating_add(count as u64);
        let (most, much) = self.bounds;
        if self.read > most {
            return Err(io::Error::other(much));
        }
        if let Some((left, limit)) = self.left {
            let Some(rest) = left.get().checked_sub(count as u64) else {
                return Err(io::Error::other(TooMuch {
                    what: "the layers of an image, decompressed",
                    limit,
                    unit: "bytes",
                }));
            };
            left.set(rest);
        }
        Ok(count)
    }
}
