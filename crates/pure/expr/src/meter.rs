//! How much may an evaluation still do?

use std::sync::Arc;

use regex::Regex;

use crate::outcome::{FaultKind, Raise};

/// What an evaluation may cost, and how it treats numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps: one per node, per iteration and per ten bytes read or made. Comparable to the cost units of Kubernetes.
    pub fuel: u64,
    /// Bytes of values that the expression makes.
    pub memory: u64,
    /// Whether whole and floating numbers may meet in arithmetic. Data without a schema does not say which of them a
    /// number is, so `xr.spec.size * 1.5` must not depend on the size being whole.
    pub mixed_numbers: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 1_000_000,
            memory: 16 * 1024 * 1024,
            mixed_numbers: true,
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
            format!("the expression needs more than {} steps", self.limits.fuel),
        ))
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
                "the expression makes more than {} bytes",
                self.limits.memory
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
