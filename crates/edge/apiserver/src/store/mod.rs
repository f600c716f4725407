//! The one history of everything stored: objects in memory, their changes, who listens, and a durable copy.
//!
//! Every committed write takes the next revision of one counter. Readers share `Arc`s and never wait for the disk;
//! a writer is answered once the durable copy, when there is one, holds its revision.

mod log;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;
use tokio::sync::mpsc;

pub(crate) use log::LogError;
use table::Table;

/// Names an object within its kind: namespace (empty when cluster-scoped) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// Names a kind in storage: `group/plural`.
pub(crate) type KindId = Arc<str>;

/// One stored object, in its storage version, with its `metadata.resourceVersion` filled in.
#[derive(Debug)]
pub(crate) struct Object {
    pub revision: u64,
    /// The definition under which it was written; another one means it must be presented anew.
    pub definition: u64,
    pub value: Value,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    Added,
    Modified,
    Deleted,
}

/// One committed write.
#[derive(Debug)]
pub(crate) struct Change {
    pub revision: u64,
    pub happened: Happened,
    pub key: Key,
    pub old: Option<Arc<Object>>,
    /// The object after the write; for a deletion its last state, under the deletion's revision.
    pub new: Arc<Object>,
}

/// Why a write was not committed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The object is not as the writer saw it.
    Changed,
}

/// A snapshot of a kind's objects.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub revision: u64,
    pub objects: Vec<Arc<Object>>,
}

/// What a watcher begins with, and where the rest comes from.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// The revision everything in `backlog` or `initial` reaches up to.
    pub revision: u64,
    pub initial: Vec<Arc<Object>>,
    pub backlog: Vec<Arc<Change>>,
    pub live: mpsc::Receiver<Arc<Change>>,
}

/// Where a watch begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Since {
    /// With the objects there are now.
    Now,
    /// With every change after this revision.
    Revision(u64),
}

/// The revision asked for is no longer kept; the oldest one that is.
#[derive(Debug)]
pub(crate) struct TooOld(pub u64);

#[derive(Debug, Default)]
struct World {
    revision: u64,
    /// Changes at or below this revision were forgotten, for every kind.
    floor: u64,
    kinds: BTreeMap<KindId, Table>,
    owners: BTreeMap<String, BTreeSet<(KindId, Key)>>,
    uids: BTreeMap<String, (KindId, Key)>,
}

/// A change and the kind of its object.
pub(crate) type Told = (KindId, Arc<Change>);

/// The store.
#[derive(Debug)]
pub(crate) struct Store {
    world: RwLock<World>,
    log: Option<log::Log>,
    /// Every change of every kind, for the collectors.
    feed: RwLock<Vec<mpsc::UnboundedSender<Told>>>,
}

