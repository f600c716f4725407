//! Label and field selectors.

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::kinds::Which;
use crate::kinds::names::{is_label_value, qualified_name};
use crate::registry::{Resource, Source};

#[derive(Debug, Clone, PartialEq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

/// What an object must match to be listed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<(String, Test)>,
    fields: Vec<(String, bool, String)>,
}

impl Selector {
    pub(crate) fn parse(
        labels: Option<&str>,
        fields: Option<&str>,
        resource: &Resource,
    ) -> Outcome<Self> {
        let labels = labels
            .map(parse_labels)
            .transpose()
            .map_err(|why| Failure::bad_request(format!("unable to parse requirement: {why}")))?;
        let fields = fields
            .map(parse_fields)
            .transpose()
            .map_err(Failure::bad_request)?;
        let fields = fields.unwrap_or_default();
        let known = known_fields(resource);
        for (field, ..) in &fields {
            if !known.iter().any(|k| k == field) {
                return Err(Failure::bad_request(format!(
                    "field label not supported: {field}"
                )));
            }
        }
        Ok(Self {
            labels: labels.unwrap_or_default(),
            fields,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.labels.iter().all(|(key, test)| {
            let label = object["metadata"]["labels"][key].as_str();
            match test {
                Test::In(values) => label.is_some_and(|l| values.iter().any(|v| v == l)),
                Test::NotIn(values) => label.is_none_or(|l| !values.iter().any(|v| v == l)),
                Test::Exists => label.is_some(),
                Test::Absent => label.is_none(),
                Test::Above(n) => label
                    .and_then(|l| l.parse::<i64>().ok())
                    .is_some_and(|l| l > *n),
                Test::Below(n) => label
                    .and_then(|l| l.parse::<i64>().ok())
                    .is_some_and(|l| l < *n),
            }
        }) && self
            .fields
            .iter()
            .all(|(field, equal, value)| (field_value(object, field) == *value) == *equal)
    }
}

/// The fields a kind can be selected by.
fn known_fields(resource: &Resource) -> Vec<String> {
    let mut known = vec!["metadata.name".to_owned()];
    if resource.namespaced {
        known.push("metadata.namespace".to_owned());
    }
    let about = [
        "kind",
        "namespace",
        "name",
        "uid",
        "apiVersion",
        "resourceVersion",
        "fieldPath",
    ];
    match &resource.source {
        Source::Custom(custom) => {
            known.extend(
                custom
                    .selectable
                    .iter()
                    .map(|p| p.trim_start_matches('.').to_owned()),
            );
        }
        Source::Builtin(builtin) => match builtin.which {
            Which::Event => {
                known.extend(about.map(|f| format!("involvedObject.{f}")));
                known.extend(["reason", "reportingComponent", "source", "type"].map(str::to_owned));
            }
            Which::NewEvent => {
                known.extend(about.map(|f| format!("regarding.{f}")));
                known.extend(["reason", "reportingController", "type"].map(str::to_owned));
            }
            Which::Secret => known.push("type".to_owned()),
            Which::Namespace => known.push("status.phase".to_owned()),
            _ => {}
        },
    }
    known
}

fn field_value(object: &Value, field: &str) -> String {
    let value = match field {
        "source" => &object["source"]["component"],
        path => path.split('.').fold(object, |value, part| &value[part]),
    };
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn parse_fields(text: &str) -> Result<Vec<(String, bool, String)>, String> {
    let mut terms = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match (c, terms.last_mut()) {
            (',', _) if !escaped => terms.push(String::new()),
            (c, Some(term)) => term.push(c),
            (_, None) => {}
        }
        escaped = c == '\\' && !escaped;
    }
    let terms = terms.iter().filter(|t| !t.is_empty()).map(|term| {
        for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
            if let Some((field, value)) = term.split_once(operator) {
                return Ok((field.to_owned(), equal, unescape(value)?));
            }
        }
        Err(format!(
            "invalid selector: '{term}'; can't understand '{term}'"
        ))
    });
    terms.collect()
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next @ ('\\' | ',' | '=')) => out.push(next),
                _ => {
                    return Err(format!(
                        "invalid field selector: invalid escape sequence in {text:?}"
                    ));
                }
            },
            ',' | '=' => {
                return Err(format!(
                    "invalid field selector: unescaped character in {text:?}"
                ));
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// Splits a label selector into words and symbols.
fn tokens(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    let flush = |word: &mut String, out: &mut Vec<String>| {
        if !word.is_empty() {
            out.push(std::mem::take(word));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => flush(&mut word, &mut out),
            '=' | '!' if chars.peek() == Some(&'=') => {
                chars.next();
                flush(&mut word, &mut out);
                out.push(format!("{c}="));
            }
            '=' | '!' | '(' | ')' | ',' | '<' | '>' => {
                flush(&mut word, &mut out);
                out.push(c.to_string());
            }
            other => word.push(other),
        }
    }
    flush(&mut word, &mut out);
    out
}

fn parse_labels(text: &str) -> Result<Vec<(String, Test)>, String> {
    let tokens = tokens(text);
    let mut rest = tokens.iter().map(String::as_str).peekable();
    let mut out = Vec::new();
    if rest.peek().is_none() {
        return Ok(out);
    }
    loop {
        out.push(requirement(&mut rest)?);
        match rest.next() {
            None => return Ok(out),
            Some(",") => {}
            Some(other) => return Err(format!("found '{other}', expected: ',' or end of string")),
        }
    }
}

type Tokens<'a, I> = std::iter::Peekable<I>;

fn requirement<'a, I: Iterator<Item = &'a str>>(
    rest: &mut Tokens<'a, I>,
) -> Result<(String, Test), String> {
    let absent = rest.next_if_eq(&"!").is_some();
    let key = word(rest)?;
    if let Some(why) = qualified_name(&key).first() {
        return Err(format!("key: Invalid value: {key:?}: {why}"));
    }
    if absent {
        return Ok((key, Test::Absent));
    }
    let test = match rest.peek().copied() {
        None | Some(",") => return Ok((key, Test::Exists)),
        Some("=" | "==") => {
            rest.next();
            Test::In(vec![value(rest)?])
        }
        Some("!=") => {
            rest.next();
            Test::NotIn(vec![value(rest)?])
        }
        Some(operator @ ("<" | ">")) => {
            rest.next();
            let text = value(rest)?;
            let number = text
                .parse()
                .map_err(|_| format!("values[0]: Invalid value: {text:?}: must be an integer"))?;
            if operator == ">" {
                Test::Above(number)
            } else {
                Test::Below(number)
            }
        }
        Some(operator @ ("in" | "notin")) => {
            rest.next();
            let values = values(rest)?;
            if operator == "in" {
                Test::In(values)
            } else {
                Test::NotIn(values)
            }
        }
        Some(other) => return Err(format!("found '{other}', expected: an operator")),
    };
    Ok((key, test))
}

fn word<'a, I: Iterator<Item = &'a str>>(rest: &mut Tokens<'a, I>) -> Result<String, String> {
    match rest.next() {
        Some(text) if !matches!(text, "=" | "==" | "!=" | "!" | "(" | ")" | "," | "<" | ">") => {
            Ok(text.to_owned())
        }
        Some(other) => Err(format!("found '{other}', expected: identifier")),
        None => Err("found '', expected: identifier".into()),
    }
}

fn checked(text: String) -> Result<String, String> {
    if is_label_value(&text) {
        Ok(text)
    } else {
        Err(format!(
            "values[0]: Invalid value: {text:?}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
        ))
    }
}

/// One value; it may be empty.
fn value<'a, I: Iterator<Item = &'a str>>(rest: &mut Tokens<'a, I>) -> Result<String, String> {
    match rest.peek() {
        None | Some(&",") => Ok(String::new()),
        Some(_) => checked(word(rest)?),
    }
}

fn values<'a, I: Iterator<Item = &'a str>>(
    rest: &mut Tokens<'a, I>,
) -> Result<Vec<String>, String> {
    if rest.next() != Some("(") {
        return Err("expected: '('".into());
    }
    let mut out = Vec::new();
    loop {
        match rest.peek() {
            Some(&("," | ")")) => out.push(String::new()),
            Some(_) => out.push(checked(word(rest)?)?),
            None => return Err("found '', expected: ',' or ')'".into()),
        }
        match rest.next() {
            Some(")") => return Ok(out),
            Some(",") => {}
            _ => return Err("expected: ',' or ')'".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Selector, parse_fields, parse_labels};

    fn check(labels: &str, selector: &str) -> bool {
        let mut map = serde_json::Map::new();
        for pair in labels.split_whitespace() {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            map.insert(key.into(), value.into());
        }
        let selector = Selector {
            labels: parse_labels(selector).expect("a selector"),
            fields: Vec::new(),
        };
        selector.matches(&json!({"metadata": {"labels": map}}))
    }

    #[test]
    fn labels_are_matched_by_equality_sets_presence_and_number() {
        assert!(check("app=x", "app=x"));
        assert!(check("app=x", "app in (x, y),!gone"));
        assert!(check("", "app!=x"));
        assert!(check("", "app notin (x)"));
        assert!(!check("", "app"));
        assert!(check("n=5", "n>4,n<6"));
        assert!(check("app=", "app="));
    }

    #[test]
    fn broken_selectors_are_refused() {
        for bad in [
            "app=x,",
            "tier>a",
            "bad key=v",
            "app=bad value",
            "app in (x",
            ",",
        ] {
            assert!(parse_labels(bad).is_err(), "{bad}");
        }
        assert!(parse_fields("metadata.name").is_err());
    }
}
