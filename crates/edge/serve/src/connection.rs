//! How long does a connection live? Until its caller goes, is idle or stalls for too long, or is asked to come again.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use purlin_telemetry::{LimitLabels, Metrics};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service as _;

use crate::caller::Caller;
use crate::stream::Stream;

/// How much a client may send before it is told to go on. HTTP/2's default of 64 KiB makes large requests wait.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// How large a frame may be. Clients that send large ones save both sides the heads and the system calls of many small ones;
/// the default is 16 KiB.
const MAX_FRAME: u32 = 512 << 10;
/// How many calls a client may have open, at work or waiting.
const MAX_STREAMS: u32 = 512;
/// How often a silent client is asked whether it is there, and how long it may take to say so.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What all connections share.
#[derive(Debug, Clone)]
pub(crate) struct House {
    pub(crate) routes: Routes,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) max_header_size: u32,
    /// How long an answer may wait to be taken.
    pub(crate) stall_timeout: Duration,
    /// How long a connection may be without a call.
    pub(crate) idle_timeout: Option<Duration>,
    /// How old a connection gets.
    pub(crate) max_age: Option<Duration>,
    /// How long calls may go on after their connection was told to go.
    pub(crate) grace: Duration,
    /// The server stops.
    pub(crate) drain: CancellationToken,
    /// The server is gone.
    pub(crate) cut: CancellationToken,
    /// Another authority says now who may come in.
    pub(crate) authority: watch::Receiver<u64>,
}

impl House {
    /// Serves a connection until it ends.
    pub(crate) async fn serve(mut self, stream: Stream, caller: Arc<Caller>, number: u64) {
        let service = hyper::service::service_fn({
            let (routes, caller) = (self.routes.clone(), Arc::clone(&caller));
            move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Arc::clone(&caller));
                // Routes are always ready.
                routes.clone().call(request.map(Body::new))
            }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(MAX_FRAME)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(self.max_header_size)
            .keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let began = Instant::now();
        let max_age = self.max_age.map(|age| spread(age, number));
        let mut looks = interval(self.look_every());
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // When it was told to go.
        let mut told: Option<Instant> = None;
        loop {
            let leave = tokio::select! {
                outcome = connection.as_mut() => {
                    if let Err(error) = outcome {
                        tracing::debug!(%error, "a connection broke");
                    }
                    return;
                }
                () = self.cut.cancelled() => return,
                () = caller.evicted.notified() => return self.hit("connections"),
                () = self.drain.cancelled(), if told.is_none() => true,
                changed = self.authority.changed(), if told.is_none() && self.authority.has_changed().is_ok() => {
                    changed.is_ok()
                }
                _ = looks.tick() => {
                    let now = Instant::now();
                    if caller.stalled_for(now) > self.stall_timeout {
                        return self.hit("stall");
                    }
                    if told.is_some_and(|told| now.duration_since(told) > self.grace) {
                        return;
                    }
                    let idle = self.idle_timeout.zip(caller.idle_for(now));
                    idle.is_some_and(|(limit, idle)| idle > limit)
                        || max_age.is_some_and(|age| now.duration_since(began) > age)
                }
            };
            if leave && told.is_none() {
                told = Some(Instant::now());
                connection.as_mut().graceful_shutdown();
            }
        }
    }

    fn hit(&self, limit: &'static str) {
        let labels = LimitLabels { limit };
        self.metrics.limits_hit.get_or_create(&labels).inc();
        tracing::debug!(limit, "a connection was cut");
    }

    /// Often enough for the shortest of the limits.
    fn look_every(&self) -> Duration {
        let limits = [Some(self.stall_timeout), self.idle_timeout, self.max_age];
        let shortest = limits.into_iter().flatten().min().unwrap_or(KEEPALIVE);
        (shortest / 4).clamp(Duration::from_millis(10), KEEPALIVE)
    }
}

/// A tenth more or less, so that connections made together do not end together.
fn spread(age: Duration, number: u64) -> Duration {
    let tenths = u32::try_from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32).unwrap_or(0) % 201;
    age.mul_f64(0.9 + f64::from(tenths) / 1000.0)
}
