//! Which versions does a constraint allow?
//!
//! The grammar and its meaning are those of `Masterminds/semver` 3.4, which Crossplane uses, oddities included (`^*` allows
//! only 0.0.0, `<=*` nothing from 1.0.0 on): another answer here would be a wrong one. It is not Cargo's: `1.2.3` allows
//! nothing but 1.2.3.

use std::cmp::Ordering;

use crate::digest::Digest;
use crate::version::{Version, are_identifiers, compare_pre, read_number};

/// Alternatives of comparisons that hold together; or one digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// Any of these.
    Versions(Vec<Group>),
    /// Exactly this package.
    Digest(Digest),
}

/// Comparisons that hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    version: Version,
    /// How many numbers are fixed; the others are wild.
    fixed: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

/// Why a text is no constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadConstraint {
    /// What is wrong.
    pub message: String,
    /// Which bytes of the text.
    pub span: (usize, usize),
}

const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Constraint {
    /// Reads a constraint on versions.
    pub fn parse(text: &str) -> Result<Self, BadConstraint> {
        let mut groups = Vec::new();
        let mut start = 0;
        for alternative in text.split("||") {
            groups.push(
                Reader {
                    text: alternative,
                    base: start,
                    at: 0,
                }
                .group()?,
            );
            start += alternative.len() + 2;
        }
        Ok(Self::Versions(groups))
    }

    /// Reads what may stand in a dependency: a constraint on versions, or the digest of a package.
    pub fn parse_dependency(text: &str) -> Result<Self, BadConstraint> {
        if !text.starts_with("sha256:") {
            return Self::parse(text);
        }
        Digest::parse(text)
            .map(Self::Digest)
            .ok_or_else(|| BadConstraint {
                message: "a digest is `sha256:` and 64 hexadecimal digits".to_owned(),
                span: (0, text.len()),
            })
    }

    /// Whether the version is allowed. A digest allows no version: what it names is known by its content alone.
    pub fn allows(&self, version: &Version) -> bool {
        match self {
            Self::Versions(groups) => groups.iter().any(|group| group.allows(version)),
            Self::Digest(_) => false,
        }
    }
}

impl Group {
    fn allows(&self, version: &Version) -> bool {
        // Versions before a release are no candidates, unless some comparison of the group names one.
        let names_one = self.0.iter().any(|one| one.version.is_prerelease());
        (names_one || !version.is_prerelease()) && self.0.iter().all(|one| one.allows(version))
    }
}

impl Comparison {
    fn allows(&self, given: &Version) -> bool {
        let own = &self.version;
        let order = given.cmp(own);
        let [major, minor, patch] = own.numbers;
        let [given_major, given_minor, given_patch] = given.numbers;
        let partial = self.fixed < 3;
        match self.operator {
            Operator::Equal if partial => self.tilde(given),
            Operator::Equal => order == Ordering::Equal,
            Operator::NotEqual if !partial => order != Ordering::Equal,
            Operator::NotEqual => match self.fixed {
                _ if major != given_major => true,
                1 => false,
                _ if minor != given_minor => true,
                2 => {
                    (given.is_prerelease() || own.is_prerelease())
                        && compare_pre(&given.pre, &own.pre) != Ordering::Equal
                }
                _ => patch != given_patch || order != Ordering::Equal,
            },
            Operator::Greater => match self.fixed {
                1 => given_major > major,
                2 => (given_major, given_minor) > (major, minor),
                0 => given_major > major || order == Ordering::Greater,
                _ => order == Ordering::Greater,
            },
            Operator::Less => order == Ordering::Less,
            Operator::AtLeast => order != Ordering::Less,
            Operator::AtMost if !partial => order != Ordering::Greater,
            Operator::AtMost => {
                given_major < major
                    || given_major == major && (given_minor <= minor || self.fixed == 1)
            }
            Operator::Tilde => self.tilde(given),
            Operator::Caret => self.caret(given),
        }
    }

    fn tilde(&self, given: &Version) -> bool {
        let own = &self.version;
        let written = self.fixed == 1 || self.fixed == 2;
        if given < own {
            return false;
        }
        // `~0.0.0` and `*` allow everything.
        if own.numbers == [0; 3] && !written {
            return true;
        }
        own.numbers[0] == given.numbers[0]
            && (own.numbers[1] == given.numbers[1] || self.fixed == 1)
    }

    fn caret(&self, given: &Version) -> bool {
        let [major, minor, patch] = self.version.numbers;
        let [given_major, given_minor, given_patch] = given.numbers;
        if given < &self.version {
            return false;
        }
        if major > 0 || self.fixed == 1 {
            return given_major == major;
        }
        if given_major > 0 {
            return false;
        }
        if minor > 0 || self.fixed == 2 {
            return given_minor == minor;
        }
        given_minor == 0 && given_patch == patch
    }
}

