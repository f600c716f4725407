//! How much may an evaluation still do?

use std::sync::Arc;

use regex::Regex;

use crate::key::Key;
use crate::list::List;
use crate::map::Map;
use crate::outcome::{FaultKind, Raise};
use crate::value::Val;

/// What an evaluation may cost, and how it treats numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps: one per node, per iteration and per ten bytes read or made. Comparable to the cost units of Kubernetes.
    pub fuel: u64,
    /// Bytes of values that the expression makes.
    pub memory: u64,
    /// Bytes of the value it gives, or that a function writes out, with everything that occurs in it more than once counted
    /// each time.
    pub output: u64,
    /// Whether whole and floating numbers may meet in arithmetic. Data without a schema does not say which of them a
    /// number is, so `xr.spec.size * 1.5` must not depend on the size being whole.
    pub mixed_numbers: bool,
    /// Whether every value costs steps by its size too, because whatever is done with it next may pass over all of it. The
    /// steps are then a bound of the time, also with data of a size that is not usual.
    pub by_size: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 1_000_000,
            memory: 16 * 1024 * 1024,
            output: 16 * 1024 * 1024,
            mixed_numbers: true,
            by_size: false,
        }
    }
}

/// Regular expressions kept per evaluation when their pattern is not a literal.
const PATTERNS: usize = 16;

/// What is left of the limits.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    fuel: u64,
    memory: u64,
    patterns: Vec<(String, Arc<Regex>)>,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            fuel: limits.fuel,
            memory: limits.memory,
            patterns: Vec::new(),
        }
    }

    pub(crate) fn used(&self) -> u64 {
        self.limits.fuel - self.fuel
    }

    pub(crate) fn mixes(&self) -> bool {
        self.limits.mixed_numbers
    }

    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), Raise> {
        if let Some(left) = self.fuel.checked_sub(steps) {
            self.fuel = left;
            return Ok(());
        }
        self.fuel = 0;
        Err(Raise::Fault(
            FaultKind::Fuel,
            format!(
                "the expression needs more than {} steps, the limit of its cost",
                self.limits.fuel
            ),
        ))
    }

    /// What a value costs that something is about to be done with.
    #[inline]
    pub(crate) fn hand(&mut self, value: &Val<'_>) -> Result<(), Raise> {
        /// So many bytes are passed over, or so many elements of 16 bytes each looked at, in the time of a step.
        const PASSED: usize = 128;
        if self.limits.by_size {
            self.spend((value.breadth() / PASSED) as u64)
        } else {
            Ok(())
        }
    }

    /// Reading `bytes` of text costs a step per ten.
    pub(crate) fn read(&mut self, bytes: usize) -> Result<(), Raise> {
        self.spend(bytes as u64 / 10)
    }

    /// Making `bytes` costs as reading them does, and memory.
    pub(crate) fn make(&mut self, bytes: usize) -> Result<(), Raise> {
        self.read(bytes)?;
        self.keep(bytes)
    }

    fn keep(&mut self, bytes: usize) -> Result<(), Raise> {
        if let Some(left) = self.memory.checked_sub(bytes as u64) {
            self.memory = left;
            return Ok(());
        }
        self.memory = 0;
        Err(Raise::Fault(
            FaultKind::Memory,
            format!(
                "the expression makes more than {} bytes, the limit of its memory",
                self.limits.memory
            ),
        ))
    }

    /// Refuses a value that is too large to be written out.
    ///
    /// A list may hold the same list a thousand times, and that one another a thousand times: it takes no room until
    /// somebody writes it out.
    pub(crate) fn weigh(&self, value: &Val<'_>) -> Result<(), Raise> {
        // What the input holds is no larger than the input.
        if !matches!(
            value,
            Val::List(List::Owned(_)) | Val::Map(Map::Owned(..)) | Val::Optional(_)
        ) {
            return Ok(());
        }
        let mut left = self.limits.output;
        if weigh(value, &mut left) {
            return Ok(());
        }
        Err(Raise::Fault(
            FaultKind::Memory,
            format!(
                "the value of the expression is larger than {} bytes, the limit of its output",
                self.limits.output
            ),
        ))
    }

    /// A step and memory for each of `count` values.
    pub(crate) fn values(&mut self, count: usize) -> Result<(), Raise> {
        self.keep(count.saturating_mul(48))?;
        self.spend(count as u64)
    }

    /// A pattern that is not a literal, compiled once per evaluation.
    pub(crate) fn pattern(&mut self, pattern: &str) -> Result<Arc<Regex>, Raise> {
        if let Some((_, regex)) = self.patterns.iter().find(|(have, _)| have == pattern) {
            return Ok(Arc::clone(regex));
        }
        // Compiling is far dearer than matching.
        self.spend(100 + pattern.len() as u64)?;
        let regex = crate::library::regex::compile(pattern)
            .map_err(|why| Raise::argument(format!("this is not a regular expression: {why}")))?;
        let regex = Arc::new(regex);
        if self.patterns.len() == PATTERNS {
            self.patterns.remove(0);
        }
        self.patterns.push((pattern.to_owned(), Arc::clone(&regex)));
        Ok(regex)
    }
}

/// Takes the size of a value from what is left; false when that is too little.
pub(crate) fn weigh(value: &Val<'_>, left: &mut u64) -> bool {
    let mut take = |bytes: usize| match left.checked_sub(bytes as u64) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    };
    match value {
        Val::String(text) => take(text.as_str().len() + 8),
        Val::Bytes(bytes) => take(bytes.len() * 2 + 8),
        Val::Optional(Some(inner)) => weigh(inner, left),
        Val::List(list) => take(8) && list.items().iter().all(|item| weigh(item, left)),
        Val::Map(map) => {
            take(8)
                && map
                    .entries()
                    .unwrap_or_default()
                    .iter()
                    .all(|(key, value)| {
                        let key = match key {
                            Key::String(text) => text.as_str().len(),
                            Key::Bool(_) | Key::Int(_) | Key::UInt(_) => 8,
                        };
                        let fits = left.checked_sub(key as u64);
                        *left = fits.unwrap_or(0);
                        fits.is_some() && weigh(value, left)
                    })
        }
        _ => take(8),
    }
}
