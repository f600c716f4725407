//! Does a value fit its schema? All that is wrong is told, not the first only.
//!
//! Mirrors k8s.io/kube-openapi (pkg/validation/validate) and its ratcheting wrapper: every kind of check that applies
//! to a value runs; a failed combination (`oneOf`, `anyOf`, `allOf`, `not`) is an error of the whole object beside the
//! errors of the alternative that came closest.

use serde_json::{Map, Value};

use crate::error::{FieldError, WHOLE, child, element};
use crate::structural::{Additional, Kind, ListType, Schema};
use crate::{embedded, format, lists, number};

/// Validates a whole object: types and bounds, embedded resources, and uniqueness in lists.
pub fn validate(object: &Value, schema: &Schema) -> Vec<FieldError> {
    let mut errors = check(object, None, schema, "").errors;
    errors.extend(embedded::check(object, schema));
    errors.extend(lists::check(object, schema, ""));
    errors
}

/// Validates a change: what is wrong with a value that did not change is tolerated (ratcheting).
pub fn validate_update(object: &Value, old: &Value, schema: &Schema) -> Vec<FieldError> {
    let mut errors = check(object, Some(old), schema, "").errors;
    errors.extend(embedded::check(object, schema));
    // A list that had duplicates before it became a set or a map may keep them.
    if lists::check(old, schema, "").is_empty() {
        errors.extend(lists::check(object, schema, ""));
    }
    errors
}

/// Validates a part of an object against its own schema; paths begin with `path`.
pub fn validate_part(
    value: &Value,
    old: Option<&Value>,
    schema: &Schema,
    path: &str,
) -> Vec<FieldError> {
    check(value, old, schema, path).errors
}

/// What a check found, and how many checks applied: the alternative with most of them is the closest.
#[derive(Default)]
struct Found {
    errors: Vec<FieldError>,
    matches: usize,
}

impl Found {
    fn merge(&mut self, other: Self) {
        self.errors.extend(other.errors);
        self.matches += other.matches;
    }
}

fn check(value: &Value, old: Option<&Value>, schema: &Schema, path: &str) -> Found {
    let mut found = Found::default();
    if old == Some(value) {
        return found;
    }
    let shown = if path.is_empty() { WHOLE } else { path };
    if let Some(error) = wrong_type(value, schema, shown) {
        found.errors.push(error);
    }
    if let Some(allowed) = schema
        .allowed
        .as_ref()
        .filter(|allowed| value.is_null() || !allowed.iter().any(|one| equal(one, value)))
    {
        let words: Vec<String> = allowed.iter().map(Value::to_string).collect();
        found
            .errors
            .push(FieldError::not_supported(shown, value, &words));
    }
    if value.is_null() {
        return found;
    }
    found.matches += 3;
    combine(value, schema, path, &mut found);
    match value {
        Value::String(text) => {
            found.matches += 1;
            string(text, value, schema, shown, &mut found.errors);
        }
        Value::Number(number) => {
            found.matches += 1;
            number::check(number, value, schema, shown, &mut found.errors);
        }
        Value::Array(members) => list(members, old, schema, path, &mut found),
        Value::Object(members) => map(members, old, schema, path, &mut found),
        Value::Bool(_) | Value::Null => {}
    }
    found
}

fn wrong_type(value: &Value, schema: &Schema, path: &str) -> Option<FieldError> {
    let what = if schema.int_or_string {
        if value.is_string() || number::is_whole(value) {
            return None;
        }
        "an integer or a string".to_owned()
    } else {
        let kind = schema.kind?;
        if (value.is_null() && schema.nullable) || fits(value, kind) {
            return None;
        }
        format!("of type {}", kind.as_str())
    };
    if value.is_null() && schema.nullable {
        return None;
    }
    let detail = format!("must be {what}, not {}", name(value));
    Some(FieldError::type_invalid(path, value, &detail))
}

/// Whether a JSON value has a schema type. Whole floats are integers.
pub(crate) fn fits(value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::Object => value.is_object(),
        Kind::Array => value.is_array(),
        Kind::String => value.is_string(),
        Kind::Boolean => value.is_boolean(),
        Kind::Number => value.is_number(),
        Kind::Integer => number::is_whole(value),
    }
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if number::is_whole(value) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Equal as JSON, where `1` and `1.0` are the same number.
pub(crate) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => one == other,
    }
}

fn string(text: &str, value: &Value, schema: &Schema, path: &str, errors: &mut Vec<FieldError>) {
    let length = || text.chars().count() as u64;
    if let Some(max) = schema.max_length.filter(|max| length() > *max) {
        errors.push(FieldError::too_long(path, max));
    }
    if let Some(min) = schema.min_length.filter(|min| length() < *min) {
        let detail = format!("should be at least {min} characters long");
        errors.push(FieldError::invalid(path, value, &detail));
    }
    if let Some(pattern) = schema.pattern.as_ref().filter(|p| !p.is_match(text)) {
        let detail = format!("should match '{}'", pattern.source());
        errors.push(FieldError::invalid(path, value, &detail));
    }
    if let Some(format) = schema.format.as_deref()
        && format::matches(format, text) == Some(false)
    {
        let detail = format!("must be of format {format}");
        errors.push(FieldError::type_invalid(path, value, &detail));
    }
}

