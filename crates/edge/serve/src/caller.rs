//! Who is at the other end of a connection, and what is going on there?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use purlin_telemetry::Metrics;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A connection, as its calls see it.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Its share of the turns: however much one caller asks for, others get theirs.
    pub(crate) share: Arc<Semaphore>,
    /// Told when the connection has to make room for another one.
    pub(crate) evicted: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    calls: usize,
    next: u64,
    /// Since when each answer waits to be taken.
    answers: BTreeMap<u64, Instant>,
    /// When the last call ended.
    idle_since: Instant,
}

impl Caller {
    pub(crate) fn new(share: usize) -> Self {
        Self {
            share: Arc::new(Semaphore::new(share)),
            evicted: Notify::new(),
            state: Mutex::new(State {
                calls: 0,
                next: 0,
                answers: BTreeMap::new(),
                idle_since: Instant::now(),
            }),
        }
    }

    /// How long there has been no call, if there is none.
    pub(crate) fn idle_for(&self, now: Instant) -> Option<Duration> {
        let state = self.state();
        (state.calls == 0).then(|| now.saturating_duration_since(state.idle_since))
    }

    /// How long the answer that waits longest has not been taken.
    pub(crate) fn stalled_for(&self, now: Instant) -> Duration {
        let state = self.state();
        let oldest = state.answers.values().min().copied();
        oldest.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call, from its first header until the last byte of its answer was taken, or the caller is gone.
#[derive(Debug)]
pub(crate) struct Call {
    caller: Arc<Caller>,
    id: u64,
    metrics: Arc<Metrics>,
    #[expect(dead_code, reason = "a server that stops waits until all are dropped")]
    under_way: TaskTrackerToken,
}

impl Call {
    pub(crate) fn begin(
        caller: Arc<Caller>,
        metrics: Arc<Metrics>,
        under_way: TaskTrackerToken,
    ) -> Self {
        let mut state = caller.state();
        state.calls += 1;
        let id = state.next;
        state.next += 1;
        drop(state);
        metrics.in_flight.inc();
        Self {
            caller,
            id,
            metrics,
            under_way,
        }
    }

    /// A part of the answer is ready, or was just taken.
    pub(crate) fn answering(&self) {
        let mut state = self.caller.state();
        state.answers.insert(self.id, Instant::now());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.caller.state();
        state.calls -= 1;
        state.answers.remove(&self.id);
        state.idle_since = Instant::now();
        drop(state);
        self.metrics.in_flight.dec();
    }
}
