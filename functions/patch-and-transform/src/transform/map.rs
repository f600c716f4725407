//! What does this key stand for?

use std::collections::BTreeMap;

use purlin_object::Value;

use super::Data;
use purlin_template::gofmt::Arg;

/// A compiled `map` transform. A key without a value is one whose value was written as null, which upstream refuses.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) pairs: BTreeMap<String, Value>,
}

impl Map {
    pub(super) fn apply<'a>(&self, data: &Data<'_>) -> Result<Data<'a>, String> {
        let Arg::Text(text) = data.arg() else {
            return Err(format!(
                "map looks up strings, and the value is {}; convert it to a string first",
                data.kind()
            ));
        };
        let key = String::from_utf8_lossy(text);
        match self.pairs.get(key.as_ref()) {
            None => Err(format!(
                "map has no key `{key}`; add it, or use match, which has a fallback"
            )),
            Some(Value::Null) => Err(format!("map gives null for the key `{key}`")),
            Some(value) => Ok(Data::Owned(value.clone())),
        }
    }
}
