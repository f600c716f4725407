//! Does an object fit the schema of its kind?

use purlin_diag::{Code, Diagnostic, Severity, nearest};
use purlin_expr::crd::Rules;
use purlin_schema::{FieldError, Reason, Schema, WHOLE};
use purlin_yaml::Document;
use serde_json::Value;

use crate::compose::close;
use crate::reach::{self, Reach, Step, follow};
use crate::set::{Defined, Origin, Set, group_version};
use crate::{Report, join, kinds, partial};

/// Checks an object of a kind that is known; says whether it is one.
pub(crate) fn object(set: &Set, document: &Document, report: &mut Report<'_>) -> bool {
    let object = &document.value;
    let (Some(api_version), Some(kind)) = (object["apiVersion"].as_str(), object["kind"].as_str())
    else {
        return false;
    };
    if group_version(api_version).0 == "meta.pkg.crossplane.io" {
        meta(document, report);
        return true;
    }
    let file = document.places.file();
    if partial::is_asserted(object) {
        return true;
    }
    kinds::check(set, file, object, "", report);
    let Some(defined) = set.find(api_version, kind, file) else {
        return false;
    };
    metadata(object, "", report);
    let Some(schema) = set.schema(defined) else {
        return true;
    };
    if defined.origin == Origin::Engine {
        packaged(object, &schema, kind, report);
    } else {
        unknown(object, &schema, kind, "", report);
    }
    let (group, _) = group_version(api_version);
    // What packages become is made by the package manager; people write it only to compare with.
    let made = group == "pkg.crossplane.io" && kind.ends_with("Revision");
    let parts_only =
        set.is_merged(file) || partial::is_printed(object) || partial::is_observed(object, file);
    if made || parts_only {
        parts(object, &schema, report);
    } else {
        whole(object, &schema, report);
        if !matches!(defined.origin, Origin::Crd | Origin::Known) {
            name(object, defined, report);
        }
    }
    true
}

/// Checks what a package says of itself.
fn meta(document: &Document, report: &mut Report<'_>) {
    let (file, text) = (document.places.file(), document.places.text());
    let (_, found) = purlin_package::Contents::read([(file.as_ref(), text.as_ref())]);
    // What else is in a package is looked at on its own.
    let own = [
        "package/capability",
        "package/constraint",
        "package/dependency",
        "package/name",
        "package/shape",
        "package/unknown-kind",
    ];
    let found = found.into_iter();
    for mut finding in found.filter(|one| own.contains(&one.code.0)) {
        // What builds packages makes a name of it, whatever it is.
        if finding.code.0 == "package/name" {
            finding.severity = Severity::Warning;
        }
        // Other objects of the file need not be in the package.
        let line = finding.place.as_ref().map(|place| place.line);
        let own_line = |field: &str| document.places.value(field).map(|place| place.line);
        if finding.code.0 == "package/unknown-kind"
            && line != own_line("kind")
            && line != own_line("apiVersion")
        {
            continue;
        }
        report.found.push(finding);
    }
}

/// Checks an object that a server is to take.
fn whole(object: &Value, schema: &Schema, report: &mut Report<'_>) {
    let mut whole = object.clone();
    purlin_schema::drop_nulls(&mut whole, schema);
    purlin_schema::apply_defaults(&mut whole, schema);
    let mut errors = purlin_schema::validate(&whole, schema);
    if errors.is_empty() {
        let broken = Rules::compile(schema, "").0.check(&whole, None);
        errors.extend(broken.into_iter().map(|violation| violation.error));
    }
    // A package without `spec` is built all the same, and a render needs no more of a Function than its name.
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let bare = api_version.starts_with("meta.pkg.crossplane.io/")
        || api_version.starts_with("pkg.crossplane.io/") && object["kind"] == "Function";
    let needless = |error: &FieldError| {
        bare && matches!(error.path.as_str(), "spec" | "spec.package")
            && error.reason == Reason::Required
    };
    let combined = errors.iter().any(|error| error.path != WHOLE);
    for error in errors
        .iter()
        .filter(|error| error.path != WHOLE || !combined)
        .filter(|error| !needless(error))
        .filter(|error| !is_filled_in(object, &error.path))
    {
        let (path, finding) = words(error, schema, "");
        report.at(&path, finding);
    }
}

