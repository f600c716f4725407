//! An answer on its way out.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::failure::Failure;

/// The body of every response.
pub(crate) type ReplyBody = UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// What a reply carries.
#[derive(Debug)]
pub(crate) enum Payload {
    Json(Value),
    Yaml(Value),
    Text(String),
    /// Already encoded JSON.
    Bytes(Bytes),
    /// JSON lines that come over time.
    Stream(mpsc::Receiver<Bytes>),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub code: u16,
    pub payload: Payload,
    pub headers: Vec<(&'static str, String)>,
    pub warnings: Vec<String>,
}

impl Reply {
    pub(crate) fn new(code: u16, payload: Payload) -> Self {
        Self {
            code,
            payload,
            headers: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn json(code: u16, value: Value) -> Self {
        Self::new(code, Payload::Json(value))
    }

    pub(crate) fn text(code: u16, text: impl Into<String>) -> Self {
        Self::new(code, Payload::Text(text.into()))
    }

    pub(crate) fn failure(failure: &Failure) -> Self {
        if failure.plain {
            return Self::text(failure.code, format!("{}\n", failure.message));
        }
        Self::json(failure.code, failure.status())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_response(self) -> http::Response<ReplyBody> {
        let (kind, body) = match self.payload {
            Payload::Json(value) => ("application/json", full(value.to_string().into())),
            Payload::Bytes(bytes) => ("application/json", full(bytes)),
            Payload::Yaml(value) => (
                "application/yaml",
                full(purlin_yaml::to_string(&value).into()),
            ),
            Payload::Text(text) => ("text/plain; charset=utf-8", full(text.into())),
            Payload::Stream(lines) => ("application/json", stream(lines)),
        };
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                headers.insert(name, value);
            }
        }
        let mut seen = Vec::new();
        for warning in self.warnings {
            let text = format!("299 - {}", Value::from(shorten(&warning)));
            if let Ok(value) = HeaderValue::try_from(text)
                && !seen.contains(&value)
            {
                headers.append(http::header::WARNING, value.clone());
                seen.push(value);
            }
        }
        let mut response = http::Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        response
    }
}

/// Header values hold no control characters and have a bounded length.
fn shorten(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(1024)
        .collect()
}

fn full(bytes: Bytes) -> ReplyBody {
    Full::new(bytes).boxed_unsync()
}

fn stream(mut lines: mpsc::Receiver<Bytes>) -> ReplyBody {
    let frames = futures::stream::poll_fn(move |context| {
        lines
            .poll_recv(context)
            .map(|line| line.map(|bytes| Ok::<_, std::convert::Infallible>(Frame::data(bytes))))
    });
    StreamBody::new(frames).boxed_unsync()
}
