//! Accepts connections: TLS, who is asking, bounds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::body::LARGEST;
use super::reply::{Reply, ReplyBody};
use super::route;
use crate::failure::Failure;
use crate::server::Core;

/// How many connections are served at once.
const CONNECTIONS: usize = 4096;
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(20);
/// How long a body may take.
const BODY: Duration = Duration::from_secs(34);
/// The most bytes of headers.
const HEADER_BYTES: usize = 64 * 1024;

/// Who may talk to the server.
#[derive(Debug)]
pub(crate) struct Door {
    token: [u8; 32],
    /// What the `Host` header may name, besides loopback.
    host: SocketAddr,
}

impl Door {
    pub(crate) fn new(token: &str, host: SocketAddr) -> Self {
        Self {
            token: Sha256::digest(token.as_bytes()).into(),
            host,
        }
    }

    /// Compares digests, so that the time taken says nothing about the token.
    fn opens(&self, request: &Request<Incoming>) -> bool {
        let sent = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok());
        let Some((scheme, token)) = sent.and_then(|v| v.split_once(' ')) else {
            return false;
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return false;
        }
        let digest = Sha256::digest(token.trim().as_bytes());
        digest
            .iter()
            .zip(self.token)
            .fold(0, |all, (a, b)| all | (a ^ b))
            == 0
    }

    /// Web pages reach loopback too: a foreign name or origin is refused.
    fn trusts(&self, request: &Request<Incoming>) -> bool {
        if request.headers().contains_key(header::ORIGIN) {
            return false;
        }
        let named = request
            .headers()
            .get(header::HOST)
            .and_then(|v| v.to_str().ok());
        let host = named.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
        let Some(host) = host else { return true };
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        matches!(
            name,
            "localhost"
                | "127.0.0.1"
                | "::1"
                | "kubernetes"
                | "kubernetes.default"
                | "kubernetes.default.svc"
        ) || name == self.host.ip().to_string()
    }
}

/// Serves connections until the server stops.
pub(crate) async fn serve(
    core: Arc<Core>,
    listener: TcpListener,
    tls: TlsAcceptor,
    door: Arc<Door>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            () = core.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (core, tls, door) = (core.clone(), tls.clone(), door.clone());
        tokio::spawn(async move {
            connection(core, stream, tls, door).await;
            drop(permit);
        });
    }
}

async fn connection(core: Arc<Core>, stream: TcpStream, tls: TlsAcceptor, door: Arc<Door>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else {
        return;
    };
    let stop = core.stop.clone();
    let service = hyper::service::service_fn(move |request| {
        let (core, door) = (core.clone(), door.clone());
        async move { Ok::<_, std::convert::Infallible>(handle(&core, &door, request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEADER_BYTES * 4);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(1000)
        .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        () = stop.cancelled() => {}
        result = serving => {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection ended early");
            }
        }
    }
}

async fn handle(core: &Arc<Core>, door: &Door, request: Request<Incoming>) -> Response<ReplyBody> {
    if !door.trusts(&request) {
        let failure = Failure::new(
            403,
            "Forbidden",
            "requests from web pages and for other hosts are refused",
        );
        return Reply::failure(&failure).into_response();
    }
    if !route::is_public(request.uri().path()) && !door.opens(&request) {
        return Reply::failure(&Failure::new(401, "Unauthorized", "Unauthorized")).into_response();
    }
    serve_request(core, request).await
}

/// Answers a request that was let in.
pub(crate) async fn serve_request<B>(core: &Arc<Core>, request: Request<B>) -> Response<ReplyBody>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let collected = tokio::time::timeout(BODY, Limited::new(body, LARGEST).collect()).await;
    let body = match collected {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let text = format!("Request entity too large: limit is {LARGEST}");
            return Reply::failure(&Failure::new(413, "RequestEntityTooLarge", text))
                .into_response();
        }
        Ok(Err(error)) => {
            let failure = Failure::bad_request(format!("cannot read the body: {error}"));
            return Reply::failure(&failure).into_response();
        }
        Err(_) => {
            let failure = Failure::new(
                504,
                "Timeout",
                "the body of the request did not arrive in time",
            );
            return Reply::failure(&failure).into_response();
        }
    };
    let request = route::Request {
        method: parts.method,
        uri: parts.uri,
        headers: parts.headers,
        body,
    };
    route::answer(core, request).await.into_response()
}
