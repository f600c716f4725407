//! Which live resources does nobody want any more, and may they be deleted? (spec/engine.md 3.8)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use purlin_api::meta::{self, names};
use serde_json::Value;

/// The observed resources that are not desired and are controlled by the composite, by their key.
///
/// Nothing is deleted that nobody controls; something controlled by somebody else stops the reconcile, because its
/// reference would be lost.
///
/// # Errors
/// Says which resource is controlled by whom.
pub fn undesired(
    observed: &BTreeMap<String, Arc<Value>>,
    desired: &BTreeSet<&str>,
    composite_uid: &str,
) -> Result<Vec<(String, Arc<Value>)>, String> {
    let mut garbage = Vec::new();
    for (key, object) in observed {
        if desired.contains(key.as_str()) {
            continue;
        }
        match meta::controller(object) {
            None => {}
            Some(owner) if owner.uid == composite_uid => {
                garbage.push((key.clone(), Arc::clone(object)));
            }
            Some(owner) => {
                return Err(format!(
                    "refusing to delete composed resource {key:?} that is controlled by {} {:?}; remove that owner \
                     reference, or keep the resource in the Composition",
                    owner.kind, owner.name
                ));
            }
        }
    }
    Ok(garbage)
}

/// The object without the labels that tie it to its composite, or nothing when it carries none. An object that is
/// held by a finalizer for long is then not found among the composite's resources.
pub fn without_labels(object: &Value) -> Option<Value> {
    const TIES: [&str; 3] = [
        names::LABEL_COMPOSITE,
        names::LABEL_CLAIM_NAME,
        names::LABEL_CLAIM_NAMESPACE,
    ];
    let tied = TIES.iter().any(|label| {
        meta::at(object, &["metadata", "labels"]).is_some_and(|labels| labels.get(label).is_some())
    });
    tied.then(|| {
        let mut next = object.clone();
        meta::object_mut(&mut next, &["metadata", "labels"])
            .retain(|label, _| !TIES.contains(&label.as_str()));
        next
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn owned(uid: Option<&str>) -> Arc<Value> {
        let owners =
            uid.map(|uid| json!([{"uid": uid, "kind": "X", "name": "o", "controller": true}]));
        Arc::new(json!({"metadata": {"ownerReferences": owners}}))
    }

    #[test]
    fn only_what_is_ours_and_undesired_goes() {
        let observed = BTreeMap::from([
            ("wanted".to_owned(), owned(Some("u"))),
            ("ours".to_owned(), owned(Some("u"))),
            ("free".to_owned(), owned(None)),
        ]);
        let garbage = undesired(&observed, &BTreeSet::from(["wanted"]), "u").unwrap();
        assert_eq!(
            garbage.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(),
            ["ours"]
        );
    }

    #[test]
    fn somebody_elses_resource_stops_the_reconcile() {
        let observed = BTreeMap::from([("theirs".to_owned(), owned(Some("v")))]);
        let error = undesired(&observed, &BTreeSet::new(), "u").unwrap_err();
        assert!(error.contains("refusing to delete") && error.contains("theirs"));
    }
}
