//! What each built-in kind refuses, and what it only warns about.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Which;
use super::rules::{RBAC, text};
use super::{events, names};
use crate::failure::{Cause, FieldError};

/// Config maps and secrets hold at most this much.
const DATA: usize = 1024 * 1024;

/// What the kind refuses. `old` is the object an update replaces.
pub(crate) fn check(which: Which, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = match which {
        Which::ConfigMap => check_config_map(object),
        Which::Secret => check_secret(object),
        Which::Lease => check_lease(object),
        Which::Role | Which::ClusterRole => check_role(which, object),
        Which::RoleBinding | Which::ClusterRoleBinding => check_binding(which, object),
        Which::Event => check_event(object),
        Which::NewEvent => {
            let mut stored = object.clone();
            events::to_core(&mut stored);
            check_event(&stored)
        }
        Which::Namespace | Which::ServiceAccount | Which::Definition | Which::Review => Vec::new(),
    };
    if let Some(old) = old {
        errors.extend(check_change(which, object, old));
    }
    errors
}

fn check_change(which: Which, object: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let differs = |field: &str| object.get(field) != old.get(field);
    if matches!(which, Which::ConfigMap | Which::Secret) && old["immutable"] == Value::Bool(true) {
        let why = "field is immutable when `immutable` is set";
        for field in ["immutable", "data", "binaryData"] {
            if differs(field) {
                errors.push(FieldError::forbidden(field, why));
            }
        }
    }
    if which == Which::Secret && differs("type") {
        errors.push(FieldError::invalid(
            "type",
            &object["type"],
            "field is immutable",
        ));
    }
    if matches!(which, Which::RoleBinding | Which::ClusterRoleBinding) && differs("roleRef") {
        errors.push(FieldError::invalid(
            "roleRef",
            &object["roleRef"],
            "cannot change roleRef",
        ));
    }
    errors
}

fn keys<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    object
        .get(field)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn check_keys(object: &Value, field: &str, errors: &mut Vec<FieldError>) -> usize {
    let mut size = 0;
    for (key, value) in keys(object, field) {
        if !names::is_data_key(key) {
            let why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
            errors.push(FieldError::invalid(
                format!("{field}[{key}]"),
                &key.as_str().into(),
                why,
            ));
        }
        size += value.as_str().map_or(0, str::len);
    }
    size
}

fn check_config_map(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let text = check_keys(object, "data", &mut errors);
    let binary = check_keys(object, "binaryData", &mut errors);
    for (key, _) in keys(object, "data") {
        if object
            .get("binaryData")
            .is_some_and(|b| b.get(key).is_some())
        {
            let why = "duplicate of key present in binaryData";
            errors.push(FieldError::invalid(
                format!("data[{key}]"),
                &key.as_str().into(),
                why,
            ));
        }
    }
    if text + binary / 4 * 3 > DATA {
        let detail = format!("may not be more than {DATA} bytes");
        errors.push(FieldError::plain(Cause::TooLong, "", &detail));
    }
    errors
}

fn check_secret(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let size = check_keys(object, "data", &mut errors);
    if size / 4 * 3 > DATA {
        let detail = format!("may not be more than {DATA} bytes");
        errors.push(FieldError::plain(Cause::TooLong, "data", &detail));
    }
    let has = |key: &str| object.get("data").is_some_and(|d| d.get(key).is_some());
    let need = |key: &str, errors: &mut Vec<FieldError>| {
        if !has(key) {
            errors.push(FieldError::required(format!("data[{key}]"), ""));
        }
    };
    match object["type"].as_str().unwrap_or_default() {
        "kubernetes.io/tls" => {
            need("tls.crt", &mut errors);
            need("tls.key", &mut errors);
        }
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            need("username", &mut errors);
            need("password", &mut errors);
        }
        "kubernetes.io/ssh-auth" => need("ssh-privatekey", &mut errors),
        "kubernetes.io/dockerconfigjson" => check_json(object, ".dockerconfigjson", &mut errors),
        "kubernetes.io/dockercfg" => check_json(object, ".dockercfg", &mut errors),
        "kubernetes.io/service-account-token" => {
            let at = "/metadata/annotations/kubernetes.io~1service-account.name";
            if text(object, at).is_none() {
                let field = "metadata.annotations[kubernetes.io/service-account.name]";
                errors.push(FieldError::required(field, ""));
            }
        }
        _ => {}
    }
    errors
}

/// What the kind only warns about when an object is created.
pub(crate) fn warnings(which: Which, object: &Value) -> Vec<String> {
    use base64::Engine as _;
    use rustls::pki_types::pem::PemObject as _;
    if which != Which::Secret || object["type"].as_str() != Some("kubernetes.io/tls") {
        return Vec::new();
    }
    let decode = |key: &str| {
        let text = object["data"][key].as_str().unwrap_or_default();
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap_or_default()
    };
    let certificate = rustls::pki_types::CertificateDer::from_pem_slice(&decode("tls.crt")).is_ok();
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(&decode("tls.key")).is_ok();
    if certificate && key {
        return Vec::new();
    }
    vec!["tls: failed to find any PEM data in certificate or key input".to_owned()]
}

fn check_json(object: &Value, key: &str, errors: &mut Vec<FieldError>) {
    use base64::Engine as _;
    let field = format!("data[{key}]");
    let Some(encoded) = object["data"][key].as_str() else {
        errors.push(FieldError::required(field, ""));
        return;
    };
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap_or_default();
    if let Err(error) = serde_json::from_slice::<Map<String, Value>>(&bytes) {
        errors.push(FieldError::invalid(
            field,
            &"<secret contents redacted>".into(),
            &error.to_string(),
        ));
    }
}

