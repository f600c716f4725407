//! How does JSON become a value, and back?

use serde_json::{Map, Number, Value as Json};

use crate::value::whole;
use crate::{Error, ListRef, Object, ObjectRef, Value, ValueRef};

impl Object {
    /// Takes over a JSON object.
    pub fn from_json(json: Json) -> Result<Self, Error> {
        match Value::from_json(json) {
            Value::Object(object) => Ok(object),
            other => Err(Error::NotAnObject(other.as_ref().kind())),
        }
    }
}

impl Value {
    /// Takes over a JSON value. Integers become [`Value::Int`] when they fit, other numbers [`Value::Double`].
    pub fn from_json(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(value) => match value.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Double(value.as_f64().unwrap_or_default()),
            },
            Json::String(value) => Self::String(value),
            Json::Array(values) => Self::List(values.into_iter().map(Self::from_json).collect()),
            Json::Object(entries) => Self::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, Self::from_json(value)))
                    .collect(),
            ),
        }
    }
}

impl ValueRef<'_> {
    /// The value as JSON. Doubles without a fraction and below 2^53 are written as integers, as Kubernetes shows them; NaN and
    /// the infinities, which JSON does not have, as null.
    pub fn to_json(self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Int(value) => Json::Number(value.into()),
            Self::Double(value) => number(value),
            Self::String(value) => Json::String(value.to_owned()),
            Self::List(value) => value.to_json(),
            Self::Object(value) => value.to_json(),
        }
    }
}

fn number(value: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match whole(value) {
        Some(whole) if value.abs() < EXACT => Json::Number(whole.into()),
        _ => Number::from_f64(value).map_or(Json::Null, Json::Number),
    }
}

impl ListRef<'_> {
    /// The list as JSON.
    pub fn to_json(self) -> Json {
        Json::Array(self.iter().map(ValueRef::to_json).collect())
    }
}

impl ObjectRef<'_> {
    /// The object as JSON; whole numbers below 2^53 are written as integers.
    pub fn to_json(self) -> Json {
        Json::Object(
            self.iter()
                .map(|(key, value)| (key.to_owned(), value.to_json()))
                .collect::<Map<_, _>>(),
        )
    }
}
