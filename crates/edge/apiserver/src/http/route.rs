//! Sends a request to what serves it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Uri, header};
use serde_json::{Value, json};

use super::accept;
use super::path::{self, ResourcePath};
use super::query::Query;
use super::reply::{Payload, Reply};
use crate::failure::{Failure, Outcome};
use crate::kinds::Which;
use crate::registry::Catalog;
use crate::server::Core;
use crate::verbs::{self, Ask};
use crate::{discovery, openapi};

const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A request with its whole body.
#[derive(Debug)]
pub(crate) struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Paths that need no token.
pub(crate) fn is_public(path: &str) -> bool {
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    matches!(first, "healthz" | "livez" | "readyz" | "version")
}

/// Answers a request. Never fails: failures are answers too.
pub(crate) async fn answer(core: &Arc<Core>, request: Request) -> Reply {
    let yaml = request
        .headers
        .get(header::ACCEPT)
        .is_some_and(|a| a == "application/yaml");
    match route(core, request).await {
        Ok(reply) => reply,
        Err(failure) if yaml && !failure.plain => {
            Reply::new(failure.code, Payload::Yaml(failure.status()))
        }
        Err(failure) => Reply::failure(&failure),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

async fn route(core: &Arc<Core>, request: Request) -> Outcome<Reply> {
    let segments = path::segments(request.uri.path());
    let query = Query::parse(request.uri.query().unwrap_or_default());
    let names: Vec<&str> = segments.iter().map(String::as_str).collect();
    match names.as_slice() {
        ["api" | "apis", ..] => {
            if let Some(path) = path::parse(&segments) {
                return resource(core, request, query, path).await;
            }
            read_only(&request)?;
            groups(core, &request, &names)
        }
        ["version"] => Ok(Reply::json(200, version())),
        ["healthz" | "livez" | "readyz", rest @ ..] => Ok(health(&names, rest, &query)),
        ["openapi", "v2"] => {
            read_only(&request)?;
            openapi_v2(&request)
        }
        ["openapi", "v3", rest @ ..] => {
            read_only(&request)?;
            openapi_v3(&core.registry.current(), &query, rest)
        }
        [] => {
            let paths = [
                "/api",
                "/apis",
                "/healthz",
                "/livez",
                "/openapi/v2",
                "/openapi/v3",
                "/readyz",
                "/version",
            ];
            Ok(Reply::json(200, json!({"paths": paths})))
        }
        _ => Err(Failure::no_page()),
    }
}

fn read_only(request: &Request) -> Outcome<()> {
    if request.method == Method::GET || request.method == Method::HEAD {
        return Ok(());
    }
    Err(Failure::new(
        405,
        "MethodNotAllowed",
        "this path can only be read",
    ))
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "33",
        "gitVersion": crate::VERSION,
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "rustc", "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

fn health(names: &[&str], rest: &[&str], query: &Query) -> Reply {
    let name = names.first().copied().unwrap_or_default();
    match rest {
        [] if query.has("verbose") => Reply::text(
            200,
            format!("[+]ping ok\n[+]store ok\n{name} check passed\n"),
        ),
        [] | ["ping" | "store"] => Reply::text(200, "ok"),
        _ => Reply::failure(&Failure::no_page()),
    }
}

/// Whether the client prefers the aggregated form; `None` when it takes nothing there is.
fn wants_aggregated(headers: &HeaderMap) -> Option<bool> {
    let Some(accepted) = text(headers, header::ACCEPT).filter(|a| !a.trim().is_empty()) else {
        return Some(false);
    };
    let mut plain = false;
    for range in accepted.split(',') {
        let (media, parameters) = accept::split(range);
        let get = |name: &str| parameters.iter().find(|(k, _)| *k == name).map(|(_, v)| *v);
        match (media, get("as")) {
            ("application/json", Some("APIGroupDiscoveryList"))
                if get("g") == Some("apidiscovery.k8s.io") && get("v") == Some("v2") =>
            {
                return Some(true);
            }
            ("application/json" | "application/*" | "*/*" | "application/yaml", None) => {
                plain = true;
            }
            _ => {}
        }
    }
    plain.then_some(false)
}

fn groups(core: &Core, request: &Request, names: &[&str]) -> Outcome<Reply> {
    let catalog = core.registry.current();
    let host = text(&request.headers, header::HOST).unwrap_or("localhost");
    match names {
        ["api" | "apis"] => match wants_aggregated(&request.headers) {
            Some(true) => {
                let document = discovery::aggregated(&catalog, names == ["api"]);
                Ok(tagged(request, &document))
            }
            Some(false) if names == ["api"] => {
                Ok(varied(Reply::json(200, discovery::core_versions(host))))
            }
            Some(false) => Ok(varied(Reply::json(200, discovery::groups(&catalog, host)))),
            None => Err(Failure::new(
                406,
                "NotAcceptable",
                "only application/json is offered",
            )),
        },
        ["apis", group] => discovery::group(&catalog, group)
            .map(|found| Reply::json(200, found))
            .ok_or_else(Failure::no_page),
        ["api", version] => discovery::resources(&catalog, "", version)
            .map(|found| Reply::json(200, found))
            .ok_or_else(Failure::no_resource),
        ["apis", group, version] => discovery::resources(&catalog, group, version)
            .map(|found| Reply::json(200, found))
            .ok_or_else(|| unknown_resource(&catalog, group)),
        _ => Err(Failure::no_page()),
    }
}

fn varied(reply: Reply) -> Reply {
    reply.header("vary", "Accept")
}

/// An aggregated document with its ETag, or 304 when the client has it.
fn tagged(request: &Request, document: &Value) -> Reply {
    use sha2::{Digest, Sha256};
    let body = document.to_string();
    let digest = Sha256::digest(body.as_bytes());
    let digits: Vec<String> = digest.iter().take(16).map(|b| format!("{b:02X}")).collect();
    let tag = format!("\"{}\"", digits.concat());
    let known = text(&request.headers, header::IF_NONE_MATCH) == Some(tag.as_str());
    let reply = if known {
        Reply::new(304, Payload::Bytes(Bytes::new()))
    } else {
        Reply::new(200, Payload::Bytes(body.into()))
    };
    varied(reply)
        .header("content-type", DISCOVERY)
        .header("etag", tag)
        .header("cache-control", "public")
}

/// Groups of definitions answer as pages, built-in ones as resources.
fn unknown_resource(catalog: &Catalog, group: &str) -> Failure {
    let builtin = group.is_empty()
        || catalog
            .all()
            .any(|r| r.group == group && r.builtin().is_some());
    if builtin {
        Failure::no_resource()
    } else {
        Failure::no_page()
    }
}

fn openapi_v2(request: &Request) -> Outcome<Reply> {
    let reply = match openapi::v2::negotiate(text(&request.headers, header::ACCEPT)) {
        Some(openapi::v2::Form::Json) => Reply::json(200, openapi::v2::document()),
        Some(openapi::v2::Form::Protobuf) => {
            Reply::new(200, Payload::Bytes(openapi::v2::message().into()))
                .header("content-type", openapi::v2::PROTOBUF)
        }
        None => {
            return Err(Failure::new(
                406,
                "NotAcceptable",
                "only JSON and the protobuf form of OpenAPI are offered",
            ));
        }
    };
    Ok(varied(reply))
}

fn openapi_v3(catalog: &Catalog, query: &Query, rest: &[&str]) -> Outcome<Reply> {
    let (group, version) = match rest {
        [] => return Ok(varied(Reply::json(200, openapi::index(catalog)))),
        ["api", version] => ("", *version),
        ["apis", group, version] => (*group, *version),
        _ => return Err(Failure::no_page()),
    };
    let (document, hash) =
        openapi::document(catalog, group, version).ok_or_else(Failure::no_page)?;
    match query.get("hash") {
        Some(wanted) if wanted != hash => {
            let path = openapi::document_path(group, version);
            Ok(Reply::text(301, "").header("location", format!("/openapi/v3/{path}?hash={hash}")))
        }
        Some(_) => Ok(Reply::json(200, document)
            .header("cache-control", "public, immutable, max-age=31536000")
            .header("expires", "Thu, 31 Dec 2099 00:00:00 GMT")),
        None => Ok(Reply::json(200, document)),
    }
}

async fn resource(
    core: &Arc<Core>,
    request: Request,
    query: Query,
    path: ResourcePath,
) -> Outcome<Reply> {
    let catalog = core.registry.current();
    let Some(resource) = catalog.find(&path.group, &path.version, &path.plural) else {
        return Err(unknown_resource(&catalog, &path.group));
    };
    let review = resource.builtin().is_some_and(|b| b.which == Which::Review);
    let misplaced = match &path.namespace {
        Some(_) => !resource.namespaced,
        // A namespaced object is not found without its namespace.
        None => resource.namespaced && path.name.is_some() && !review,
    };
    if misplaced {
        return Err(unknown_resource(&catalog, &path.group));
    }
    if path.too_long && path.subresource.is_none() {
        return Err(Failure::no_resource());
    }
    let writes_everywhere = resource.namespaced
        && path.namespace.is_none()
        && path.name.is_none()
        && request.method != Method::GET
        && request.method != Method::HEAD;
    if writes_everywhere && request.method == Method::DELETE && resource.custom().is_some() {
        return Err(Failure::no_page());
    }
    if writes_everywhere {
        return Err(Failure::method(
            &request.method.as_str().to_lowercase(),
            &resource.group,
            &resource.plural,
        ));
    }
    let watching = path.watch || (query.flag("watch") && path.name.is_none());
    let accepted = accept::negotiate(text(&request.headers, header::ACCEPT), watching)?;
    let mut ask = Ask {
        method: if request.method == Method::HEAD {
            Method::GET
        } else {
            request.method
        },
        query,
        headers: request.headers,
        body: request.body,
        accepted,
        resource: resource.clone(),
        namespace: path.namespace,
        name: path.name,
        subresource: path.subresource.unwrap_or_default(),
    };
    if path.watch {
        let name = ask.name.take();
        let selector = name.map(|name| format!("&fieldSelector=metadata.name={name}"));
        let text = format!(
            "watch=true{}&{}",
            selector.unwrap_or_default(),
            request.uri.query().unwrap_or_default()
        );
        ask.query = Query::parse(&text);
    }
    verbs::serve(core, ask).await
}
