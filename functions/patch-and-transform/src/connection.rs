//! Which connection details does this observed resource give?

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_object::{ObjectRef, ValueRef};

use crate::plan::{Detail, DetailSource};
use crate::transform::json_text;

/// Adds the details of one resource. What is not there yet is left out; it may come later.
pub(crate) fn extract(
    details: &[Detail],
    observed: ObjectRef<'_>,
    secret: &BTreeMap<String, Bytes>,
    out: &mut BTreeMap<String, Bytes>,
) {
    for detail in details {
        let value = match &detail.from {
            DetailSource::Key(key) => secret.get(key).cloned(),
            DetailSource::Value(value) => Some(Bytes::copy_from_slice(value.as_bytes())),
            DetailSource::Field(path) => {
                match path.as_ref().and_then(|path| path.get(observed).ok()) {
                    Some(ValueRef::String(text)) => Some(Bytes::copy_from_slice(text.as_bytes())),
                    Some(value) => json_text(value.into()).ok().map(Bytes::from),
                    None => None,
                }
            }
        };
        if let Some(value) = value {
            out.insert(detail.name.clone(), value);
        }
    }
}
