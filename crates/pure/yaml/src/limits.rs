//! How much one text may cost.

/// Bounds on a text and on what it expands to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of source text.
    pub bytes: usize,
    /// Nested lists and maps.
    pub depth: usize,
    /// Scalars, lists and maps of the whole text, counted after aliases are expanded.
    pub nodes: usize,
    /// Documents of one text.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            depth: 100,
            nodes: 2_000_000,
            documents: 100_000,
        }
    }
}
