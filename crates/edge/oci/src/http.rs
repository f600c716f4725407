//! One request, one answer: connecting, waiting, trying again, following to where blobs are kept, and reading no more than
//! is allowed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::error::Error;

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Talk HTTP without TLS to every registry. To those on this machine it is done anyway.
    pub plain_http: bool,
    /// How often a request is sent again when the world fails.
    pub retries: u32,
    /// How long to wait before the first of them; each further one waits twice as long.
    pub pause: Duration,
    /// How long the registry may be silent.
    pub patience: Duration,
    /// Bytes of a manifest, an index, or anything else of JSON.
    pub json: u64,
    /// Bytes of a blob.
    pub blob: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            plain_http: false,
            retries: 3,
            pause: Duration::from_millis(300),
            patience: Duration::from_mins(1),
            json: 4 << 20,
            blob: 2 << 30,
        }
    }
}

/// An answer whose body is still to come.
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    patience: Duration,
}

/// A request that can be sent again.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Ask {
    pub(crate) fn new(method: Method, uri: Uri) -> Self {
        Self {
            method,
            uri,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }
}

/// Sends requests.
pub(crate) struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    pub(crate) options: Options,
}

impl Sender {
    pub(crate) fn new(options: Options) -> Result<Self, Error> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(Error::Certificates)?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            options,
        })
    }

    /// Sends a request; again when nobody answers or the registry says that it is not its day. Follows GETs that lead
    /// elsewhere, without telling others who we are.
    pub(crate) async fn send(&self, mut ask: Ask) -> Result<Answer, Error> {
        const MOST_HOPS: usize = 5;
        for _ in 0..MOST_HOPS {
            let answer = self.send_patiently(&ask).await?;
            let leads_on =
                answer.status.is_redirection() && matches!(ask.method, Method::GET | Method::HEAD);
            if !leads_on {
                return Ok(answer);
            }
            let next = answer.location(&ask.uri)?;
            if next.authority() != ask.uri.authority() || next.scheme() != ask.uri.scheme() {
                ask.headers.remove(AUTHORIZATION);
            }
            ask.uri = next;
        }
        Err(Error::Protocol {
            host: host_of(&ask.uri),
            what: format!("it leads elsewhere more than {MOST_HOPS} times"),
        })
    }

    async fn send_patiently(&self, ask: &Ask) -> Result<Answer, Error> {
        let mut pause = self.options.pause;
        let mut left = self.options.retries;
        loop {
            let outcome = self.send_once(ask).await;
            let wait = match &outcome {
                Ok(answer) if is_passing(answer.status) => {
                    Some(answer.asked_to_wait().unwrap_or(pause))
                }
                Err(Error::Connect { .. } | Error::Slow { .. }) => Some(pause),
                _ => None,
            };
            let Some(wait) = wait.filter(|_| left > 0) else {
                return outcome;
            };
            tracing::debug!(uri = %ask.uri, "trying again");
            tokio::time::sleep(wait).await;
            left -= 1;
            pause = pause.saturating_mul(2);
        }
    }

    async fn send_once(&self, ask: &Ask) -> Result<Answer, Error> {
        let host = host_of(&ask.uri);
        let mut request = Request::new(Full::new(ask.body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = ask.uri.clone();
        *request.headers_mut() = ask.headers.clone();
        // Sending a large blob over a slow line is not silence: a minute for every 4 MiB on top.
        let blocks = u32::try_from(ask.body.len() >> 22).unwrap_or(u32::MAX);
        let patience = self
            .options
            .patience
            .saturating_mul(blocks.saturating_add(1));
        match tokio::time::timeout(patience, self.client.request(request)).await {
            Ok(Ok(response)) => {
                let (head, body) = response.into_parts();
                Ok(Answer {
                    host,
                    status: head.status,
                    headers: head.headers,
                    body,
                    patience: self.options.patience,
                })
            }
            Ok(Err(source)) => Err(Error::Connect {
                host,
                source: source.into(),
            }),
            Err(_) => Err(Error::Slow {
                host,
                seconds: patience.as_secs(),
            }),
        }
    }
}

fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || matches!(status.as_u16(), 500 | 502..=504)
}

impl Answer {
    /// The body, unless it is longer than `limit`.
    pub(crate) async fn bytes(mut self, what: &str, limit: u64) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        loop {
            let frame = tokio::time::timeout(self.patience, self.body.frame()).await;
            let frame = match frame {
                Ok(None) => return Ok(whole.freeze()),
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(source))) => {
                    return Err(Error::Connect {
                        host: self.host,
                        source: source.into(),
                    });
                }
                Err(_) => {
                    return Err(Error::Slow {
                        host: self.host,
                        seconds: self.patience.as_secs(),
                    });
                }
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if (whole.len() as u64).saturating_add(data.len() as u64) > limit {
                return Err(Error::TooLarge {
                    what: what.to_owned(),
                    limit,
                });
            }
            whole.extend_from_slice(&data);
        }
    }

    /// Turns an answer that is not the wanted one into an error that says what the registry says.
    pub(crate) async fn refuse(self, action: &'static str) -> Error {
        let (host, status) = (self.host.clone(), self.status);
        let body = self.bytes("the answer", 64 << 10).await.unwrap_or_default();
        Error::Answer {
            host,
            status,
            action,
            words: words(&body),
        }
    }

    /// Where the answer leads to.
    pub(crate) fn location(&self, from: &Uri) -> Result<Uri, Error> {
        let given = self
            .headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        given
            .and_then(|given| resolve(from, given))
            .ok_or_else(|| Error::Protocol {
                host: self.host.clone(),
                what: "it does not say where to go on".to_owned(),
            })
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds).min(Duration::from_secs(10)))
    }
}

/// What the registry says is wrong: `: message; message`.
fn words(body: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = value["errors"].as_array().into_iter().flatten();
    let messages: Vec<&str> = errors
        .filter_map(|error| error["message"].as_str().or(error["code"].as_str()))
        .collect();
    if messages.is_empty() {
        return String::new();
    }
    let text: String = messages.join("; ").chars().take(500).collect();
    format!(": {text}")
}

/// An address relative to another.
fn resolve(from: &Uri, to: &str) -> Option<Uri> {
    if to.starts_with("http://") || to.starts_with("https://") {
        return to.parse().ok();
    }
    let base = format!("{}://{}", from.scheme_str()?, from.authority()?);
    if to.starts_with('/') {
        return format!("{base}{to}").parse().ok();
    }
    let folder = from
        .path()
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    format!("{base}{folder}/{to}").parse().ok()
}

pub(crate) fn host_of(uri: &Uri) -> String {
    uri.authority().map(ToString::to_string).unwrap_or_default()
}
