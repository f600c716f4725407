//! Which kinds of values may a value of a type be?

use std::ops::BitOr;

use super::Ty;

/// A set of kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(u16);

impl Class {
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOL: Self = Self(1 << 1);
    pub(crate) const INT: Self = Self(1 << 2);
    pub(crate) const UINT: Self = Self(1 << 3);
    pub(crate) const DOUBLE: Self = Self(1 << 4);
    pub(crate) const STRING: Self = Self(1 << 5);
    pub(crate) const BYTES: Self = Self(1 << 6);
    pub(crate) const DURATION: Self = Self(1 << 7);
    pub(crate) const TIMESTAMP: Self = Self(1 << 8);
    pub(crate) const LIST: Self = Self(1 << 9);
    pub(crate) const MAP: Self = Self(1 << 10);
    pub(crate) const OPTIONAL: Self = Self(1 << 11);
    pub(crate) const TYPE: Self = Self(1 << 12);
    pub(crate) const SPECIAL: Self = Self(1 << 13);
    pub(crate) const ALL: Self = Self(u16::MAX);
    pub(crate) const NUMBER: Self = Self(Self::INT.0 | Self::UINT.0 | Self::DOUBLE.0);

    pub(crate) fn of(ty: &Ty<'_>) -> Self {
        match ty {
            Ty::Dyn | Ty::Err => Self::ALL,
            Ty::Null => Self::NULL,
            Ty::Bool => Self::BOOL,
            Ty::Int => Self::INT,
            Ty::UInt => Self::UINT,
            Ty::Double => Self::DOUBLE,
            Ty::Number => Self::INT | Self::DOUBLE,
            Ty::IntOrString => Self::INT | Self::STRING,
            Ty::String(_) => Self::STRING,
            Ty::Bytes => Self::BYTES,
            Ty::Duration => Self::DURATION,
            Ty::Timestamp => Self::TIMESTAMP,
            Ty::Type => Self::TYPE,
            Ty::List(_) | Ty::Array(_) => Self::LIST,
            Ty::Map(_) | Ty::Record(_) | Ty::Object(_) | Ty::Whole(_) | Ty::Shaped(_) => Self::MAP,
            Ty::Optional(_) => Self::OPTIONAL,
            Ty::Special(_) => Self::SPECIAL,
        }
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The kinds that are in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Class {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
