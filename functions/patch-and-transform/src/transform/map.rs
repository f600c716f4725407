//! What does this key stand for?

use std::collections::BTreeMap;

use purlin_object::Value;

use super::Data;
use crate::fault::Fault;
use purlin_template::gofmt::Arg;

/// A compiled `map` transform. A key without a value is one whose value was written as null, which upstream refuses.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) pairs: BTreeMap<String, Value>,
}

impl Map {
    pub(super) fn apply<'a>(&self, data: &Data<'_>) -> Result<Data<'a>, Fault> {
        let Arg::Text(text) = data.arg() else {
            return Err(Fault::of(
                data.arg(),
                "map looks up strings; convert the value to a string first",
            ));
        };
        let key = String::from_utf8_lossy(text);
        match self.pairs.get(key.as_ref()) {
            None => Err(Fault::of(
                data.arg(),
                "map has no such key; add it, or use match, which has a fallback",
            )),
            Some(Value::Null) => Err(Fault::of(
                data.arg(),
                "map gives null for this key; give it a value",
            )),
            Some(value) => Ok(Data::Owned(value.clone())),
        }
    }
}
