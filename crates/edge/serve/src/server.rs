//! What runs when functions are served, and how does it stop?

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use purlin_function::Functions;
use purlin_proto::DESCRIPTOR;
use purlin_telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic_health::server::HealthReporter;

use crate::connection::House;
use crate::incoming::Intake;
use crate::kept::Kept;
use crate::limit::{Limited, Limits};
use crate::listen::Listen;
use crate::metrics_page::Page;
use crate::rarely::Rarely;
use crate::record::Recorder;
use crate::rpc::{Rpc, V1, V1Beta1};
use crate::service::Service;
use crate::tls::Tls;
use crate::{Options, ServeError, metrics_page};

/// How long the last answers have to be sent, after the last request is done, when the server stops.
const LINGER: Duration = Duration::from_millis(500);

/// A server that listens, and does not answer yet.
#[derive(Debug)]
pub struct Server {
    options: Options,
    functions: Arc<Functions>,
    metrics: Arc<Metrics>,
    recorder: Option<Arc<Recorder>>,
    tls: Option<Arc<Tls>>,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
}

impl Server {
    /// Loads the TLS files and listens.
    pub async fn bind(options: Options, functions: Arc<Functions>) -> Result<Self, ServeError> {
        let metrics = Arc::<Metrics>::default();
        let tls = match &options.tls_folder {
            Some(folder) => Some(Tls::load(folder, &metrics)?),
            None => None,
        };
        let recorder = options.record.clone().map(Recorder::open).transpose()?;
        let recorder = recorder.map(Arc::new);
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
            metrics,
            recorder,
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
        let limits = self.limits();
        let service = self.service();
        let routes = Routes::new(health_service)
            .add_service(limited(&limits, Rpc::<V1>::new(service.clone())))
            .add_service(limited(&limits, Rpc::<V1Beta1>::new(service)));
        let routes = with_reflection(routes).prepare();
        let (authority, authorities) = watch::channel(0);
        let drain = CancellationToken::new();
        let cut = CancellationToken::new();
        // Whatever ends this function ends the connections too.
        let _cut = cut.clone().drop_guard();
        let listen = Arc::new(Listen {
            tls: self.tls.clone(),
            handshake_timeout: self.options.handshake_timeout,
            max_connections: self.options.max_connections,
            share: self.options.share(),
            house: self.house(routes, (&drain, &cut), authorities),
            connections: TaskTracker::new(),
            known: Mutex::default(),
            warned: Rarely::default(),
        });
        let connections = listen.connections.clone();
        let mut beside = JoinSet::new();
        if let Some(tls) = self.tls {
            let period = self.options.tls_reload_period;
            beside.spawn(tls.watch(period, Arc::clone(&self.metrics), authority));
        }
        let page = Page {
            metrics: self.metrics,
            drain: drain.clone(),
        };
        if let Some(listener) = self.metrics_listener {
            beside.spawn(metrics_page::serve(listener, page));
        }
        let listening = tokio::spawn(listen.run(self.listener));
        stop.await;
        tracing::info!("stopping: finishing the requests that are under way");
        say_not_serving(&health).await;
        drain.cancel();
        drop(listening.await);
        connections.close();
        limits.calls.close();
        tokio::select! {
            () = connections.wait() => {}
            // A client that keeps a connection open in spite of being told to go is not waited for.
            () = ended(&limits.calls) => {}
            () = tokio::time::sleep(self.options.drain_timeout) => {
                let cut_off = limits.calls.len();
                tracing::warn!(cut_off, "some requests did not finish in time (--drain-timeout) and were cut off");
            }
        }
        Ok(())
    }

    fn limits(&self) -> Arc<Limits> {
        let options = &self.options;
        Arc::new(Limits {
            intake: Intake {
                max_size: options.max_request_size,
                patience: options.stall_timeout,
                memory: Arc::new(Semaphore::new(options.max_request_memory)),
                max_memory: options.max_request_memory,
            },
            turns: Arc::new(Semaphore::new(options.max_concurrent_requests)),
            max_turns: options.max_concurrent_requests,
            patience: options.request_timeout,
            metrics: Arc::clone(&self.metrics),
            calls: TaskTracker::new(),
        })
    }

    fn house(
        &self,
        routes: Routes,
        (drain, cut): (&CancellationToken, &CancellationToken),
        authority: watch::Receiver<u64>,
    ) -> House {
        let options = &self.options;
        House {
            routes,
            metrics: Arc::clone(&self.metrics),
            max_header_size: options.max_header_size,
            stall_timeout: options.stall_timeout,
            idle_timeout: options.idle_timeout,
            max_age: options.max_connection_age,
            grace: options.request_timeout + options.stall_timeout,
            drain: drain.clone(),
            cut: cut.clone(),
            authority,
        }
    }

    fn service(&self) -> Service {
        Service {
            functions: Arc::clone(&self.functions),
            timeout: self.options.request_timeout,
            kept: Arc::new(Kept::new(self.options.kept_answers)),
            metrics: Arc::clone(&self.metrics),
            recorder: self.recorder.clone(),
            large: Arc::new(Semaphore::new(processors())),
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

fn limited<S>(limits: &Arc<Limits>, inner: S) -> Limited<S> {
    Limited {
        inner,
        limits: Arc::clone(limits),
    }
}

/// Ready when no request is under way and its answer had time to be sent.
async fn ended(calls: &TaskTracker) {
    calls.wait().await;
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
