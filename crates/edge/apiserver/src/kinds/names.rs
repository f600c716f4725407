//! What names, labels and annotations may look like.

use serde_json::{Map, Value};

use crate::failure::{Cause, FieldError};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                         and must start and end with an alphanumeric character";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                     start and end with an alphanumeric character";
/// All annotations of an object together.
const ANNOTATIONS: usize = 256 * 1024;

/// A DNS-1123 label.
pub(crate) fn is_label(text: &str) -> bool {
    !text.is_empty() && text.len() <= 63 && label_characters(text)
}

fn label_characters(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let ends = |c: Option<u8>| c.is_some_and(|c| c != b'-');
    text.bytes().all(inner) && ends(text.bytes().next()) && ends(text.bytes().last())
}

/// A DNS-1123 subdomain.
pub(crate) fn is_subdomain(text: &str) -> bool {
    text.len() <= 253
        && text
            .split('.')
            .all(|part| !part.is_empty() && label_characters(part))
}

fn qualified_name_part(text: &str) -> bool {
    let ends = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.bytes()
        .all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
        && ends(text.bytes().next())
        && ends(text.bytes().last())
}

/// What is wrong with a qualified name (`[prefix/]name`); empty when it is right.
pub(crate) fn qualified_name(text: &str) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            wrong.push("prefix part must be non-empty");
        } else if !is_subdomain(prefix) {
            wrong.push("prefix part must be a lowercase RFC 1123 subdomain");
        }
    }
    if name.contains('/') {
        return vec![
            "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with at most one prefix",
        ];
    }
    if name.is_empty() {
        wrong.push("name part must be non-empty");
    } else if name.len() > 63 {
        wrong.push("name part must be no more than 63 bytes");
    }
    if !qualified_name_part(name) {
        wrong.push("name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character");
    }
    wrong
}

/// Whether a label may have this value.
pub(crate) fn is_label_value(text: &str) -> bool {
    text.is_empty() || (text.len() <= 63 && qualified_name_part(text))
}

/// A key of a config map or secret.
pub(crate) fn is_data_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text != "."
        && !text.starts_with("..")
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
}

/// How a kind's objects may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    Subdomain,
    Label,
    /// Anything that may stand in a path.
    PathSegment,
}

/// Checks the metadata every kind has.
pub(crate) fn check_metadata(metadata: &Map<String, Value>, naming: Naming) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_name(metadata, naming, &mut errors);
    for (key, value) in entries(metadata, "annotations") {
        for why in qualified_name(&key.to_lowercase()) {
            errors.push(FieldError::invalid(
                "metadata.annotations",
                &key.as_str().into(),
                why,
            ));
        }
        let _ = value;
    }
    let size: usize = entries(metadata, "annotations")
        .map(|(k, v)| k.len() + v.as_str().map_or(0, str::len))
        .sum();
    if size > ANNOTATIONS {
        let detail = format!("may not be more than {ANNOTATIONS} bytes");
        errors.push(FieldError::plain(
            Cause::TooLong,
            "metadata.annotations",
            &detail,
        ));
    }
    for (key, value) in entries(metadata, "labels") {
        for why in qualified_name(key) {
            errors.push(FieldError::invalid(
                "metadata.labels",
                &key.as_str().into(),
                why,
            ));
        }
        if !value.as_str().is_some_and(is_label_value) {
            let why = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'";
            errors.push(FieldError::invalid("metadata.labels", value, why));
        }
    }
    check_owners(metadata, &mut errors);
    errors
}

fn entries<'a>(
    metadata: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    metadata
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn check_name(metadata: &Map<String, Value>, naming: Naming, errors: &mut Vec<FieldError>) {
    let text = |name: &str| {
        metadata
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let name = text("name");
    if name.is_empty() {
        errors.push(FieldError::required(
            "metadata.name",
            "name or generateName is required",
        ));
        return;
    }
    let why = match naming {
        Naming::Subdomain if !is_subdomain(name) => SUBDOMAIN,
        Naming::Label if !is_label(name) => LABEL,
        Naming::PathSegment if name == "." || name == ".." || name.contains(['/', '%']) => {
            "may not be '.' or '..' and may not contain '/' or '%'"
        }
        Naming::Subdomain | Naming::Label | Naming::PathSegment => return,
    };
    errors.push(FieldError::invalid("metadata.name", &name.into(), why));
}

fn check_owners(metadata: &Map<String, Value>, errors: &mut Vec<FieldError>) {
    let owners = metadata.get("ownerReferences").and_then(Value::as_array);
    let mut controllers = 0;
    for owner in owners.into_iter().flatten() {
        let text = |name: &str| owner.get(name).and_then(Value::as_str).unwrap_or_default();
        let at = "metadata.ownerReferences";
        if text("apiVersion").is_empty() {
            errors.push(FieldError::invalid(
                format!("{at}.apiVersion"),
                &text("apiVersion").into(),
                "version must not be empty",
            ));
        }
        for field in ["kind", "name", "uid"] {
            if text(field).is_empty() {
                let why = format!("{field} must not be empty");
                errors.push(FieldError::invalid(
                    format!("{at}.{field}"),
                    &"".into(),
                    &why,
                ));
            }
        }
        if text("apiVersion") == "v1" && text("kind") == "Event" {
            errors.push(FieldError::invalid(
                at,
                owner,
                "is disallowed from being an owner",
            ));
        }
        controllers += usize::from(owner.get("controller") == Some(&Value::Bool(true)));
    }
    if controllers > 1 {
        errors.push(FieldError::invalid(
            "metadata.ownerReferences",
            &owners.cloned().unwrap_or_default().into(),
            "Only one reference can have Controller set to true",
        ));
    }
}

/// Checks finalizers; the second list holds warnings.
pub(crate) fn check_finalizers(
    metadata: &Map<String, Value>,
    custom: bool,
) -> (Vec<FieldError>, Vec<String>) {
    const STANDARD: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let list = metadata.get("finalizers").and_then(Value::as_array);
    let names: Vec<&str> = list
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (i, name) in names.iter().enumerate() {
        let before = errors.len();
        for why in qualified_name(name) {
            errors.push(FieldError::invalid(
                "metadata.finalizers",
                &(*name).into(),
                why,
            ));
        }
        if errors.len() > before || name.contains('/') || STANDARD.contains(name) {
            continue;
        }
        if custom {
            warnings.push(format!(
                "metadata.finalizers: {name:?}: prefer a domain-qualified finalizer name including a path (/) to avoid \
                 accidental conflicts with other finalizer writers"
            ));
        } else {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(
                format!("metadata.finalizers[{i}]"),
                &(*name).into(),
                why,
            ));
        }
    }
    if names.contains(&"orphan") && names.contains(&"foregroundDeletion") {
        let why = "finalizers orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid(
            "metadata.finalizers",
            &names.into(),
            why,
        ));
    }
    (errors, warnings)
}
