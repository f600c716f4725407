//! Which composites depend on an object? What they composed, and what their functions asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_api::meta::{self, Gvk};
use serde_json::{Map, Value};

use crate::queue::Member;

/// Something a composite depends on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dependency {
    pub(crate) gvk: Gvk,
    /// `None`: any namespace.
    pub(crate) namespace: Option<String>,
    pub(crate) which: Which,
}

/// Which objects of a kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Which {
    Name(String),
    Labels(Map<String, Value>),
}

#[derive(Debug, Default)]
pub(crate) struct Tracker {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    of: BTreeMap<Member, Vec<Dependency>>,
    by_name: BTreeMap<(Gvk, String), BTreeSet<Member>>,
    by_labels: BTreeMap<Gvk, BTreeSet<Member>>,
    by_kind: BTreeMap<(String, String), BTreeSet<Member>>,
}

impl Tracker {
    /// Replaces what a composite depends on.
    pub(crate) fn track(&self, composite: &Member, dependencies: Vec<Dependency>) {
        let mut inner = self.lock();
        inner.forget(composite);
        for dependency in &dependencies {
            let gvk = dependency.gvk.clone();
            let kind = (gvk.group.clone(), gvk.kind.clone());
            inner
                .by_kind
                .entry(kind)
                .or_default()
                .insert(composite.clone());
            let members = match &dependency.which {
                Which::Name(name) => inner.by_name.entry((gvk, name.clone())).or_default(),
                Which::Labels(_) => inner.by_labels.entry(gvk).or_default(),
            };
            members.insert(composite.clone());
        }
        inner.of.insert(composite.clone(), dependencies);
    }

    pub(crate) fn forget(&self, composite: &Member) {
        self.lock().forget(composite);
    }

    /// Who depends on an object.
    pub(crate) fn dependants(&self, gvk: &Gvk, object: &Value) -> BTreeSet<Member> {
        let inner = self.lock();
        let named = inner
            .by_name
            .get(&(gvk.clone(), meta::name(object).to_owned()));
        let labelled = inner.by_labels.get(gvk);
        named
            .into_iter()
            .chain(labelled)
            .flatten()
            .filter(|member| {
                inner
                    .of
                    .get(*member)
                    .into_iter()
                    .flatten()
                    .any(|dependency| {
                        dependency.gvk == *gvk
                            && dependency
                                .namespace
                                .as_deref()
                                .is_none_or(|namespace| namespace == meta::namespace(object))
                            && match &dependency.which {
                                Which::Name(name) => name == meta::name(object),
                                Which::Labels(labels) => meta::has_labels(object, labels),
                            }
                    })
            })
            .cloned()
            .collect()
    }

    /// Who depends on objects of a kind, in any version.
    pub(crate) fn dependants_of_kind(&self, group: &str, kind: &str) -> BTreeSet<Member> {
        let key = (group.to_owned(), kind.to_owned());
        self.lock().by_kind.get(&key).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget(&mut self, composite: &Member) {
        for dependency in self.of.remove(composite).into_iter().flatten() {
            let gvk = dependency.gvk;
            let kind = (gvk.group.clone(), gvk.kind.clone());
            leave(&mut self.by_kind, &kind, composite);
            match dependency.which {
                Which::Name(name) => leave(&mut self.by_name, &(gvk, name), composite),
                Which::Labels(_) => leave(&mut self.by_labels, &gvk, composite),
            }
        }
    }
}

fn leave<K: Ord>(index: &mut BTreeMap<K, BTreeSet<Member>>, key: &K, composite: &Member) {
    if let Some(members) = index.get_mut(key) {
        members.remove(composite);
        if members.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn member(name: &str) -> Member {
        Member {
            xrd: "xs.e.org".into(),
            namespace: String::new(),
            name: name.into(),
        }
    }

    #[test]
    fn dependants_are_found_by_name_and_by_labels() {
        let gvk = Gvk::new("v1", "ConfigMap");
        let tracker = Tracker::default();
        let named = Dependency {
            gvk: gvk.clone(),
            namespace: Some("n".into()),
            which: Which::Name("a".into()),
        };
        let labels = json!({"team": "x"}).as_object().unwrap().clone();
        let labelled = Dependency {
            gvk: gvk.clone(),
            namespace: None,
            which: Which::Labels(labels),
        };
        tracker.track(&member("one"), vec![named]);
        tracker.track(&member("two"), vec![labelled]);
        let who = |object: Value| -> Vec<String> {
            tracker
                .dependants(&gvk, &object)
                .into_iter()
                .map(|m| m.name)
                .collect()
        };
        assert_eq!(
            who(json!({"metadata": {"namespace": "n", "name": "a"}})),
            ["one"]
        );
        assert_eq!(
            who(json!({"metadata": {"namespace": "m", "name": "a", "labels": {"team": "x"}}})),
            ["two"]
        );
        tracker.forget(&member("two"));
        assert!(who(json!({"metadata": {"name": "z", "labels": {"team": "x"}}})).is_empty());
        assert_eq!(tracker.dependants_of_kind("", "ConfigMap").len(), 1);
    }
}
