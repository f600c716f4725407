//! JSON Patch (RFC 6902) in the dialect of github.com/evanphx/json-patch v4, which Kubernetes uses.
//!
//! Its differences: an absent path tests equal to null, `replace` adds an absent member, indices may be negative, and
//! a `copy` from an absent member copies a null.

use serde_json::Value;

use crate::failure::{Failure, FieldError, Outcome};

/// The most operations one patch may have.
const MOST: usize = 10_000;

/// Applies a patch. The second result holds warnings.
pub(crate) fn apply(target: &mut Value, patch: &Value) -> Outcome<Vec<String>> {
    let Some(operations) = patch.as_array() else {
        return Err(Failure::bad_request(
            "error decoding patch: a JSON patch is a list of operations",
        ));
    };
    if operations.len() > MOST {
        let text = format!(
            "The allowed maximum operations in a JSON patch is {MOST}, got {}",
            operations.len()
        );
        return Err(Failure::new(413, "RequestEntityTooLarge", text));
    }
    let mut warnings = Vec::new();
    for operation in operations {
        run(target, operation, &mut warnings).map_err(|why| refused(&why))?;
    }
    Ok(warnings)
}

/// The 422 of a patch that does not apply.
fn refused(why: &str) -> Failure {
    let text = format!("the server rejected our request due to an error in our request: {why}");
    Failure::new(422, "Invalid", text).with_details()
}

/// The 422 of a patch whose result has problems.
pub(crate) fn strict(problems: &[String], patch: &str) -> Failure {
    let why = format!("strict decoding error: {}", problems.join(", "));
    Failure::invalid(
        "",
        "",
        "",
        &[FieldError::invalid("patch", &patch.into(), &why)],
    )
}

fn run(target: &mut Value, operation: &Value, warnings: &mut Vec<String>) -> Result<(), String> {
    let text = |name: &str| operation.get(name).and_then(Value::as_str);
    let pointer = |name: &str| -> Result<Vec<String>, String> {
        let path = text(name).ok_or_else(|| format!("the operation has no {name}"))?;
        Ok(split(path))
    };
    let path = pointer("path")?;
    if text("path").is_some_and(|p| !p.is_empty() && !p.starts_with('/')) {
        warnings.push(format!(
            "json patch path {:?} does not begin with '/'",
            text("path").unwrap_or_default()
        ));
    }
    let value = || operation.get("value").cloned().unwrap_or(Value::Null);
    match text("op").unwrap_or_default() {
        "add" => add(target, &path, value()),
        "remove" => remove(target, &path).map(drop),
        "replace" => replace(target, &path, value()),
        "test" => test(target, &path, &value()),
        "move" => {
            let moved = remove(target, &pointer("from")?)?;
            add(target, &path, moved)
        }
        "copy" => {
            let from = pointer("from")?;
            let (last, parents) = from.split_last().ok_or("cannot copy the whole document")?;
            let parent = find(target, parents).ok_or("the source of the copy is absent")?;
            let copied = match parent {
                Value::Object(map) => map.get(last).cloned().unwrap_or(Value::Null),
                Value::Array(list) => {
                    let i = index(last, list.len())
                        .ok_or("the source index of the copy is out of range")?;
                    list.get(i).cloned().unwrap_or(Value::Null)
                }
                _ => return Err("the source of the copy is inside a scalar".into()),
            };
            add(target, &path, copied)
        }
        other => Err(format!("unknown operation {other:?}")),
    }
}

fn split(pointer: &str) -> Vec<String> {
    if pointer.is_empty() {
        return Vec::new();
    }
    let parts = pointer.split('/').skip(1);
    parts
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// An index into a list of this length; negative ones count from the end.
fn index(text: &str, length: usize) -> Option<usize> {
    let number: i64 = text.parse().ok()?;
    let length = i64::try_from(length).ok()?;
    let place = if number < 0 { number + length } else { number };
    usize::try_from(place)
        .ok()
        .filter(|i| i64::try_from(*i).is_ok_and(|i| i < length))
}

fn find<'a>(target: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(target, |value, part| match value {
        Value::Object(map) => map.get(part),
        Value::Array(list) => list.get(index(part, list.len())?),
        _ => None,
    })
}

fn find_mut<'a>(target: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(target, |value, part| match value {
        Value::Object(map) => map.get_mut(part),
        Value::Array(list) => {
            let i = index(part, list.len())?;
            list.get_mut(i)
        }
        _ => None,
    })
}

fn parent<'a, 'b>(
    target: &'a mut Value,
    path: &'b [String],
) -> Result<(&'a mut Value, &'b str), String> {
    let (last, parents) = path
        .split_last()
        .ok_or("the whole document cannot be changed this way")?;
    let parent = find_mut(target, parents)
        .ok_or_else(|| format!("doc is missing path: /{}", path.join("/")))?;
    Ok((parent, last))
}

fn add(target: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    match parent(target, path)? {
        (Value::Object(map), key) => {
            map.insert(key.to_owned(), value);
        }
        (Value::Array(list), "-") => list.push(value),
        (Value::Array(list), key) => {
            let place =
                index(key, list.len() + 1).ok_or_else(|| format!("index {key} is out of range"))?;
            list.insert(place, value);
        }
        _ => return Err(format!("doc is missing path: /{}", path.join("/"))),
    }
    Ok(())
}

fn remove(target: &mut Value, path: &[String]) -> Result<Value, String> {
    match parent(target, path)? {
        (Value::Object(map), key) => map
            .remove(key)
            .ok_or_else(|| format!("unable to remove nonexistent key: {key}: missing value")),
        (Value::Array(list), key) => {
            let place =
                index(key, list.len()).ok_or_else(|| format!("index {key} is out of range"))?;
            Ok(list.remove(place))
        }
        _ => Err(format!("doc is missing path: /{}", path.join("/"))),
    }
}

fn replace(target: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    match parent(target, path)? {
        (Value::Object(map), key) => {
            map.insert(key.to_owned(), value);
        }
        (Value::Array(list), key) => {
            let place =
                index(key, list.len()).ok_or_else(|| format!("index {key} is out of range"))?;
            if let Some(item) = list.get_mut(place) {
                *item = value;
            }
        }
        _ => return Err(format!("doc is missing path: /{}", path.join("/"))),
    }
    Ok(())
}

fn test(target: &Value, path: &[String], value: &Value) -> Result<(), String> {
    let found = find(target, path).unwrap_or(&Value::Null);
    if crate::apply::path::same(found, value) {
        Ok(())
    } else {
        Err(format!(
            "testing value /{} failed: test failed",
            path.join("/")
        ))
    }
}
