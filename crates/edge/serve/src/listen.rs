//! How do connections come in? Each handshake on its own, so that a slow one holds up nobody.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use purlin_telemetry::Metrics;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;

use crate::stream::{Stream, Transport};
use crate::tls::Tls;

/// How many handshakes may be under way.
const HANDSHAKES: usize = 512;

pub(crate) struct Listen {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) handshake_timeout: Duration,
    pub(crate) metrics: Arc<Metrics>,
}

impl Listen {
    /// Accepts connections until nobody wants them any more.
    pub(crate) async fn run(self, ready: mpsc::Sender<io::Result<Stream>>) {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
        let this = Arc::new(self);
        loop {
            let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                accepted = this.listener.accept() => accepted,
                () = ready.closed() => return,
            };
            let socket = match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    // Out of file descriptors, or the client was gone already: neither ends the server.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (this, ready) = (Arc::clone(&this), ready.clone());
            tokio::spawn(async move {
                if let Some(stream) = this.handshake(socket).await {
                    drop(ready.send(Ok(stream)).await);
                }
                drop(permit);
            });
        }
    }

    async fn handshake(&self, socket: TcpStream) -> Option<Stream> {
        drop(socket.set_nodelay(true));
        let Some(tls) = &self.tls else {
            let metrics = Arc::clone(&self.metrics);
            return Some(Stream::new(Transport::Plain(socket), metrics));
        };
        let peer = socket.peer_addr().ok();
        let handshake = TlsAcceptor::from(tls.current()).accept(socket);
        let reason = match tokio::time::timeout(self.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => {
                let metrics = Arc::clone(&self.metrics);
                return Some(Stream::new(Transport::Tls(Box::new(stream)), metrics));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => "it took too long".to_owned(),
        };
        self.metrics.handshake_failures.inc();
        tracing::debug!(?peer, reason, "a TLS handshake failed");
        None
    }
}