/// Whether the value at a path has a placeholder, which another program replaces: `${REGION}`, `{{ region }}`.
pub(crate) fn is_filled_in(object: &Value, path: &str) -> bool {
    fn any(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains("${") || text.contains("{{"),
            Value::Array(items) => items.iter().any(any),
            Value::Object(map) => map.values().any(any),
            _ => false,
        }
    }
    let mut at = object;
    for step in reach::found_steps(if path == WHOLE { "" } else { path }) {
        let next = match &step {
            Step::Field(name) => at.get(name),
            Step::Index(index) => at.get(index).or_else(|| at.get(index.to_string())),
            Step::Any => None,
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    any(at)
}

/// Checks what a part of an object says; what is not there is elsewhere.
fn parts(object: &Value, schema: &Schema, report: &mut Report<'_>) {
    let errors = purlin_schema::validate(object, schema);
    let missing = |reason| matches!(reason, Reason::Required);
    for error in errors
        .iter()
        .filter(|error| error.path != WHOLE && !missing(error.reason))
        .filter(|_| errors.iter().all(|error| error.path != WHOLE))
    {
        let (path, finding) = words(error, schema, "");
        report.at(&path, finding);
    }
}

/// Tells a misspelt name of one of the fields that make an object, which stands at `at`. `certain` says whether it is to
/// be one: other files may have one of these names, too.
pub(crate) fn identity(object: &Value, at: &str, certain: bool, report: &mut Report<'_>) {
    let Some(map) = object.as_object() else {
        return;
    };
    let keys: Vec<&str> = map.keys().map(String::as_str).collect();
    for (key, field) in misspelt(&keys, certain) {
        let message = format!("`{key}` is no field of objects");
        let finding = Diagnostic::error("check/unknown-field", message);
        let finding = finding.help(format!("did you mean `{field}`?"));
        report.key(&join(at, &crate::below("", key)), finding);
    }
    if certain {
        metadata(object, at, report);
    }
}

/// Names that are nearly those of the fields that make an object, where these are missing.
pub(crate) fn misspelt<'k>(keys: &[&'k str], certain: bool) -> Vec<(&'k str, &'static str)> {
    const FIELDS: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];
    let has = |field: &str| keys.contains(&field);
    let present = FIELDS.into_iter().filter(|field| has(field)).count();
    let mut found = Vec::new();
    if present < 2 && !certain {
        return found;
    }
    for field in FIELDS.into_iter().filter(|field| !has(field)) {
        let near = keys.iter().find(|key| close(key, field));
        found.extend(near.map(|key| (*key, field)));
    }
    found
}

/// Fields of the metadata that no object has, and names that none of these kinds has.
fn metadata(object: &Value, at: &str, report: &mut Report<'_>) {
    let known = match follow(reach::any_object(), &[Step::Field("metadata".to_owned())]) {
        Reach::Field(metadata) => metadata.properties.keys().map(String::as_str).collect(),
        Reach::Unknown | Reach::Nowhere { .. } => Vec::new(),
    };
    for name in object["metadata"]
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
    {
        if known.contains(&name.as_str()) {
            continue;
        }
        let path = crate::below("metadata", name);
        let finding = Diagnostic::error(
            "check/unknown-field",
            format!("`{path}` is no field of objects"),
        );
        let finding = reach::help(finding, name, &known, "metadata");
        report.key(&join(at, &path), softer(finding));
    }
}

/// Whether a name is one of objects: labels of DNS with dots between them.
fn is_name(name: &str) -> bool {
    let right = |label: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty()
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(right)
}

/// Servers take no object without a name.
fn name(object: &Value, defined: &Defined, report: &mut Report<'_>) {
    let metadata = &object["metadata"];
    let has = |field: &str| {
        metadata[field]
            .as_str()
            .is_some_and(|name| !name.is_empty())
    };
    if let Some(written) = metadata["name"].as_str()
        && !written.is_empty()
        && !written.contains(['$', '{', '<', '('])
        && !is_name(written)
    {
        let message = format!("`{written}` is no name of an object");
        let finding = Diagnostic::error("check/invalid-value", message);
        let help =
            "use lower-case letters, digits, `-` and `.`, and begin and end with a letter or digit";
        report.at("metadata.name", finding.help(help));
    }
    if has("name") || has("generateName") {
        return;
    }
    let message = format!("a {} needs a name", defined.kind);
    let finding = Diagnostic::error("check/missing-field", message);
    report.at("metadata.name", finding.help("add `metadata.name`"));
}

/// Whether a finding says which word was meant.
pub(crate) fn is_slip(finding: &Diagnostic) -> bool {
    let help = finding.help.as_deref();
    help.is_some_and(|help| help.starts_with("did you mean"))
}

/// A field that is not there and has no near name, where that does no harm: it may be of another version of the kind.
pub(crate) fn softer(mut finding: Diagnostic) -> Diagnostic {
    if finding.code.0 == "check/unknown-field" && !is_slip(&finding) {
        finding.severity = Severity::Warning;
    }
    finding
}

/// Crossplane's own kinds differ from version to version, so that a field without a near name may be of another one.
fn packaged(object: &Value, schema: &Schema, kind: &str, report: &mut Report<'_>) {
    const GONE: [(&str, &str); 1] = [(
        "spec.controllerConfigRef",
        "use `spec.runtimeConfigRef` with a DeploymentRuntimeConfig",
    )];
    let mut inside = Report::new(report.places);
    unknown(object, schema, kind, "", &mut inside);
    for mut finding in inside.found {
        let path = finding.path.as_deref().unwrap_or_default();
        if let Some((field, help)) = GONE.iter().find(|(field, _)| *field == path) {
            let message = format!("`{field}` exists in Crossplane 1 only");
            finding.severity = Severity::Note;
            finding.code = Code("check/deprecated");
            finding.message = message;
            finding.help = Some((*help).to_owned());
        } else {
            finding = softer(finding);
        }
        report.found.push(finding);
    }
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
