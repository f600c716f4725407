//! What may be wrong with bytes that claim to be an object, and how large they may be.

/// Bounds on what is decoded. They are checked before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many encoded bytes one object may have.
    pub bytes: usize,
    /// How deep objects and lists may nest.
    pub depth: usize,
    /// How many values one object may hold at all depths.
    pub values: usize,
}

impl Default for Limits {
    /// 64 MiB, 128 levels, a million values.
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 128,
            values: 1_000_000,
        }
    }
}

/// Why bytes or a document are no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than [`Limits::bytes`].
    #[error("the object is larger than {0} bytes")]
    TooLarge(usize),
    /// More levels than [`Limits::depth`].
    #[error("the object is nested deeper than {0} levels")]
    TooDeep(usize),
    /// More values than [`Limits::values`].
    #[error("the object holds more than {0} values")]
    TooMany(usize),
    /// Not the encoding of a `google.protobuf.Struct`.
    #[error("not an encoded object: {0}")]
    Malformed(&'static str),
    /// A document that is a list, a string, a number, a boolean or null.
    #[error("expected an object, got {0}")]
    NotAnObject(&'static str),
}
