//! Getting and listing objects.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Ask, show};
use crate::failure::{Failure, FieldError, Outcome};
use crate::http::reply::Reply;
use crate::selector::Selector;
use crate::server::{Core, Shown};
use crate::store::{Object, Snapshot};

/// How long a list waits for a revision that is not there yet.
const PATIENCE: Duration = Duration::from_secs(3);

/// Serves a GET of one object.
pub(crate) fn get(core: &Core, ask: &Ask) -> Outcome<Reply> {
    if let Some(text) = ask.query.get("resourceVersion")
        && text.parse::<u64>().is_err()
    {
        return Err(Failure::unnamed(format!(
            "invalid resource version {text:?}"
        )));
    }
    let object = core.get(&ask.resource, &ask.key()?)?;
    Ok(show::one(
        core,
        ask,
        200,
        &Core::show(&ask.resource, &object),
    ))
}

/// Where a list goes on.
struct Token {
    /// -1: at the present state.
    revision: i64,
    start: String,
}

const URL_SAFE: base64::engine::GeneralPurpose = base64::engine::general_purpose::URL_SAFE_NO_PAD;

impl Token {
    fn parse(text: &str) -> Outcome<Self> {
        let bad = |why: &str| Failure::bad_request(format!("continue key is not valid: {why}"));
        let bytes = URL_SAFE
            .decode(text.trim_end_matches('='))
            .map_err(|_| bad("not base64"))?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| bad("not JSON"))?;
        if token["v"].as_str() != Some("meta.k8s.io/v1") {
            return Err(bad("server does not recognize this encoded version"));
        }
        let revision = token["rv"].as_i64().filter(|rv| *rv != 0);
        Ok(Self {
            revision: revision.ok_or_else(|| bad("incorrect encoded start resourceVersion"))?,
            start: token["start"].as_str().unwrap_or_default().to_owned(),
        })
    }

    fn encode(&self) -> String {
        let token = json!({"v": "meta.k8s.io/v1", "rv": self.revision, "start": self.start});
        URL_SAFE.encode(token.to_string())
    }
}

/// The place of an object in a list, as tokens write it.
fn place(object: &Object) -> String {
    let text = |field: &str| object.value["metadata"][field].as_str().unwrap_or_default();
    format!("{}/{}", text("namespace"), text("name"))
}

fn later(object: &Object, start: &str) -> bool {
    let split = |text: &str| -> (String, String) {
        let (namespace, name) = text.split_once('/').unwrap_or(("", text));
        (namespace.to_owned(), name.to_owned())
    };
    split(&place(object)) > split(start)
}

