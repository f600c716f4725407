//! How is a kind's store kept up to date? One watch a kind, shared by everybody who asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt as _;
use http::Request;
use kube::core::WatchEvent;
use purlin_api::meta::{self, Gvk};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::client::{Client, typed};
use crate::discovery::Kind;
use crate::error::Error;
use crate::store::{Difference, Store};

/// How long the server keeps a watch open.
const WATCH_SECONDS: u64 = 290;
/// How long a watch may be silent before it counts as dead.
const SILENCE: Duration = Duration::from_secs(310);
/// The first and the longest wait after a failure.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// How long somebody who needs a store waits for its first list.
const FIRST_LIST: Duration = Duration::from_secs(10);

/// One object of a watched kind changed.
#[derive(Debug, Clone)]
pub struct Change {
    /// The kind.
    pub gvk: Arc<Gvk>,
    /// The object before, when it was known.
    pub old: Option<Arc<Value>>,
    /// The object now; nothing when it is gone.
    pub new: Option<Arc<Value>>,
}

impl Change {
    /// The object now, or as it was last.
    pub fn latest(&self) -> Option<&Arc<Value>> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// The watched kinds of one API server.
#[derive(Debug)]
pub struct Informers {
    client: Client,
    running: Mutex<BTreeMap<Gvk, Running>>,
    changes: mpsc::UnboundedSender<Change>,
}

#[derive(Debug)]
struct Running {
    store: Arc<Store>,
    task: AbortHandle,
}

impl Informers {
    /// No kinds yet; and where changes of all of them will be told.
    pub fn new(client: Client) -> (Self, mpsc::UnboundedReceiver<Change>) {
        let (changes, told) = mpsc::unbounded_channel();
        let informers = Self {
            client,
            running: Mutex::default(),
            changes,
        };
        (informers, told)
    }

    /// The store of a kind, watched from now on.
    pub fn watch(&self, gvk: &Gvk) -> Arc<Store> {
        let mut running = self.lock();
        if let Some(there) = running.get(gvk) {
            return Arc::clone(&there.store);
        }
        let store = Arc::new(Store::new());
        let watcher = Watcher {
            client: self.client.clone(),
            gvk: Arc::new(gvk.clone()),
            store: Arc::clone(&store),
            changes: self.changes.clone(),
        };
        let task = tokio::spawn(watcher.run()).abort_handle();
        running.insert(
            gvk.clone(),
            Running {
                store: Arc::clone(&store),
                task,
            },
        );
        store
    }

    /// The store of a kind, watched from now on, once it was read.
    ///
    /// # Errors
    /// When the kind is not served, or cannot be listed in time.
    pub async fn synced(&self, gvk: &Gvk) -> Result<Arc<Store>, Error> {
        if let Some(store) = self.known(gvk).filter(|store| store.is_synced()) {
            return Ok(store);
        }
        self.client.kind(gvk).await?;
        let store = self.watch(gvk);
        let mut synced = store.when_synced();
        match tokio::time::timeout(FIRST_LIST, synced.wait_for(|synced| *synced)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => {
                return Err(Error::Timeout {
                    verb: "list",
                    subject: gvk.to_string(),
                    seconds: FIRST_LIST.as_secs(),
                });
            }
        }
        Ok(store)
    }

    /// The store of a kind that is watched already.
    pub fn known(&self, gvk: &Gvk) -> Option<Arc<Store>> {
        self.lock()
            .get(gvk)
            .map(|running| Arc::clone(&running.store))
    }

    /// The kinds that are watched.
    pub fn kinds(&self) -> Vec<Gvk> {
        self.lock().keys().cloned().collect()
    }

    /// Stops watching a kind, and forgets its objects.
    pub fn stop(&self, gvk: &Gvk) {
        if let Some(running) = self.lock().remove(gvk) {
            running.task.abort();
        }
    }

