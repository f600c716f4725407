//! What stands at a path?

use super::{Path, Segment, text_of};
use crate::{ObjectRef, ValueRef};

/// Why nothing was read. Paths are those of the step that could not be taken, as far as it got.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// An object without this member.
    #[error("{path}: there is no such field")]
    NoField {
        /// The path of the member.
        path: String,
    },
    /// A list that is too short.
    #[error("{path}: there is no such element, the list has {length}")]
    NoElement {
        /// The path of the element.
        path: String,
        /// The length of the list.
        length: usize,
    },
    /// A null where a member was asked for.
    #[error("{path}: is null and has no fields")]
    Null {
        /// The path of the null.
        path: String,
    },
    /// A member was asked for of something that is not an object.
    #[error("{path}: is {found}, not an object")]
    NotObject {
        /// The path of what was found.
        path: String,
        /// What was found.
        found: &'static str,
    },
    /// An element was asked for of something that is not a list.
    #[error("{path}: is {found}, not a list")]
    NotList {
        /// The path of what was found.
        path: String,
        /// What was found.
        found: &'static str,
    },
    /// A wildcard on null.
    #[error("{path}: is null, the wildcard finds nothing")]
    WildcardOnNull {
        /// The path before the wildcard.
        path: String,
    },
    /// A wildcard on something without elements.
    #[error("{path}: is {found}; a wildcard needs a list or an object")]
    WildcardOnScalar {
        /// The path before the wildcard.
        path: String,
        /// What was found.
        found: &'static str,
    },
    /// More paths than may be expanded.
    #[error("{path}: the wildcards name more than {limit} fields")]
    TooMany {
        /// The path with its wildcards.
        path: String,
        /// The limit.
        limit: usize,
    },
}

impl ReadError {
    /// Whether the value is merely missing, which an optional reader may ignore.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            Self::NoField { .. }
                | Self::NoElement { .. }
                | Self::Null { .. }
                | Self::WildcardOnNull { .. }
        )
    }
}

impl ReadError {
    /// The path of what stands in the way, or of what is not there.
    pub fn path(&self) -> &str {
        match self {
            Self::NoField { path }
            | Self::NoElement { path, .. }
            | Self::Null { path }
            | Self::NotObject { path, .. }
            | Self::NotList { path, .. }
            | Self::WildcardOnNull { path }
            | Self::WildcardOnScalar { path, .. }
            | Self::TooMany { path, .. } => path,
        }
    }
}

/// The most paths one wildcard path may expand to.
const MAX_EXPANSION: usize = 100_000;

pub(super) fn get<'a>(
    segments: &[Segment],
    object: ObjectRef<'a>,
) -> Result<ValueRef<'a>, ReadError> {
    let mut at = ValueRef::Object(object);
    for depth in 0..segments.len() {
        at = step(segments, depth, at)?;
    }
    if segments.is_empty() {
        return Ok(ValueRef::Null);
    }
    Ok(at)
}

/// Takes the step at `depth` from the value the steps before it led to.
fn step<'a>(
    segments: &[Segment],
    depth: usize,
    at: ValueRef<'a>,
) -> Result<ValueRef<'a>, ReadError> {
    let (before, rest) = segments.split_at(depth);
    let Some(segment) = rest.first() else {
        return Ok(at);
    };
    let here = || text_of(segments.get(..=depth).unwrap_or_default());
    match (segment, at) {
        (Segment::Field(name), ValueRef::Object(object)) => object
            .get(name)
            .ok_or_else(|| ReadError::NoField { path: here() }),
        (Segment::Field(_), ValueRef::Null) => Err(ReadError::Null {
            path: text_of(before),
        }),
        (Segment::Field(_), other) => Err(ReadError::NotObject {
            path: text_of(before),
            found: other.kind(),
        }),
        (Segment::Index(index), ValueRef::List(list)) => {
            list.get(*index as usize)
                .ok_or_else(|| ReadError::NoElement {
                    path: here(),
                    length: list.len(),
                })
        }
        (Segment::Index(_), other) => Err(ReadError::NotList {
            path: text_of(before),
            found: other.kind(),
        }),
    }
}

pub(super) fn expand(segments: &[Segment], object: ObjectRef<'_>) -> Result<Vec<Path>, ReadError> {
    let mut out = Vec::new();
    let mut path = Vec::with_capacity(segments.len());
    walk(segments, &mut path, ValueRef::Object(object), &mut out)?;
    Ok(out)
}

fn walk(
    segments: &[Segment],
    path: &mut Vec<Segment>,
    at: ValueRef<'_>,
    out: &mut Vec<Path>,
) -> Result<(), ReadError> {
    let Some(segment) = segments.get(path.len()) else {
        if out.len() >= MAX_EXPANSION {
            return Err(ReadError::TooMany {
                path: text_of(segments),
                limit: MAX_EXPANSION,
            });
        }
        out.push(path.iter().cloned().collect());
        return Ok(());
    };
    if !segment.is_wildcard() {
        path.push(segment.clone());
        let next = step(path, path.len() - 1, at);
        let result = match next {
            Ok(next) => walk(segments, path, next, out),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        };
        path.pop();
        return result;
    }
    let mut branch = |segment: Segment, next: ValueRef<'_>| {
        path.push(segment);
        let result = walk(segments, path, next, out);
        path.pop();
        result
    };
    match at {
        ValueRef::List(list) => {
            for (index, item) in (0..).zip(list.iter()) {
                branch(Segment::Index(index), item)?;
            }
            Ok(())
        }
        ValueRef::Object(object) => {
            for (key, item) in object {
                branch(Segment::Field(key.into()), item)?;
            }
            Ok(())
        }
        ValueRef::Null => Err(ReadError::WildcardOnNull {
            path: text_of(path),
        }),
        other => Err(ReadError::WildcardOnScalar {
            path: text_of(path),
            found: other.kind(),
        }),
    }
}
