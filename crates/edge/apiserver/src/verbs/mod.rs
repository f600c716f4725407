//! What may be done with resources, and the steps a write goes through.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod patch;
pub(crate) mod read;
pub(crate) mod review;
pub(crate) mod scale;
pub(crate) mod show;
pub(crate) mod stage;
pub(crate) mod update;
pub(crate) mod watch;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::failure::{Cause, Failure, FieldError, Outcome};
use crate::http::accept::Accepted;
use crate::http::query::Query;
use crate::registry::Resource;
use crate::server::Core;
use crate::store::Key;

/// A request for a resource.
#[derive(Debug)]
pub(crate) struct Ask {
    pub method: Method,
    pub query: Query,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub accepted: Accepted,
    pub resource: Arc<Resource>,
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// Empty for the object itself.
    pub subresource: String,
}

/// How unknown and duplicate fields are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validation {
    Ignore,
    Warn,
    Strict,
}

impl Ask {
    /// The key of the object the path names.
    pub(crate) fn key(&self) -> Outcome<Key> {
        let name = self.name.as_deref().unwrap_or_default();
        if name.contains('%') {
            return Err(Failure::bad_request(format!(
                "invalid resource name {name:?}: [may not contain '%']"
            )));
        }
        Ok(Key::new(
            self.namespace.as_deref().unwrap_or_default(),
            name,
        ))
    }

    pub(crate) fn header(&self, name: http::HeaderName) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }

    /// Who writes: what the client calls itself, or else the first part of its user agent.
    pub(crate) fn manager(&self, options: &str) -> Outcome<String> {
        let Some(manager) = self.query.get("fieldManager") else {
            let agent = self.header(http::header::USER_AGENT);
            return Ok(agent
                .split('/')
                .next()
                .unwrap_or_default()
                .chars()
                .take(128)
                .collect());
        };
        if manager.chars().count() > 128 {
            let error = FieldError::plain(
                Cause::TooLong,
                "fieldManager",
                "may not be more than 128 bytes",
            );
            return Err(Failure::invalid("meta.k8s.io", options, "", &[error]));
        }
        let wrong = if manager.chars().any(char::is_control) {
            "should only contain printable characters"
        } else {
            return Ok(manager.to_owned());
        };
        let error = FieldError::invalid("fieldManager", &manager.into(), wrong);
        Err(Failure::invalid("meta.k8s.io", options, "", &[error]))
    }

    pub(crate) fn validation(&self, options: &str) -> Outcome<Validation> {
        match self.query.get("fieldValidation") {
            None | Some("Warn") => Ok(Validation::Warn),
            Some("Strict") => Ok(Validation::Strict),
            Some("Ignore") => Ok(Validation::Ignore),
            Some(other) => {
                let known = ["Ignore", "Strict", "Warn"];
                let error = FieldError::unsupported("fieldValidation", &other.into(), &known);
                Err(Failure::invalid("meta.k8s.io", options, "", &[error]))
            }
        }
    }
}

/// Serves a request for a resource.
pub(crate) async fn serve(core: &Arc<Core>, ask: Ask) -> Outcome<crate::http::reply::Reply> {
    let mut reply = dispatch(core, &ask).await?;
    if let Some(custom) = ask.resource.custom()
        && let Some(warning) = &custom.deprecation
    {
        reply.warnings.insert(0, warning.clone());
    }
    Ok(reply)
}

async fn dispatch(core: &Arc<Core>, ask: &Ask) -> Outcome<crate::http::reply::Reply> {
    let resource = &ask.resource;
    let refuse = |verb: &str| Failure::method(verb, &resource.group, &resource.plural);
    let watching = ask.query.flag("watch");
    let can = |verb: &str| {
        if resource.verbs().contains(&verb) {
            Ok(())
        } else {
            Err(refuse(verb))
        }
    };
    if resource
        .builtin()
        .is_some_and(|b| b.which == crate::kinds::Which::Review)
    {
        return match (&ask.method, &ask.name) {
            (&Method::POST, None) => review::create(core, ask),
            _ => Err(refuse(&ask.method.as_str().to_lowercase())),
        };
    }
    match (ask.name.is_some(), ask.subresource.as_str()) {
        (false, _) => match ask.method {
            Method::GET if watching => watch::watch(core, ask),
            Method::GET => read::list(core, ask).await,
            Method::POST => {
                can("create")?;
                create::create(core, ask).await
            }
            Method::DELETE => {
                can("deletecollection")?;
                delete::collection(core, ask).await
            }
            _ if resource.custom().is_some() => {
                Err(Failure::bad_request("name is required for this verb"))
            }
            _ => Err(refuse(&ask.method.as_str().to_lowercase())),
        },
        (true, "scale") => scale::scale(core, ask).await,
        (true, "token") if &*resource.id == "/serviceaccounts" => match ask.method {
            Method::POST => review::token(core, ask),
            _ => Err(refuse(&ask.method.as_str().to_lowercase())),
        },
        (true, "status") if !resource.has_status() => Err(no_part(ask)),
        (true, "" | "status") => match ask.method {
            Method::GET => read::get(core, ask),
            Method::PUT => update::put(core, ask).await,
            Method::PATCH => patch::patch(core, ask).await,
            Method::DELETE if ask.subresource.is_empty() => delete::delete(core, ask).await,
            Method::POST if ask.subresource.is_empty() && resource.custom().is_some() => {
                create::create(core, ask).await
            }
            _ => Err(refuse(&ask.method.as_str().to_lowercase())),
        },
        (true, "finalize") if &*resource.id == "/namespaces" => match ask.method {
            Method::PUT => update::put(core, ask).await,
            _ => Err(refuse(&ask.method.as_str().to_lowercase())),
        },
        (true, _) => Err(no_part(ask)),
    }
}

/// There is no such subresource.
fn no_part(ask: &Ask) -> Failure {
    let resource = &ask.resource;
    if resource.builtin().is_some() {
        return Failure::no_resource();
    }
    Failure::not_found(
        &resource.group,
        &resource.plural,
        ask.name.as_deref().unwrap_or_default(),
    )
}
