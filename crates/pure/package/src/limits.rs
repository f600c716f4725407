//! How much one package may cost to read.

/// Bounds on what is unpacked. The archive itself is bounded by whoever reads it into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of one archive or layer.
    pub entries: usize,
    /// Bytes of all names in one archive or layer together.
    pub names: usize,
    /// Layers of one image.
    pub layers: usize,
    /// Images of one archive, and indexes of them.
    pub images: usize,
    /// Bytes of one layer, decompressed.
    pub layer: u64,
    /// Bytes of all layers of one image together, decompressed, when all are searched.
    pub image: u64,
    /// How many times its compressed size a layer may be, once it is larger than [`Limits::FREE`].
    pub ratio: u64,
    /// Bytes of `package.yaml`. Crossplane reads no more either.
    pub package: u64,
    /// Bytes of a manifest or configuration.
    pub json: usize,
    /// Bytes of all manifests and configurations of one archive together.
    pub json_of_all: usize,
}

impl Limits {
    /// Up to here a layer may be compressed as well as it can be.
    pub const FREE: u64 = 32 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 200_000,
            names: 16 << 20,
            layers: 200,
            images: 64,
            layer: 2 << 30,
            image: 4 << 30,
            ratio: 200,
            package: 200 << 20,
            json: 4 << 20,
            json_of_all: 16 << 20,
        }
    }
}
