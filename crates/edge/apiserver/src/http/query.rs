//! The query string of a request.

use crate::failure::{Cause, Failure, FieldError, Outcome};
use serde_json::Value;

/// The pairs of a query string, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key, true), decode(value, true))
        });
        Self {
            pairs: pairs.collect(),
        }
    }

    /// The first value of a parameter; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(key, _)| key == name)?;
        Some(pair.1.as_str()).filter(|v| !v.is_empty())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// Whether a flag is set: only `false` and `0` mean that it is not.
    pub(crate) fn flag(&self, name: &str) -> bool {
        let pair = self.pairs.iter().find(|(key, _)| key == name);
        pair.is_some_and(|(_, value)| !matches!(value.to_lowercase().as_str(), "false" | "0"))
    }

    /// A whole number, or 400.
    pub(crate) fn number(&self, name: &str) -> Outcome<Option<i64>> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text.parse().map_err(|_| {
            Failure::bad_request(format!(
                "strconv.ParseInt: parsing {text:?}: invalid syntax ({name})"
            ))
        })?;
        Ok(Some(number))
    }

    fn all(&self, name: &str) -> Vec<&str> {
        let values = self.pairs.iter().filter(|(key, _)| key == name);
        values.map(|(_, value)| value.as_str()).collect()
    }

    /// Whether the write is only tried. `options` names the kind in errors, such as `CreateOptions`.
    pub(crate) fn dry_run(&self, options: &str) -> Outcome<bool> {
        let values = self.all("dryRun");
        check_dry_run(values.into_iter(), options)
    }
}

/// Whether the values of a `dryRun` list ask for a dry run.
pub(crate) fn check_dry_run<'a>(
    values: impl Iterator<Item = &'a str>,
    options: &str,
) -> Outcome<bool> {
    let mut dry = false;
    let mut errors = Vec::new();
    for value in values {
        match value {
            "All" => dry = true,
            other => {
                let bad = Value::from(vec![other]);
                errors.push(FieldError::value(
                    Cause::NotSupported,
                    "dryRun",
                    &bad,
                    "supported values: \"All\"",
                ));
            }
        }
    }
    if errors.is_empty() {
        Ok(dry)
    } else {
        Err(Failure::invalid("meta.k8s.io", options, "", &errors))
    }
}

/// Decodes percent escapes; `plus` makes `+` a space, as in query strings.
pub(crate) fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit = |i: usize| bytes.get(at + i).and_then(|b| char::from(*b).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
                continue;
            }
            (b'+', _, _) if plus => out.push(b' '),
            (other, _, _) => out.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
