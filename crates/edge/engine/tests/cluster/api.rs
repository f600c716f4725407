//! Requests to the API server as a user makes them, with what the server answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// A kind's path and whether it is namespaced.
type Served = (String, bool);

/// What the server said when it refused.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) code: u16,
    pub(crate) status: Value,
}

impl Refused {
    /// The machine-readable part: no sentences.
    pub(crate) fn summary(&self) -> Value {
        let reason = self.status["reason"].as_str().unwrap_or_default();
        let mut causes: Vec<(String, String)> = self.status["details"]["causes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| {
                let word = |key: &str| c[key].as_str().unwrap_or_default().to_owned();
                (word("field"), word("reason"))
            })
            .collect();
        causes.sort();
        causes.dedup();
        let causes: Vec<Value> = causes
            .into_iter()
            .map(|(field, reason)| json!({"field": field, "reason": reason}))
            .collect();
        let reason = if reason.contains(' ') {
            "<text>"
        } else {
            reason
        };
        json!({"code": self.code, "reason": reason, "causes": causes})
    }
}

pub(crate) struct Api {
    client: kube::Client,
    known: Mutex<BTreeMap<(String, String), Served>>,
}

impl Api {
    pub(crate) fn new(client: kube::Client) -> Self {
        Self {
            client,
            known: Mutex::default(),
        }
    }

    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        content: &str,
    ) -> Result<Value, Refused> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .body(Body::from(body.into_bytes()))
            .expect("paths here are paths");
        let lost = |error: &dyn std::fmt::Display| Refused {
            code: 0,
            status: json!({"reason": error.to_string()}),
        };
        let response = self.client.send(request).await.map_err(|e| lost(&e))?;
        let code = response.status().as_u16();
        let bytes = response
            .into_body()
            .collect()
            .await
            .map_err(|e| lost(&e))?
            .to_bytes();
        let answer = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if code >= 400 {
            Err(Refused {
                code,
                status: answer,
            })
        } else {
            Ok(answer)
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Refused> {
        self.request(Method::GET, path, None, "application/json")
            .await
    }

    /// Where a kind is served; waits for it for a while.
    pub(crate) async fn served(&self, api_version: &str, kind: &str) -> Result<Served, Refused> {
        let key = (api_version.to_owned(), kind.to_owned());
        if let Some(known) = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Ok(known.clone());
        }
        let root = if api_version.contains('/') {
            format!("/apis/{api_version}")
        } else {
            format!("/api/{api_version}")
        };
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let list = self.get(&root).await.unwrap_or_default();
            let found = list["resources"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|r| {
                    r["kind"] == *kind && !r["name"].as_str().unwrap_or_default().contains('/')
                });
            if let Some(found) = found {
                let plural = found["name"].as_str().unwrap_or_default();
                let served = (format!("{root}|{plural}"), found["namespaced"] == true);
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(key, served.clone());
                return Ok(served);
            }
            if Instant::now() > end {
                let status =
                    json!({"reason": "NoKindMatch", "message": format!("{api_version} {kind}")});
                return Err(Refused { code: 404, status });
            }
            sleep(Duration::from_millis(25)).await;
        }
    }

    pub(crate) fn forget(&self) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The path of an object, or of its collection when `name` is empty.
    pub(crate) async fn path(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<String, Refused> {
        let (at, namespaced) = self.served(api_version, kind).await?;
        let (root, plural) = at.split_once('|').unwrap_or_default();
        let mut path = root.to_owned();
        if namespaced && !namespace.is_empty() {
            path = format!("{path}/namespaces/{namespace}");
        }
        path = format!("{path}/{plural}");
        if !name.is_empty() {
            path = format!("{path}/{name}");
        }
        Ok(path)
    }

    /// All objects of a collection, each with apiVersion and kind.
    pub(crate) async fn list(&self, api_version: &str, plural: &str) -> Vec<Value> {
        let root = if api_version.contains('/') {
            "apis"
        } else {
            "api"
        };
        let Ok(mut list) = self.get(&format!("/{root}/{api_version}/{plural}")).await else {
            return Vec::new();
        };
        let kind = list["kind"]
            .as_str()
            .unwrap_or_default()
            .trim_end_matches("List")
            .to_owned();
        let items = list["items"]
            .as_array_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        items
            .into_iter()
            .map(|mut item| {
                if item.get("apiVersion").is_none() {
                    item["apiVersion"] = api_version.into();
                }
                if item.get("kind").is_none() {
                    item["kind"] = kind.clone().into();
                }
                item
            })
            .collect()
    }
}
