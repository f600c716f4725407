//! How is a value written at a path?

use super::{MAX_INDEX, Segment, text_of};
use crate::{List, Object, Value};

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A member was to be written into something that is not an object.
    #[error("{path}: is {found}, not an object")]
    NotObject {
        /// The path of what was found.
        path: String,
        /// What was found.
        found: &'static str,
    },
    /// An element was to be written into something that is not a list.
    #[error("{path}: is {found}, not a list")]
    NotList {
        /// The path of what was found.
        path: String,
        /// What was found.
        found: &'static str,
    },
    /// An index above [`MAX_INDEX`].
    #[error("{path}: index {index} is larger than the largest that may be written, {MAX_INDEX}")]
    TooLarge {
        /// The path of the element.
        path: String,
        /// The index.
        index: u32,
    },
}

impl WriteError {
    /// The path of what stands in the way.
    pub fn path(&self) -> &str {
        match self {
            Self::NotObject { path, .. }
            | Self::NotList { path, .. }
            | Self::TooLarge { path, .. } => path,
        }
    }
}

pub(super) fn set(
    segments: &[Segment],
    object: &mut Object,
    value: Value,
) -> Result<(), WriteError> {
    for (depth, segment) in segments.iter().enumerate() {
        if let Segment::Index(index) = segment
            && *index > MAX_INDEX
        {
            return Err(WriteError::TooLarge {
                path: text_of(segments.get(..=depth).unwrap_or_default()),
                index: *index,
            });
        }
    }
    let Some((first, rest)) = segments.split_first() else {
        return Ok(());
    };
    match first {
        Segment::Field(name) => set_field(segments, rest, object, name, value),
        Segment::Index(_) => Err(WriteError::NotList {
            path: String::new(),
            found: "an object",
        }),
    }
}

fn set_field(
    all: &[Segment],
    rest: &[Segment],
    object: &mut Object,
    name: &str,
    value: Value,
) -> Result<(), WriteError> {
    let Some((next, _)) = rest.split_first() else {
        object.insert(name, value);
        return Ok(());
    };
    // A member that is null is not replaced by a container; an element that is null is. Upstream's rule.
    if object.get(name).is_none() {
        object.insert(name, container(next));
    }
    let Some(child) = object.get_mut(name) else {
        return Ok(());
    };
    set_value(all, rest, child, value)
}

/// Takes the remaining steps from `target`.
fn set_value(
    all: &[Segment],
    rest: &[Segment],
    target: &mut Value,
    value: Value,
) -> Result<(), WriteError> {
    let Some((segment, rest)) = rest.split_first() else {
        *target = value;
        return Ok(());
    };
    let taken = all.len() - rest.len() - 1;
    let before = || text_of(all.get(..taken).unwrap_or_default());
    match (segment, target) {
        (Segment::Field(name), Value::Object(object)) => set_field(all, rest, object, name, value),
        (Segment::Field(_), other) => Err(WriteError::NotObject {
            path: before(),
            found: other.as_ref().kind(),
        }),
        (Segment::Index(index), Value::List(list)) => {
            let index = *index as usize;
            grow(list, index + 1);
            let Some(element) = list.get_mut(index) else {
                return Ok(());
            };
            if let Some(next) = rest.first()
                && matches!(element, Value::Null)
            {
                *element = container(next);
            }
            set_value(all, rest, element, value)
        }
        (Segment::Index(_), other) => Err(WriteError::NotList {
            path: before(),
            found: other.as_ref().kind(),
        }),
    }
}

/// The empty container the next step needs.
fn container(next: &Segment) -> Value {
    match next {
        Segment::Field(_) => Value::Object(Object::new()),
        Segment::Index(_) => Value::List(List::new()),
    }
}

fn grow(list: &mut List, length: usize) {
    while list.len() < length {
        list.push(Value::Null);
    }
}