/// Reads one alternative.
struct Reader<'t> {
    text: &'t str,
    /// Where the alternative starts in the whole text.
    base: usize,
    at: usize,
}

impl<'t> Reader<'t> {
    fn group(mut self) -> Result<Group, BadConstraint> {
        let mut comparisons = Vec::new();
        loop {
            self.skip_space();
            if self.rest().is_empty() {
                break;
            }
            let (operator, written) = self.operator();
            self.skip_space();
            let (version, fixed) = self.version()?;
            if let Some(high) = self.hyphen(written)? {
                comparisons.push(Comparison {
                    operator: Operator::AtLeast,
                    version,
                    fixed,
                });
                comparisons.push(high);
            } else {
                comparisons.push(Comparison {
                    operator,
                    version,
                    fixed,
                });
            }
            let before = self.at;
            self.skip_space();
            if self.rest().starts_with(',') {
                self.at += 1;
                self.skip_space();
                if self.rest().is_empty() {
                    return Err(self.bad("a version is missing after the comma", self.at, self.at));
                }
            } else if before == self.at && !self.rest().is_empty() {
                let end = self.text.trim_end().len();
                return Err(self.bad("a space or comma is missing before this", self.at, end));
            }
        }
        if comparisons.is_empty() {
            return Err(self.bad("a version is missing", 0, self.text.len()));
        }
        Ok(Group(comparisons))
    }

    /// The operator, and whether one was written.
    fn operator(&mut self) -> (Operator, bool) {
        for (word, operator) in OPERATORS {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return (*operator, true);
            }
        }
        (Operator::Equal, false)
    }

    /// ` - 2.0.0` after a version without an operator.
    fn hyphen(&mut self, written: bool) -> Result<Option<Comparison>, BadConstraint> {
        let before = self.at;
        self.skip_space();
        let spaced = before < self.at;
        let after = self.rest().strip_prefix('-');
        if !spaced || !after.is_some_and(|after| after.starts_with(char::is_whitespace)) {
            self.at = before;
            return Ok(None);
        }
        if written {
            return Err(self.bad(
                "a range with a hyphen has no operator before it",
                0,
                self.at + 1,
            ));
        }
        self.at += 1;
        self.skip_space();
        let (version, fixed) = self.version()?;
        Ok(Some(Comparison {
            operator: Operator::AtMost,
            version,
            fixed,
        }))
    }

    /// A version, and how many of its numbers are fixed.
    fn version(&mut self) -> Result<(Version, usize), BadConstraint> {
        let (start, end) = (self.at, self.end_of_word());
        let word = self.text.get(start..end).unwrap_or_default();
        let Some(read) = read_partial(word) else {
            let what = if word.is_empty() {
                "a version is missing".to_owned()
            } else {
                format!("`{word}` is not a version")
            };
            return Err(self.bad(what, start, end));
        };
        self.at = end;
        Ok(read)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn end_of_word(&self) -> usize {
        let rest = self.rest();
        let word = rest.find(|c: char| c.is_whitespace() || ",<>=!~^".contains(c));
        self.at + word.unwrap_or(rest.len())
    }

    fn bad(&self, message: impl Into<String>, start: usize, end: usize) -> BadConstraint {
        BadConstraint {
            message: message.into(),
            span: (self.base + start, self.base + end),
        }
    }
}

fn read_partial(word: &str) -> Option<(Version, usize)> {
    let body = word.strip_prefix('v').unwrap_or(word);
    let (body, build) = match body.split_once('+') {
        Some((body, build)) => (body, Some(build)),
        None => (body, None),
    };
    let (numbers, pre) = match body.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (body, None),
    };
    if !build.is_none_or(are_identifiers) || !pre.is_none_or(are_identifiers) {
        return None;
    }
    let parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() > 3 {
        return None;
    }
    let is_wild = |part: &&str| matches!(*part, "x" | "X" | "*");
    if !parts
        .iter()
        .all(|part| is_wild(part) || read_number(part).is_some())
    {
        return None;
    }
    let fixed = parts.iter().position(is_wild).unwrap_or(parts.len());
    let mut text = String::new();
    for index in 0..3 {
        let part = if index < fixed {
            parts.get(index).copied()?
        } else {
            "0"
        };
        text.push_str(part);
        if index < 2 {
            text.push('.');
        }
    }
    if let Some(pre) = pre {
        text.push('-');
        text.push_str(pre);
    }
    Some((Version::parse(&text)?, fixed))
}

#[cfg(test)]
#[path = "constraint_tests.rs"]
mod tests;
