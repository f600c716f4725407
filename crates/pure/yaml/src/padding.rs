//! Which lines of quoted texts are not indented, though those who read YAML elsewhere take them?
//!
//! YAML wants every line of a quoted text to stand further in than its key. The parser behind Kubernetes does not, and
//! many files rely on that. Such lines are read with spaces before them, which folding takes away again.

use crate::place::Spot;

/// Lines of one text. A file with more of them is not meant so.
const MOST: usize = 64;
/// Texts that are read again and again.
const LARGEST: usize = 1 << 20;

/// The lines that get spaces, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Padding {
    /// Each a number, from 1.
    lines: Vec<usize>,
    /// Where each begins in the padded text.
    starts: Vec<usize>,
    /// How many spaces each gets.
    spaces: usize,
}

impl Padding {
    /// Takes a line of `text` in; says whether that may help.
    pub(crate) fn add(&mut self, line: usize, text: &str) -> bool {
        if self.lines.len() >= MOST || text.len() > LARGEST || self.lines.contains(&line) {
            return false;
        }
        if self.lines.is_empty() {
            let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
            self.spaces = text.lines().map(indent).max().unwrap_or_default() + 1;
        }
        self.lines.push(line);
        self.lines.sort_unstable();
        true
    }

    /// The text with the spaces.
    pub(crate) fn pad(&mut self, text: &str) -> String {
        let mut padded = String::with_capacity(text.len() + self.lines.len() * self.spaces);
        self.starts.clear();
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            if self.lines.binary_search(&number).is_ok() {
                self.starts.push(padded.len());
                padded.extend(std::iter::repeat_n(' ', self.spaces));
            }
            padded.push_str(line);
        }
        padded
    }

    /// The column, from 0, that a column of a line has without the spaces.
    pub(crate) fn column(&self, line: usize, column: usize) -> usize {
        match self.lines.binary_search(&line) {
            Ok(_) => column.saturating_sub(self.spaces),
            Err(_) => column,
        }
    }

    /// Where a part of the padded text is in the text.
    pub(crate) fn back(&self, mut spot: Spot) -> Spot {
        if self.lines.is_empty() {
            return spot;
        }
        let column = self.column(spot.line as usize, spot.column.saturating_sub(1) as usize);
        spot.column = u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1);
        spot.start = self.offset(spot.start);
        spot.end = self.offset(spot.end);
        spot
    }

    fn offset(&self, at: usize) -> usize {
        let before = self.starts.partition_point(|start| *start < at);
        let Some(last) = before.checked_sub(1) else {
            return at;
        };
        let into = at.saturating_sub(self.starts.get(last).copied().unwrap_or_default());
        at - last * self.spaces - into.min(self.spaces)
    }
}