fn check_lease(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &object["spec"];
    if let Some(seconds) = spec["leaseDurationSeconds"].as_i64()
        && seconds <= 0
    {
        let why = "must be greater than 0";
        errors.push(FieldError::invalid(
            "spec.leaseDurationSeconds",
            &spec["leaseDurationSeconds"],
            why,
        ));
    }
    if let Some(transitions) = spec["leaseTransitions"].as_i64()
        && transitions < 0
    {
        let why = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(
            "spec.leaseTransitions",
            &spec["leaseTransitions"],
            why,
        ));
    }
    if spec["holderIdentity"].as_str() == Some("") {
        errors.push(FieldError::invalid(
            "spec.holderIdentity",
            &"".into(),
            "must not be empty",
        ));
    }
    errors
}

fn check_role(which: Which, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (i, rule) in object["rules"].as_array().into_iter().flatten().enumerate() {
        let at = |field: &str| format!("rules[{i}].{field}");
        let empty = |field: &str| rule[field].as_array().is_none_or(Vec::is_empty);
        if empty("verbs") {
            errors.push(FieldError::required(
                at("verbs"),
                "verbs must contain at least one value",
            ));
        }
        if !empty("nonResourceURLs") {
            if which == Which::Role {
                let why = "namespaced rules cannot apply to non-resource URLs";
                errors.push(FieldError::invalid(
                    at("nonResourceURLs"),
                    &rule["nonResourceURLs"],
                    why,
                ));
            } else if !empty("apiGroups") || !empty("resources") || !empty("resourceNames") {
                let why = "rules cannot apply to both regular resources and non-resource URLs";
                errors.push(FieldError::invalid(
                    at("nonResourceURLs"),
                    &rule["nonResourceURLs"],
                    why,
                ));
            }
            continue;
        }
        if empty("apiGroups") {
            errors.push(FieldError::required(
                at("apiGroups"),
                "resource rules must supply at least one api group",
            ));
        }
        if empty("resources") {
            errors.push(FieldError::required(
                at("resources"),
                "resource rules must supply at least one resource",
            ));
        }
    }
    errors
}

fn check_binding(which: Which, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let reference = &object["roleRef"];
    if reference["apiGroup"].as_str() != Some(RBAC) {
        errors.push(FieldError::unsupported(
            "roleRef.apiGroup",
            &reference["apiGroup"],
            &[RBAC],
        ));
    }
    let kinds: &[&str] = match which {
        Which::RoleBinding => &["ClusterRole", "Role"],
        _ => &["ClusterRole"],
    };
    if !reference["kind"]
        .as_str()
        .is_some_and(|k| kinds.contains(&k))
    {
        errors.push(FieldError::unsupported(
            "roleRef.kind",
            &reference["kind"],
            kinds,
        ));
    }
    if reference["name"].as_str().is_none_or(str::is_empty) {
        errors.push(FieldError::required("roleRef.name", ""));
    }
    for (i, subject) in object["subjects"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        check_subject(which, subject, &format!("subjects[{i}]"), &mut errors);
    }
    errors
}

fn check_subject(which: Which, subject: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let group = subject["apiGroup"].as_str().unwrap_or_default();
    if subject["name"].as_str().is_none_or(str::is_empty) {
        errors.push(FieldError::required(format!("{at}.name"), ""));
    }
    match subject["kind"].as_str().unwrap_or_default() {
        "ServiceAccount" => {
            if !group.is_empty() {
                errors.push(FieldError::unsupported(
                    format!("{at}.apiGroup"),
                    &group.into(),
                    &[""],
                ));
            }
            if which == Which::ClusterRoleBinding
                && subject["namespace"].as_str().is_none_or(str::is_empty)
            {
                errors.push(FieldError::required(format!("{at}.namespace"), ""));
            }
        }
        "User" | "Group" => {
            if group != RBAC {
                errors.push(FieldError::unsupported(
                    format!("{at}.apiGroup"),
                    &group.into(),
                    &[RBAC],
                ));
            }
        }
        other => {
            let known = ["Group", "ServiceAccount", "User"];
            errors.push(FieldError::unsupported(
                format!("{at}.kind"),
                &other.into(),
                &known,
            ));
        }
    }
}

/// Events of the new style (those with an event time) name who reports and what was done.
fn check_event(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (own, about) = (
        text(object, "/metadata/namespace"),
        text(object, "/involvedObject/namespace"),
    );
    if own != about && !(about.is_none() && own == Some("default")) {
        let why = "does not match event.namespace";
        errors.push(FieldError::invalid(
            "involvedObject.namespace",
            &about.unwrap_or_default().into(),
            why,
        ));
    }
    if text(object, "/eventTime").is_none() {
        return errors;
    }
    let fields: BTreeMap<&str, &str> = BTreeMap::from([
        ("reportingComponent", "reportingController"),
        ("reportingInstance", "reportingInstance"),
        ("action", "action"),
        ("reason", "reason"),
    ]);
    for (stored, shown) in fields {
        match object[stored].as_str().unwrap_or_default() {
            "" => errors.push(FieldError::required(shown, "")),
            long if long.len() > 128 => {
                errors.push(FieldError::invalid(
                    shown,
                    &long.into(),
                    "can have at most 128 characters",
                ));
            }
            _ => {}
        }
    }
    if !matches!(object["type"].as_str(), Some("Normal" | "Warning")) {
        errors.push(FieldError::invalid(
            "type",
            &object["type"],
            "has invalid value",
        ));
    }
    if object["message"].as_str().is_some_and(|m| m.len() > 1024) {
        errors.push(FieldError::invalid(
            "note",
            &object["message"],
            "can have at most 1024 characters",
        ));
    }
    errors
}
