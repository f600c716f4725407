//! How can an evaluation end?

use std::fmt;

use crate::Problem;
use crate::value::Val;

/// The end of an evaluation.
#[derive(Debug, Clone)]
pub enum Outcome<'a> {
    /// A value.
    Ok(Val<'a>),
    /// Data that is tracked is not there yet.
    Pending(Pending),
    /// It failed.
    Fault(Fault),
}

/// An evaluation and what is known about it.
#[derive(Debug, Clone)]
pub struct Evaluation<'a> {
    /// Its end.
    pub outcome: Outcome<'a>,
    /// The steps it took.
    pub used: u64,
    /// Tracked data that was not there, where the expression says itself what to do then (`has`, `.?`, `[?…]`, `in`): with
    /// that data the value may be another.
    pub missed: Option<Pending>,
}

/// What an evaluation waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pending {
    /// The tracked variable.
    pub root: String,
    /// The path that is missing, as far as it is known, variable included.
    pub path: String,
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Why an evaluation failed, and at which node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The class of the failure.
    pub kind: FaultKind,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// First byte of the node in the source.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// Classes of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A variable that nothing is bound to.
    Unbound,
    /// A key or field that is not in the map.
    NoSuchKey,
    /// An index outside of the list.
    OutOfRange,
    /// Operands or arguments of types the operator or function does not take.
    Types,
    /// A number beyond its range, or a division by zero.
    Arithmetic,
    /// An argument of the right type with a wrong value.
    Argument,
    /// More steps than allowed.
    Fuel,
    /// More memory than allowed.
    Memory,
}

impl FaultKind {
    /// The code of the diagnostic.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unbound => "expr/no-such-variable",
            Self::NoSuchKey => "expr/no-such-key",
            Self::OutOfRange => "expr/out-of-range",
            Self::Types => "expr/types",
            Self::Arithmetic => "expr/arithmetic",
            Self::Argument => "expr/argument",
            Self::Fuel => "expr/too-expensive",
            Self::Memory => "expr/too-large",
        }
    }

    /// Whether `&&` and `||` may go on after it. Running out is final.
    pub(crate) fn is_absorbed(self) -> bool {
        !matches!(self, Self::Fuel | Self::Memory)
    }
}

impl Fault {
    /// The failure as a problem of the source.
    pub fn problem(&self) -> Problem {
        let problem = Problem::new(self.kind.code(), self.message.clone(), self.start, self.end);
        match &self.help {
            Some(help) => problem.help(help.clone()),
            None => problem,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.help {
            Some(help) => write!(f, "{}; {help}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Why a node has no value.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    Pending(Box<Pending>),
    Fault(Box<Fault>),
}

/// Why a library function has no value; the caller knows where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Raise {
    /// It does not take arguments of these types.
    Types,
    /// It failed.
    Fault(FaultKind, String),
}

impl Raise {
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::Fault(FaultKind::Argument, message.into())
    }

    pub(crate) fn arithmetic(message: impl Into<String>) -> Self {
        Self::Fault(FaultKind::Arithmetic, message.into())
    }

    pub(crate) fn range(message: impl Into<String>) -> Self {
        Self::Fault(FaultKind::OutOfRange, message.into())
    }
}
