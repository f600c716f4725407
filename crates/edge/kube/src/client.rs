//! How is one request about JSON objects made?

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use purlin_api::meta::{self, Gvk};
use serde_json::{Value, json};

use crate::discovery::{Discovery, Kind};
use crate::error::Error;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many objects a list page holds.
const PAGE: usize = 500;

/// A client of one API server. Clones share connections and discovery.
#[derive(Clone)]
pub struct Client {
    inner: kube::Client,
    discovery: Arc<Discovery>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// What a request does in words, its method, and what its body is.
type Way = (&'static str, Method, &'static str);

const JSON: &str = "application/json";

/// What happens to what an object owns when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// It goes later.
    Background,
    /// It goes first.
    Foreground,
}

/// A list, and the version of the collection it shows.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// The collection's resourceVersion.
    pub resource_version: String,
    /// The objects, each with apiVersion and kind.
    pub items: Vec<Value>,
}

impl Client {
    /// Wraps a client.
    pub fn new(inner: kube::Client) -> Self {
        Self {
            inner,
            discovery: Arc::default(),
        }
    }

    /// Connects as a kubeconfig says: the file, or what `KUBECONFIG`, the home folder or the pod says.
    ///
    /// # Errors
    /// When the configuration cannot be read or used.
    pub async fn connect(file: Option<&Path>, context: Option<&str>) -> Result<Self, Error> {
        let shown = file.map_or_else(|| "(default)".to_owned(), |p| p.display().to_string());
        let wrong = |error: kube::Error| Error::Config {
            path: shown.clone(),
            reason: innermost(&error),
        };
        let options = KubeConfigOptions {
            context: context.map(str::to_owned),
            ..KubeConfigOptions::default()
        };
        let mut config = match file {
            Some(path) => {
                let read = Kubeconfig::read_from(path).map_err(|e| wrong(e.into()))?;
                kube::Config::from_custom_kubeconfig(read, &options)
                    .await
                    .map_err(|e| wrong(e.into()))?
            }
            None if context.is_some() => kube::Config::from_kubeconfig(&options)
                .await
                .map_err(|e| wrong(e.into()))?,
            None => kube::Config::infer()
                .await
                .map_err(|e| wrong(kube::Error::InferConfig(e)))?,
        };
        // Watches end by themselves before this; a connection that is silent for longer is dead.
        config.read_timeout = Some(Duration::from_secs(330));
        Ok(Self::new(kube::Client::try_from(config).map_err(wrong)?))
    }

    /// The served kind.
    ///
    /// # Errors
    /// `NotServed` when the API server does not know it.
    pub async fn kind(&self, gvk: &Gvk) -> Result<Arc<Kind>, Error> {
        if let Some(kind) = self.discovery.known(gvk) {
            return Ok(kind);
        }
        if self.discovery.just_missed(gvk) {
            return Err(Error::NotServed(gvk.clone()));
        }
        let path = if gvk.group.is_empty() {
            format!("/api/{}", gvk.version)
        } else {
            format!("/apis/{}", gvk.api_version())
        };
        let list = match self.get_path("discover", &path, gvk.to_string()).await {
            Ok(list) => list,
            Err(Error::Api { code: 404, .. }) => Value::Null,
            Err(error) => return Err(error),
        };
        self.discovery
            .learn(gvk, &list)
            .ok_or_else(|| Error::NotServed(gvk.clone()))
    }

    /// Forgets what is served in a group, because its definitions changed.
    pub fn forget_group(&self, group: &str) {
        self.discovery.forget_group(group);
    }

