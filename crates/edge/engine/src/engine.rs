//! Starts the watches, routes their changes, runs the reconciles, and stops them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use purlin_kube::{Client, Error, Informers};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::events::Recorder;
use crate::functions::Functions;
use crate::queue::{Key, Next, Queue};
use crate::router::route;
use crate::shared::{Shared, watched};
use crate::{claim, composite, definition, revision};

/// How long one reconcile may take.
const LONGEST: Duration = Duration::from_mins(2);
/// How long running reconciles may go on after the engine was told to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// How an engine runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many objects are reconciled at a time.
    pub workers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { workers: 64 }
    }
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The API server does not serve what the engine needs.
    #[error("the engine cannot start: {0}")]
    Start(#[from] Error),
}

/// A composition engine on one API server.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    functions: Functions,
    options: Options,
}

impl Engine {
    /// An engine that is not running yet.
    pub fn new(client: Client, functions: Functions, options: Options) -> Self {
        Self {
            client,
            functions,
            options,
        }
    }

    /// Runs until `stop` is cancelled.
    ///
    /// # Errors
    /// When the API server does not serve the engine's own kinds.
    pub async fn run(self, stop: CancellationToken) -> Result<(), EngineError> {
        let (informers, mut changes) = Informers::new(self.client.clone());
        let (recorder, writing) = Recorder::new(self.client.clone());
        let shared = Arc::new(Shared {
            client: self.client,
            informers,
            queue: Queue::default(),
            kinds: crate::kinds::Kinds::default(),
            tracker: crate::tracker::Tracker::default(),
            recorder,
            functions: self.functions,
            applied_crds: crate::crd::AppliedCrds::default(),
            kept: crate::pass::Kept::default(),
        });
        let mut beside = JoinSet::new();
        beside.spawn(writing);
        shared.informers.watch(&watched::functions());
        for gvk in [
            watched::crds(),
            watched::definitions(),
            watched::compositions(),
            watched::revisions(),
        ] {
            shared.informers.synced(&gvk).await?;
        }
        let router = Arc::clone(&shared);
        beside.spawn(async move {
            while let Some(change) = changes.recv().await {
                route(&router, &change);
            }
        });
        work(&shared, self.options.workers, &stop).await;
        Ok(())
    }
}

/// Takes keys from the queue until told to stop, then waits for what is running.
async fn work(shared: &Arc<Shared>, workers: usize, stop: &CancellationToken) {
    let free = Arc::new(Semaphore::new(workers.max(1)));
    let mut running = JoinSet::new();
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&free).acquire_owned() => permit,
        };
        let Ok(permit) = permit else {
            break;
        };
        let key = tokio::select! {
            () = stop.cancelled() => break,
            key = shared.queue.next() => key,
        };
        let shared = Arc::clone(shared);
        running.spawn(async move {
            let next = reconcile(&shared, &key).await;
            shared.queue.done(key, next);
            drop(permit);
        });
        while running.try_join_next().is_some() {}
    }
    let all = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, all).await.is_err() {
        tracing::warn!("reconciles were cut off; nothing is lost, the next start goes on");
    }
}

/// One reconcile, in bounded time; a panic in it is a failure like any other.
async fn reconcile(shared: &Shared, key: &Key) -> Next {
    let work = async {
        match key {
            Key::Definition(name) => definition::reconcile(shared, name).await,
            Key::Composition(name) => revision::record(shared, name).await,
            Key::Revision(name) => revision::validate(shared, name).await,
            Key::Claim(member) => claim::reconcile(shared, member).await,
            Key::Composite(member) => composite::reconcile(shared, member).await,
        }
    };
    let work = AssertUnwindSafe(Box::pin(work)).catch_unwind();
    match tokio::time::timeout(LONGEST, work).await {
        Ok(Ok(next)) => next,
        Ok(Err(_)) => {
            tracing::error!(?key, "a reconcile panicked; it is tried again later");
            Next::Failed
        }
        Err(_) => {
            tracing::warn!(?key, "a reconcile took too long; it is tried again later");
            Next::Failed
        }
    }
}
