//! What is known of the objects of one kind?
//!
//! A store takes what watches say and what writes answer, in any order, and keeps the newest. That makes a writer see
//! its own writes without waiting for its watch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use purlin_api::meta;
use serde_json::Value;
use tokio::sync::watch;

/// How many deleted objects are remembered, so that a late answer does not bring one back.
const REMEMBERED: usize = 4096;

/// The objects of one kind.
#[derive(Debug)]
pub struct Store {
    inner: RwLock<Inner>,
    synced: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<(String, String), Arc<Value>>,
    gone: BTreeSet<String>,
    gone_order: VecDeque<String>,
}

/// An object before and after.
pub(crate) type Difference = (Option<Arc<Value>>, Option<Arc<Value>>);

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            inner: RwLock::default(),
            synced: watch::Sender::new(false),
        }
    }

    /// The object of a name, when it is known.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let key = (namespace.to_owned(), name.to_owned());
        self.read().objects.get(&key).cloned()
    }

    /// Every object, by namespace and name.
    pub fn list(&self) -> Vec<Arc<Value>> {
        self.read().objects.values().cloned().collect()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.read().objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the whole kind was read once.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    pub(crate) fn when_synced(&self) -> watch::Receiver<bool> {
        self.synced.subscribe()
    }

    /// Takes one object in, unless a newer state is known.
    pub(crate) fn put(&self, object: Value) -> Option<Difference> {
        let mut inner = self.write();
        if inner.gone.contains(meta::uid(&object)) {
            return None;
        }
        let key = key(&object);
        if let Some(held) = inner.objects.get(&key)
            && !is_newer(&object, held)
        {
            return None;
        }
        let new = Arc::new(object);
        let old = inner.objects.insert(key, Arc::clone(&new));
        Some((old, Some(new)))
    }

    /// Takes one object out.
    pub(crate) fn remove(&self, object: Value) -> Option<Difference> {
        let mut inner = self.write();
        let uid = meta::uid(&object).to_owned();
        if inner.gone.insert(uid.clone()) {
            inner.gone_order.push_back(uid);
        }
        if inner.gone_order.len() > REMEMBERED
            && let Some(oldest) = inner.gone_order.pop_front()
        {
            inner.gone.remove(&oldest);
        }
        let key = key(&object);
        let held = inner.objects.get(&key)?;
        if meta::uid(held) != meta::uid(&object) {
            return None;
        }
        inner.objects.remove(&key);
        Some((Some(Arc::new(object)), None))
    }

    /// Takes a whole list in; what is not in it and not newer than it is gone.
    pub(crate) fn replace(&self, resource_version: &str, items: Vec<Value>) -> Vec<Difference> {
        let listed = resource_version.parse::<u64>().unwrap_or(u64::MAX);
        let keys: BTreeSet<_> = items.iter().map(key).collect();
        let lost: Vec<Arc<Value>> = self
            .read()
            .objects
            .iter()
            .filter(|(key, held)| !keys.contains(*key) && version(held).is_none_or(|v| v <= listed))
            .map(|(_, held)| Arc::clone(held))
            .collect();
        let lost = lost
            .into_iter()
            .filter_map(|held| self.remove(Value::clone(&held)));
        let mut all: Vec<Difference> = lost.collect();
        all.extend(items.into_iter().filter_map(|item| self.put(item)));
        self.synced.send_replace(true);
        all
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(object: &Value) -> (String, String) {
    (
        meta::namespace(object).to_owned(),
        meta::name(object).to_owned(),
    )
}

fn version(object: &Value) -> Option<u64> {
    meta::resource_version(object).parse().ok()
}

/// Versions are compared as the numbers they are. Versions that are no numbers only count when they differ.
fn is_newer(new: &Value, held: &Value) -> bool {
    match (version(new), version(held)) {
        (Some(new), Some(held)) => new > held,
        _ => meta::resource_version(new) != meta::resource_version(held),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(name: &str, version: u64) -> Value {
        json!({"metadata": {"name": name, "uid": name, "resourceVersion": version.to_string()}})
    }

    #[test]
    fn the_newest_state_stays_whoever_says_it() {
        let store = Store::new();
        assert!(store.put(object("a", 2)).is_some());
        assert!(store.put(object("a", 2)).is_none());
        assert!(store.put(object("a", 1)).is_none());
        assert!(store.put(object("a", 3)).is_some());
        assert_eq!(meta::resource_version(&store.get("", "a").unwrap()), "3");
    }

    #[test]
    fn a_late_answer_does_not_bring_back_what_is_gone() {
        let store = Store::new();
        store.put(object("a", 1));
        assert!(store.remove(object("a", 2)).is_some());
        assert!(store.put(object("a", 1)).is_none());
        assert!(store.is_empty());
    }

    #[test]
    fn a_list_removes_what_it_lacks_but_not_what_is_newer() {
        let store = Store::new();
        store.put(object("old", 1));
        store.put(object("new", 9));
        let changes = store.replace("5", vec![object("listed", 4)]);
        assert_eq!(changes.len(), 2);
        assert!(store.get("", "old").is_none() && store.get("", "new").is_some());
        assert!(store.is_synced());
    }
}
