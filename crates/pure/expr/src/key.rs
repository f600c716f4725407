//! What can be the key of a map?

use std::cmp::Ordering;

use crate::value::{NotData, Text, Val, whole};

/// The key of a map.
#[derive(Debug, Clone)]
pub enum Key<'a> {
    /// A truth value.
    Bool(bool),
    /// A whole number; unsigned ones that fit are the same key.
    Int(i64),
    /// An unsigned number beyond the signed ones.
    UInt(u64),
    /// A text.
    String(Text<'a>),
}

impl<'a> Key<'a> {
    /// The value as a key, if it can be one. A whole double is the key of its integer.
    pub(crate) fn from_val(value: &Val<'a>) -> Option<Self> {
        match value {
            Val::Bool(b) => Some(Self::Bool(*b)),
            Val::Int(i) => Some(Self::Int(*i)),
            Val::UInt(u) => Some(i64::try_from(*u).map_or(Self::UInt(*u), Self::Int)),
            Val::Double(d) => whole(*d).map(Self::Int),
            Val::String(text) => Some(Self::String(text.clone())),
            _ => None,
        }
    }

    /// The key as a value.
    pub fn to_val(&self) -> Val<'a> {
        match self {
            Self::Bool(b) => Val::Bool(*b),
            Self::Int(i) => Val::Int(*i),
            Self::UInt(u) => Val::UInt(*u),
            Self::String(text) => Val::String(text.clone()),
        }
    }

    pub(crate) fn to_field(&self) -> Result<String, NotData> {
        match self {
            Self::String(text) => Ok(text.as_str().to_owned()),
            other => Err(NotData::Form(format!(
                "field names are texts, not {}",
                other.to_val().show()
            ))),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) => 1,
            Self::UInt(_) => 2,
            Self::String(_) => 3,
        }
    }

    /// A total order, for keys of any lifetime.
    pub(crate) fn order(&self, other: &Key<'_>) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Key::Bool(b)) => a.cmp(b),
            (Self::Int(a), Key::Int(b)) => a.cmp(b),
            (Self::UInt(a), Key::UInt(b)) => a.cmp(b),
            (Self::String(a), Key::String(b)) => a.as_str().cmp(b.as_str()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}