    /// One object, when it exists.
    pub async fn get(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, Error> {
        let path = kind.path(namespace, name, "");
        match self
            .get_path("get", &path, subject(kind, namespace, name))
            .await
        {
            Ok(object) => Ok(Some(object)),
            Err(Error::Api { code: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every object of a kind, page by page.
    pub async fn list(&self, kind: &Kind, namespace: &str) -> Result<Listed, Error> {
        let mut out = Listed::default();
        let mut more = String::new();
        loop {
            let mut path = format!("{}?limit={PAGE}", kind.path(namespace, "", ""));
            if !more.is_empty() {
                path.push_str("&continue=");
                path.push_str(&encoded(&more));
            }
            let mut page = self
                .get_path("list", &path, subject(kind, namespace, ""))
                .await?;
            meta::text(&page, &["metadata", "resourceVersion"])
                .clone_into(&mut out.resource_version);
            meta::text(&page, &["metadata", "continue"]).clone_into(&mut more);
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                out.items
                    .extend(items.into_iter().map(|item| typed(item, kind)));
            }
            if more.is_empty() {
                return Ok(out);
            }
        }
    }

    /// Creates an object.
    pub async fn create(&self, kind: &Kind, object: &Value, manager: &str) -> Result<Value, Error> {
        let path = format!(
            "{}?fieldManager={}",
            kind.path(meta::namespace(object), "", ""),
            encoded(manager)
        );
        let about = subject_of(kind, object);
        self.send(("create", Method::POST, JSON), &path, about, object)
            .await
    }

    /// Replaces an object, or one of its subresources. Its resourceVersion guards against lost updates.
    pub async fn replace(
        &self,
        kind: &Kind,
        object: &Value,
        manager: &str,
        subresource: &str,
    ) -> Result<Value, Error> {
        let path = object_path("update", kind, object, subresource)?;
        let path = format!("{path}?fieldManager={}", encoded(manager));
        let about = subject_of(kind, object);
        self.send(("update", Method::PUT, JSON), &path, about, object)
            .await
    }

    /// Applies an object, or one of its subresources, taking over every field it names.
    pub async fn apply(
        &self,
        kind: &Kind,
        object: &Value,
        manager: &str,
        subresource: &str,
    ) -> Result<Value, Error> {
        let path = object_path("apply", kind, object, subresource)?;
        let path = format!("{path}?fieldManager={}&force=true", encoded(manager));
        let about = subject_of(kind, object);
        let content = "application/apply-patch+yaml";
        self.send(("apply", Method::PATCH, content), &path, about, object)
            .await
    }

    /// Patches an object: a JSON patch when `patch` is a list, a merge patch otherwise.
    pub async fn patch(
        &self,
        kind: &Kind,
        object: &Value,
        patch: &Value,
        manager: &str,
    ) -> Result<Value, Error> {
        let path = object_path("patch", kind, object, "")?;
        let path = format!("{path}?fieldManager={}", encoded(manager));
        let content = if patch.is_array() {
            "application/json-patch+json"
        } else {
            "application/merge-patch+json"
        };
        self.send(
            ("patch", Method::PATCH, content),
            &path,
            subject_of(kind, object),
            patch,
        )
        .await
    }

    /// Deletes exactly this object, not one that took its name. Answers whether it was there.
    pub async fn delete(
        &self,
        kind: &Kind,
        object: &Value,
        propagation: Propagation,
    ) -> Result<bool, Error> {
        let path = object_path("delete", kind, object, "")?;
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "propagationPolicy": match propagation {
                Propagation::Background => "Background",
                Propagation::Foreground => "Foreground",
            },
        });
        if !meta::uid(object).is_empty() {
            options["preconditions"] = json!({"uid": meta::uid(object)});
        }
        let about = subject_of(kind, object);
        match self
            .send(("delete", Method::DELETE, JSON), &path, about, &options)
            .await
        {
            Ok(_) => Ok(true),
            Err(Error::Api { code: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The OpenAPI v3 document of a kind's group and version, when there is one.
    pub async fn openapi(&self, gvk: &Gvk) -> Result<Option<Value>, Error> {
        let root = if gvk.group.is_empty() { "api" } else { "apis" };
        let path = format!("/openapi/v3/{root}/{}", gvk.api_version());
        match self.get_path("describe", &path, gvk.to_string()).await {
            Ok(document) => Ok(Some(document)),
            Err(Error::Api { code: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn inner(&self) -> &kube::Client {
        &self.inner
    }

    async fn get_path(
        &self,
        verb: &'static str,
        path: &str,
        about: String,
    ) -> Result<Value, Error> {
        let request = Request::get(path).body(Vec::new());
        self.answer(verb, about, request).await
    }

    async fn send(
        &self,
        way: Way,
        path: &str,
        about: String,
        body: &Value,
    ) -> Result<Value, Error> {
        let (verb, method, content) = way;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, content)
            .body(body.to_string().into_bytes());
        self.answer(verb, about, request).await
    }

    async fn answer(
        &self,
        verb: &'static str,
        about: String,
        request: Result<Request<Vec<u8>>, http::Error>,
    ) -> Result<Value, Error> {
        let request = match request {
            Ok(request) => request,
            Err(error) => return Err(Error::from_kube(verb, about, kube::Error::HttpError(error))),
        };
        match tokio::time::timeout(PATIENCE, self.inner.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(|error| Error::from_kube(verb, about, error)),
            Err(_) => Err(Error::Timeout {
                verb,
                subject: about,
                seconds: PATIENCE.as_secs(),
            }),
        }
    }
}

/// The path of an object that says enough to have one.
fn object_path(
    verb: &'static str,
    kind: &Kind,
    object: &Value,
    subresource: &str,
) -> Result<String, Error> {
    let (namespace, name) = (meta::namespace(object), meta::name(object));
    let what = if name.is_empty() {
        "it has no name"
    } else if kind.namespaced && namespace.is_empty() {
        "the kind is namespaced and the object says no namespace; set metadata.namespace"
    } else {
        return Ok(kind.path(namespace, name, subresource));
    };
    Err(Error::Malformed {
        verb,
        subject: subject_of(kind, object),
        what,
    })
}

/// The cause behind all causes: outer ones repeat what it says.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// A list item with the kind that lists leave out.
pub(crate) fn typed(mut item: Value, kind: &Kind) -> Value {
    let fields = meta::object_mut(&mut item, &[]);
    fields
        .entry("apiVersion")
        .or_insert_with(|| kind.gvk.api_version().into());
    fields
        .entry("kind")
        .or_insert_with(|| kind.gvk.kind.clone().into());
    item
}

fn subject(kind: &Kind, namespace: &str, name: &str) -> String {
    let slash = if namespace.is_empty() { "" } else { "/" };
    format!("{} {namespace}{slash}{name}", kind.gvk.kind)
}

fn subject_of(kind: &Kind, object: &Value) -> String {
    subject(kind, meta::namespace(object), meta::name(object))
}

/// Percent-encodes what may not stand in a query.
fn encoded(text: &str) -> String {
    let digit = |nibble: u8| {
        char::from_digit(u32::from(nibble), 16).map_or('0', |c| c.to_ascii_uppercase())
    };
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managers_are_encoded_in_queries() {
        assert_eq!(encoded("a.b/c d&e"), "a.b/c%20d%26e");
    }
}
