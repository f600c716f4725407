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

/// Decodes YAML as Kubernetes does: YAML 1.1 scalars, one document. Of a key that is there twice the last one counts.
pub(crate) fn yaml(body: &[u8]) -> Outcome<Decoded> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Failure::bad_request("yaml: the body is not UTF-8"))?;
    let mut text = text.to_owned();
    let mut duplicates = Vec::new();
    loop {
        let (documents, problems) = purlin_yaml::load("body", &text);
        let wrong = |p: &&purlin_diag::Diagnostic| p.severity == purlin_diag::Severity::Error;
        let Some(problem) = problems.iter().find(wrong) else {
            let value = documents
                .into_iter()
                .next()
                .map(|d| d.value)
                .unwrap_or_default();
            return Ok(Decoded { value, duplicates });
        };
        let refused = || {
            Failure::bad_request(format!(
                "error converting YAML to JSON: {}",
                problem.message
            ))
        };
        if problem.code.to_string() != "yaml/duplicate-key" || duplicates.len() >= MOST_DUPLICATES {
            return Err(refused());
        }
        text = without_first_of(&text, problem).ok_or_else(refused)?;
        duplicates.push(problem.path.clone().unwrap_or_default());
    }
}

/// How many repeated keys of one YAML body are forgiven.
const MOST_DUPLICATES: usize = 16;

/// The text without the earlier of two lines that set the same key to a scalar.
fn without_first_of(text: &str, problem: &purlin_diag::Diagnostic) -> Option<String> {
    let later = problem.place.as_ref()?.line as usize;
    let lines: Vec<&str> = text.lines().collect();
    let line = lines.get(later.checked_sub(1)?)?;
    let key = line.split(':').next()?;
    let head = format!("{key}:");
    let earlier = lines
        .iter()
        .take(later - 1)
        .rposition(|l| l.starts_with(&head))?;
    // Only a scalar on the same line is dropped; anything larger stays refused.
    if lines.get(earlier)?.split_once(':')?.1.trim().is_empty() {
        return None;
    }
    let kept = lines.iter().enumerate().filter(|(i, _)| *i != earlier);
    let kept: Vec<&str> = kept.map(|(_, line)| *line).collect();
    Some(kept.join("\n"))
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
