//! Watches CRDs and the managed resources they define, and writes what [`crate::plan`] decides.
//!
//! No object is polled: a change, a write that ended or the one timer that is due next wakes the loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use purlin_api::meta::{self, Gvk};
use purlin_kube::{Change, Client, Error, Informers};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::Options;
use crate::managed::{self, Managed};
use crate::plan::{Plan, plan};

/// The manager of everything written here.
const MANAGER: &str = "simulator.purlin.dev";
/// When a write that failed for no reason of the object's is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Kind, namespace and name.
type Key = (Arc<Gvk>, String, String);

/// Runs the simulated provider until `stop`.
pub async fn run(client: Client, options: Options, stop: CancellationToken) {
    let (informers, mut changes) = Informers::new(client.clone());
    let (ended, mut endings) = mpsc::unbounded_channel();
    let crds = Gvk::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    informers.watch(&crds);
    let mut provider = Provider {
        workers: Arc::new(Semaphore::new(options.workers.max(1))),
        client,
        options,
        informers,
        kinds: BTreeMap::new(),
        objects: BTreeMap::new(),
        timers: BTreeMap::new(),
        turn: 0,
        ended,
    };
    tracing::info!("the simulated provider runs; nothing it says is real");
    loop {
        let next = provider.timers.keys().next().map(|(due, _)| *due);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Some(key) = endings.recv() => provider.write_ended(&key),
            Some(change) = changes.recv() => {
                if *change.gvk == crds {
                    provider.definition_changed(&change);
                } else {
                    provider.object_changed(&change);
                }
            }
            () = sleep_until(next) => provider.timers_due(),
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// What is known of one object.
struct Known {
    first_seen: Instant,
    writing: bool,
    /// It changed while it was being written.
    changed: bool,
    timer: Option<(Instant, u64)>,
}

/// A write that ended: which object, and when to try again if it failed.
struct Ended {
    key: Key,
    retry: Option<Duration>,
}

struct Provider {
    client: Client,
    options: Options,
    informers: Informers,
    kinds: BTreeMap<Gvk, Arc<Managed>>,
    objects: BTreeMap<Key, Known>,
    timers: BTreeMap<(Instant, u64), Key>,
    turn: u64,
    workers: Arc<Semaphore>,
    ended: mpsc::UnboundedSender<Ended>,
}

impl Provider {
    fn definition_changed(&mut self, change: &Change) {
        let gone = change.old.as_deref().and_then(managed::read);
        let now = change.new.as_deref().and_then(managed::read);
        if let Some(gone) = gone.filter(|gone| now.as_ref().is_none_or(|now| now.gvk != gone.gvk)) {
            self.kinds.remove(&gone.gvk);
            self.informers.stop(&gone.gvk);
            self.objects.retain(|(gvk, _, _), _| **gvk != gone.gvk);
            self.timers.retain(|_, (gvk, _, _)| **gvk != gone.gvk);
        }
        if let Some(now) = now {
            let gvk = now.gvk.clone();
            if self.kinds.insert(gvk.clone(), Arc::new(now)).is_none() {
                self.client.forget_group(&gvk.group);
                tracing::debug!(kind = %gvk, "simulated");
            }
            self.informers.watch(&gvk);
        }
    }

    fn object_changed(&mut self, change: &Change) {
        let Some(object) = change.latest() else {
            return;
        };
        let key = (
            Arc::clone(&change.gvk),
            meta::namespace(object).to_owned(),
            meta::name(object).to_owned(),
        );
        let same = |old: &Arc<Value>| {
            change
                .new
                .as_ref()
                .is_some_and(|new| meta::uid(new) == meta::uid(old))
        };
        if change.old.as_ref().is_some_and(|old| !same(old)) {
            // Gone, or replaced by another of the same name, which starts anew.
            if let Some(known) = self.objects.remove(&key)
                && let Some(timer) = known.timer
            {
                self.timers.remove(&timer);
            }
        }
        if change.new.is_some() {
            self.consider(&key);
        }
    }

    fn write_ended(&mut self, ended: &Ended) {
        let Some(known) = self.objects.get_mut(&ended.key) else {
            return;
        };
        known.writing = false;
        if let Some(wait) = ended.retry {
            self.wake(&ended.key, wait);
        } else if std::mem::take(&mut known.changed) {
            self.consider(&ended.key);
        }
    }

    fn timers_due(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self
            .timers
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let key = entry.remove();
            if let Some(known) = self.objects.get_mut(&key) {
                known.timer = None;
                self.consider(&key);
            }
        }
    }

    /// Looks at an object as it is now, and starts writing what there is to write.
    fn consider(&mut self, key: &Key) {
        let Some(managed) = self.kinds.get(&*key.0).cloned() else {
            return;
        };
        let Some(object) = self
            .informers
            .known(&key.0)
            .and_then(|store| store.get(&key.1, &key.2))
        else {
            return;
        };
        let now = Instant::now();
        let known = self.objects.entry(key.clone()).or_insert_with(|| Known {
            first_seen: now,
            writing: false,
            changed: false,
            timer: None,
        });
        if known.writing {
            known.changed = true;
            return;
        }
        let elapsed = now.duration_since(known.first_seen);
        let plan = plan(&object, &managed, elapsed, &timestamp(), &self.options);
        let again = plan.again;
        if plan.metadata.is_some() || plan.status.is_some() {
            known.writing = true;
            let job = write(self.client.clone(), managed, object, plan);
            let (workers, ended, key) =
                (Arc::clone(&self.workers), self.ended.clone(), key.clone());
            tokio::spawn(async move {
                let permit = workers.acquire_owned().await;
                let retry = job.await;
                drop(permit);
                // Nobody listens only while everything is being stopped.
                drop(ended.send(Ended { key, retry }));
            });
        }
        if let Some(wait) = again {
            self.wake(key, wait);
        }
    }

    /// One timer an object: the new one replaces the old.
    fn wake(&mut self, key: &Key, wait: Duration) {
        self.turn += 1;
        let timer = (Instant::now() + wait, self.turn);
        if let Some(known) = self.objects.get_mut(key) {
            if let Some(before) = known.timer.replace(timer) {
                self.timers.remove(&before);
            }
            self.timers.insert(timer, key.clone());
        }
    }
}

fn timestamp() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second())
        .unwrap_or(now)
        .to_string()
}

