//! What is the environment of this request?

use purlin_function::{RequestView as _, RunFunctionRequest};
use purlin_object::{Object, ValueRef};

/// The context key Crossplane keeps the environment under.
pub(crate) const KEY: &str = "apiextensions.crossplane.io/environment";

/// The environment an earlier step left, or an empty one; it has a kind in any case.
pub(crate) fn of(request: &RunFunctionRequest) -> Object {
    let mut environment = match request.context(KEY) {
        Some(ValueRef::Object(environment)) => environment.to_owned(),
        _ => Object::new(),
    };
    let text = |name: &str| {
        environment
            .get(name)
            .and_then(ValueRef::as_str)
            .unwrap_or("")
    };
    let version = text("apiVersion");
    // An apiVersion with two slashes names no kind at all.
    if (version.is_empty() && text("kind").is_empty()) || version.matches('/').count() > 1 {
        environment.insert("apiVersion", "internal.crossplane.io/v1alpha1");
        environment.insert("kind", "Environment");
    }
    environment
}
