//! What is in an object's metadata, and which of its labels, annotations, finalizers and managers are ours?
//!
//! Objects are JSON values here: the API server is the only judge of their shape, so a reader never fails, it only
//! finds nothing.

use serde_json::{Map, Value};

/// Labels, annotations, finalizers and field managers as Crossplane v2 writes them (spec/engine.md 3.1).
pub mod names {
    /// The root composite's prefix, on composites and on everything composed below them.
    pub const LABEL_COMPOSITE: &str = "crossplane.io/composite";
    /// The claim's name, on a claimed composite and on what it composes.
    pub const LABEL_CLAIM_NAME: &str = "crossplane.io/claim-name";
    /// The claim's namespace.
    pub const LABEL_CLAIM_NAMESPACE: &str = "crossplane.io/claim-namespace";
    /// The Composition a revision was made from.
    pub const LABEL_COMPOSITION_NAME: &str = "crossplane.io/composition-name";
    /// The first 63 characters of the hash a revision was made of.
    pub const LABEL_COMPOSITION_HASH: &str = "crossplane.io/composition-hash";
    /// The package a function revision belongs to.
    pub const LABEL_PACKAGE: &str = "pkg.crossplane.io/package";
    /// The key of a composed resource in its pipeline's desired state.
    pub const ANNOTATION_RESOURCE_NAME: &str = "crossplane.io/composition-resource-name";
    /// Exactly `"true"` stops every reconcile of the object, its deletion included.
    pub const ANNOTATION_PAUSED: &str = "crossplane.io/paused";
    /// A Go duration: how often a composite is reconciled although nothing happened.
    pub const ANNOTATION_POLL_INTERVAL: &str = "crossplane.io/poll-interval";
    /// A token: a new value asks for one reconcile.
    pub const ANNOTATION_RECONCILE_REQUESTED: &str = "crossplane.io/reconcile-requested-at";
    /// The name outside the cluster; travels between claim and composite in both directions.
    pub const ANNOTATION_EXTERNAL_NAME: &str = "crossplane.io/external-name";
    /// Holds a composite until its deletion was seen.
    pub const FINALIZER_COMPOSITE: &str = "composite.apiextensions.crossplane.io";
    /// Holds a claim until its composite was told to go.
    pub const FINALIZER_CLAIM: &str = "finalizer.apiextensions.crossplane.io";
    /// Holds a definition until its composites are gone.
    pub const FINALIZER_DEFINED: &str = "defined.apiextensions.crossplane.io";
    /// Holds a definition until its claims are gone.
    pub const FINALIZER_OFFERED: &str = "offered.apiextensions.crossplane.io";
    /// The manager of plain updates: finalizers, references, statuses.
    pub const MANAGER_UPDATE: &str = "crossplane";
    /// The manager of what a composite applies to itself.
    pub const MANAGER_COMPOSITE: &str = "apiextensions.crossplane.io/composite";
    /// The manager of what a claim applies to its composite.
    pub const MANAGER_CLAIM: &str = "apiextensions.crossplane.io/claim";
    /// The prefix of the managers of composed resources; a hash of the composite follows.
    pub const MANAGER_COMPOSED: &str = "apiextensions.crossplane.io/composed/";
    /// The type of the Secrets that carry connection details.
    pub const SECRET_TYPE: &str = "connection.crossplane.io/v1alpha1";
}

/// Group, version and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version inside the group.
    pub version: String,
    /// The kind.
    pub kind: String,
}

impl Gvk {
    /// Reads `group/version` or `version`, and a kind.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// The kind of an object, when it says one.
    pub fn of(object: &Value) -> Option<Self> {
        Some(Self::new(
            object.get("apiVersion")?.as_str()?,
            object.get("kind")?.as_str()?,
        ))
    }

    /// `group/version`, or `version` in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

impl std::fmt::Display for Gvk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind)
    }
}

/// The owner that controls an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Controller<'a> {
    /// Its UID.
    pub uid: &'a str,
    /// Its apiVersion.
    pub api_version: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// A string at a path of keys; empty when there is none.
pub fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The value at a path of keys.
pub fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

/// `metadata.name`
pub fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

/// `metadata.namespace`; empty for a cluster-scoped object.
pub fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

/// `metadata.uid`
pub fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

