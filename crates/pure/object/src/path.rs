//! Which field does this path name?
//!
//! The field path language of Crossplane (crossplane-runtime `pkg/fieldpath`): `spec.list[0].name`,
//! `metadata.labels[app.kubernetes.io/name]`. Knows nothing of patches: what a missing field means is the caller's business.

use std::fmt;

use crate::{ObjectRef, Value, ValueRef};

#[path = "path_read.rs"]
mod read;
#[path = "path_write.rs"]
mod write;

pub use read::ReadError;
pub use write::WriteError;

/// The largest index a path may write to; reads are not limited.
pub const MAX_INDEX: u32 = 1024;

/// The most steps a path may have: as deep as an object may be.
pub const MAX_STEPS: usize = 128;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A member of an object.
    Field(Box<str>),
    /// An element of a list.
    Index(u32),
}

impl Segment {
    /// Whether this is the wildcard `*`, which is a field name until a caller expands it.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Field(name) if name.as_ref() == "*")
    }
}

/// A parsed field path.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    segments: Vec<Segment>,
    /// Whether the text held `[*]`, the only spelling that asks for expansion.
    wildcards: bool,
}

/// A path that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A character that cannot stand here.
    #[error("`{path}` is no field path: unexpected `{found}` at position {at}")]
    Unexpected {
        /// The text.
        path: String,
        /// The character.
        found: char,
        /// Its place in bytes, from 0.
        at: usize,
    },
    /// More steps than [`MAX_STEPS`].
    #[error("a field path has at most {MAX_STEPS} steps, and this one has more")]
    TooDeep,
    /// A bracket that is never closed.
    #[error("`{path}` is no field path: the `[` at position {at} is never closed")]
    Unterminated {
        /// The text.
        path: String,
        /// The bracket's place in bytes, from 0.
        at: usize,
    },
}

impl Path {
    /// Parses a path.
    ///
    /// # Errors
    /// The first character that cannot stand where it does, or a bracket that is never closed.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let unexpected = |found: char, at: usize| PathError::Unexpected {
            path: text.to_owned(),
            found,
            at,
        };
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if segments.len() > MAX_STEPS {
                return Err(PathError::TooDeep);
            }
            let at = text.len() - rest.len();
            match first {
                '[' => {
                    let inner = rest.strip_prefix('[').unwrap_or_default();
                    let Some(end) = inner.find(['[', ']']) else {
                        return Err(PathError::Unterminated {
                            path: text.to_owned(),
                            at,
                        });
                    };
                    let (inner, tail) = inner.split_at(end);
                    if tail.starts_with('[') {
                        return Err(unexpected('[', at + 1 + end));
                    }
                    if inner.is_empty() {
                        return Err(unexpected(']', at + 1));
                    }
                    segments.push(bracketed(inner));
                    rest = tail.strip_prefix(']').unwrap_or_default();
                }
                ']' => return Err(unexpected(']', at)),
                '.' => {
                    let after = rest.strip_prefix('.').unwrap_or_default();
                    match after.chars().next() {
                        // A leading or a trailing period, or two in a row, or one before a bracket.
                        _ if at == 0 => return Err(unexpected('.', 0)),
                        None => return Err(unexpected('.', at)),
                        Some(next @ ('.' | '[' | ']')) => return Err(unexpected(next, at + 1)),
                        Some(_) => rest = after,
                    }
                }
                _ => {
                    let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
                    let (name, tail) = rest.split_at(end);
                    if tail.starts_with(']') {
                        return Err(unexpected(']', at + end));
                    }
                    segments.push(Segment::Field(name.into()));
                    rest = tail;
                }
            }
        }
        Ok(Self {
            segments,
            wildcards: text.contains("[*]"),
        })
    }

    /// The steps.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether the path was written with `[*]` and so names any number of fields.
    pub fn has_wildcards(&self) -> bool {
        self.wildcards
    }

    /// The value at this path. A path without steps reads as null.
    ///
    /// # Errors
    /// What stands in the way; [`ReadError::is_not_found`] says whether it is merely missing.
    pub fn get<'a>(&self, object: ObjectRef<'a>) -> Result<ValueRef<'a>, ReadError> {
        read::get(&self.segments, object)
    }

    /// Every path that exists in `object` for this path's wildcards.
    ///
    /// # Errors
    /// A wildcard on something that has no elements, or a step that cannot be taken for another reason than a missing
    /// field or element, which merely gives no path.
    pub fn expand(&self, object: ObjectRef<'_>) -> Result<Vec<Self>, ReadError> {
        read::expand(&self.segments, object)
    }

    /// Writes a value, making the objects and lists on the way that are missing.
    ///
    /// # Errors
    /// Something of another kind in the way, or an index above [`MAX_INDEX`].
    pub fn set(&self, object: &mut crate::Object, value: Value) -> Result<(), WriteError> {
        write::set(&self.segments, object, value)
    }
}

/// What stands between brackets: an index if it reads as one, else a field name without quotes at its ends.
fn bracketed(inner: &str) -> Segment {
    if inner.bytes().all(|b| b.is_ascii_digit())
        && let Ok(index) = inner.parse()
    {
        return Segment::Index(index);
    }
    Segment::Field(inner.trim_matches(['\'', '"']).into())
}

impl FromIterator<Segment> for Path {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self {
            segments: segments.into_iter().collect(),
            wildcards: false,
        }
    }
}

impl std::str::FromStr for Path {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_segments(&self.segments, f)
    }
}

fn print_segments(segments: &[Segment], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, segment) in segments.iter().enumerate() {
        match segment {
            Segment::Index(index) => write!(f, "[{index}]")?,
            Segment::Field(name) if name.contains('.') || name.as_ref() == "*" => {
                write!(f, "[{name}]")?;
            }
            Segment::Field(name) if at == 0 => f.write_str(name)?,
            Segment::Field(name) => write!(f, ".{name}")?,
        }
    }
    Ok(())
}

/// The text of some steps, for messages.
fn text_of(segments: &[Segment]) -> String {
    segments.iter().cloned().collect::<Path>().to_string()
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
