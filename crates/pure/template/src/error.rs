//! What may go wrong, and how much a template may cost.

/// A template that cannot be read or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}{}: {message}", shown_column(*column))]
pub struct Error {
    /// The template's name.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 0 as Go counts it; mistakes of syntax have none.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
}

fn shown_column(column: Option<usize>) -> String {
    column.map_or_else(String::new, |column| format!(":{column}"))
}

/// Bounds on an execution.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of output.
    pub output: usize,
    /// Bytes of texts and elements of lists that functions make, all together.
    pub made: usize,
    /// How many actions, arguments and rounds of loops.
    pub steps: u64,
    /// How deep templates may call each other.
    pub depth: usize,
    /// Bytes of stack that nesting may take, whatever it consists of.
    pub stack: usize,
    /// The time that `now` says, in nanoseconds since 1970; without it there is no `now`.
    pub now: Option<i128>,
    /// Seeds what is random: the same seed gives the same choices.
    pub seed: u64,
}

impl Default for Limits {
    /// 16 MiB of output, 256 MiB made, 20 million steps, 1000 templates or 768 KiB of stack deep.
    fn default() -> Self {
        Self {
            output: 16 << 20,
            made: 256 << 20,
            steps: 20_000_000,
            depth: 1000,
            stack: 768 << 10,
            now: None,
            seed: 0,
        }
    }
}
