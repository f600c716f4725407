//! May a CompositeResourceDefinition be stored?
//!
//! What the schema and the CEL rules of Crossplane's own XRD CRD say (apis/apiextensions v1 and v2), as functions: for
//! those who check files and have no API server. A server gets the same from the CRD in `purlin-api`.

use serde_json::Value;

use crate::crd::scope;
use crate::error::{FieldError, WHOLE, element};
use crate::names::is_dns_subdomain;

const POLICIES: [(&str, [&str; 2]); 2] = [
    ("defaultCompositeDeletePolicy", ["Background", "Foreground"]),
    ("defaultCompositionUpdatePolicy", ["Automatic", "Manual"]),
];

/// Everything that is wrong with an XRD that is created.
pub fn check_xrd(xrd: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = &xrd["metadata"]["name"];
    if !name.as_str().is_some_and(is_dns_subdomain) {
        errors.push(FieldError::invalid(
            "metadata.name",
            name,
            "must be lower case DNS labels with dots between them",
        ));
    }
    let before = errors.len();
    shape(xrd, &mut errors);
    if errors.len() == before {
        rules(xrd, &mut errors);
    } else {
        let detail = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
        errors.push(FieldError::invalid(WHOLE, &Value::Null, detail));
    }
    errors
}

/// Everything that is wrong with a changed XRD: as [`check_xrd`], and what may not change.
pub fn check_xrd_update(xrd: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = check_xrd(xrd);
    let (new_spec, old_spec) = (&xrd["spec"], &old["spec"]);
    let changed = ["group", "names", "claimNames", "enforcedCompositionRef"]
        .into_iter()
        .filter(|field| {
            let (new, old) = (&new_spec[field], &old_spec[field]);
            !new.is_null() && !old.is_null() && new != old
        });
    errors.extend(changed.map(|field| {
        let path = format!("spec.{field}");
        FieldError::invalid(path, &new_spec[field], "field is immutable")
    }));
    if scope(xrd) != scope(old) {
        errors.push(FieldError::invalid(
            "spec.scope",
            &new_spec["scope"],
            "field is immutable",
        ));
    }
    errors
}

fn is_v2(xrd: &Value) -> bool {
    xrd["apiVersion"]
        .as_str()
        .is_some_and(|version| version.ends_with("/v2"))
}

/// What the schema says: required fields, types and enumerations.
fn shape(xrd: &Value, errors: &mut Vec<FieldError>) {
    let spec = &xrd["spec"];
    if !spec.is_object() {
        errors.push(FieldError::required("spec", ""));
        return;
    }
    let mut text = |value: &Value, path: &str| match value {
        Value::Null => errors.push(FieldError::required(path, "")),
        Value::String(_) => {}
        other => errors.push(FieldError::type_invalid(
            path,
            other,
            "must be of type string",
        )),
    };
    text(&spec["group"], "spec.group");
    text(&spec["names"]["kind"], "spec.names.kind");
    text(&spec["names"]["plural"], "spec.names.plural");
    if spec["claimNames"].is_object() {
        text(&spec["claimNames"]["kind"], "spec.claimNames.kind");
        text(&spec["claimNames"]["plural"], "spec.claimNames.plural");
    }
    versions(&spec["versions"], errors);
    let scopes: &[&str] = if is_v2(xrd) {
        &["Namespaced", "Cluster"]
    } else {
        &["LegacyCluster", "Namespaced", "Cluster"]
    };
    one_of(&spec["scope"], "spec.scope", scopes, errors);
    for (field, words) in &POLICIES {
        one_of(&spec[*field], &format!("spec.{field}"), words, errors);
    }
}

fn versions(versions: &Value, errors: &mut Vec<FieldError>) {
    let Some(list) = versions.as_array() else {
        errors.push(FieldError::required("spec.versions", ""));
        return;
    };
    for (index, version) in list.iter().enumerate() {
        let path = element("spec.versions", index);
        for (field, right) in [
            ("name", version["name"].is_string()),
            ("referenceable", version["referenceable"].is_boolean()),
            ("served", version["served"].is_boolean()),
        ] {
            let at = format!("{path}.{field}");
            if version[field].is_null() {
                errors.push(FieldError::required(at, ""));
            } else if !right {
                errors.push(FieldError::type_invalid(
                    at,
                    &version[field],
                    "has the wrong type",
                ));
            }
        }
        if version["deprecationWarning"]
            .as_str()
            .is_some_and(|text| text.chars().count() > 256)
        {
            errors.push(FieldError::too_long(
                format!("{path}.deprecationWarning"),
                256,
            ));
        }
    }
}

fn one_of(value: &Value, path: &str, words: &[&str], errors: &mut Vec<FieldError>) {
    if !value.is_null() && !words.iter().any(|word| value == word) {
        let allowed: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        errors.push(FieldError::not_supported(path, value, &allowed));
    }
}

/// What the CEL rules say.
fn rules(xrd: &Value, errors: &mut Vec<FieldError>) {
    let spec = &xrd["spec"];
    for (field, words) in [
        ("names", ["plural", "singular"]),
        ("claimNames", ["plural", "singular"]),
    ] {
        for word in words {
            let text = spec[field][word].as_str().unwrap_or_default();
            if text != text.to_lowercase() {
                let detail = format!("the {word} name must be lower case");
                errors.push(FieldError::invalid(
                    format!("spec.{field}"),
                    &spec[field],
                    &detail,
                ));
            }
        }
    }
    if is_v2(xrd) || scope(xrd) != "LegacyCluster" {
        for field in ["claimNames", "connectionSecretKeys"] {
            if !spec[field].is_null() {
                let detail = format!("{field} is only for scope LegacyCluster");
                errors.push(FieldError::invalid("spec", spec, &detail));
            }
        }
    }
    let conversion = &spec["conversion"];
    if !is_v2(xrd)
        && !conversion.is_null()
        && (conversion["strategy"] != "Webhook" || conversion["webhook"].is_null())
    {
        let detail = "only strategy Webhook, with a webhook, can be set";
        errors.push(FieldError::invalid("spec.conversion", conversion, detail));
    }
}
