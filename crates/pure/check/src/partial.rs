//! Is this file meant to hold whole objects?
//!
//! Tests of other tools compare with parts of objects, and keep what a run printed.

use serde_json::Value;

/// Whether a file may hold something to be merged into objects, by its name and that of its folder.
pub(crate) fn is_patch(file: &str) -> bool {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    let patch = |word: &str| matches!(word, "patch" | "patches");
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    patch(folder) || stem.rsplit(['.', '-', '_']).next().is_some_and(patch)
}

/// Whether a definition or Composition lacks what every one has, so that it is to be merged into another.
pub(crate) fn is_part(object: &Value) -> bool {
    let spec = &object["spec"];
    let needs: &[&str] = match object["kind"].as_str() {
        Some("Composition" | "CompositionRevision") => &["compositeTypeRef"],
        _ => &["group", "names", "versions"],
    };
    needs.iter().all(|field| spec[field].is_null())
}

/// Whether a file holds parts of objects, by its name: the assertions of kuttl, chainsaw and the like.
pub(crate) fn is_partial(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.split('.').next().unwrap_or(name).to_lowercase();
    let words = [
        "assert",
        "asserts",
        "assertion",
        "assertions",
        "error",
        "errors",
        "expected",
    ];
    words.iter().any(|word| {
        let before = stem.strip_suffix(word);
        let after = stem.strip_prefix(word);
        before.is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '_']))
            || after.is_some_and(|rest| rest.starts_with(['-', '_']))
    })
}

/// The folder of a test, when this object is one of kuttl or chainsaw: what is beside it is merged into what is there.
pub(crate) fn tests(object: &Value, file: &str) -> Option<String> {
    let api_version = object["apiVersion"].as_str()?;
    let (group, _) = api_version.split_once('/')?;
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    matches!(group, "chainsaw.kyverno.io" | "kuttl.dev").then(|| folder.to_owned())
}

/// Whether an object is one of a run: what is observed of a composed resource, or what a function is to be given. Tools
/// that render take parts of these.
pub(crate) fn is_observed(object: &Value, file: &str) -> bool {
    let annotations = &object["metadata"]["annotations"];
    let name = file.rsplit('/').next().unwrap_or(file).to_lowercase();
    let stem = name
        .split('.')
        .next()
        .unwrap_or(&name)
        .replace(['-', '_'], "");
    !annotations["crossplane.io/composition-resource-name"].is_null()
        || ["observed", "extraresource", "requiredresource"]
            .iter()
            .any(|word| stem.starts_with(word))
}

/// Whether an object has fields that are expressions of chainsaw, such as `(status.conditions[0])`.
pub(crate) fn is_asserted(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| {
            name.starts_with('(') && name.contains(')')
                || name.starts_with("~.")
                || is_asserted(value)
        }),
        Value::Array(items) => items.iter().any(is_asserted),
        _ => false,
    }
}

/// Whether a composite is what a run printed: its status, the references to what it is made of, and of the rest only
/// what names it.
pub(crate) fn is_printed(object: &Value) -> bool {
    let printed = [
        "crossplane",
        "resourceRefs",
        "compositionRef",
        "compositionRevisionRef",
    ];
    let spec = match &object["spec"] {
        Value::Null => object["status"].is_object(),
        Value::Object(spec) => {
            !spec.is_empty() && spec.keys().all(|field| printed.contains(&field.as_str()))
        }
        _ => false,
    };
    let metadata = object["metadata"].as_object();
    spec && metadata.is_some_and(|metadata| metadata.len() <= 3)
}

#[cfg(test)]
mod tests {
    use super::{is_partial, is_patch};

    #[test]
    fn patches_are_known_by_their_names_and_folders() {
        for patch in [
            "config/patches/webhook.yaml",
            "webhook.patch.yaml",
            "t/01-patch.yaml",
            "patch.yml",
        ] {
            assert!(is_patch(patch), "{patch}");
        }
        for whole in [
            "apis/dispatch.yaml",
            "patches/base/claim.yaml",
            "apis/patch-and-transform.yaml",
        ] {
            assert!(!is_patch(whole), "{whole}");
        }
    }

    #[test]
    fn assertions_are_known_by_their_names() {
        for partial in [
            "t/00-assert.yaml",
            "01-errors.yaml",
            "chainsaw/assert-ready.yaml",
            "expected.yaml",
        ] {
            assert!(is_partial(partial), "{partial}");
        }
        for whole in ["xrd.yaml", "errorbudget.yaml", "assertive/claim.yaml"] {
            assert!(!is_partial(whole), "{whole}");
        }
    }
}