/// Checks the options that say which revision is wanted.
pub(crate) fn check_options(ask: &Ask, watch: bool) -> Outcome<()> {
    let query = &ask.query;
    let mut errors = Vec::new();
    let forbid = |field: &str, why: &str| FieldError::forbidden(field, why);
    let revision = query.get("resourceVersion");
    let initial = query.get("sendInitialEvents").is_some();
    if let Some(rule) = query.get("resourceVersionMatch") {
        let at = "resourceVersionMatch";
        if watch && !initial {
            errors.push(forbid(
                at,
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
        if !watch && revision.is_none() {
            errors.push(forbid(
                at,
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        if query.get("continue").is_some() {
            errors.push(forbid(
                at,
                "resourceVersionMatch is forbidden when continue is provided",
            ));
        }
        if !matches!(rule, "Exact" | "NotOlderThan") {
            let known = ["Exact", "NotOlderThan", ""];
            errors.push(FieldError::unsupported(at, &rule.into(), &known));
        } else if watch && rule != "NotOlderThan" {
            errors.push(forbid(
                at,
                "resourceVersionMatch must be NotOlderThan for watch",
            ));
        }
        if rule == "Exact" && revision == Some("0") {
            errors.push(forbid(
                at,
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            ));
        }
    } else if watch && initial {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        errors.push(forbid("resourceVersionMatch", why));
    } else if watch && query.get("continue").is_some() {
        errors.push(forbid(
            "resourceVersionMatch",
            "continue is forbidden for watch",
        ));
    }
    if initial && !watch {
        errors.push(forbid(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for list",
        ));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid("meta.k8s.io", "ListOptions", "", &errors))
    }
}

/// Serves a list.
pub(crate) async fn list(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    check_options(ask, false)?;
    let resource = &ask.resource;
    let limit = ask.query.number("limit")?.filter(|n| *n > 0);
    let selector = Selector::parse(
        ask.query.get("labelSelector"),
        ask.query.get("fieldSelector"),
        resource,
    )?;
    let token = ask.query.get("continue").map(Token::parse).transpose()?;
    let revision = ask.query.get("resourceVersion");
    let snapshot = snapshot(core, ask, token.as_ref(), limit.is_some()).await?;
    let limit = limit.filter(|_| revision != Some("0") || token.is_some());
    let start = token.map(|t| t.start);
    let found = snapshot
        .objects
        .iter()
        .filter(|o| start.as_deref().is_none_or(|start| later(o, start)));
    let mut shown: Vec<Shown> = Vec::new();
    let mut metadata = json!({"resourceVersion": snapshot.revision.to_string()});
    let mut rest = 0;
    let mut last = String::new();
    for object in found {
        let view = Core::show(resource, object);
        if !selector.is_empty() && !selector.matches(&view) {
            continue;
        }
        if limit.is_some_and(|n| i64::try_from(shown.len()).unwrap_or(i64::MAX) >= n) {
            rest += 1;
            if !selector.is_empty() {
                break;
            }
            continue;
        }
        last = place(object);
        shown.push(view);
    }
    if rest > 0 {
        let token = Token {
            revision: i64::try_from(snapshot.revision).unwrap_or(-1),
            start: last,
        };
        metadata["continue"] = token.encode().into();
        if selector.is_empty() {
            metadata["remainingItemCount"] = rest.into();
        }
    }
    Ok(show::list(core, ask, &shown, metadata))
}

async fn snapshot(
    core: &Arc<Core>,
    ask: &Ask,
    token: Option<&Token>,
    limited: bool,
) -> Outcome<Snapshot> {
    let id = &ask.resource.id;
    let namespace = ask.namespace.as_deref();
    let revision = ask.query.get("resourceVersion");
    if let Some(token) = token {
        if !matches!(revision, None | Some("0")) {
            return Err(Failure::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let Ok(exact) = u64::try_from(token.revision) else {
            return Ok(core.store.list(id, namespace));
        };
        return core.store.list_at(id, namespace, exact).map_err(|_| {
            let resume = Token {
                revision: -1,
                start: token.start.clone(),
            };
            let text =
                "The provided continue parameter is too old to display a consistent list result.";
            Failure {
                carry: Some(resume.encode()),
                ..Failure::expired(text)
            }
        });
    }
    let Some(text) = revision else {
        return Ok(core.store.list(id, namespace));
    };
    let wanted: u64 = text
        .parse()
        .map_err(|_| Failure::bad_request(format!("invalid resource version {text:?}")))?;
    let rule = ask.query.get("resourceVersionMatch");
    wait_for(core, wanted).await?;
    if rule == Some("Exact") || (rule.is_none() && limited && wanted > 0) {
        return core.store.list_at(id, namespace, wanted).map_err(|_| {
            Failure::expired("The resourceVersion for the provided list is too old.")
        });
    }
    Ok(core.store.list(id, namespace))
}

/// Waits for a revision that is not there yet, but not for long.
pub(super) async fn wait_for(core: &Arc<Core>, wanted: u64) -> Outcome<()> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while core.store.revision() < wanted {
        if tokio::time::Instant::now() >= deadline {
            let current = core.store.revision();
            let text = format!("Too large resource version: {wanted}, current: {current}");
            let cause = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
            return Err(Failure::new(504, "Timeout", format!("Timeout: {text}"))
                .detail("causes", cause)
                .detail("retryAfterSeconds", json!(1)));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
