//! The distribution protocol: manifests and blobs of a repository, there and back.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};
use purlin_package::{Digest, RefVersion, Reference, names};
use serde::Deserialize;

use crate::auth::{self, Challenge, is_loopback};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::http::{Answer, Ask, Options, Sender};

/// Talks to registries.
pub struct Client {
    pub(crate) sender: Sender,
    credentials: Credentials,
    /// What answered the last challenge of a registry, by registry and scope.
    known: Mutex<BTreeMap<(String, String), HeaderValue>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// A manifest or index, as the registry holds it.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Byte for byte.
    pub bytes: Bytes,
    /// What it is.
    pub media_type: String,
    /// The digest of `bytes`.
    pub digest: Digest,
}

/// What one wants to do in a repository.
#[derive(Clone, Copy)]
pub(crate) enum Want {
    Pull,
    Push,
}

impl Client {
    /// A client that is who `credentials` say.
    pub fn new(credentials: Credentials, options: Options) -> Result<Self, Error> {
        Ok(Self {
            sender: Sender::new(options)?,
            credentials,
            known: Mutex::new(BTreeMap::new()),
        })
    }

    /// The manifest or index that a reference names.
    pub async fn manifest(&self, reference: &Reference) -> Result<Fetched, Error> {
        self.manifest_wanting(reference, Want::Pull).await
    }

