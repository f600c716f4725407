//! What is wrong with an expression: what a check knows while it walks, and how it tells.

use purlin_diag::Severity;

use super::fit::same;
use super::{Env, Ty};
use crate::Problem;
use crate::ast::{Node, Span};

/// Which functions and forms there are, and how strict types are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Everything. Types may mix where the values may turn out to fit.
    Full,
    /// The rules of custom resource definitions, as an API server takes them.
    Rules,
    /// What the language itself defines, without any extension.
    Core,
}

/// A check of one expression.
pub(crate) struct Checker<'s, 'e> {
    pub(super) dialect: Dialect,
    pub(super) source: &'e str,
    pub(super) env: &'e Env<'s>,
    pub(super) locals: Vec<Ty<'s>>,
    pub(crate) problems: Vec<Problem>,
}

impl<'s, 'e> Checker<'s, 'e> {
    pub(crate) fn new(dialect: Dialect, source: &'e str, env: &'e Env<'s>) -> Self {
        Self {
            dialect,
            source,
            env,
            locals: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Checks an expression that gives exactly what is wanted. `certain`: what may be anything is not good enough.
    pub(crate) fn whole(&mut self, node: &Node, wanted: &Ty<'s>, certain: bool) {
        let given = self.infer(node);
        let known = !certain || !matches!(given, Ty::Dyn) || matches!(wanted, Ty::Dyn);
        if self.problems.is_empty() && !(known && same(&given, wanted)) {
            self.refuse(node, format!("this gives {given}, not {wanted}"));
        }
    }

    pub(super) fn strict(&self) -> bool {
        self.dialect != Dialect::Full
    }

    /// The text of a node, if it is short enough for a message.
    pub(super) fn text(&self, node: &Node) -> Option<&'e str> {
        let Span { start, end } = node.span;
        let text = self.source.get(start as usize..end as usize)?;
        (text.len() <= 60 && !text.contains('\n')).then_some(text)
    }

    /// A problem at a place, not told yet.
    pub(super) fn problem(
        code: &'static str,
        span: Span,
        message: String,
        help: Option<String>,
    ) -> Problem {
        let mut problem = Problem::new(code, message, span.start as usize, span.end as usize);
        problem.help = help;
        problem
    }

    /// Tells of something that is so whatever the values are.
    pub(super) fn always(&mut self, span: Span, message: String, help: Option<String>) {
        let mut problem = Self::problem("expr/always", span, message, help);
        problem.severity = Severity::Warning;
        self.problems.push(problem);
    }

    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: String,
        help: Option<String>,
    ) -> Ty<'s> {
        self.problems.push(Self::problem(code, span, message, help));
        Ty::Err
    }

    /// Types that do not fit.
    pub(super) fn refuse(&mut self, node: &Node, message: String) -> Ty<'s> {
        self.error("expr/types", node.span, message, None)
    }

    pub(super) fn refuse_with(&mut self, node: &Node, message: String, help: String) -> Ty<'s> {
        self.error("expr/types", node.span, message, Some(help))
    }
}
