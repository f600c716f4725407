//! What is in this object?
//!
//! The value every function and the pipeline work on. An [`Object`] is a `google.protobuf.Struct`, a [`List`] a
//! `google.protobuf.ListValue`. Both keep the bytes they arrived in: reading a field scans the encoded map entries,
//! changing one expands only the levels on the way to it, and writing copies untouched subtrees as they are.
//!
//! Bytes are checked once, when they are decoded ([`Limits`]); after that no reading can fail. Knows nothing of where an
//! object came from.

mod canon;
mod check;
mod condition;
mod encode;
mod error;
mod form;
mod json;
mod key;
mod list;
mod loose;
mod map;
pub mod merge;
mod message;
mod object;
pub mod path;
mod quantity;
mod scan;
mod serialize;
mod time;
mod value;
mod wire;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use condition::Condition;
pub use error::{Error, Limits};
pub use form::{Fill, Form, Payload};
pub use list::{List, ListIter, ListRef};
pub use object::{Object, ObjectIter, ObjectRef};
pub use path::Path;
pub use quantity::{Quantity, QuantityError};
pub use time::Instant;
pub use value::{Value, ValueRef};
