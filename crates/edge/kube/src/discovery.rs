//! Which kinds are served, where, and how? Answers are kept; a miss asks again, but not more often than once a second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use purlin_api::meta::{self, Gvk};
use serde_json::Value;

/// A served kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// The name in paths.
    pub plural: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether the status is written apart.
    pub status: bool,
}

impl Kind {
    /// The path of an object, or of the collection when `name` is empty.
    pub(crate) fn path(&self, namespace: &str, name: &str, subresource: &str) -> String {
        let mut path = if self.gvk.group.is_empty() {
            format!("/api/{}", self.gvk.version)
        } else {
            format!("/apis/{}/{}", self.gvk.group, self.gvk.version)
        };
        let mut push = |part: &str| {
            path.push('/');
            path.push_str(part);
        };
        if self.namespaced && !namespace.is_empty() {
            push("namespaces");
            push(namespace);
        }
        push(&self.plural);
        for part in [name, subresource] {
            if !part.is_empty() {
                push(part);
            }
        }
        path
    }
}

/// How long an answer that lacked the kind is believed.
const BELIEVED: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
pub(crate) struct Discovery {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    kinds: BTreeMap<Gvk, Arc<Kind>>,
    missed: BTreeMap<Gvk, Instant>,
}

impl Discovery {
    pub(crate) fn known(&self, gvk: &Gvk) -> Option<Arc<Kind>> {
        self.lock().kinds.get(gvk).cloned()
    }

    /// Whether the kind was just asked for in vain.
    pub(crate) fn just_missed(&self, gvk: &Gvk) -> bool {
        self.lock()
            .missed
            .get(gvk)
            .is_some_and(|at| at.elapsed() < BELIEVED)
    }

    /// Takes in an APIResourceList of a group version, and answers whether it has the kind.
    pub(crate) fn learn(&self, gvk: &Gvk, list: &Value) -> Option<Arc<Kind>> {
        let resources = list
            .get("resources")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let mut known = self.lock();
        for resource in resources {
            let plural = meta::text(resource, &["name"]);
            if plural.contains('/') {
                continue;
            }
            let kind = Kind {
                gvk: Gvk {
                    kind: meta::text(resource, &["kind"]).to_owned(),
                    ..gvk.clone()
                },
                plural: plural.to_owned(),
                namespaced: resource.get("namespaced") == Some(&Value::Bool(true)),
                status: resources
                    .iter()
                    .any(|r| meta::text(r, &["name"]).strip_suffix("/status") == Some(plural)),
            };
            known.kinds.insert(kind.gvk.clone(), Arc::new(kind));
        }
        let found = known.kinds.get(gvk).cloned();
        if found.is_none() {
            known.missed.insert(gvk.clone(), Instant::now());
        } else {
            known.missed.remove(gvk);
        }
        found
    }

    pub(crate) fn forget_group(&self, group: &str) {
        let mut known = self.lock();
        known.kinds.retain(|gvk, _| gvk.group != group);
        known.missed.retain(|gvk, _| gvk.group != group);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_become_kinds_and_their_paths() {
        let list = serde_json::json!({"resources": [
            {"name": "buckets", "kind": "Bucket", "namespaced": true},
            {"name": "buckets/status", "kind": "Bucket", "namespaced": true},
            {"name": "plain", "kind": "Plain", "namespaced": false}]});
        let discovery = Discovery::default();
        let gvk = |kind: &str| Gvk::new("i.org/v1", kind);
        let bucket = discovery.learn(&gvk("Bucket"), &list).unwrap();
        assert!(bucket.status && bucket.namespaced);
        assert_eq!(
            bucket.path("n", "a", "status"),
            "/apis/i.org/v1/namespaces/n/buckets/a/status"
        );
        assert_eq!(bucket.path("", "", ""), "/apis/i.org/v1/buckets");
        assert!(!discovery.known(&gvk("Plain")).unwrap().status);
        assert!(discovery.learn(&gvk("Other"), &list).is_none());
        assert!(discovery.just_missed(&gvk("Other")));
        discovery.forget_group("i.org");
        assert!(discovery.known(&gvk("Bucket")).is_none());
    }
}