fn list(members: &[Value], old: Option<&Value>, schema: &Schema, path: &str, found: &mut Found) {
    found.matches += 1;
    let count = members.len();
    if let Some(items) = schema.items.as_deref() {
        for (index, member) in members.iter().enumerate() {
            let before = correlated(member, old, schema);
            found.merge(check(member, before, items, &element(path, index)));
        }
    }
    let shown = if path.is_empty() { WHOLE } else { path };
    if let Some(min) = schema.min_items.filter(|min| (count as u64) < *min) {
        let detail = format!("should have at least {min} items");
        let value = Value::Array(Vec::new());
        found
            .errors
            .push(FieldError::invalid(shown, &value, &detail));
    }
    if let Some(max) = schema.max_items.filter(|max| (count as u64) > *max) {
        found.errors.push(FieldError::too_many(shown, count, max));
    }
    let repeated =
        || (1..count).any(|i| members[..i].iter().any(|other| equal(other, &members[i])));
    if schema.unique_items && repeated() {
        let value = Value::Array(Vec::new());
        found.errors.push(FieldError::invalid(
            shown,
            &value,
            "shouldn't contain duplicates",
        ));
    }
}

/// The old member of a list that is the same thing: only lists of type map say which.
fn correlated<'a>(member: &Value, old: Option<&'a Value>, schema: &Schema) -> Option<&'a Value> {
    if schema.list_type != ListType::Map {
        return None;
    }
    let keys = |one: &'a Value| {
        let same = |key: &String| equal(&one[key.as_str()], &member[key.as_str()]);
        schema.list_map_keys.iter().all(same)
    };
    old?.as_array()?.iter().find(|one| keys(one))
}

fn map(
    members: &Map<String, Value>,
    old: Option<&Value>,
    schema: &Schema,
    path: &str,
    found: &mut Found,
) {
    found.matches += 1;
    let count = members.len();
    let shown = if path.is_empty() { WHOLE } else { path };
    if let Some(min) = schema.min_properties.filter(|min| (count as u64) < *min) {
        let detail = format!("should have at least {min} properties");
        let value = Value::Object(Map::new());
        found
            .errors
            .push(FieldError::invalid(shown, &value, &detail));
    }
    if let Some(max) = schema.max_properties.filter(|max| (count as u64) > *max) {
        found.errors.push(FieldError::too_many(shown, count, max));
    }
    let implied: &[&str] = if schema.embedded {
        &["apiVersion", "kind"]
    } else {
        &[]
    };
    let declared = schema.required.iter().map(String::as_str);
    let twice = |name: &&str| !schema.required.iter().any(|one| one == name);
    for name in declared.chain(implied.iter().copied().filter(twice)) {
        if !members.contains_key(name) {
            found
                .errors
                .push(FieldError::required(child(path, name), ""));
        }
    }
    for (name, member) in members {
        let at = child(path, name);
        let before = old.and_then(|old| old.get(name));
        if let Some(known) = schema.field(name) {
            found.merge(check(member, before, known, &at));
        } else if schema.additional == Some(Additional::Flag(false)) {
            found
                .errors
                .push(FieldError::invalid(at, member, "is a forbidden property"));
        }
    }
}

fn combine(value: &Value, schema: &Schema, path: &str, found: &mut Found) {
    let failed = |detail: &str| FieldError::invalid(WHOLE, &Value::Null, detail);
    if !schema.any_of.is_empty() {
        let (valid, closest) = alternatives(&schema.any_of, value, path);
        if valid == 0 {
            found
                .errors
                .push(failed("must validate at least one schema (anyOf)"));
            found.merge(closest);
        }
    }
    if !schema.one_of.is_empty() {
        let (valid, closest) = alternatives(&schema.one_of, value, path);
        if valid == 0 {
            found.errors.push(failed(
                "must validate one and only one schema (oneOf). Found none valid",
            ));
            found.merge(closest);
        } else if valid > 1 {
            let detail = format!(
                "must validate one and only one schema (oneOf). Found {valid} valid alternatives"
            );
            found.errors.push(failed(&detail));
        }
    }
    let mut all = true;
    for one in &schema.all_of {
        let result = check(value, None, one, path);
        all &= result.errors.is_empty();
        found.merge(result);
    }
    if !all {
        found
            .errors
            .push(failed("must validate all the schemas (allOf)"));
    }
    if let Some(not) = schema.not.as_deref()
        && check(value, None, not, path).errors.is_empty()
    {
        found
            .errors
            .push(failed("must not validate the schema (not)"));
    }
}

/// How many alternatives fit, and what the closest of the others found.
fn alternatives(schemas: &[Schema], value: &Value, path: &str) -> (usize, Found) {
    let mut valid = 0;
    let mut closest: Option<Found> = None;
    for schema in schemas {
        let result = check(value, None, schema, path);
        if result.errors.is_empty() {
            valid += 1;
        } else if closest
            .as_ref()
            .is_none_or(|best| result.matches > best.matches)
        {
            closest = Some(result);
        }
    }
    (valid, closest.unwrap_or_default())
}

#[cfg(test)]
mod tests;
