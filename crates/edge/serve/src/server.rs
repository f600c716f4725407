//! What runs when functions are served, and how does it stop?

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use purlin_function::Functions;
use purlin_proto::DESCRIPTOR;
use purlin_telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic_health::server::HealthReporter;

use crate::limit::Limited;
use crate::listen::Listen;
use crate::rpc::{Rpc, V1, V1Beta1};
use crate::service::Service;
use crate::tls::Tls;
use crate::{Options, ServeError, metrics_page};

/// How much a client may send before it is told to go on. HTTP/2's default of 64 KiB makes large requests wait.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// How long the last answers have to be sent, after the last request is done, when the server stops.
const LINGER: Duration = Duration::from_millis(500);

/// A server that listens, and does not answer yet.
#[derive(Debug)]
pub struct Server {
    options: Options,
    functions: Arc<Functions>,
    metrics: Arc<Metrics>,
    tls: Option<Arc<Tls>>,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
}

impl Server {
    /// Loads the TLS files and listens.
    pub async fn bind(options: Options, functions: Arc<Functions>) -> Result<Self, ServeError> {
        let tls = match &options.tls_folder {
            Some(folder) => Some(Tls::load(folder)?),
            None => None,
        };
        let listener = options.address.listen().await?;
        let metrics_listener = match options.metrics_address {
            Some(address) => Some(address.listen().await?),
            None => None,
        };
        let bound = |listener: &TcpListener, asked: SocketAddr| {
            listener.local_addr().map_err(|source| ServeError::Listen {
                address: asked,
                source,
            })
        };
        let address = bound(&listener, options.address.0)?;
        let metrics_address = match (&metrics_listener, options.metrics_address) {
            (Some(listener), Some(asked)) => Some(bound(listener, asked.0)?),
            _ => None,
        };
        Ok(Self {
            options,
            functions,
            metrics: Arc::default(),
            tls,
            listener,
            metrics_listener,
            address,
            metrics_address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are, when they are anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Serves in the background of the current runtime.
    pub fn spawn(self) -> Running {
        let (stop, stopped) = oneshot::channel();
        let address = self.address;
        let task = tokio::spawn(self.run(async move {
            // Also when the handle is gone: then nobody is left to stop it.
            drop(stopped.await);
        }));
        Running {
            address,
            stop,
            task,
        }
    }

    /// Serves until `stop` is ready; then finishes the requests that are under way, for as long as the options allow.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        say_serving(&health).await;
        let turns = Arc::new(Semaphore::new(self.options.max_concurrent_requests));
        let routes = Routes::new(health_service)
            .add_service(self.limited(&turns, self.rpc::<V1>()))
            .add_service(self.limited(&turns, self.rpc::<V1Beta1>()));
        let routes = with_reflection(routes);
        let mut beside = JoinSet::new();
        let (ready, connections) = mpsc::channel(64);
        beside.spawn(
            Listen {
                listener: self.listener,
                tls: self.tls.clone(),
                handshake_timeout: self.options.handshake_timeout,
                metrics: Arc::clone(&self.metrics),
            }
            .run(ready),
        );
        if let Some(tls) = self.tls {
            beside.spawn(tls.watch(self.options.tls_reload_period, Arc::clone(&self.metrics)));
        }
        if let Some(listener) = self.metrics_listener {
            beside.spawn(metrics_page::serve(listener, self.metrics));
        }
        let (drain, draining) = oneshot::channel::<()>();
        let serving = tonic::transport::Server::builder()
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(1024)
            .http2_keepalive_interval(Some(Duration::from_mins(1)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)))
            .add_routes(routes)
            .serve_with_incoming_shutdown(ReceiverStream::new(connections), async {
                drop(draining.await);
            });
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            outcome = &mut serving => return outcome.map_err(ServeError::Stopped),
            () = stop => {}
        }
        tracing::info!("stopping: finishing the requests that are under way");
        say_not_serving(&health).await;
        drop(drain);
        tokio::select! {
            outcome = &mut serving => outcome.map_err(ServeError::Stopped),
            // A client that keeps an idle connection open in spite of being told to go is not waited for.
            () = idle(&turns, self.options.max_concurrent_requests) => Ok(()),
            () = tokio::time::sleep(self.options.drain_timeout) => {
                tracing::warn!("some requests did not finish in time and were cut off");
                Ok(())
            }
        }
    }

    fn limited<S>(&self, turns: &Arc<Semaphore>, inner: S) -> Limited<S> {
        Limited {
            inner,
            turns: Arc::clone(turns),
            patience: self.options.request_timeout,
            metrics: Arc::clone(&self.metrics),
        }
    }

    fn rpc<V>(&self) -> Rpc<V> {
        let service = Service {
            functions: Arc::clone(&self.functions),
            timeout: self.options.request_timeout,
            metrics: Arc::clone(&self.metrics),
        };
        Rpc::new(service, self.options.max_request_size)
    }
}

/// Ready when no request is under way and its answer had time to be sent.
async fn idle(turns: &Semaphore, all: usize) {
    let all = u32::try_from(all).unwrap_or(u32::MAX);
    drop(turns.acquire_many(all).await);
    tokio::time::sleep(LINGER).await;
}

fn with_reflection(routes: Routes) -> Routes {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    match (reflection().build_v1(), reflection().build_v1alpha()) {
        (Ok(new), Ok(old)) => routes.add_service(new).add_service(old),
        // The descriptors are part of the program; a test would have failed.
        _ => routes,
    }
}

async fn say_serving(health: &HealthReporter) {
    health.set_serving::<Rpc<V1>>().await;
    health.set_serving::<Rpc<V1Beta1>>().await;
    health
        .set_service_status("", tonic_health::ServingStatus::Serving)
        .await;
}

async fn say_not_serving(health: &HealthReporter) {
    health.set_not_serving::<Rpc<V1>>().await;
    health.set_not_serving::<Rpc<V1Beta1>>().await;
    health
        .set_service_status("", tonic_health::ServingStatus::NotServing)
        .await;
}

/// A server in the background. It stops when this is dropped, or by [`Running::stop`].
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Finishes the requests that are under way and stops.
    pub async fn stop(self) -> Result<(), ServeError> {
        drop(self.stop);
        match self.task.await {
            Ok(outcome) => outcome,
            // Cancelled with its runtime, which is a way to stop.
            Err(_) => Ok(()),
        }
    }
}
