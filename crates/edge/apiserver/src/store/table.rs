//! The objects of one kind, their recent changes, and the watchers of them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Change, Key, Object, TooOld};

/// How many changes of a kind are kept for watchers that come back.
const HISTORY: usize = 8192;
/// How far a watcher may lag behind before it is cut off.
const LAG: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Table {
    objects: BTreeMap<Key, Arc<Object>>,
    history: VecDeque<Arc<Change>>,
    /// Changes at or below this revision were dropped from `history`.
    floor: u64,
    watchers: Vec<mpsc::Sender<Arc<Change>>>,
}

impl Table {
    /// A table without objects, history or watchers.
    pub(super) fn beginning_at(floor: u64) -> Self {
        Self {
            floor,
            ..Self::default()
        }
    }

    pub(super) fn load(&mut self, key: Key, object: Arc<Object>) {
        self.objects.insert(key, object);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.objects.get(key)
    }

    pub(super) fn list(&self, namespace: Option<&str>) -> Vec<Arc<Object>> {
        select(&self.objects, namespace)
    }

    /// The state at an older revision: the present one with later changes undone.
    pub(super) fn list_at(
        &self,
        namespace: Option<&str>,
        revision: u64,
    ) -> Result<Vec<Arc<Object>>, TooOld> {
        if revision < self.floor {
            return Err(TooOld(self.floor));
        }
        let later = self
            .history
            .iter()
            .rev()
            .take_while(|c| c.revision > revision);
        let mut objects = None;
        for change in later {
            let objects = objects.get_or_insert_with(|| self.objects.clone());
            match &change.old {
                Some(old) => objects.insert(change.key.clone(), old.clone()),
                None => objects.remove(&change.key),
            };
        }
        Ok(select(objects.as_ref().unwrap_or(&self.objects), namespace))
    }

    pub(super) fn since(&self, revision: u64) -> Result<Vec<Arc<Change>>, TooOld> {
        if revision < self.floor {
            return Err(TooOld(self.floor));
        }
        let first = self.history.partition_point(|c| c.revision <= revision);
        Ok(self.history.range(first..).cloned().collect())
    }

    pub(super) fn commit(&mut self, change: &Arc<Change>) {
        if change.happened == super::Happened::Deleted {
            self.objects.remove(&change.key);
        } else {
            self.objects.insert(change.key.clone(), change.new.clone());
        }
        self.history.push_back(change.clone());
        while self.history.len() > HISTORY {
            if let Some(dropped) = self.history.pop_front() {
                self.floor = dropped.revision;
            }
        }
        // A watcher that does not keep up, or that left, loses its channel; its stream then ends.
        self.watchers
            .retain(|watcher| watcher.try_send(change.clone()).is_ok());
    }

    pub(super) fn subscribe(&mut self) -> mpsc::Receiver<Arc<Change>> {
        let (send, receive) = mpsc::channel(LAG);
        self.watchers.retain(|watcher| !watcher.is_closed());
        self.watchers.push(send);
        receive
    }
}

fn select(objects: &BTreeMap<Key, Arc<Object>>, namespace: Option<&str>) -> Vec<Arc<Object>> {
    match namespace {
        None => objects.values().cloned().collect(),
        Some(namespace) => objects
            .range((Bound::Included(Key::new(namespace, "")), Bound::Unbounded))
            .take_while(|(key, _)| key.namespace == namespace)
            .map(|(_, object)| object.clone())
            .collect(),
    }
}
