//! Is this file meant to hold whole objects?
//!
//! Tests of other tools compare with parts of objects, and keep what a run printed.

use serde_json::Value;

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
    use super::is_partial;

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
