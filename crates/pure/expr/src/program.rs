//! An expression, ready to be evaluated as often as wanted.

use std::sync::Arc;

use purlin_diag::Diagnostics;

use crate::ast::Node;
use crate::bindings::Bindings;
use crate::deps::{self, Read};
use crate::eval::Machine;
use crate::meter::{Limits, Meter};
use crate::outcome::Outcome;
use crate::{Problem, parse};

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Program {
    source: Arc<str>,
    node: Node,
    reads: Vec<Read>,
}

impl Program {
    /// Compiles `source`.
    ///
    /// # Errors
    /// Everything that is wrong with it, as diagnostics without a place; [`Program::parse`] keeps the offsets.
    pub fn compile(source: &str) -> Result<Self, Diagnostics> {
        Self::parse(source).map_err(|problems| problems.iter().map(Problem::diagnostic).collect())
    }

    /// Compiles `source`.
    ///
    /// # Errors
    /// Everything that is wrong with it, with offsets into `source`.
    pub fn parse(source: &str) -> Result<Self, Vec<Problem>> {
        let node = parse::parse(source)?;
        let reads = deps::reads(&node);
        Ok(Self {
            source: source.into(),
            node,
            reads,
        })
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every variable it reads, with the path as far as it is written out, in the order of the source.
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// Evaluates with the usual limits.
    pub fn eval<'a>(&'a self, bindings: &Bindings<'a>) -> Outcome<'a> {
        self.eval_within(bindings, Limits::default()).0
    }

    /// Evaluates within `limits`, and says how many steps that took.
    pub fn eval_within<'a>(
        &'a self,
        bindings: &Bindings<'a>,
        limits: Limits,
    ) -> (Outcome<'a>, u64) {
        let mut machine = Machine::new(bindings, Meter::new(limits));
        let outcome = machine.run(&self.node);
        (outcome, machine.meter.used())
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}