    /// Takes in what a write answered, so that the next read sees it.
    pub fn learn(&self, object: &Value) {
        let Some(gvk) = Gvk::of(object) else {
            return;
        };
        if let Some(store) = self.known(&gvk)
            && let Some(difference) = store.put(object.clone())
        {
            tell(&self.changes, &Arc::new(gvk), difference);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Gvk, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Informers {
    fn drop(&mut self) {
        for running in self.lock().values() {
            running.task.abort();
        }
    }
}

fn tell(changes: &mpsc::UnboundedSender<Change>, gvk: &Arc<Gvk>, (old, new): Difference) {
    let change = Change {
        gvk: Arc::clone(gvk),
        old,
        new,
    };
    // Nobody listens only while everything is being stopped.
    drop(changes.send(change));
}

struct Watcher {
    client: Client,
    gvk: Arc<Gvk>,
    store: Arc<Store>,
    changes: mpsc::UnboundedSender<Change>,
}

/// Why a watch ended.
enum Ended {
    /// It may go on from the version it reached.
    Resumable,
    /// The server forgot that version.
    Expired,
    /// It failed.
    Failed,
}

impl Watcher {
    async fn run(self) {
        let mut wait = WAITS.0;
        loop {
            match self.list().await {
                Ok((kind, mut version)) => {
                    wait = WAITS.0;
                    loop {
                        match self.follow(&kind, &mut version).await {
                            Ended::Resumable => wait = WAITS.0,
                            Ended::Expired => break,
                            Ended::Failed => {
                                tokio::time::sleep(wait).await;
                                wait = (wait * 2).min(WAITS.1);
                                if wait == WAITS.1 {
                                    break;
                                }
                            }
                        }
                    }
                }
                Err(error) => {
                    tracing::debug!(kind = %self.gvk, %error, "cannot list");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(WAITS.1);
                }
            }
        }
    }

    async fn list(&self) -> Result<(Arc<Kind>, String), Error> {
        let kind = self.client.kind(&self.gvk).await?;
        let listed = match self.client.list(&kind, "").await {
            Ok(listed) => listed,
            Err(error) => {
                self.client.forget_group(&self.gvk.group);
                return Err(error);
            }
        };
        for difference in self.store.replace(&listed.resource_version, listed.items) {
            tell(&self.changes, &self.gvk, difference);
        }
        Ok((kind, listed.resource_version))
    }

    async fn follow(&self, kind: &Kind, version: &mut String) -> Ended {
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}",
            kind.path("", "", "")
        );
        let Ok(request) = Request::get(path).body(Vec::new()) else {
            return Ended::Failed;
        };
        let stream = match self.client.inner().request_events::<Value>(request).await {
            Ok(stream) => stream,
            Err(kube::Error::Api(status)) if status.code == 410 => return Ended::Expired,
            Err(error) => {
                tracing::debug!(kind = %self.gvk, %error, "cannot watch");
                return Ended::Failed;
            }
        };
        let mut stream = std::pin::pin!(stream);
        loop {
            match tokio::time::timeout(SILENCE, stream.try_next()).await {
                Ok(Ok(Some(event))) => {
                    if let Some(ended) = self.take(kind, event, version) {
                        return ended;
                    }
                }
                Ok(Ok(None)) | Err(_) => return Ended::Resumable,
                Ok(Err(kube::Error::Api(status))) if status.code == 410 => return Ended::Expired,
                Ok(Err(error)) => {
                    tracing::debug!(kind = %self.gvk, %error, "a watch broke");
                    return Ended::Failed;
                }
            }
        }
    }

    fn take(&self, kind: &Kind, event: WatchEvent<Value>, version: &mut String) -> Option<Ended> {
        let difference = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                meta::resource_version(&object).clone_into(version);
                self.store.put(typed(object, kind))
            }
            WatchEvent::Deleted(object) => {
                meta::resource_version(&object).clone_into(version);
                self.store.remove(typed(object, kind))
            }
            WatchEvent::Bookmark(mark) => {
                version.clone_from(&mark.metadata.resource_version);
                None
            }
            WatchEvent::Error(status) if status.code == 410 => return Some(Ended::Expired),
            WatchEvent::Error(status) => {
                tracing::debug!(kind = %self.gvk, message = %status.message, "a watch reports an error");
                return Some(Ended::Failed);
            }
        };
        if let Some(difference) = difference {
            tell(&self.changes, &self.gvk, difference);
        }
        None
    }
}
