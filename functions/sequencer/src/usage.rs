//! Which usages make deletion go the other way?

use purlin_function::{Ready, RequestView as _, Response, RunFunctionRequest};
use purlin_object::{Object, ObjectRef, Value, ValueRef};
use sha2::{Digest as _, Sha256};

use crate::input::Input;
use crate::rule::Rule;

/// The longest name of a usage: a label's length.
const NAME: usize = 63;

/// Desires a usage for each pair of neighbours in the sequence that both exist: the later one uses the earlier one.
pub(crate) fn compose(
    rule: &Rule<'_>,
    input: &Input,
    request: &RunFunctionRequest,
    response: &mut Response,
) {
    let observed = request.observed_resources();
    for pair in rule.entries().windows(2) {
        let [of_entry, by_entry] = pair else { continue };
        let desired = &response.state().resources;
        let of_names: Vec<String> = observed
            .keys()
            .filter(|name| of_entry.matches(name) && desired.contains_key(*name))
            .cloned()
            .collect();
        for of_name in &of_names {
            for by_name in observed.keys().filter(|name| by_entry.matches(name)) {
                let (Some(of), Some(by)) = (
                    request.observed_resource(of_name),
                    request.observed_resource(by_name),
                ) else {
                    continue;
                };
                if !is_usage(by, input) {
                    response.set_desired(
                        &format!("{by_name}-{of_name}-usage"),
                        usage(of, by, input),
                        Ready::True,
                    );
                }
            }
        }
    }
}

/// Whether this is itself a usage, of the version in use.
fn is_usage(object: ObjectRef<'_>, input: &Input) -> bool {
    let (api_version, kind) = (text(object, &["apiVersion"]), text(object, &["kind"]));
    let group = api_version.split('/').next().unwrap_or_default();
    match input.usage_version.as_str() {
        "v1" => group == "apiextensions.crossplane.io" && kind == "Usage",
        _ => group == "protection.crossplane.io" && matches!(kind, "Usage" | "ClusterUsage"),
    }
}

fn usage(of: ObjectRef<'_>, by: ObjectRef<'_>, input: &Input) -> Object {
    let namespace = text(of, &["metadata", "namespace"]);
    let (api_version, kind) = match (input.usage_version.as_str(), namespace.is_empty()) {
        ("v1", _) => ("apiextensions.crossplane.io/v1beta1", "Usage"),
        (_, true) => ("protection.crossplane.io/v1beta1", "ClusterUsage"),
        (_, false) => ("protection.crossplane.io/v1beta1", "Usage"),
    };
    let mut usage = Object::new();
    usage.insert("apiVersion", string(api_version));
    usage.insert("kind", string(kind));
    let metadata = usage.object_mut("metadata");
    metadata.insert("name", string(&name(of, by)));
    if input.usage_version != "v1" && !namespace.is_empty() {
        metadata.insert("namespace", string(namespace));
    }
    let spec = usage.object_mut("spec");
    for (role, object) in [("of", of), ("by", by)] {
        let role = spec.object_mut(role);
        role.insert("apiVersion", string(text(object, &["apiVersion"])));
        role.insert("kind", string(text(object, &["kind"])));
        role.object_mut("resourceRef")
            .insert("name", string(text(object, &["metadata", "name"])));
    }
    spec.insert("reason", string("dependency"));
    spec.insert("replayDeletion", Value::Bool(input.replay_deletion));
    usage
}

/// `<by kind>-<by name>-<of kind>-<of name>` in lower case, cut so that a hash of the whole and a suffix fit.
fn name(of: ObjectRef<'_>, by: ObjectRef<'_>) -> String {
    let part = |object| {
        format!(
            "{}-{}",
            text(object, &["kind"]),
            text(object, &["metadata", "name"])
        )
    };
    let whole = format!("{}-{}", part(by), part(of)).to_lowercase();
    let digest = Sha256::digest(whole.as_bytes());
    let hash = digest
        .iter()
        .take(3)
        .fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    let suffix = format!("-{hash}-dependency");
    let cut: String = whole.chars().take(NAME - suffix.len()).collect();
    cut + &suffix
}

fn text<'a>(object: ObjectRef<'a>, path: &[&str]) -> &'a str {
    object
        .get_path(path)
        .and_then(ValueRef::as_str)
        .unwrap_or_default()
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}
