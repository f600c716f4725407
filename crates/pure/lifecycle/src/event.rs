//! What is told to whoever describes an object?

/// How an event is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Things go as they should.
    Normal,
    /// Something needs attention.
    Warning,
}

impl Severity {
    /// As Kubernetes spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// One thing told about one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// How it is meant.
    pub severity: Severity,
    /// One word.
    pub reason: String,
    /// One sentence.
    pub message: String,
}

impl Event {
    /// Things go as they should.
    pub fn normal(reason: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Normal,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }

    /// Something needs attention.
    pub fn warning(reason: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }
}

/// Why a reconcile cannot go on: the event's reason, and what is wrong together with what would change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The reason of the Warning event.
    pub reason: &'static str,
    /// What is wrong, and what would change it.
    pub message: String,
}

impl Problem {
    /// A problem with its event reason.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
