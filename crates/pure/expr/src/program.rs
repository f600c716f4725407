//! An expression, ready to be evaluated as often as wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use purlin_diag::Diagnostics;

use crate::ast::Node;
use crate::bindings::Bindings;
use crate::deps::{self, Read};
use crate::eval::Machine;
use crate::meter::{Limits, Meter};
use crate::outcome::{Evaluation, Outcome};
use crate::types::{Checker, Dialect, Env, Ty};
use crate::{Problem, Shape, parse};

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

    /// Compiles `source` as an expression of the language itself, without any extension, and checks its types: it has
    /// these variables and no others, and is certain to give what is wanted.
    ///
    /// # Errors
    /// Everything that is wrong with it, with offsets into `source`.
    pub fn parse_core(
        source: &str,
        variables: &BTreeMap<String, Shape>,
        wanted: &Shape,
    ) -> Result<Self, Vec<Problem>> {
        let program = Self::parse(source)?;
        let mut env = Env::new();
        for (name, shape) in variables {
            env.set(name.as_str(), Ty::of_shape(shape));
        }
        let wanted = Ty::of_shape(wanted);
        let problems = {
            let mut checker = Checker::new(Dialect::Core, source, &env);
            checker.whole(&program.node, &wanted, true);
            checker.problems
        };
        if problems.is_empty() {
            Ok(program)
        } else {
            Err(problems)
        }
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

    /// Evaluates within `limits`, and says what it did without.
    pub fn evaluate<'a>(&'a self, bindings: &Bindings<'a>, limits: Limits) -> Evaluation<'a> {
        let mut machine = Machine::new(bindings, Meter::new(limits));
        let outcome = machine.run(&self.node);
        Evaluation {
            outcome,
            used: machine.meter.used(),
            missed: machine.missed,
        }
    }

    /// Evaluates within `limits`, and says how many steps that took.
    pub fn eval_within<'a>(
        &'a self,
        bindings: &Bindings<'a>,
        limits: Limits,
    ) -> (Outcome<'a>, u64) {
        let evaluation = self.evaluate(bindings, limits);
        (evaluation.outcome, evaluation.used)
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &str) -> Option<String> {
        let state = Shape::fields([
            ("resource", Shape::map_of(Shape::any())),
            ("ready", Shape::int()),
        ]);
        let variables = BTreeMap::from([("it".to_owned(), state)]);
        let problems = Program::parse_core(source, &variables, &Shape::bool()).err()?;
        problems.first().map(|problem| problem.message.clone())
    }

    #[test]
    fn what_is_certain_to_be_bool_is_taken() {
        for source in [
            "true",
            "it.resource.spec.flag == true",
            "bool(it.resource.spec.flag)",
            "it.resource.spec.flag && !it.resource.off",
            "it.ready == 1 ? has(it.resource.spec) : 'a' in it.resource",
            "it.resource.items.exists(i, i.name.startsWith('a'))",
            "duration('1h') > duration('30m')",
            "size(it.resource) == 0",
        ] {
            assert_eq!(refused(source), None, "{source}");
        }
    }

    #[test]
    fn what_may_be_something_else_is_refused() {
        for source in [
            "it.resource.spec.flag",
            "dyn(true)",
            "it.resource['flag']",
            "true ? it.resource.flag : false",
            "1",
            "1 == 'a'",
            "other == 1",
            "it.redy == 1",
            "'a'.upperAscii() == 'A'",
            "it.resource.?spec.hasValue()",
            "cel.bind(x, 1, x == 1)",
        ] {
            assert!(refused(source).is_some(), "{source}");
        }
    }
}