impl Store {
    /// Opens the store kept in `directory`, or one that lives in memory only and counts from `first`.
    pub(crate) fn open(directory: Option<&Path>, first: u64) -> Result<Self, LogError> {
        let mut world = World {
            revision: first,
            floor: first,
            ..World::default()
        };
        let log = match directory {
            None => None,
            Some(directory) => {
                let (log, kept) = log::Log::open(directory)?;
                // A watcher may have seen changes that were never made durable: their revisions are not used again.
                if let Some(last) = kept.revision {
                    world.revision = last + 1000;
                    world.floor = world.revision;
                }
                for (kind, key, revision, value) in kept.objects {
                    let kind: KindId = kind.into();
                    let object = Arc::new(Object {
                        revision,
                        definition: 0,
                        value,
                    });
                    world.index(&kind, &key, None, Some(&object.value));
                    world.kinds.entry(kind).or_default().load(key, object);
                }
                log.start(world.revision);
                Some(log)
            }
        };
        Ok(Self {
            world: RwLock::new(world),
            log,
            feed: RwLock::default(),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, World> {
        self.world
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, World> {
        self.world
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The revision of the last write.
    pub(crate) fn revision(&self) -> u64 {
        self.read().revision
    }

    pub(crate) fn get(&self, kind: &str, key: &Key) -> Option<Arc<Object>> {
        self.read().kinds.get(kind)?.get(key).cloned()
    }

    /// The objects of a kind, in one namespace or in all, in the order of their keys.
    pub(crate) fn list(&self, kind: &str, namespace: Option<&str>) -> Snapshot {
        let world = self.read();
        Snapshot {
            revision: world.revision,
            objects: world
                .kinds
                .get(kind)
                .map(|table| table.list(namespace))
                .unwrap_or_default(),
        }
    }

    /// The objects as they were at an older revision.
    pub(crate) fn list_at(
        &self,
        kind: &str,
        namespace: Option<&str>,
        revision: u64,
    ) -> Result<Snapshot, TooOld> {
        let world = self.read();
        if revision < world.floor {
            return Err(TooOld(world.floor));
        }
        let objects = match world.kinds.get(kind) {
            None => Vec::new(),
            Some(table) => table.list_at(namespace, revision)?,
        };
        Ok(Snapshot { revision, objects })
    }

    /// Writes an object that must be as `expected` says (its revision, or `None` when there must be none).
    pub(crate) fn put(
        &self,
        kind: &KindId,
        key: &Key,
        expected: Option<u64>,
        mut object: Object,
    ) -> Result<Arc<Object>, Refused> {
        let mut world = self.write();
        let old = world.kinds.get(kind).and_then(|t| t.get(key)).cloned();
        if old.as_ref().map(|o| o.revision) != expected {
            return Err(Refused::Changed);
        }
        world.revision += 1;
        object.revision = world.revision;
        object.value["metadata"]["resourceVersion"] = object.revision.to_string().into();
        let new = Arc::new(object);
        let happened = if old.is_some() {
            Happened::Modified
        } else {
            Happened::Added
        };
        world.index(kind, key, old.as_ref().map(|o| &o.value), Some(&new.value));
        if let Some(log) = &self.log {
            log.append(new.revision, kind, key, Some(&new));
        }
        let change = Arc::new(Change {
            revision: new.revision,
            happened,
            key: key.clone(),
            old,
            new: new.clone(),
        });
        world.kinds.entry(kind.clone()).or_default().commit(&change);
        self.tell(kind, &change);
        Ok(new)
    }

    /// Removes an object that must be at `expected`. The answer is its last state under the deletion's revision.
    pub(crate) fn remove(
        &self,
        kind: &KindId,
        key: &Key,
        expected: u64,
    ) -> Result<Arc<Object>, Refused> {
        let mut world = self.write();
        let old = world.kinds.get(kind).and_then(|t| t.get(key)).cloned();
        let Some(old) = old.filter(|o| o.revision == expected) else {
            return Err(Refused::Changed);
        };
        world.revision += 1;
        let mut value = old.value.clone();
        value["metadata"]["resourceVersion"] = world.revision.to_string().into();
        let new = Arc::new(Object {
            revision: world.revision,
            definition: old.definition,
            value,
        });
        world.index(kind, key, Some(&old.value), None);
        if let Some(log) = &self.log {
            log.append(new.revision, kind, key, None);
        }
        let change = Arc::new(Change {
            revision: new.revision,
            happened: Happened::Deleted,
            key: key.clone(),
            old: Some(old),
            new: new.clone(),
        });
        world.kinds.entry(kind.clone()).or_default().commit(&change);
        self.tell(kind, &change);
        Ok(new)
    }

    fn tell(&self, kind: &KindId, change: &Arc<Change>) {
        let mut feed = self
            .feed
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        feed.retain(|listener| listener.send((kind.clone(), change.clone())).is_ok());
    }

    /// Waits until everything up to `revision` is on disk. Returns at once for a store in memory.
    pub(crate) async fn durable(&self, revision: u64) -> Result<(), LogError> {
        match &self.log {
            None => Ok(()),
            Some(log) => log.reached(revision).await,
        }
    }

    /// Writes what is left and lets go of the data directory.
    pub(crate) fn close(&self) {
        if let Some(log) = &self.log {
            log.close();
        }
    }

    /// Starts a watch of one kind.
    pub(crate) fn subscribe(
        &self,
        kind: &KindId,
        namespace: Option<&str>,
        since: Since,
    ) -> Result<Subscription, TooOld> {
        let mut world = self.write();
        let revision = world.revision;
        let floor = world.floor;
        let table = world.kinds.entry(kind.clone()).or_default();
        let (initial, backlog) = match since {
            Since::Now => (table.list(namespace), Vec::new()),
            Since::Revision(n) if n < floor => return Err(TooOld(floor)),
            Since::Revision(n) => (Vec::new(), table.since(n)?),
        };
        Ok(Subscription {
            revision,
            initial,
            backlog,
            live: table.subscribe(),
        })
    }

    /// Ends every watch of a kind and forgets its history; its objects must be gone.
    pub(crate) fn forget(&self, kind: &str) {
        let mut world = self.write();
        let revision = world.revision;
        if let Some(table) = world.kinds.get_mut(kind).filter(|t| t.is_empty()) {
            *table = Table::beginning_at(revision);
        }
    }

    /// Every later change, of every kind.
    pub(crate) fn follow(&self) -> mpsc::UnboundedReceiver<Told> {
        let (send, receive) = mpsc::unbounded_channel();
        self.feed
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(send);
        receive
    }

    /// The objects that name this UID as an owner.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<(KindId, Key)> {
        self.read()
            .owners
            .get(uid)
            .map(|set| set.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Where the object with this UID is, if it is still there.
    pub(crate) fn find_uid(&self, uid: &str) -> Option<(KindId, Key)> {
        self.read().uids.get(uid).cloned()
    }

    /// Every UID that somebody names as an owner.
    pub(crate) fn owner_uids(&self) -> Vec<String> {
        self.read().owners.keys().cloned().collect()
    }

    /// The kinds that have objects.
    pub(crate) fn kinds(&self) -> Vec<KindId> {
        self.read()
            .kinds
            .iter()
            .filter(|(_, table)| !table.is_empty())
            .map(|(kind, _)| kind.clone())
            .collect()
    }
}

impl World {
    fn index(&mut self, kind: &KindId, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        let place = || (kind.clone(), key.clone());
        for uid in old.into_iter().flat_map(owner_uids) {
            if let Some(set) = self.owners.get_mut(uid) {
                set.remove(&place());
                if set.is_empty() {
                    self.owners.remove(uid);
                }
            }
        }
        for uid in new.into_iter().flat_map(owner_uids) {
            self.owners
                .entry(uid.to_owned())
                .or_default()
                .insert(place());
        }
        if new.is_none()
            && let Some(uid) = old.and_then(uid_of)
        {
            self.uids.remove(uid);
        }
        if let Some(uid) = new.and_then(uid_of)
            && old.is_none()
        {
            self.uids.insert(uid.to_owned(), place());
        }
    }
}

fn uid_of(value: &Value) -> Option<&str> {
    value.pointer("/metadata/uid")?.as_str()
}

fn owner_uids(value: &Value) -> impl Iterator<Item = &str> {
    value
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|reference| reference.get("uid")?.as_str())
}
