//! Compares two schemas of one field, and the fields below it.

use serde_json::{Map, Value};

use super::{ChangeKind, Changes, Verdict, keywords};

/// Compares two schemas; `path` is the field they describe.
pub(super) fn compare(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    if old == new {
        return;
    }
    keywords::compare(old, new, path, changes);
    shape(old, new, path, changes);
    if let (Some(before), Some(after)) = (old.get("items"), new.get("items")) {
        compare(before, after, &format!("{path}[]"), changes);
    }
    let values = |schema: &Value| {
        schema
            .get("additionalProperties")
            .filter(|one| one.is_object())
            .cloned()
    };
    if let (Some(before), Some(after)) = (values(old), values(new)) {
        compare(&before, &after, &format!("{path}[*]"), changes);
    }
}

/// Properties against properties, and properties against free maps.
fn shape(old: &Value, new: &Value, path: &str, changes: &mut Changes) {
    let map = |schema: &Value| {
        schema
            .get("additionalProperties")
            .is_some_and(|one| one != false)
    };
    let fields = |schema: &Value| {
        schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default()
    };
    let (old_fields, new_fields) = (fields(old), fields(new));
    match (map(old), map(new)) {
        (true, false) if new_fields.is_empty() => {
            if new["x-kubernetes-preserve-unknown-fields"] != true {
                changes.changed(
                    path,
                    Verdict::Breaking,
                    "was a map of any keys and takes none now: stored keys are pruned",
                );
            }
        }
        (true, false) => {
            let why = "was a map of any keys and has fixed fields now: other keys are pruned";
            changes.changed(path, Verdict::Conditional, why);
        }
        (false, true) if !old_fields.is_empty() => {
            changes.changed(
                path,
                Verdict::Warning,
                "had fixed fields and is a map of any keys now: less is checked",
            );
        }
        (false, true) => changes.changed(path, Verdict::Safe, "takes any keys now"),
        _ => properties(old, new, &old_fields, &new_fields, path, changes),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the schemas and their fields, once read"
)]
fn properties(
    old: &Value,
    new: &Value,
    old_fields: &Map<String, Value>,
    new_fields: &Map<String, Value>,
    path: &str,
    changes: &mut Changes,
) {
    let required = |schema: &Value, name: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|list| list.iter().any(|one| one == name))
    };
    for (name, before) in old_fields {
        let at = field(path, name);
        let Some(after) = new_fields.get(name) else {
            let renamed = new_fields
                .iter()
                .find(|(other, schema)| !old_fields.contains_key(*other) && *schema == before);
            removed(
                new,
                before,
                renamed.map(|(name, _)| name.as_str()),
                &at,
                changes,
            );
            continue;
        };
        match (required(old, name), required(new, name)) {
            (false, true) if after.get("default").is_some() => {
                changes.changed(&at, Verdict::Warning, "is required now, and has a default");
            }
            (false, true) => {
                let why = "is required now: objects and manifests without it are refused";
                changes.changed(&at, Verdict::Conditional, why);
            }
            (true, false) => changes.changed(
                &at,
                Verdict::Safe,
                "is optional now; Compositions must do without it",
            ),
            _ => {}
        }
        compare(before, after, &at, changes);
    }
    for (name, after) in new_fields {
        if !old_fields.contains_key(name) {
            added(old, after, required(new, name), &field(path, name), changes);
        }
    }
}

fn removed(
    new_parent: &Value,
    before: &Value,
    renamed: Option<&str>,
    at: &str,
    changes: &mut Changes,
) {
    if new_parent["x-kubernetes-preserve-unknown-fields"] == true {
        let why = "is no longer declared; its parent keeps unknown fields, so values stay but are not checked";
        changes.add(at, ChangeKind::Removed, Verdict::Warning, why);
        return;
    }
    let what = kind(before);
    let mut why = format!(
        "{what} is gone: stored values are lost at the next write, and strict clients are refused"
    );
    if at.starts_with("status.") {
        why = format!("{what} is gone: whoever reads it finds nothing");
    }
    if let Some(name) = renamed {
        why = format!("{why}; if it was renamed to `{name}`, keep both for a while");
    }
    changes.add(at, ChangeKind::Removed, Verdict::Breaking, why);
}

fn added(old_parent: &Value, after: &Value, required: bool, at: &str, changes: &mut Changes) {
    let default = after.get("default");
    let what = kind(after);
    let (verdict, why) = match (required, default) {
        (true, None) => (
            Verdict::Breaking,
            format!(
                "a required {what} without a default: existing objects become invalid, and creates without it fail"
            ),
        ),
        (_, Some(default)) => (
            Verdict::Warning,
            format!("a new {what} with the default {default}, which every live object gets"),
        ),
        (false, None) if old_parent["x-kubernetes-preserve-unknown-fields"] == true => (
            Verdict::Conditional,
            format!(
                "a declared {what} where anything was kept: stored values of another type become invalid"
            ),
        ),
        (false, None) => (Verdict::Safe, format!("a new optional {what}")),
    };
    changes.add(at, ChangeKind::Added, verdict, why);
}

fn kind(schema: &Value) -> &str {
    schema["type"].as_str().unwrap_or("value")
}

fn field(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match (path.is_empty(), plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{name}]"),
    }
}