    pub(crate) async fn manifest_wanting(
        &self,
        reference: &Reference,
        want: Want,
    ) -> Result<Fetched, Error> {
        let accepted = [
            names::OCI_INDEX,
            names::DOCKER_INDEX,
            names::OCI_MANIFEST,
            names::DOCKER_MANIFEST,
        ];
        let mut ask = self.ask(
            Method::GET,
            reference,
            &format!("manifests/{}", reference.version.as_str()),
        )?;
        for one in accepted {
            ask.headers.append(ACCEPT, HeaderValue::from_static(one));
        }
        let answer = self.send(ask, reference, want).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(Error::NotFound(reference.to_string()));
        }
        if answer.status != StatusCode::OK {
            return Err(answer.refuse("reading a manifest").await);
        }
        let header = answer
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let header = header.map(|text| text.split(';').next().unwrap_or(text).trim().to_owned());
        let bytes = answer.bytes("a manifest", self.sender.options.json).await?;
        let digest = Digest::of(&bytes);
        if let RefVersion::Digest(wanted) = &reference.version
            && *wanted != digest
        {
            return Err(Error::Digest {
                wanted: wanted.clone(),
                actual: digest,
            });
        }
        Ok(Fetched {
            media_type: media_type(&bytes).or(header).unwrap_or_default(),
            bytes,
            digest,
        })
    }

    /// A blob, which is as large as its descriptor says.
    pub async fn blob(
        &self,
        reference: &Reference,
        digest: &Digest,
        size: u64,
    ) -> Result<Bytes, Error> {
        let limit = self.sender.options.blob;
        if size > limit {
            return Err(Error::TooLarge {
                what: format!("the blob {digest}"),
                limit,
            });
        }
        let ask = self.ask(Method::GET, reference, &format!("blobs/{digest}"))?;
        let answer = self.send(ask, reference, Want::Pull).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(Error::NotFound(format!(
                "the blob {digest} of {}",
                reference.name()
            )));
        }
        if answer.status != StatusCode::OK {
            return Err(answer.refuse("reading a blob").await);
        }
        let bytes = answer.bytes(&format!("the blob {digest}"), size).await?;
        let actual = Digest::of(&bytes);
        if actual != *digest {
            return Err(Error::Digest {
                wanted: digest.clone(),
                actual,
            });
        }
        Ok(bytes)
    }

    /// Puts a blob into the repository, unless it is there. Says whether it was sent.
    pub(crate) async fn put_blob(
        &self,
        reference: &Reference,
        bytes: &Bytes,
    ) -> Result<bool, Error> {
        let digest = Digest::of(bytes);
        let ask = self.ask(Method::HEAD, reference, &format!("blobs/{digest}"))?;
        if self.send(ask, reference, Want::Push).await?.status == StatusCode::OK {
            return Ok(false);
        }
        let ask = self.ask(Method::POST, reference, "blobs/uploads/")?;
        let from = ask.uri.clone();
        let answer = self.send(ask, reference, Want::Push).await?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(answer.refuse("starting an upload").await);
        }
        let place = answer.location(&from)?.to_string();
        let joint = if place.contains('?') { '&' } else { '?' };
        let uri: Uri = format!("{place}{joint}digest={digest}")
            .parse()
            .map_err(|_| Error::Protocol {
                host: reference.registry.clone(),
                what: "its upload has no address".to_owned(),
            })?;
        let mut ask = Ask::new(Method::PUT, uri);
        let kind = HeaderValue::from_static("application/octet-stream");
        ask.headers.insert(CONTENT_TYPE, kind);
        ask.body = bytes.clone();
        let answer = self.send(ask, reference, Want::Push).await?;
        if answer.status != StatusCode::CREATED {
            return Err(answer.refuse("an upload").await);
        }
        Ok(true)
    }

    /// Puts a manifest or index where the reference says.
    pub(crate) async fn put_manifest(
        &self,
        reference: &Reference,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Digest, Error> {
        let digest = Digest::of(&bytes);
        self.put_and_hear(reference, media_type, bytes).await?;
        Ok(digest)
    }

    /// The same; gives what the registry says of it.
    pub(crate) async fn put_and_hear(
        &self,
        reference: &Reference,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<HeaderMap, Error> {
        let mut ask = self.ask(
            Method::PUT,
            reference,
            &format!("manifests/{}", reference.version.as_str()),
        )?;
        let kind = HeaderValue::from_str(media_type)
            .map_err(|_| Error::Refused(format!("`{media_type}` is no media type")))?;
        ask.headers.insert(CONTENT_TYPE, kind);
        ask.body = bytes;
        let answer = self.send(ask, reference, Want::Push).await?;
        if answer.status != StatusCode::CREATED {
            return Err(answer.refuse("putting a manifest").await);
        }
        Ok(answer.headers)
    }

    pub(crate) fn ask(
        &self,
        method: Method,
        reference: &Reference,
        path: &str,
    ) -> Result<Ask, Error> {
        let (host, repository) = place_of(reference);
        let scheme = if self.sender.options.plain_http || is_loopback(host) {
            "http"
        } else {
            "https"
        };
        let uri = format!("{scheme}://{host}/v2/{repository}/{path}");
        let uri = uri
            .parse()
            .map_err(|_| Error::Refused(format!("{uri} is no address")))?;
        Ok(Ask::new(method, uri))
    }

    /// Sends a request; when the registry wants to know who we are, tells it and sends again.
    pub(crate) async fn send(
        &self,
        mut ask: Ask,
        reference: &Reference,
        want: Want,
    ) -> Result<Answer, Error> {
        let (host, repository) = place_of(reference);
        let scope = match want {
            Want::Pull => format!("repository:{repository}:pull"),
            Want::Push => format!("repository:{repository}:pull,push"),
        };
        let key = (host.to_owned(), scope.clone());
        // Only the registry itself is told: an upload may lead elsewhere.
        let ours = ask
            .uri
            .authority()
            .is_some_and(|authority| authority.as_str() == host);
        if ours && let Some(value) = self.known().get(&key) {
            ask.headers.insert(AUTHORIZATION, value.clone());
        }
        let answer = self.sender.send(ask.clone()).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !ours {
            return self.allowed(answer);
        }
        let Some(challenge) = Challenge::read(&answer.headers) else {
            return self.allowed(answer);
        };
        let found = auth::answer(
            &self.sender,
            &self.credentials,
            &reference.registry,
            &challenge,
            &scope,
        )
        .await?;
        let Some(value) = found else {
            return self.allowed(answer);
        };
        ask.headers.insert(AUTHORIZATION, value.clone());
        let answer = self.allowed(self.sender.send(ask).await?)?;
        self.known().insert(key, value);
        Ok(answer)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), HeaderValue>> {
        // Nothing that holds the lock can panic half way.
        self.known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn allowed(&self, answer: Answer) -> Result<Answer, Error> {
        let hint = match answer.status {
            StatusCode::UNAUTHORIZED => format!(
                "log in with `docker login {}`, or see what {} says of it",
                answer.host,
                self.credentials.source()
            ),
            StatusCode::FORBIDDEN => format!(
                "whoever {} says we are may not do this",
                self.credentials.source()
            ),
            _ => return Ok(answer),
        };
        Err(Error::Denied {
            host: answer.host,
            status: answer.status,
            hint,
        })
    }
}

/// The host that serves a registry, and the path there. Docker's own registry has another name than it is called by.
fn place_of(reference: &Reference) -> (&str, String) {
    let repository = reference.repository.clone();
    match reference.registry.as_str() {
        "docker.io" | "index.docker.io" if repository.contains('/') => {
            ("registry-1.docker.io", repository)
        }
        "docker.io" | "index.docker.io" => {
            ("registry-1.docker.io", format!("library/{repository}"))
        }
        other => (other, repository),
    }
}

/// What a manifest says it is.
fn media_type(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Says {
        media_type: String,
    }
    let says: Says = serde_json::from_slice(bytes).ok()?;
    Some(says.media_type).filter(|says| !says.is_empty())
}
