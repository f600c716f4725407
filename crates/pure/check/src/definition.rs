//! Are the definitions of kinds right?

use purlin_diag::{Diagnostic, Severity, nearest};
use purlin_schema::{MAX_DEPTH, Reason, WHOLE};
use purlin_yaml::Document;
use serde_json::Value;

use crate::set::{Set, group_version};
use crate::{Cel, Report, below, fit, kept, partial, reach};

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
        // What is said of all versions is about the one there is.
        let only = &object["spec"]["versions"];
        let alone = only.as_array().is_some_and(|all| all.len() == 1);
        if alone && path == "spec.versions" && only[0]["referenceable"] == false {
            report.at("spec.versions[0].referenceable", finding);
        } else {
            report.at(&path, finding);
        }
    }
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = group_version(api_version);
    let own = set.versions_of(group, "CompositeResourceDefinition");
    let own = own.filter(|one| one.version == version).last();
    if let Some(schema) = own.and_then(|one| set.schema(one)) {
        fit::unknown(object, &schema, "CompositeResourceDefinition", "", report);
    }
    keywords_of_versions(object, report);
    for (index, version) in versions(object) {
        let path = format!("spec.versions[{index}]");
        let schema = &version["schema"]["openAPIV3Schema"];
        let path = format!("{path}.schema.openAPIV3Schema");
        required(schema, &path, 0, report);
        beside_spec(schema, &path, report);
    }
    columns(set, document, report);
}

/// Of the fields of an object, an XRD defines two.
fn beside_spec(schema: &Value, path: &str, report: &mut Report<'_>) {
    const TAKEN: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];
    let fields = schema["properties"].as_object();
    for name in fields.into_iter().flat_map(|fields| fields.keys()) {
        if TAKEN.contains(&name.as_str()) {
            continue;
        }
        let message = format!("`{name}` is ignored: an XRD defines `spec` and `status`");
        let finding = Diagnostic::warning("xrd/unknown-keyword", message);
        let help = match nearest(name, ["spec", "status"]) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "put the field into `spec` or `status`".to_owned(),
        };
        report.key(
            &below(&format!("{path}.properties"), name),
            finding.help(help),
        );
    }
}

fn versions(object: &Value) -> impl Iterator<Item = (usize, &Value)> {
    let versions = object["spec"]["versions"].as_array();
    versions.into_iter().flatten().enumerate()
}

/// Fields that are required and not there: servers drop them, so that no object is ever complete.
fn required(schema: &Value, path: &str, depth: usize, report: &mut Report<'_>) {
    if depth > MAX_DEPTH {
        return;
    }
    let properties = schema["properties"].as_object();
    let open = schema["x-kubernetes-preserve-unknown-fields"] == true
        || schema["x-kubernetes-embedded-resource"] == true
        || depth == 0;
    let names = schema["required"].as_array();
    for (index, name) in names.into_iter().flatten().enumerate() {
        let (Some(name), Some(known)) = (name.as_str(), properties.filter(|_| !open)) else {
            continue;
        };
        if known.contains_key(name) {
            continue;
        }
        let message = format!("`{name}` is required, and the schema has no such field");
        let finding = Diagnostic::warning("xrd/required-unknown", message);
        let help = match nearest(name, known.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it to `properties`, or take it away".to_owned(),
        };
        report.at(&format!("{path}.required[{index}]"), finding.help(help));
    }
    for (name, inner) in properties.into_iter().flatten() {
        let at = below(&format!("{path}.properties"), name);
        required(inner, &at, depth + 1, report);
    }
    for field in ["items", "additionalProperties"] {
        if schema[field].is_object() {
            required(
                &schema[field],
                &format!("{path}.{field}"),
                depth + 1,
                report,
            );
        }
    }
}

/// Columns that print a field that is not there.
fn columns(set: &Set, document: &Document, report: &mut Report<'_>) {
    let object = &document.value;
    let spec = &object["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, kind) = (text(&spec["group"]), text(&spec["names"]["kind"]));
    for (index, version) in versions(object) {
        let api_version = format!("{group}/{}", text(&version["name"]));
        let Some(schema) = set
            .find(&api_version, &kind, document.places.file())
            .and_then(|defined| set.schema(defined))
        else {
            continue;
        };
        let columns = version["additionalPrinterColumns"].as_array();
        for (column, one) in columns.into_iter().flatten().enumerate() {
            let Some(written) = one["jsonPath"].as_str() else {
                continue;
            };
            // As far as it names fields.
            let plain = written
                .split(['[', '(', '*', '?'])
                .next()
                .unwrap_or_default();
            let plain = plain.trim_matches('.');
            let Some(steps) = reach::steps(plain).filter(|_| written.starts_with('.')) else {
                continue;
            };
            // Claims have the same columns.
            let claim = text(&spec["claimNames"]["kind"]);
            let claims = set.find(&api_version, &claim, document.places.file());
            let of_claims = claims
                .and_then(|defined| set.schema(defined))
                .is_some_and(|schema| reach::complain(&schema, &steps, &claim).is_none());
            if let Some(mut finding) = reach::complain(&schema, &steps, &kind)
                && !of_claims
            {
                finding.severity = Severity::Warning;
                let at =
                    format!("spec.versions[{index}].additionalPrinterColumns[{column}].jsonPath");
                report.at(&at, finding);
            }
        }
    }
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
    for (index, version) in versions(object) {
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        keywords(&version["schema"]["openAPIV3Schema"], &path, 0, report);
    }
}

/// Fields of CEL rules that there are not.
fn rules(rules: &Value, path: &str, report: &mut Report<'_>) {
    const FIELDS: [&str; 6] = [
        "fieldPath",
        "message",
        "messageExpression",
        "optionalOldSelf",
        "reason",
        "rule",
    ];
    for (index, rule) in rules.as_array().into_iter().flatten().enumerate() {
        let fields = rule.as_object().into_iter().flat_map(|map| map.keys());
        for name in fields.filter(|name| !FIELDS.contains(&name.as_str())) {
            let message = format!("`{name}` is no field of rules, and is ignored");
            let mut finding = Diagnostic::warning("xrd/unknown-keyword", message);
            if let Some(near) = nearest(name, FIELDS) {
                finding = finding.help(format!("did you mean `{near}`?"));
            }
            report.key(&below(&format!("{path}[{index}]"), name), finding);
        }
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
            "x-kubernetes-validations" => rules(value, &at, report),
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
