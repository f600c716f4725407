//! The JSONPath of printer columns: fields, indices, slices, wildcards, descent, filters and unions.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>),
    All,
    Descend,
    Filter {
        path: Vec<Step>,
        operator: String,
        value: Option<Value>,
    },
    Union(Vec<Step>),
}

/// Evaluates a path; unknown syntax finds nothing.
pub(crate) fn find<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    let path = path.trim().trim_start_matches('{').trim_end_matches('}');
    let Some(steps) = parse(path) else {
        return Vec::new();
    };
    run(vec![object], &steps)
}

fn run<'a>(mut values: Vec<&'a Value>, steps: &[Step]) -> Vec<&'a Value> {
    for step in steps {
        values = values
            .into_iter()
            .flat_map(|value| apply(value, step))
            .collect();
    }
    values
}

fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

fn apply<'a>(value: &'a Value, step: &Step) -> Vec<&'a Value> {
    match (step, value) {
        (Step::Field(name), Value::Object(map)) => map.get(name).into_iter().collect(),
        (Step::Index(i), Value::Array(list)) => place(*i, list.len())
            .and_then(|i| list.get(i))
            .into_iter()
            .collect(),
        (Step::Slice(from, to), Value::Array(list)) => {
            let end =
                |bound: &Option<i64>, or: usize| bound.map_or(Some(or), |i| place(i, list.len()));
            match (end(from, 0), end(to, list.len())) {
                (Some(from), Some(to)) if from < to => list.iter().take(to).skip(from).collect(),
                _ => Vec::new(),
            }
        }
        (Step::All, Value::Array(list)) => list.iter().collect(),
        (Step::All, Value::Object(map)) => map.values().collect(),
        (Step::Descend, _) => {
            let mut found = Vec::new();
            descend(value, &mut found);
            found
        }
        (
            Step::Filter {
                path,
                operator,
                value: wanted,
            },
            Value::Array(list),
        ) => list
            .iter()
            .filter(|item| {
                let found = run(vec![item], path);
                match wanted {
                    None => !found.is_empty(),
                    Some(wanted) => found
                        .first()
                        .is_some_and(|found| holds(found, operator, wanted)),
                }
            })
            .collect(),
        (Step::Union(steps), _) => steps.iter().flat_map(|step| apply(value, step)).collect(),
        _ => Vec::new(),
    }
}

fn descend<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    found.push(value);
    match value {
        Value::Object(map) => map.values().for_each(|v| descend(v, found)),
        Value::Array(list) => list.iter().for_each(|v| descend(v, found)),
        _ => {}
    }
}

fn holds(found: &Value, operator: &str, wanted: &Value) -> bool {
    use std::cmp::Ordering;
    let order = crate::apply::path::order(found, wanted);
    match operator {
        "==" | "=" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        ">=" => order != Ordering::Less,
        _ => false,
    }
}

fn parse(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path.trim_start_matches(['$', '@']);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Descend);
            rest = after;
            if rest.starts_with('[') {
                continue;
            }
            rest = name(rest, &mut steps)?;
        } else if let Some(after) = rest.strip_prefix('.') {
            rest = name(after, &mut steps)?;
        } else if rest.starts_with('[') {
            let end = closing(rest)?;
            steps.push(bracket(rest.get(1..end)?)?);
            rest = rest.get(end + 1..)?;
        } else {
            rest = name(rest, &mut steps)?;
        }
    }
    Some(steps)
}

/// Reads a plain name; a backslash escapes a dot.
fn name<'a>(text: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    let mut end = text.len();
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => out.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' => {
                end = i;
                break;
            }
            other => out.push(other),
        }
    }
    match out.as_str() {
        "" => {}
        "*" => steps.push(Step::All),
        _ => steps.push(Step::Field(out)),
    }
    text.get(end..)
}

/// The place of the bracket that closes the one the text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut quote = None;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

fn unquote(text: &str) -> Option<String> {
    let text = text.trim();
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
            return Some(inner.replace("\\.", "."));
        }
    }
    None
}

fn bracket(text: &str) -> Option<Step> {
    let text = text.trim();
    if let Some(filter) = text.strip_prefix("?(").and_then(|t| t.strip_suffix(')')) {
        return filter_step(filter);
    }
    if text == "*" {
        return Some(Step::All);
    }
    if text.contains(',') && unquote(text).is_none_or(|t| t.contains(['\'', '"'])) {
        let parts: Option<Vec<Step>> = text.split(',').map(bracket).collect();
        return parts.map(Step::Union);
    }
    if let Some(field) = unquote(text) {
        return Some(Step::Field(field));
    }
    if let Some((from, to)) = text.split_once(':') {
        let bound = |t: &str| {
            if t.is_empty() {
                Some(None)
            } else {
                t.trim().parse().ok().map(Some)
            }
        };
        return Some(Step::Slice(bound(from)?, bound(to.split(':').next()?)?));
    }
    text.parse().ok().map(Step::Index)
}

fn filter_step(text: &str) -> Option<Step> {
    for operator in ["==", "!=", "<=", ">=", "<", ">"] {
        if let Some((left, right)) = text.split_once(operator) {
            let value = match unquote(right) {
                Some(text) => Value::String(text),
                None => serde_json::from_str(right.trim()).ok()?,
            };
            return Some(Step::Filter {
                path: parse(left.trim())?,
                operator: operator.to_owned(),
                value: Some(value),
            });
        }
    }
    Some(Step::Filter {
        path: parse(text.trim())?,
        operator: String::new(),
        value: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::find;

    fn check(path: &str, expected: &Value) {
        let object = json!({
            "spec": {"a.b": 1, "list": ["x", "y", "z"]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False"}]},
        });
        let found: Vec<Value> = find(&object, path).into_iter().cloned().collect();
        assert_eq!(Value::Array(found), *expected, "{path}");
    }

    #[test]
    fn paths_find_fields_items_and_matches() {
        check(".spec.list[0]", &json!(["x"]));
        check(".spec.list[-1]", &json!(["z"]));
        check(".spec.list[1:3]", &json!(["y", "z"]));
        check(".spec['a.b']", &json!([1]));
        check(".spec.a\\.b", &json!([1]));
        check(
            ".status.conditions[?(@.type==\"Ready\")].status",
            &json!(["True"]),
        );
        check(
            ".status.conditions[?(@.type=='Synced')].status",
            &json!(["False"]),
        );
        check(".status.conditions[*].type", &json!(["Ready", "Synced"]));
        check("..type", &json!(["Ready", "Synced"]));
        check(".spec.nope", &json!([]));
    }
}
