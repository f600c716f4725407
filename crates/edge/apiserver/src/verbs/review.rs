//! Questions about who may do what. There is one user, and it may do everything.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stage::{self, Notes};
use super::{Ask, show};
use crate::failure::{Failure, FieldError, Outcome};
use crate::http::reply::Reply;
use crate::server::Core;

/// What the one user is called.
pub(crate) const USER: &str = "local-admin";

fn user() -> Value {
    json!({"username": USER, "groups": ["system:masters", "system:authenticated"]})
}

/// Serves a POST of a review.
pub(crate) fn create(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    let mut notes = Notes::default();
    let mut review = stage::read_body(ask, &mut notes)?;
    let resource = &ask.resource;
    notes.settle(ask.validation("CreateOptions")?, |p| {
        stage::strict_body(resource, p)
    })?;
    let access = matches!(
        resource.kind.as_str(),
        "SelfSubjectAccessReview" | "SubjectAccessReview" | "LocalSubjectAccessReview"
    );
    if access {
        check_access(ask, &review)?;
    }
    review["status"] = match resource.kind.as_str() {
        "SelfSubjectRulesReview" => json!({
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": false,
        }),
        "SelfSubjectReview" => json!({"userInfo": user()}),
        "TokenReview" => json!({"user": {}, "error": "tokens cannot be reviewed by this server"}),
        _ => json!({"allowed": true, "reason": "the only user may do everything"}),
    };
    review["metadata"] = json!({"creationTimestamp": null});
    let mut reply = show::one(core, ask, 201, &review);
    reply.warnings = notes.warnings;
    Ok(reply)
}

fn check_access(ask: &Ask, review: &Value) -> Outcome<()> {
    let spec = &review["spec"];
    let (resource, other) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let why = match (resource.is_object(), other.is_object()) {
        (true, true) => "cannot be specified in combination with nonResourceAttributes",
        (false, false) => {
            "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        }
        _ => return Ok(()),
    };
    let field = if resource.is_object() {
        "spec.nonResourceAttributes"
    } else {
        "spec.resourceAttributes"
    };
    let error = FieldError::invalid(field, resource, why);
    Err(Failure::invalid(&ask.resource.group, "", "", &[error]))
}

/// Serves a token request of a service account.
pub(crate) fn token(core: &Arc<Core>, ask: &Ask) -> Outcome<Reply> {
    core.get(&ask.resource, &ask.key()?)?;
    Err(Failure::new(
        501,
        "NotImplemented",
        "this server has one user and issues no tokens for service accounts; use the token of its kubeconfig",
    ))
}