/// `metadata.resourceVersion`
pub fn resource_version(object: &Value) -> &str {
    text(object, &["metadata", "resourceVersion"])
}

/// `metadata.generation`; 0 when there is none.
pub fn generation(object: &Value) -> i64 {
    at(object, &["metadata", "generation"])
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// Whether somebody asked for the object's deletion.
pub fn is_deleting(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some_and(|v| !v.is_null())
}

/// Whether reconciles of the object are paused.
pub fn is_paused(object: &Value) -> bool {
    annotation(object, names::ANNOTATION_PAUSED) == "true"
}

/// The value of a label; empty when there is none.
pub fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    text(object, &["metadata", "labels", key])
}

/// The value of an annotation; empty when there is none.
pub fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    text(object, &["metadata", "annotations", key])
}

/// Whether the object carries every one of the labels.
pub fn has_labels(object: &Value, labels: &Map<String, Value>) -> bool {
    labels
        .iter()
        .all(|(key, want)| at(object, &["metadata", "labels", key]) == Some(want))
}

/// The owner reference with `controller: true`.
pub fn controller(object: &Value) -> Option<Controller<'_>> {
    at(object, &["metadata", "ownerReferences"])?
        .as_array()?
        .iter()
        .find(|owner| owner.get("controller") == Some(&Value::Bool(true)))
        .map(|owner| Controller {
            uid: text(owner, &["uid"]),
            api_version: text(owner, &["apiVersion"]),
            kind: text(owner, &["kind"]),
            name: text(owner, &["name"]),
        })
}

/// An owner reference that makes `owner` the controller and blocks its foreground deletion.
pub fn controller_reference(owner: &Value) -> Value {
    serde_json::json!({
        "apiVersion": owner.get("apiVersion"), "kind": owner.get("kind"), "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// The object at a path of keys, made where it is missing. A value of another type in the way is replaced.
pub fn object_mut<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut here = object;
    for key in path {
        if !here.is_object() {
            *here = Value::Object(Map::new());
        }
        here = here
            .as_object_mut()
            .expect("it was just made an object")
            .entry(*key)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    if !here.is_object() {
        *here = Value::Object(Map::new());
    }
    here.as_object_mut().expect("it was just made an object")
}

/// Whether the object carries a finalizer.
pub fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    finalizers(object).any(|f| f == finalizer)
}

/// The object's finalizers.
pub fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    at(object, &["metadata", "finalizers"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Adds a finalizer that is not there yet.
pub fn add_finalizer(object: &mut Value, finalizer: &str) {
    if has_finalizer(object, finalizer) {
        return;
    }
    let list = object_mut(object, &["metadata"])
        .entry("finalizers")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Some(list) = list.as_array_mut() {
        list.push(finalizer.into());
    }
}

/// Removes a finalizer.
pub fn remove_finalizer(object: &mut Value, finalizer: &str) {
    if let Some(Value::Array(list)) = object_mut(object, &["metadata"]).get_mut("finalizers") {
        list.retain(|f| f.as_str() != Some(finalizer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_is_read_with_and_without_a_group() {
        assert_eq!(Gvk::new("v1", "Secret").api_version(), "v1");
        let gvk = Gvk::of(&json!({"apiVersion": "a.b/v2", "kind": "K"})).unwrap();
        assert_eq!((gvk.group.as_str(), gvk.version.as_str()), ("a.b", "v2"));
        assert_eq!(gvk.to_string(), "a.b/v2 K");
    }

    #[test]
    fn the_controller_is_the_owner_that_says_so() {
        let object = json!({"metadata": {"ownerReferences": [
            {"uid": "1", "kind": "A", "name": "a"},
            {"uid": "2", "kind": "B", "name": "b", "controller": true},
        ]}});
        assert_eq!(controller(&object).unwrap().uid, "2");
        assert!(controller(&json!({})).is_none());
    }

    #[test]
    fn finalizers_are_added_once_and_removed() {
        let mut object = json!({});
        add_finalizer(&mut object, "a");
        add_finalizer(&mut object, "a");
        add_finalizer(&mut object, "b");
        assert_eq!(finalizers(&object).collect::<Vec<_>>(), ["a", "b"]);
        remove_finalizer(&mut object, "a");
        assert!(!has_finalizer(&object, "a"));
    }
}
