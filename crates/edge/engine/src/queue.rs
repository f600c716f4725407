//! What is to be reconciled next? Each key once at a time, soonest first, failures later and later.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The first and the longest wait after a failure.
const FAILURE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// The first and the longest wait after somebody else wrote first.
const CONFLICT: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// One thing to reconcile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A CompositeResourceDefinition.
    Definition(String),
    /// A Composition: its revisions.
    Composition(String),
    /// A CompositionRevision: its validity.
    Revision(String),
    /// A claim of a definition.
    Claim(Member),
    /// A composite of a definition.
    Composite(Member),
}

/// An object of a kind that a definition defines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub(crate) xrd: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// How a reconcile ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing to do until something changes.
    Done,
    /// Nothing to do until then, or until something changes.
    After(Duration),
    /// Somebody else wrote first.
    Conflict,
    /// It failed.
    Failed,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    ready: VecDeque<Key>,
    queued: BTreeSet<Key>,
    running: BTreeSet<Key>,
    again: BTreeSet<Key>,
    later: BTreeSet<(Instant, Key)>,
    due: BTreeMap<Key, Instant>,
    failures: BTreeMap<Key, u32>,
}

impl Inner {
    fn add(&mut self, key: Key) {
        if let Some(due) = self.due.remove(&key) {
            self.later.remove(&(due, key.clone()));
        }
        if self.running.contains(&key) {
            self.again.insert(key);
        } else if self.queued.insert(key.clone()) {
            self.ready.push_back(key);
        }
    }

    fn add_at(&mut self, at: Instant, key: Key) {
        if self.queued.contains(&key) || self.due.get(&key).is_some_and(|due| *due <= at) {
            return;
        }
        if let Some(due) = self.due.insert(key.clone(), at) {
            self.later.remove(&(due, key.clone()));
        }
        self.later.insert((at, key));
    }

    fn take(&mut self, now: Instant) -> Option<Key> {
        while let Some((at, key)) = self.later.first().cloned() {
            if at > now {
                break;
            }
            self.add(key);
        }
        let key = self.ready.pop_front()?;
        self.queued.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }
}

impl Queue {
    /// Asks for a reconcile as soon as possible.
    pub(crate) fn add(&self, key: Key) {
        self.lock().add(key);
        self.wake.notify_one();
    }

    /// The next key, which is running until it is `done`.
    pub(crate) async fn next(&self) -> Key {
        loop {
            let wait = {
                let mut inner = self.lock();
                let now = Instant::now();
                if let Some(key) = inner.take(now) {
                    return key;
                }
                inner.later.first().map(|(at, _)| *at)
            };
            match wait {
                Some(at) => {
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                None => self.wake.notified().await,
            }
        }
    }

    /// Says how a key's reconcile ended.
    pub(crate) fn done(&self, key: Key, next: Next) {
        let mut inner = self.lock();
        inner.running.remove(&key);
        let wait = match next {
            Next::Done | Next::After(_) => {
                inner.failures.remove(&key);
                if let Next::After(wait) = next {
                    Some(wait)
                } else {
                    None
                }
            }
            Next::Conflict | Next::Failed => {
                let failures = inner.failures.entry(key.clone()).or_default();
                *failures = failures.saturating_add(1);
                let (first, most) = if next == Next::Conflict {
                    CONFLICT
                } else {
                    FAILURE
                };
                Some(purlin_lifecycle::backoff::after(*failures, first, most))
            }
        };
        if inner.again.remove(&key) {
            inner.add(key);
        } else if let Some(wait) = wait {
            inner.add_at(Instant::now() + wait, key);
        }
        drop(inner);
        self.wake.notify_one();
    }

    /// Forgets what is planned for later for a key.
    pub(crate) fn forget(&self, key: &Key) {
        let mut inner = self.lock();
        inner.failures.remove(key);
        if let Some(due) = inner.due.remove(key) {
            inner.later.remove(&(due, key.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::Definition(name.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_runs_once_at_a_time_and_again_when_it_changed_meanwhile() {
        let queue = Queue::default();
        queue.add(key("a"));
        queue.add(key("a"));
        assert_eq!(queue.next().await, key("a"));
        queue.add(key("a"));
        queue.add(key("b"));
        assert_eq!(queue.next().await, key("b"));
        queue.done(key("a"), Next::Done);
        assert_eq!(queue.next().await, key("a"));
        queue.done(key("a"), Next::Done);
        let idle = tokio::time::timeout(Duration::from_secs(99), queue.next()).await;
        assert!(idle.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_wait_longer_and_changes_do_not_wait() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.add(key("a"));
        for _ in 0..3 {
            let next = queue.next().await;
            queue.done(next, Next::Failed);
        }
        assert_eq!(queue.next().await, key("a"));
        assert_eq!(start.elapsed().as_millis(), 3500);
        queue.done(key("a"), Next::After(Duration::from_mins(1)));
        queue.add(key("a"));
        assert_eq!(queue.next().await, key("a"));
        assert_eq!(start.elapsed().as_millis(), 3500);
    }
}
