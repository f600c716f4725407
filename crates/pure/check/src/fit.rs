//! Does an object fit the schema of its kind?

use purlin_diag::{Diagnostic, nearest};
use purlin_expr::crd::Rules;
use purlin_schema::{FieldError, Reason, Schema, WHOLE};
use purlin_yaml::Document;
use serde_json::Value;

use crate::reach::{self, Reach, Step, follow};
use crate::set::{Origin, Set};
use crate::{Report, join};

/// Checks a claim, a composite or an object of the engine's own kinds; says whether it is one.
pub(crate) fn object(set: &Set, document: &Document, report: &mut Report<'_>) -> bool {
    let object = &document.value;
    let (Some(api_version), Some(kind)) = (object["apiVersion"].as_str(), object["kind"].as_str())
    else {
        return false;
    };
    let Some(defined) = set.find(api_version, kind, document.places.file()) else {
        return unknown_version(set, api_version, kind, report);
    };
    if defined.origin == Origin::Crd {
        return false;
    }
    let Some(schema) = set.schema(defined) else {
        return true;
    };
    unknown(object, &schema, kind, "", report);
    let mut whole = object.clone();
    purlin_schema::apply_defaults(&mut whole, &schema);
    let mut errors = purlin_schema::validate(&whole, &schema);
    if errors.is_empty() {
        let broken = Rules::compile(&schema, "").0.check(&whole, None);
        errors.extend(broken.into_iter().map(|violation| violation.error));
    }
    let combined = errors.iter().any(|error| error.path != WHOLE);
    for error in errors
        .iter()
        .filter(|error| error.path != WHOLE || !combined)
    {
        let (path, finding) = words(error, &schema, "");
        report.at(&path, finding);
    }
    true
}

/// A claim or composite of a version that its XRD does not have.
fn unknown_version(set: &Set, api_version: &str, kind: &str, report: &mut Report<'_>) -> bool {
    let (group, version) = crate::set::group_version(api_version);
    let known: Vec<&str> = set
        .versions_of(group, kind)
        .filter(|one| matches!(one.origin, Origin::Claim | Origin::Composite))
        .map(|one| one.version.as_str())
        .collect();
    if known.is_empty() || known.contains(&version) {
        return false;
    }
    let message = format!("{kind} of {group} has no version {version}");
    let help = format!("it has {}", known.join(", "));
    report.at(
        "apiVersion",
        Diagnostic::error("check/unknown-version", message).help(help),
    );
    true
}

/// Tells the fields that `schema` does not know; `at` is where the object stands in its document.
pub(crate) fn unknown(
    object: &Value,
    schema: &Schema,
    kind: &str,
    at: &str,
    report: &mut Report<'_>,
) {
    for path in purlin_schema::unknown_fields(object, schema) {
        let mut steps = reach::found_steps(&path);
        // Names with dots stand bare in these paths: what follows the parent that exists is one name.
        let parent = steps.len().saturating_sub(1);
        let Some(Step::Field(name)) = steps.get(parent).cloned() else {
            continue;
        };
        steps.truncate(parent);
        let known: Vec<&str> = match follow(schema, &steps) {
            Reach::Field(parent) => parent.properties.keys().map(String::as_str).collect(),
            Reach::Unknown | Reach::Nowhere { .. } => Vec::new(),
        };
        let message = format!("`{path}` is not a field of {kind}");
        let finding = Diagnostic::error("check/unknown-field", message);
        let before = reach::show(&steps);
        let before = if before.is_empty() { kind } else { &before };
        report.key(
            &join(at, &path),
            reach::help(finding, &name, &known, before),
        );
    }
}

/// An error of a field as a finding, and the path it is about. `at` is where the object stands in its document.
pub(crate) fn words(error: &FieldError, schema: &Schema, at: &str) -> (String, Diagnostic) {
    let path = if error.path == WHOLE { "" } else { &error.path };
    let code = match error.reason {
        Reason::Required => "check/missing-field",
        Reason::NotSupported => "check/unknown-value",
        Reason::TypeInvalid => "check/wrong-type",
        Reason::Duplicate => "check/duplicate",
        Reason::Invalid | Reason::TooLong | Reason::TooMany | Reason::Forbidden => {
            "check/invalid-value"
        }
    };
    let message = if path.is_empty() {
        error.message.clone()
    } else {
        format!("{path}: {}", error.message)
    };
    let mut finding = Diagnostic::error(code, message);
    if error.reason == Reason::NotSupported
        && let Reach::Field(field) = follow(schema, &reach::found_steps(path))
        && let Some((_, written)) = error.message.split_once(": \"")
        && let Some((written, _)) = written.split_once('"')
    {
        let allowed = field.allowed.iter().flatten().filter_map(Value::as_str);
        if let Some(near) = nearest(written, allowed) {
            finding = finding.help(format!("did you mean `{near}`?"));
        }
    }
    (join(at, path), finding)
}
