//! Which objects does a step ask for by labels, and which of those found does it use, in which order?
//!
//! The part that function-environment-configs and function-extra-resources have in common, in their words.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_object::{Object, ObjectRef, Path, ValueRef};
use purlin_proto::v1::Resource;
use serde::Deserialize;

/// One label that the objects carry.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LabelMatcher {
    /// `FromCompositeFieldPath` (the default) or `Value`. Any other word contributes no label.
    pub r#type: String,
    /// The label's key.
    pub key: String,
    /// Where in the composite the label's value is.
    pub value_from_field_path: Option<String>,
    /// `Required` (the default), or `Optional`: a value that cannot be read contributes no label.
    pub from_field_path_policy: Option<String>,
    /// The label's value itself.
    pub value: Option<String>,
}

/// What is wrong with matchers, found without a composite. `path` is that of the list.
pub fn check_labels(matchers: &[LabelMatcher], path: &str) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (index, matcher) in matchers.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let missing =
            |field: &str| Diagnostic::error("input/required", "is required").path(at(field));
        match matcher.r#type.as_str() {
            "Value" if matcher.value.is_none() => {
                found.push(missing("value").help("the value of the label"));
            }
            "Value" => {}
            "" | "FromCompositeFieldPath" => match &matcher.value_from_field_path {
                None => found
                    .push(missing("valueFromFieldPath").help("the field of the composite to read")),
                Some(text) => found.extend(check_path(text, &at("valueFromFieldPath"))),
            },
            other => {
                let message = format!("`{other}` is unknown, and the entry contributes no label");
                let help = "it is FromCompositeFieldPath or Value";
                found.push(
                    Diagnostic::warning("input/invalid", message)
                        .path(at("type"))
                        .help(help),
                );
            }
        }
    }
    found
}

/// What is wrong with a field path in the input.
pub fn check_path(text: &str, path: &str) -> Option<Diagnostic> {
    let error = Path::parse(text).err()?;
    Some(
        Diagnostic::error("input/field-path", error.to_string())
            .path(path)
            .help("write it like spec.list[0].name"),
    )
}

/// The labels that matchers ask for. Empty when none of them contributes one.
///
/// # Errors
/// What is wrong with which matcher, in words that say what to do.
pub fn labels(
    matchers: &[LabelMatcher],
    composite: ObjectRef<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    for (index, matcher) in matchers.iter().enumerate() {
        if let Some(value) = label(matcher, composite)
            .map_err(|why| format!("matchLabels[{index}] ({}): {why}", matcher.key))?
        {
            labels.insert(matcher.key.clone(), value);
        }
    }
    Ok(labels)
}

fn label(matcher: &LabelMatcher, composite: ObjectRef<'_>) -> Result<Option<String>, String> {
    match matcher.r#type.as_str() {
        "Value" => {
            let value = matcher.value.clone();
            value
                .map(Some)
                .ok_or_else(|| "type Value needs a value".to_owned())
        }
        "" | "FromCompositeFieldPath" => {
            let path = matcher.value_from_field_path.as_deref();
            let path = path
                .ok_or_else(|| "type FromCompositeFieldPath needs valueFromFieldPath".to_owned())?;
            match (
                text_at(path, composite),
                matcher.from_field_path_policy.as_deref(),
            ) {
                (Ok(value), _) => Ok(Some(value)),
                (Err(_), Some("Optional")) => Ok(None),
                (Err(why), _) => Err(why),
            }
        }
        _ => Ok(None),
    }
}

fn text_at(path: &str, composite: ObjectRef<'_>) -> Result<String, String> {
    let parsed = Path::parse(path).map_err(|error| error.to_string())?;
    let value = parsed.get(composite).map_err(|error| {
        format!("in the composite, {error}; set it, or say fromFieldPathPolicy: Optional")
    })?;
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| {
        format!(
            "{path} of the composite is {}, and a label needs a string",
            value.kind()
        )
    })
}

/// How many of the objects found are used, and in which order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// At least as many must be found.
    pub min_match: Option<u64>,
    /// At most as many are used, after sorting; 0 uses none.
    pub max_match: Option<u64>,
    /// What to sort by; by `metadata.name` when it is absent or empty.
    pub sort_by: Option<&'a str>,
}

