//! How do connections come in? Each on its own, so that a slow one holds up nobody, and no more than there is room for.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use purlin_telemetry::{LimitLabels, Metrics};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::caller::Caller;
use crate::connection::House;
use crate::rarely::Rarely;
use crate::stream::{Stream, Transport};
use crate::tls::Tls;

/// How many handshakes may be under way: one more ends the oldest, which is the slowest.
const HANDSHAKES: usize = 512;

#[derive(Debug)]
pub(crate) struct Listen {
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) handshake_timeout: Duration,
    pub(crate) max_connections: usize,
    /// How many turns a connection may have.
    pub(crate) share: usize,
    pub(crate) house: House,
    pub(crate) connections: TaskTracker,
    pub(crate) known: Mutex<Known>,
    pub(crate) warned: Rarely,
}

/// The connections there are.
#[derive(Debug, Default)]
pub(crate) struct Known {
    next: u64,
    handshakes: BTreeMap<u64, AbortHandle>,
    open: BTreeMap<u64, Arc<Caller>>,
}

impl Listen {
    /// Accepts connections until the server stops.
    pub(crate) async fn run(self: Arc<Self>, listener: TcpListener) {
        let drain = self.house.drain.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = drain.cancelled() => break,
            };
            match accepted {
                Ok((socket, peer)) => self.admit(socket, peer),
                Err(error) => {
                    // Out of file descriptors, or the client was gone already: neither ends the server.
                    tracing::warn!(%error, "cannot accept a connection");
                    self.make_room();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        // Who was connected by the system already may still have a call answered.
        let mut now = Context::from_waker(Waker::noop());
        while let Poll::Ready(Ok((socket, peer))) = listener.poll_accept(&mut now) {
            self.admit(socket, peer);
        }
    }

    fn admit(self: &Arc<Self>, socket: TcpStream, peer: SocketAddr) {
        let mut known = self.known();
        if known.open.len() >= self.max_connections {
            drop(known);
            if !self.make_room() {
                self.hit("connections");
                return;
            }
            known = self.known();
        }
        let number = known.next;
        known.next += 1;
        if known.handshakes.len() >= HANDSHAKES
            && let Some((_, slowest)) = known.handshakes.pop_first()
        {
            slowest.abort();
            self.hit("handshakes");
        }
        let this = Arc::clone(self);
        let task = self.connections.spawn(async move {
            let stream = this.handshake(socket, peer).await;
            let caller = Arc::new(Caller::new(this.share));
            {
                let mut known = this.known();
                known.handshakes.remove(&number);
                if stream.is_some() {
                    known.open.insert(number, Arc::clone(&caller));
                }
            }
            if let Some(stream) = stream {
                let house = this.house.clone();
                house.serve(stream, caller, number).await;
                this.known().open.remove(&number);
            }
        });
        known.handshakes.insert(number, task.abort_handle());
    }

    /// Ends the connection that has been idle for longest.
    fn make_room(&self) -> bool {
        let now = Instant::now();
        let known = self.known();
        let idle = known.open.values().filter_map(|caller| {
            let idle = caller.idle_for(now)?;
            Some((idle, caller))
        });
        let Some((_, caller)) = idle.max_by_key(|(idle, _)| *idle) else {
            return false;
        };
        caller.evicted.notify_one();
        true
    }

    /// A connection that speaks HTTP/2, within the time there is for that.
    async fn handshake(&self, socket: TcpStream, peer: SocketAddr) -> Option<Stream> {
        drop(socket.set_nodelay(true));
        let shaken = timeout(self.handshake_timeout, self.shake(socket));
        let reason = match shaken.await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => format!(
                "it took longer than {} s (--handshake-timeout)",
                self.handshake_timeout.as_secs_f64()
            ),
        };
        self.metrics().handshake_failures.inc();
        let tls = self.tls.is_some();
        match self.warned.due() {
            Some(others) => {
                tracing::warn!(%peer, tls, reason, others, "a connection was refused in its handshake");
            }
            None => {
                tracing::debug!(%peer, tls, reason, "a connection was refused in its handshake");
            }
        }
        None
    }

    async fn shake(&self, socket: TcpStream) -> io::Result<Stream> {
        let transport = match &self.tls {
            Some(tls) => {
                let stream = TlsAcceptor::from(tls.current()).accept(socket).await?;
                Transport::Tls(Box::new(stream))
            }
            None => Transport::Plain(socket),
        };
        Stream::begin(transport, Arc::clone(self.metrics())).await
    }

    fn hit(&self, limit: &'static str) {
        let labels = LimitLabels { limit };
        self.metrics().limits_hit.get_or_create(&labels).inc();
    }

    fn metrics(&self) -> &Arc<Metrics> {
        &self.house.metrics
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
