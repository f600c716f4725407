//! Reads the body of a request: JSON, YAML or protobuf, within bounds.

use std::fmt;

use http::HeaderMap;
use serde_json::{Map, Value};

use crate::failure::{Failure, Outcome};

/// The largest body taken.
pub(crate) const LARGEST: usize = 3 * 1024 * 1024;

/// A decoded body and what was noticed on the way.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub value: Value,
    /// Paths of keys that were there twice; the last one counts.
    pub duplicates: Vec<String>,
}

/// The media type of the body, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
}

/// Decodes an object. `None` for an empty body.
pub(crate) fn decode(headers: &HeaderMap, body: &[u8]) -> Outcome<Option<Decoded>> {
    if body.is_empty() {
        return Ok(None);
    }
    let decoded = match media_type(headers) {
        "" | "application/json" => json(body)?,
        "application/yaml" => yaml(body)?,
        "application/vnd.kubernetes.protobuf" => Decoded {
            value: super::protobuf::decode(body).map_err(Failure::bad_request)?,
            duplicates: Vec::new(),
        },
        _ => {
            return Err(Failure::media_type(&[
                "application/json",
                "application/yaml",
                "application/vnd.kubernetes.protobuf",
            ]));
        }
    };
    Ok(Some(decoded))
}

/// Decodes JSON and notices duplicate keys. Depth is bounded by the parser (128).
pub(crate) fn json(body: &[u8]) -> Outcome<Decoded> {
    let mut duplicates = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let seed = Seed {
        path: String::new(),
        duplicates: &mut duplicates,
    };
    let value = serde::de::DeserializeSeed::deserialize(seed, &mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| {
            Failure::bad_request(format!(
                "the object provided is unrecognized (must be valid JSON): {error}"
            ))
        })?;
    Ok(Decoded { value, duplicates })
}

/// Decodes YAML as Kubernetes does: YAML 1.1 scalars, one document.
pub(crate) fn yaml(body: &[u8]) -> Outcome<Decoded> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Failure::bad_request("yaml: the body is not UTF-8"))?;
    let (documents, problems) = purlin_yaml::load("body", text);
    let mut duplicates = Vec::new();
    for problem in problems.iter() {
        let code = problem.code.to_string();
        if code.contains("duplicate") {
            duplicates.push(problem.message.clone());
        } else if problem.severity == purlin_diag::Severity::Error {
            return Err(Failure::bad_request(format!(
                "error converting YAML to JSON: {}",
                problem.message
            )));
        }
    }
    let value = documents
        .into_iter()
        .next()
        .map(|d| d.value)
        .unwrap_or_default();
    Ok(Decoded { value, duplicates })
}

struct Seed<'a> {
    path: String,
    duplicates: &'a mut Vec<String>,
}

impl<'de> serde::de::DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> serde::de::Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let seed = Seed {
                path: format!("{}[{}]", self.path, items.len()),
                duplicates: &mut *self.duplicates,
            };
            match sequence.next_element_seed(seed)? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let path = if self.path.is_empty() {
                key.clone()
            } else {
                format!("{}.{key}", self.path)
            };
            if map.contains_key(&key) {
                self.duplicates.push(path.clone());
            }
            let seed = Seed {
                path,
                duplicates: &mut *self.duplicates,
            };
            map.insert(key, access.next_value_seed(seed)?);
        }
        Ok(Value::Object(map))
    }
}