/// Chooses among the objects found.
///
/// # Errors
/// When there are too few, or when they cannot be put in an order, in words that say what to do.
pub fn choose<'a>(found: &'a [Resource], choice: Choice<'_>) -> Result<Vec<ObjectRef<'a>>, String> {
    if let Some(min) = choice.min_match.filter(|min| (found.len() as u64) < *min) {
        return Err(format!(
            "expected at least {min} objects, found {}",
            found.len()
        ));
    }
    let objects = found.iter().map(object).collect();
    let mut sorted = sort(
        objects,
        choice
            .sort_by
            .filter(|path| !path.is_empty())
            .unwrap_or("metadata.name"),
    )?;
    if let Some(max) = choice.max_match {
        sorted.truncate(usize::try_from(max).unwrap_or(usize::MAX));
    }
    Ok(sorted)
}

/// The object that was found; an empty one when the caller sent none.
pub fn object(found: &Resource) -> ObjectRef<'_> {
    static NOTHING: Object = Object::new();
    found.resource.as_ref().unwrap_or(&NOTHING).as_ref()
}

/// A value objects are sorted by. Objects without one count as having the zero value of the others' type.
#[derive(Clone, Copy)]
enum Key<'a> {
    Text(&'a str),
    Number(f64),
    Missing,
    Other(&'static str),
}

fn sort<'a>(objects: Vec<ObjectRef<'a>>, path: &str) -> Result<Vec<ObjectRef<'a>>, String> {
    if objects.is_empty() {
        return Ok(objects);
    }
    let parsed = Path::parse(path).map_err(|error| format!("sortByFieldPath: {error}"))?;
    let mut keyed = Vec::with_capacity(objects.len());
    for object in objects {
        let key = match parsed.get(object) {
            Ok(ValueRef::String(text)) => Key::Text(text),
            Ok(ValueRef::Null) => Key::Missing,
            Ok(value) => value.as_f64().map_or(Key::Other(value.kind()), Key::Number),
            Err(error) if error.is_not_found() => Key::Missing,
            Err(error) => return Err(format!("cannot sort by {path}: {error}")),
        };
        keyed.push((key, object));
    }
    if keyed.len() > 1 {
        check_sortable(&keyed, path)?;
    }
    keyed.sort_by(|(a, _), (b, _)| compare(*a, *b));
    Ok(keyed.into_iter().map(|(_, object)| object).collect())
}

fn check_sortable(keyed: &[(Key<'_>, ObjectRef<'_>)], path: &str) -> Result<(), String> {
    let has = |test: fn(&Key<'_>) -> bool| keyed.iter().any(|(key, _)| test(key));
    if let Some(kind) = keyed.iter().find_map(|(key, _)| {
        if let Key::Other(kind) = key {
            Some(kind)
        } else {
            None
        }
    }) {
        return Err(format!(
            "cannot sort by {path}: one value is {kind}; only strings and numbers can be sorted"
        ));
    }
    if has(|key| matches!(key, Key::Text(_))) && has(|key| matches!(key, Key::Number(_))) {
        return Err(format!(
            "cannot sort by {path}: some values are strings and some are numbers"
        ));
    }
    Ok(())
}

fn compare(a: Key<'_>, b: Key<'_>) -> Ordering {
    match (a, b) {
        (Key::Text(a), Key::Text(b)) => a.cmp(b),
        (Key::Number(a), Key::Number(b)) => a.total_cmp(&b),
        (Key::Missing, Key::Text(b)) => "".cmp(b),
        (Key::Text(a), Key::Missing) => a.cmp(""),
        (Key::Missing, Key::Number(b)) => 0.0_f64.total_cmp(&b),
        (Key::Number(a), Key::Missing) => a.total_cmp(&0.0),
        (Key::Missing, Key::Missing)
        | (Key::Other(_), _)
        | (_, Key::Other(_))
        | (Key::Text(_), Key::Number(_))
        | (Key::Number(_), Key::Text(_)) => Ordering::Equal,
    }
}