/// Writes a plan. The answer says when to try again; a conflict needs nothing, since the change that won wakes us.
async fn write(
    client: Client,
    managed: Arc<Managed>,
    object: Arc<Value>,
    plan: Plan,
) -> Option<Duration> {
    match perform(&client, &managed.gvk, &object, plan).await {
        Ok(retry) => retry,
        Err(Error::Api {
            code: 404 | 409, ..
        }) => None,
        Err(error) => {
            tracing::warn!(kind = %managed.gvk, name = meta::name(&object), %error, "cannot write a simulated resource");
            Some(RETRY)
        }
    }
}

async fn perform(
    client: &Client,
    gvk: &Gvk,
    object: &Value,
    plan: Plan,
) -> Result<Option<Duration>, Error> {
    let kind = client.kind(gvk).await?;
    let mut current = object.clone();
    if let Some(patch) = &plan.metadata {
        current = client.patch(&kind, object, patch, MANAGER).await?;
    }
    if let Some(secret) = &plan.secret {
        let secrets = client.kind(&Gvk::new("v1", "Secret")).await?;
        match client.apply(&secrets, secret, MANAGER, "").await {
            Ok(_) => {}
            Err(error @ Error::Api { code: 404, .. }) => {
                // The namespace is missing: the resource is not ready until its secret can be kept.
                let (namespace, name) = (meta::namespace(secret), meta::name(secret));
                tracing::warn!(namespace, name, %error, "cannot write a connection secret");
                return Ok(Some(RETRY));
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(status) = plan.status {
        current["status"] = status;
        let part = if kind.status { "status" } else { "" };
        client.replace(&kind, &current, MANAGER, part).await?;
    }
    Ok(None)
}
