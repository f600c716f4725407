//! A template, ready to run.

use std::collections::BTreeMap;

use crate::ast::Node;
use crate::error::{Error, Limits};
use crate::exec;
use crate::library::Library;
use crate::parse;
use crate::value::Value;

/// What starts and ends an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimiters {
    /// `{{`, unless said otherwise.
    pub left: String,
    /// `}}`, unless said otherwise.
    pub right: String,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self {
            left: "{{".to_owned(),
            right: "}}".to_owned(),
        }
    }
}

/// What a key is that a map does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// Nothing: it prints as `<no value>`, and so does whatever is below it.
    #[default]
    Default,
    /// The zero value of the map's type.
    Zero,
    /// A mistake.
    Error,
}

/// A parsed template and those it defines.
#[derive(Debug, Clone)]
pub struct Template {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) trees: BTreeMap<String, Vec<Node>>,
    pub(crate) missing_key: MissingKey,
}

impl Template {
    /// Reads a template.
    pub fn parse(name: &str, text: &str, library: &Library) -> Result<Self, Error> {
        Self::parse_with(name, text, &Delimiters::default(), library)
    }

    /// Reads a template whose actions have other delimiters; an empty one is the default.
    pub fn parse_with(
        name: &str,
        text: &str,
        delimiters: &Delimiters,
        library: &Library,
    ) -> Result<Self, Error> {
        let mut delimiters = delimiters.clone();
        if delimiters.left.is_empty() {
            delimiters.left = Delimiters::default().left;
        }
        if delimiters.right.is_empty() {
            delimiters.right = Delimiters::default().right;
        }
        let trees = parse::parse(name, text, &delimiters, library).map_err(|(at, message)| {
            let (line, _) = place(text, at);
            Error {
                name: name.to_owned(),
                line,
                column: None,
                message,
            }
        })?;
        Ok(Self {
            name: name.to_owned(),
            text: text.to_owned(),
            trees,
            missing_key: MissingKey::Default,
        })
    }

    /// Says what a key is that a map does not have.
    #[must_use]
    pub fn with_missing_key(mut self, missing_key: MissingKey) -> Self {
        self.missing_key = missing_key;
        self
    }

    /// Runs the template over `data`.
    pub fn execute(&self, data: &Value, limits: &Limits) -> Result<Vec<u8>, Error> {
        exec::execute(self, data, limits)
    }
}

/// The line from 1 and the byte in the line from 0.
pub(crate) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text
        .as_bytes()
        .get(..at.min(text.len()))
        .unwrap_or_default();
    let line = before.split(|b| *b == b'\n').count();
    let start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    (line, before.len() - start)
}
