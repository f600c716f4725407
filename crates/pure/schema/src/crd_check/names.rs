//! Are the names, the group and the scope of a CRD right?

use serde_json::Value;

use crate::error::{FieldError, element};
use crate::names::{is_dns_1035, is_dns_1123, is_dns_subdomain};

const LABEL: &str =
    "must be a DNS label: lower case letters, digits and '-', beginning with a letter";
const APPROVAL: &str = "api-approved.kubernetes.io";

pub(super) fn check(crd: &Value) -> Vec<FieldError> {
    let spec = &crd["spec"];
    let mut errors = Vec::new();
    let group = spec["group"].as_str().unwrap_or_default();
    let plural = spec["names"]["plural"].as_str().unwrap_or_default();
    if crd["metadata"]["name"].as_str() != Some(&format!("{plural}.{group}")) {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid(
            "metadata.name",
            &crd["metadata"]["name"],
            detail,
        ));
    }
    if !group.is_empty() && !is_dns_subdomain(group) {
        let detail = "must be lower case DNS labels with dots between them";
        errors.push(FieldError::invalid("spec.group", &spec["group"], detail));
    } else if !group.is_empty() && !group.contains('.') {
        errors.push(FieldError::invalid(
            "spec.group",
            &spec["group"],
            "should be a domain with at least one dot",
        ));
    }
    approval(crd, group, &mut errors);
    words(&spec["names"], &mut errors);
    match spec["scope"].as_str().unwrap_or_default() {
        "Cluster" | "Namespaced" => {}
        "" => errors.push(FieldError::required("spec.scope", "")),
        _ => {
            let allowed = ["Cluster".to_owned(), "Namespaced".to_owned()];
            errors.push(FieldError::not_supported(
                "spec.scope",
                &spec["scope"],
                &allowed,
            ));
        }
    }
    conversion(&spec["conversion"], &mut errors);
    if spec["preserveUnknownFields"] == Value::Bool(true) {
        let detail =
            "cannot be true; set x-kubernetes-preserve-unknown-fields in the schema instead";
        errors.push(FieldError::invalid(
            "spec.preserveUnknownFields",
            &Value::Bool(true),
            detail,
        ));
    }
    errors
}

pub(super) fn check_update(crd: &Value, old: &Value) -> Vec<FieldError> {
    let conditions = old["status"]["conditions"].as_array();
    let established = conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|one| one["type"] == "Established" && one["status"] == "True")
    });
    let fixed = ["/spec/group", "/spec/names/plural"].iter();
    let once_established = ["/spec/scope", "/spec/names/kind"]
        .iter()
        .filter(|_| established);
    let changed = fixed
        .chain(once_established)
        .filter(|pointer| crd.pointer(pointer) != old.pointer(pointer));
    changed
        .map(|pointer| {
            let path = pointer.trim_start_matches('/').replace('/', ".");
            let value = crd.pointer(pointer).unwrap_or(&Value::Null);
            FieldError::invalid(path, value, "field is immutable")
        })
        .collect()
}

fn approval(crd: &Value, group: &str, errors: &mut Vec<FieldError>) {
    let protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group == *domain || group.ends_with(&format!(".{domain}")));
    if !protected {
        return;
    }
    let path = element("metadata.annotations", APPROVAL);
    let given = &crd["metadata"]["annotations"][APPROVAL];
    match given.as_str().unwrap_or_default() {
        "" => errors.push(FieldError::required(
            path,
            "protected groups need it: a URL, or unapproved and why",
        )),
        text if text.starts_with("unapproved")
            || text.starts_with("https://")
            || text.starts_with("http://") => {}
        _ => errors.push(FieldError::invalid(
            path,
            given,
            "must be a URL, or begin with \"unapproved\"",
        )),
    }
}

fn words(names: &Value, errors: &mut Vec<FieldError>) {
    let mut word = |name: &str, lower: bool| {
        let path = format!("spec.names.{name}");
        let value = &names[name];
        let text = value.as_str().unwrap_or_default();
        let shaped = if lower {
            text.to_owned()
        } else {
            text.to_lowercase()
        };
        if text.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if !is_dns_1035(&shaped) {
            errors.push(FieldError::invalid(path, value, LABEL));
        }
    };
    word("plural", true);
    word("singular", true);
    word("kind", false);
    word("listKind", false);
    if names["kind"] == names["listKind"]
        && names["kind"].as_str().is_some_and(|kind| !kind.is_empty())
    {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid(
            "spec.names.listKind",
            &names["listKind"],
            detail,
        ));
    }
    for list in ["shortNames", "categories"] {
        let path = format!("spec.names.{list}");
        for (index, value) in names[list].as_array().into_iter().flatten().enumerate() {
            if !value.as_str().is_some_and(is_dns_1035) {
                errors.push(FieldError::invalid(element(&path, index), value, LABEL));
            }
        }
    }
}

fn conversion(conversion: &Value, errors: &mut Vec<FieldError>) {
    const PATH: &str = "spec.conversion";
    if conversion.is_null() {
        return;
    }
    let webhook = &conversion["webhook"];
    let versions_path = format!("{PATH}.conversionReviewVersions");
    let client_path = format!("{PATH}.webhookClientConfig");
    match conversion["strategy"].as_str().unwrap_or_default() {
        "" => errors.push(FieldError::required(format!("{PATH}.strategy"), "")),
        "None" => {
            if webhook["clientConfig"].is_object() {
                errors.push(FieldError::forbidden(
                    client_path,
                    "only with strategy Webhook",
                ));
            }
            if webhook["conversionReviewVersions"]
                .as_array()
                .is_some_and(|l| !l.is_empty())
            {
                errors.push(FieldError::forbidden(
                    versions_path,
                    "only with strategy Webhook",
                ));
            }
        }
        "Webhook" => {
            client(&webhook["clientConfig"], &client_path, errors);
            review_versions(&webhook["conversionReviewVersions"], &versions_path, errors);
        }
        _ => {
            let allowed = ["None".to_owned(), "Webhook".to_owned()];
            let path = format!("{PATH}.strategy");
            errors.push(FieldError::not_supported(
                path,
                &conversion["strategy"],
                &allowed,
            ));
        }
    }
}

fn client(config: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let (url, service) = (&config["url"], &config["service"]);
    if url.is_string() == service.is_object() {
        errors.push(FieldError::required(
            path,
            "exactly one of url or service is required",
        ));
        return;
    }
    if url.as_str().is_some_and(|url| !url.starts_with("https://")) {
        errors.push(FieldError::invalid(
            format!("{path}.url"),
            url,
            "must be an https URL",
        ));
    }
    for name in ["name", "namespace"] {
        if service.is_object() && service[name].as_str().is_none_or(str::is_empty) {
            errors.push(FieldError::required(format!("{path}.service.{name}"), ""));
        }
    }
}

fn review_versions(versions: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let list: Vec<&str> = versions
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if list.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !list
        .iter()
        .any(|version| ["v1", "v1beta1"].contains(version))
    {
        errors.push(FieldError::invalid(
            path,
            versions,
            "must include at least one of v1, v1beta1",
        ));
    }
    for (index, version) in list.iter().enumerate() {
        if !is_dns_1123(version) {
            errors.push(FieldError::invalid(
                element(path, index),
                &Value::from(*version),
                LABEL,
            ));
        }
    }
}
