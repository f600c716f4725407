//! How many requests are worked on at once? Later ones wait before their message is read, and are refused in the end.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use purlin_telemetry::Metrics;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// The right to work on a request. It travels with the request, so that a function that does not come back keeps it.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "holding it is its use")]
pub(crate) struct Turn(Arc<OwnedSemaphorePermit>);

#[derive(Debug, Clone)]
pub(crate) struct Limited<S> {
    pub(crate) inner: S,
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) patience: Duration,
    pub(crate) metrics: Arc<Metrics>,
}

impl<S: NamedService> NamedService for Limited<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Limited<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A generated server is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let mut this = self.clone();
        Box::pin(async move {
            let turn = Arc::clone(&this.turns).acquire_owned();
            let Ok(Ok(permit)) = tokio::time::timeout(this.patience, turn).await else {
                this.metrics.refused.inc();
                return Ok(Status::resource_exhausted("too many requests at once").into_http());
            };
            request.extensions_mut().insert(Turn(Arc::new(permit)));
            this.inner.call(request).await
        })
    }
}
