//! How much one package may cost to read.

/// Bounds on what is unpacked. The archive itself is bounded by whoever reads it into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of one archive or layer.
    pub entries: usize,
    /// Layers of one image.
    pub layers: usize,
    /// Images of one archive.
    pub images: usize,
    /// Bytes of one layer, decompressed.
    pub layer: u64,
    /// How many times its compressed size a layer may be, once it is larger than [`Limits::FREE`].
    pub ratio: u64,
    /// Bytes of `package.yaml`. Crossplane reads no more either.
    pub package: u64,
    /// Bytes of a manifest or configuration.
    pub json: usize,
}

impl Limits {
    /// Up to here a layer may be compressed as well as it can be.
    pub const FREE: u64 = 32 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 200_000,
            layers: 200,
            images: 64,
            layer: 2 << 30,
            ratio: 200,
            package: 200 << 20,
            json: 4 << 20,
        }
    }
}
