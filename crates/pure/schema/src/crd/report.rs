//! The CRDs of an XRD for somebody who looks at the XRD's file: what is wrong is told by paths of the XRD.

use purlin_diag::{Diagnostic, Diagnostics};
use serde_json::Value;

use super::{claim_crd, composite_crd};
use crate::crd_check::{CheckRules, check_crd, complete_crd, unknown_formats};
use crate::error::{FieldError, Reason, WHOLE};
use crate::xrd::check_xrd;

/// The CRDs of an XRD as a server would hold them, and everything a server or the engine would object to.
///
/// A CRD with errors is not given; the other one is.
pub fn crds_of(xrd: &Value, rules: &dyn CheckRules) -> (Vec<Value>, Diagnostics) {
    let mut found: Vec<Diagnostic> = Vec::new();
    for error in check_xrd(xrd) {
        tell(&mut found, &error, error.path.clone());
    }
    name_fits(xrd, &mut found);
    let mut crds = Vec::new();
    let composite = composite_crd(xrd).map(Some);
    for (made, names) in [
        (composite, "spec.names"),
        (claim_crd(xrd), "spec.claimNames"),
    ] {
        match made {
            Ok(None) => {}
            Ok(Some(crd)) => crds.extend(checked(crd, names, rules, &mut found)),
            Err(errors) => {
                for error in errors {
                    tell(&mut found, &error, error.path.clone());
                }
            }
        }
    }
    (crds, found.into_iter().collect())
}

/// The composite's CRD takes the XRD's name, and a CRD is named after its plural and its group: a server takes the XRD, and
/// then nothing can be made of it.
fn name_fits(xrd: &Value, found: &mut Vec<Diagnostic>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let spec = &xrd["spec"];
    let (Some(name), Some(plural), Some(group)) = (
        text(&xrd["metadata"]["name"]),
        text(&spec["names"]["plural"]),
        text(&spec["group"]),
    ) else {
        return;
    };
    let right = format!("{plural}.{group}");
    if name != right {
        let message = format!("the XRD is named {name}, and its names and group make it {right}");
        let wrong = Diagnostic::error("xrd/name", message).path("metadata.name");
        push(found, wrong.help(format!("name it {right}")));
    }
}

fn checked(
    mut crd: Value,
    names: &str,
    rules: &dyn CheckRules,
    found: &mut Vec<Diagnostic>,
) -> Option<Value> {
    let errors = match complete_crd(&mut crd) {
        Ok(()) => check_crd(&crd, rules),
        Err(errors) => errors,
    };
    for error in &errors {
        if let Some(path) = path_in_xrd(&error.path, names) {
            tell(found, error, path);
        }
    }
    for (path, format) in unknown_formats(&crd) {
        let text = format!("nobody checks the format {format:?}");
        let help = "use a format Kubernetes knows, for example date-time or ipv4, or a pattern";
        push(
            found,
            Diagnostic::warning("xrd/unknown-format", text)
                .path(path)
                .help(help),
        );
    }
    errors.is_empty().then_some(crd)
}

/// Where the author wrote what a CRD's path points at; `None` for what only repeats another error.
fn path_in_xrd(path: &str, names: &str) -> Option<String> {
    if path == "spec.version" || path.starts_with("status.") {
        return None;
    }
    for (shared, own) in [
        ("spec.validation.", "spec.versions[0].schema."),
        (
            "spec.additionalPrinterColumns",
            "spec.versions[0].additionalPrinterColumns",
        ),
        ("spec.subresources", "spec.versions[0].subresources"),
    ] {
        if let Some(rest) = path.strip_prefix(shared) {
            return Some(format!("{own}{rest}"));
        }
    }
    if let Some(rest) = path.strip_prefix("spec.names") {
        return Some(format!("{names}{rest}"));
    }
    if path == "metadata.name" && names == "spec.claimNames" {
        return Some(names.to_owned());
    }
    Some(path.to_owned())
}

fn tell(found: &mut Vec<Diagnostic>, error: &FieldError, path: String) {
    if error.path == WHOLE {
        return;
    }
    let code = match error.reason {
        Reason::Required => "xrd/missing-field",
        Reason::NotSupported => "xrd/unknown-value",
        Reason::Duplicate => "xrd/duplicate",
        Reason::TypeInvalid => "xrd/wrong-type",
        Reason::TooLong | Reason::TooMany => "xrd/too-long",
        Reason::Forbidden => "xrd/forbidden-field",
        Reason::Invalid => "xrd/invalid-value",
    };
    let (message, help) = words(error, &path);
    let mut diagnostic = Diagnostic::error(code, format!("{path}: {message}")).path(path);
    if let Some(help) = help {
        diagnostic = diagnostic.help(help);
    }
    push(found, diagnostic);
}

/// The message in words of the XRD, and what to do about it.
fn words(error: &FieldError, path: &str) -> (String, Option<&'static str>) {
    if error.message.contains("storage version") {
        let message = "exactly one version must be referenceable".to_owned();
        return (
            message,
            Some(
                "set referenceable: true on the version Compositions refer to, false on the others",
            ),
        );
    }
    let help = match error.reason {
        Reason::Required if last(path) == "type" => {
            Some("add a type, or x-kubernetes-preserve-unknown-fields: true for anything")
        }
        Reason::Required if last(path) == "schema" => {
            Some("add schema.openAPIV3Schema, which may be empty: {}")
        }
        Reason::Invalid if path == "metadata.name" => {
            Some("name the XRD <spec.names.plural>.<spec.group>")
        }
        Reason::Forbidden if last(path) == "type" => {
            Some("say the type once, outside of the combination")
        }
        _ => None,
    };
    (error.message.clone(), help)
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The composite's and the claim's CRD share the schema: the same finding is told once.
fn push(found: &mut Vec<Diagnostic>, diagnostic: Diagnostic) {
    if !found.contains(&diagnostic) {
        found.push(diagnostic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mistakes_are_told_by_the_paths_of_the_xrd_and_once() {
        let xrd = json!({"apiVersion": "apiextensions.crossplane.io/v1", "kind": "CompositeResourceDefinition", "metadata": {"name": "xshops.golden.example"},
            "spec": {"group": "golden.example", "names": {"kind": "XShop", "plural": "xshops"}, "claimNames": {"kind": "Shop", "plural": "shops"},
            "versions": [{"name": "v1", "served": true, "referenceable": false, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object",
            "properties": {"a": {}, "b": {"type": "string", "format": "colour"}}}}}}}]}});
        let (crds, found) = crds_of(&xrd, &());
        assert!(crds.is_empty());
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(told[0].starts_with("spec.versions: error[xrd/invalid-value]: spec.versions: exactly one version must be referenceable"));
        assert!(told[1].contains("spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[a].type: error[xrd/missing-field]"));
        assert!(told[2].contains("warning[xrd/unknown-format]"));
    }
}
