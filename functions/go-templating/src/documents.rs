//! Which objects did a template render?

use purlin_object::{Object, Value};

use crate::yaml::{self, Dialect, Node, read};

/// The objects of a rendered text, which may be YAML documents or JSON objects one after the other. Empty documents are
/// left out. The mistake says the document and the line.
pub(crate) fn objects(text: &str) -> Result<Vec<Object>, String> {
    let mut found = Vec::new();
    for (number, (first_line, piece)) in (1..).zip(pieces(text)) {
        if piece.trim_start().starts_with('{')
            && let Some(objects) = json(piece)
        {
            found.extend(objects);
            continue;
        }
        if let Some(object) = yaml::object(piece) {
            found.push(object);
            continue;
        }
        let documents = read(piece, Dialect::Kubernetes).map_err(|(line, message)| {
            let excerpt = piece
                .lines()
                .nth(line.saturating_sub(1))
                .unwrap_or_default();
            let excerpt: String = excerpt.trim().chars().take(80).collect();
            format!(
                "yaml: line {} (document {number}, line {line}) near: '{excerpt}': {message}",
                first_line + line
            )
        })?;
        let [document] = documents.as_slice() else {
            if documents.is_empty() {
                continue;
            }
            return Err(format!(
                "yaml: line {} (document {number}): '---' must stand alone on its line",
                first_line + 1
            ));
        };
        match value(document) {
            Value::Null => {}
            Value::Object(object) => found.push(object),
            other => {
                return Err(format!(
                    "document {number} (line {}) is {}, not an object",
                    first_line + 1,
                    other.as_ref().kind()
                ));
            }
        }
    }
    Ok(found)
}

/// The object of a single document, without the quick reader.
#[cfg(test)]
pub(crate) fn slow_object(text: &str) -> Result<Option<Object>, String> {
    match read(text, Dialect::Kubernetes) {
        Ok(documents) => Ok(match documents.as_slice() {
            [document] => match value(document) {
                Value::Object(object) => Some(object),
                _ => None,
            },
            _ => None,
        }),
        Err((_, message)) => Err(message),
    }
}

/// The text between lines that are `---`, each with the number of lines before it.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let is_separator = line.strip_prefix("---").is_some_and(|rest| {
            let rest = rest.trim();
            rest.is_empty() || rest.starts_with('#')
        });
        if is_separator {
            pieces.push((start_line, text.get(start..at).unwrap_or_default()));
            start = at + line.len();
            start_line = number + 1;
        }
        at += line.len();
    }
    pieces.push((start_line, text.get(start..).unwrap_or_default()));
    pieces.retain(|(_, piece)| !piece.trim().is_empty());
    pieces
}

/// JSON objects one after the other.
fn json(piece: &str) -> Option<Vec<Object>> {
    serde_json::Deserializer::from_str(piece)
        .into_iter::<serde_json::Value>()
        .map(|json| Object::from_json(json.ok()?).ok())
        .collect()
}

fn value(node: &Node) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Int(value) => Value::Int(*value),
        Node::Float(value) => Value::Double(*value),
        Node::Text(text) => Value::String(text.clone()),
        Node::Time(nanos) => Value::String(nanos.to_string()),
        Node::List(items) => Value::List(items.iter().map(value).collect()),
        Node::Map(entries) => {
            let entries = entries.iter().filter_map(|(key, held)| match key {
                Node::Text(key) => Some((key.clone(), value(held))),
                _ => None,
            });
            Value::Object(entries.collect())
        }
    }
}
