//! What may a call take: bytes, time and turns? It is taken in first, and has its turn once it is here as a whole.
//!
//! Turns are fair between connections: each has a share, and the calls of one that wants more wait for their own kind.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use purlin_telemetry::{CallLabels, HandledLabels, LimitLabels, Metrics};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Code, Status};
use tower::Service;

use crate::caller::{Call, Caller};
use crate::incoming::{Intake, Refusal};
use crate::outgoing::Outgoing;
use crate::service::code_name;

/// The right to work on a request. It travels with the request, so that a function that does not come back keeps it.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "holding it is its use")]
pub(crate) struct Turn(Arc<Held>);

#[derive(Debug)]
#[expect(dead_code, reason = "holding them is their use")]
struct Held {
    turn: OwnedSemaphorePermit,
    share: OwnedSemaphorePermit,
    memory: Option<OwnedSemaphorePermit>,
}

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) intake: Intake,
    pub(crate) turns: Arc<Semaphore>,
    /// How many turns there are.
    pub(crate) max_turns: usize,
    /// How long a call may take to be here, and then to get its turn.
    pub(crate) patience: Duration,
    pub(crate) metrics: Arc<Metrics>,
    /// The calls that are under way.
    pub(crate) calls: TaskTracker,
}

/// A service whose calls keep to limits.
#[derive(Debug, Clone)]
pub(crate) struct Limited<S> {
    pub(crate) inner: S,
    pub(crate) limits: Arc<Limits>,
}

impl<S: NamedService> NamedService for Limited<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Limited<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + NamedService
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

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut this = self.clone();
        Box::pin(async move {
            let limits = Arc::clone(&this.limits);
            let Some(caller) = request.extensions().get::<Arc<Caller>>().cloned() else {
                return Ok(Status::internal("the call has no connection").into_http());
            };
            let call = Call::begin(
                Arc::clone(&caller),
                Arc::clone(&limits.metrics),
                limits.calls.token(),
            );
            let own = deadline(request.headers());
            let worked = async {
                let request = limits.admit(request, &caller).await?;
                Ok::<_, Refusal>(this.inner.call(request).await)
            };
            let outcome = match own {
                None => worked.await,
                Some(own) => match timeout_at(own, worked).await {
                    Ok(outcome) => outcome,
                    Err(_elapsed) => Err(Refusal {
                        limit: "deadline",
                        status: Status::deadline_exceeded(
                            "the caller's own deadline (grpc-timeout) passed before there was an answer",
                        ),
                    }),
                },
            };
            let response = match outcome {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(refusal) => limits.refuse(S::NAME, refusal),
            };
            Ok(response.map(|body| Body::new(Outgoing::new(body, call))))
        })
    }
}

impl Limits {
    /// Takes the request in and waits for its turn.
    async fn admit(
        &self,
        request: Request<Body>,
        caller: &Caller,
    ) -> Result<Request<Body>, Refusal> {
        let until = Instant::now() + self.patience;
        let (parts, body) = request.into_parts();
        let taken = timeout_at(until, self.intake.take(&parts.headers, body));
        let taken = taken.await.map_err(|_elapsed| Refusal {
            limit: "stall",
            status: Status::deadline_exceeded(format!(
                "the request was not here within {} s (--request-timeout)",
                self.patience.as_secs_f64()
            )),
        })??;
        let until = Instant::now() + self.patience;
        let share = Arc::clone(&caller.share).acquire_owned();
        let Ok(Ok(share)) = timeout_at(until, share).await else {
            return Err(self.crowded("this connection has too many requests at once"));
        };
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = timeout_at(until, turn).await else {
            return Err(self.crowded("there are too many requests at once"));
        };
        let mut request = Request::from_parts(parts, Body::new(Full::new(taken.frame)));
        request.headers_mut().remove("grpc-encoding");
        request.extensions_mut().insert(Turn(Arc::new(Held {
            turn,
            share,
            memory: taken.memory,
        })));
        Ok(request)
    }

    fn crowded(&self, what: &str) -> Refusal {
        self.metrics.refused.inc();
        Refusal {
            limit: "concurrency",
            status: Status::resource_exhausted(format!(
                "{what}: {} are worked on (--max-concurrent-requests), and none of them ended within {} s; try again later",
                self.max_turns,
                self.patience.as_secs_f64()
            )),
        }
    }

    /// Counts a call that no function gets to see.
    fn refuse(&self, service: &'static str, refusal: Refusal) -> Response<Body> {
        let Refusal { limit, status } = refusal;
        if !limit.is_empty() {
            let labels = LimitLabels { limit };
            self.metrics.limits_hit.get_or_create(&labels).inc();
        }
        let call = CallLabels {
            grpc_type: "unary",
            grpc_service: service,
            grpc_method: "RunFunction",
        };
        // Work that is given up because of the caller's deadline was counted when it began.
        if limit != "deadline" {
            self.metrics.started.get_or_create(&call).inc();
        }
        let handled = HandledLabels {
            grpc_type: call.grpc_type,
            grpc_service: call.grpc_service,
            grpc_method: call.grpc_method,
            grpc_code: code_name(status.code()),
        };
        self.metrics.handled.get_or_create(&handled).inc();
        tracing::debug!(code = ?status.code(), message = status.message(), "refused");
        let packings = HeaderValue::from_static("gzip,identity");
        let is_unknown_packing = status.code() == Code::Unimplemented;
        let mut response = status.into_http();
        if is_unknown_packing {
            response
                .headers_mut()
                .insert("grpc-accept-encoding", packings);
        }
        response
    }
}

/// When the caller stops waiting: `grpc-timeout` is at most eight digits and a unit.
fn deadline(headers: &HeaderMap) -> Option<Instant> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    let wait = match unit {
        "H" => Duration::from_secs(count.checked_mul(3600)?),
        "M" => Duration::from_secs(count.checked_mul(60)?),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    };
    Instant::now().checked_add(wait)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;
    use tokio::time::Instant;

    use super::deadline;

    #[tokio::test(start_paused = true)]
    async fn the_callers_deadline_is_read() {
        let check = |text: &str, expected: Option<Duration>| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            let got = deadline(&headers).map(|at| at.duration_since(Instant::now()));
            assert_eq!(got, expected, "{text}");
        };
        check("1S", Some(Duration::from_secs(1)));
        check("2M", Some(Duration::from_mins(2)));
        check("1H", Some(Duration::from_hours(1)));
        check("99999999m", Some(Duration::from_millis(99_999_999)));
        check("5u", Some(Duration::from_micros(5)));
        check("100n", Some(Duration::from_nanos(100)));
        for wrong in ["", "S", "1", "1X", "-1S", "123456789S", "1.5S"] {
            check(wrong, None);
        }
    }
}
