//! Are the definitions of kinds right?

use purlin_diag::{Diagnostic, nearest};
use purlin_schema::{MAX_DEPTH, Reason, WHOLE};
use purlin_yaml::Document;
use serde_json::Value;

use crate::set::{Set, group_version};
use crate::{Cel, Report, below, fit, kept, partial};

/// The keywords a schema may have.
const KEYWORDS: &[&str] = &[
    "$ref",
    "$schema",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "definitions",
    "dependencies",
    "description",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "id",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Checks an XRD.
pub(crate) fn xrd(set: &Set, document: &Document, report: &mut Report<'_>) {
    let object = &document.value;
    for finding in purlin_schema::crds_of(object, &Cel).1 {
        let path = finding.path.clone().unwrap_or_default();
        report.at(&path, finding);
    }
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = group_version(api_version);
    let own = set.versions_of(group, "CompositeResourceDefinition");
    let own = own.filter(|one| one.version == version).last();
    if let Some(schema) = own.and_then(|one| set.schema(one)) {
        fit::unknown(object, &schema, "CompositeResourceDefinition", "", report);
    }
    keywords_of_versions(object, report);
}

/// Checks a CRD.
pub(crate) fn crd(document: &Document, report: &mut Report<'_>) {
    if partial::is_part(&document.value) {
        return;
    }
    // Nothing is wrong with words, and they are most of a CRD.
    let mut crd = kept::slim(&document.value);
    let errors = match purlin_schema::complete_crd(&mut crd) {
        Ok(()) => purlin_schema::check_crd(&crd, &Cel),
        Err(errors) => errors,
    };
    for error in errors.iter().filter(|error| error.path != WHOLE) {
        let path = error
            .path
            .replace("spec.validation.", "spec.versions[0].schema.");
        // What a server fills in is nobody's mistake.
        if path == "spec.version" || path.starts_with("status.") {
            continue;
        }
        // Who installs a package says where its webhooks are.
        if error.reason == Reason::Required && path.contains(".webhookClientConfig") {
            continue;
        }
        let code = match error.reason {
            Reason::Required => "crd/missing-field",
            Reason::NotSupported => "crd/unknown-value",
            Reason::TypeInvalid => "crd/wrong-type",
            Reason::Duplicate => "crd/duplicate",
            _ => "crd/invalid-value",
        };
        let message = format!("{path}: {}", error.message);
        report.at(&path, Diagnostic::error(code, message));
    }
}

/// Servers drop keywords they do not know without a word, and with them what they were to forbid.
fn keywords_of_versions(object: &Value, report: &mut Report<'_>) {
    let versions = object["spec"]["versions"].as_array();
    for (index, version) in versions.into_iter().flatten().enumerate() {
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        keywords(&version["schema"]["openAPIV3Schema"], &path, 0, report);
    }
}

fn keywords(schema: &Value, path: &str, depth: usize, report: &mut Report<'_>) {
    let Some(map) = schema.as_object().filter(|_| depth <= MAX_DEPTH) else {
        return;
    };
    for (name, value) in map {
        let at = below(path, name);
        match name.as_str() {
            "properties" => {
                for (field, inner) in value.as_object().into_iter().flatten() {
                    keywords(inner, &below(&at, field), depth + 1, report);
                }
            }
            "items" | "additionalProperties" | "not" => keywords(value, &at, depth + 1, report),
            "allOf" | "anyOf" | "oneOf" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    keywords(inner, &format!("{at}[{index}]"), depth + 1, report);
                }
            }
            known if KEYWORDS.contains(&known) => {}
            // Others' extensions.
            other if other.starts_with("x-") && !other.starts_with("x-kube") => {}
            other => {
                let message = format!("`{other}` is no keyword of schemas, and is ignored");
                let mut finding = Diagnostic::warning("xrd/unknown-keyword", message);
                if let Some(near) = nearest(other, KEYWORDS.iter().copied()) {
                    finding = finding.help(format!("did you mean `{near}`?"));
                }
                report.key(&at, finding);
            }
        }
    }
}
