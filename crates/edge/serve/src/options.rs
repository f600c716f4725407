//! How is the server configured, and what can be wrong with that?

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::Record;

/// How the server is configured.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen.
    pub address: Address,
    /// The folder with `tls.crt`, `tls.key` and `ca.crt`; without one the server speaks plain text.
    pub tls_folder: Option<PathBuf>,
    /// How often to look whether the TLS files changed.
    pub tls_reload_period: Duration,
    /// How long a client may take until its TLS handshake is done and it begins to speak HTTP/2.
    pub handshake_timeout: Duration,
    /// How long a client may send nothing of a request it began, or take nothing of an answer.
    pub stall_timeout: Duration,
    /// How long a connection may be without a request; then it is closed in good order.
    pub idle_timeout: Option<Duration>,
    /// How old a connection gets, a tenth more or less; then it is closed in good order.
    pub max_connection_age: Option<Duration>,
    /// How many connections there may be; one more ends the one that is idle for longest, or is refused.
    pub max_connections: usize,
    /// How large the headers of a request may be, in bytes.
    pub max_header_size: u32,
    /// Where to show metrics, if anywhere.
    pub metrics_address: Option<Address>,
    /// How large a request may be, in bytes.
    pub max_request_size: usize,
    /// How much memory requests may take together, in bytes, from their first byte until they are answered.
    pub max_request_memory: usize,
    /// How many bytes of requests and answers are kept, so that a request that comes again is not worked on again; none
    /// when zero.
    pub kept_answers: usize,
    /// How many requests are worked on at once; more have to wait.
    pub max_concurrent_requests: usize,
    /// How many of them may come from one connection; half of them when nothing is said.
    pub max_requests_per_connection: Option<usize>,
    /// How long a request waits for its turn, and how long its function may run.
    pub request_timeout: Duration,
    /// How long requests may go on after the server was told to stop.
    pub drain_timeout: Duration,
    /// Where to keep what was asked and answered, if anywhere.
    pub record: Option<Record>,
}

impl Default for Options {
    /// As `purlin serve` without flags, but in plain text, on a free port of this machine only, and without metrics.
    fn default() -> Self {
        Self {
            address: Address(SocketAddr::from(([127, 0, 0, 1], 0))),
            tls_folder: None,
            tls_reload_period: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(20),
            idle_timeout: Some(Duration::from_mins(15)),
            max_connection_age: None,
            max_connections: 4096,
            max_header_size: 16 << 10,
            metrics_address: None,
            max_request_size: 16 << 20,
            max_request_memory: 512 << 20,
            kept_answers: 16 << 20,
            max_concurrent_requests: 256,
            max_requests_per_connection: None,
            request_timeout: Duration::from_mins(1),
            drain_timeout: Duration::from_secs(20),
            record: None,
        }
    }
}

impl Options {
    /// How many turns a connection has.
    pub(crate) fn share(&self) -> usize {
        let half = self.max_concurrent_requests.div_ceil(2);
        let share = self.max_requests_per_connection.unwrap_or(half);
        share.min(self.max_concurrent_requests).max(1)
    }
}

/// Where to listen: `HOST:PORT`, or `:PORT` for all addresses of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected IP:PORT, localhost:PORT or :PORT".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let port: u16 = port.parse().map_err(|_| expected())?;
        let host = match host.trim_start_matches('[').trim_end_matches(']') {
            "" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            "localhost" => IpAddr::from([127, 0, 0, 1]),
            host => host.parse().map_err(|_| expected())?,
        };
        Ok(Self(SocketAddr::new(host, port)))
    }
}

impl Address {
    /// Listens there. All addresses means IPv6 and IPv4, or IPv4 alone on a machine without IPv6.
    pub(crate) async fn listen(self) -> Result<TcpListener, ServeError> {
        let port = self.0.port();
        let listener = match TcpListener::bind(self.0).await {
            Err(error)
                if self.0.ip() == Ipv6Addr::UNSPECIFIED
                    && error.kind() != io::ErrorKind::AddrInUse =>
            {
                TcpListener::bind(SocketAddr::from(([0, 0, 0, 0], port))).await
            }
            outcome => outcome,
        };
        listener.map_err(|source| ServeError::Listen {
            address: self.0,
            source,
        })
    }
}

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The flags make no sense together.
    #[error("{0}")]
    Misuse(String),
    /// The system gives no threads.
    #[error("cannot start threads")]
    Threads(#[source] io::Error),
    /// Something else listens there, or the address is not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The TLS files cannot be used.
    #[error("cannot use the TLS files in {}: {reason}", folder.display())]
    Tls {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder for recorded calls cannot be used.
    #[error("cannot record calls in {}", folder.display())]
    Record {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The signals of the system cannot be received.
    #[error("cannot wait for signals")]
    Signal(#[source] io::Error),
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_read_as_go_reads_them() {
        let check = |text: &str, expected: Option<&str>| {
            let got = text.parse::<Address>().ok().map(|it| it.0.to_string());
            assert_eq!(got.as_deref(), expected, "{text}");
        };
        check(":9443", Some("[::]:9443"));
        check("127.0.0.1:0", Some("127.0.0.1:0"));
        check("localhost:80", Some("127.0.0.1:80"));
        check("[::1]:80", Some("[::1]:80"));
        check("9443", None);
        check("x:1", None);
        check(":99999", None);
    }
}
