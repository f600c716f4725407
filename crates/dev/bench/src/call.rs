//! Calls a server with bytes, as many at once as asked, for as long as asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};

use crate::process::Served;
use crate::raw::Raw;
use crate::sample::Requests;

const METHOD: &str = "/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction";

/// What calling for a while cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

impl Cost {
    /// The CPU of a request, in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    pub(crate) fn micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    pub(crate) fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }
}

/// Calls `served` from `clients` connections for `duration`.
pub(crate) async fn measure(
    served: &Served,
    requests: &Arc<Requests>,
    clients: usize,
    duration: Duration,
) -> anyhow::Result<Cost> {
    let (cpu, began) = (served.cpu()?, Instant::now());
    let count = run(served.address, requests, clients, duration).await?;
    Ok(Cost {
        requests: count,
        cpu: served.cpu()?.saturating_sub(cpu),
        wall: began.elapsed(),
    })
}

/// Calls for `duration`, and answers how often.
pub(crate) async fn run(
    address: SocketAddr,
    requests: &Arc<Requests>,
    clients: usize,
    duration: Duration,
) -> anyhow::Result<u64> {
    let until = Instant::now() + duration;
    let count = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (count, requests) = (Arc::clone(&count), Arc::clone(requests));
        let mut client = Client::connect(address).await?;
        tasks.spawn(async move {
            while Instant::now() < until {
                client.call(requests.next()).await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(count.load(Ordering::Relaxed))
}

pub(crate) struct Client(Grpc<Channel>);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(16 << 20)
            .tcp_nodelay(true)
            .connect()
            .await
            .context("cannot connect to the child")?;
        Ok(Self(Grpc::new(channel).max_decoding_message_size(64 << 20)))
    }

    pub(crate) async fn call(&mut self, request: Bytes) -> anyhow::Result<Bytes> {
        self.0.ready().await?;
        let path = PathAndQuery::from_static(METHOD);
        let response = self.0.unary(tonic::Request::new(request), path, Raw);
        Ok(response.await?.into_inner())
    }
}
