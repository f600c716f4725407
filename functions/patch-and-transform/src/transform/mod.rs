//! What becomes of a value on its way from one field to another?
//!
//! An [`Op`] is one compiled transform. Values are borrowed until a transform makes a new one.

mod convert;
mod map;
mod matching;
mod math;
mod string;

use std::borrow::Cow;

use purlin_object::{Value, ValueRef};

pub(crate) use convert::{Convert, Format, Kind};
pub(crate) use map::Map;
pub(crate) use matching::{Fallback, Match, Pattern};
pub(crate) use math::Math;
pub(crate) use purlin_template::gofmt::{TextCase, json_text};
pub(crate) use purlin_template::regexp;
pub(crate) use string::StringOp;

use purlin_template::gofmt::{self, Arg};

use crate::fault::Fault;

/// A value on its way.
#[derive(Clone, Debug)]
pub(crate) enum Data<'a> {
    /// As it was read.
    Borrowed(ValueRef<'a>),
    /// Made by a transform.
    Owned(Value),
    /// Text that is not UTF-8, which base64 may hold. It becomes text with replacement characters when it is written.
    Bytes(Vec<u8>),
}

impl Data<'_> {
    /// The value as an argument of a Go format.
    pub(crate) fn arg(&self) -> Arg<'_> {
        match self {
            Self::Borrowed(value) => (*value).into(),
            Self::Owned(value) => value.as_ref().into(),
            Self::Bytes(text) => Arg::Text(text),
        }
    }

    /// The text `%v` prints.
    fn text(&self) -> Cow<'_, [u8]> {
        match self.arg() {
            Arg::Text(text) => Cow::Borrowed(text),
            other => Cow::Owned(gofmt::default_text(other)),
        }
    }

    /// Text that may not be UTF-8.
    pub(crate) fn of_text(text: Vec<u8>) -> Self {
        match String::from_utf8(text) {
            Ok(text) => Self::Owned(Value::String(text)),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }

    /// The value as it is written into an object.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Borrowed(value) => value.to_owned(),
            Self::Owned(value) => value,
            Self::Bytes(text) => Value::String(gofmt::replace_invalid(&text)),
        }
    }
}

/// One compiled transform.
#[derive(Debug)]
pub(crate) enum Op {
    Math(Math),
    Map(Map),
    Match(Match),
    String(StringOp),
    Convert(Convert),
    /// Cannot run. Upstream does not check the transforms of a combining patch, so this says why only when it runs.
    Broken(String),
}

/// Applies transforms in order.
///
/// # Errors
/// Which transform could not be applied, why, and to what.
pub(crate) fn apply<'a>(ops: &[Op], data: Data<'a>) -> Result<Data<'a>, Fault> {
    let mut data = data;
    for (index, op) in ops.iter().enumerate() {
        let result = match op {
            Op::Math(math) => math.apply(data),
            Op::Map(map) => map.apply(&data),
            Op::Match(matching) => matching.apply(data),
            Op::String(string) => string.apply(&data),
            Op::Convert(convert) => convert.apply(data),
            Op::Broken(message) => Err(message.clone().into()),
        };
        data = result.map_err(|fault| Fault {
            message: format!("transforms[{index}]: {}", fault.message),
            ..fault
        })?;
    }
    Ok(data)
}

#[cfg(test)]
mod tests;
