//! What is wrong with an expression, and at which bytes?

use purlin_diag::{Diagnostic, Severity};

/// A mistake in an expression, with the bytes it is about.
///
/// Offsets count from the start of the text that was given in; whoever knows where that text stands in a file
/// turns them into a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// Kind of mistake, for example `expr/syntax`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// First byte it is about.
    pub start: usize,
    /// One past the last byte it is about.
    pub end: usize,
}

impl Problem {
    pub(crate) fn new(
        code: &'static str,
        message: impl Into<String>,
        start: usize,
        end: usize,
    ) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            help: None,
            start,
            end: end.max(start),
        }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same problem, its text standing `by` bytes further on.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Self {
        self.start += by;
        self.end += by;
        self
    }

    /// The problem as a diagnostic without a place.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = self.message.clone();
        let diagnostic = match self.severity {
            Severity::Error => Diagnostic::error(self.code, message),
            Severity::Warning => Diagnostic::warning(self.code, message),
            Severity::Note => Diagnostic::note(self.code, message),
        };
        match &self.help {
            Some(help) => diagnostic.help(help.clone()),
            None => diagnostic,
        }
    }
}
