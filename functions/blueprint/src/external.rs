//! Whose is a resource, and does its manifest say what it is?

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_object::{Value, ValueRef};

use crate::compiler::{Compiler, Sees};
use crate::input::Resource;
use crate::plan::External;
use crate::template::{Tree, member};

#[expect(
    clippy::too_many_lines,
    reason = "one arm per thing that can be written there"
)]
pub(crate) fn external(
    resource: &Resource,
    field: &str,
    own: &[&str],
    compiler: &mut Compiler<'_>,
) -> External {
    let at = format!("{field}.external");
    let given = match resource.external.as_ref().map(Value::as_ref) {
        None | Some(ValueRef::Bool(false)) => return External::No,
        Some(ValueRef::Bool(true)) => {
            if resource.for_each.is_some() || resource.when.is_some() || resource.ready.is_some() {
                let message = "an external resource is one object that is always read";
                compiler.mistakes.push(
                    Diagnostic::error("blueprint/external", message)
                        .path(field)
                        .help("remove forEach, when and ready"),
                );
            }
            return External::Object;
        }
        Some(ValueRef::Object(given)) => given,
        Some(other) => {
            let message = format!(
                "external is true or {{name, observe}}, not {}",
                other.kind()
            );
            compiler
                .mistakes
                .push(Diagnostic::error("blueprint/external", message).path(at));
            return External::No;
        }
    };
    let mut name = None;
    let mut observe = false;
    for (key, value) in given {
        let at = member(&at, key);
        match (key, value) {
            ("name", value) => {
                let sees = Sees::at("resources[].external.name", own);
                name = Some(Tree::compile(value, &at, &sees, compiler));
            }
            ("observe", ValueRef::Bool(value)) => observe = value,
            ("observe", _) => compiler
                .mistakes
                .push(Diagnostic::error("blueprint/external", "observe is true or false").path(at)),
            _ => compiler.mistakes.push(
                Diagnostic::error(
                    "blueprint/external",
                    format!("there is no field {key} here"),
                )
                .path(at)
                .help("there are name and observe"),
            ),
        }
    }
    let has = |path: &[&str]| {
        let manifest = resource.manifest.as_object();
        manifest.is_some_and(|manifest| manifest.get_path(path).is_some())
    };
    let annotation = ["metadata", "annotations", EXTERNAL_NAME];
    for (taken, path) in [
        (name.is_some() && has(&annotation), annotation.join(".")),
        (
            observe && has(&["spec", "managementPolicies"]),
            "spec.managementPolicies".to_owned(),
        ),
    ] {
        if taken {
            let message = format!("`external` writes {path}, and so does the manifest");
            compiler.mistakes.push(
                Diagnostic::error("blueprint/external", message)
                    .path(at.clone())
                    .help("say it in one of the two"),
            );
        }
    }
    External::Named { name, observe }
}

/// The annotation that providers find things outside of the cluster by.
pub(crate) const EXTERNAL_NAME: &str = "crossplane.io/external-name";

/// The manifest says what it is. One that is a single expression is believed until it runs.
pub(crate) fn check_manifest(
    resource: &Resource,
    at: &str,
    mistakes: &mut Diagnostics,
) -> (Option<String>, Option<String>) {
    let field = format!("{at}.manifest");
    let mut found = [None, None];
    match resource.manifest.as_ref() {
        ValueRef::Object(manifest) => {
            for (place, name) in ["apiVersion", "kind"].into_iter().enumerate() {
                let message = match manifest.get(name) {
                    Some(ValueRef::String(text)) if !text.is_empty() => {
                        found[place] = (!text.contains("${")).then(|| text.to_owned());
                        continue;
                    }
                    Some(_) => format!("{name} is a text"),
                    None => format!("{name} is missing"),
                };
                mistakes.push(
                    Diagnostic::error("blueprint/manifest", message).path(member(&field, name)),
                );
            }
        }
        ValueRef::String(text) if text.contains("${") => {}
        other => {
            let message = format!("a manifest is an object, not {}", other.kind());
            mistakes.push(Diagnostic::error("blueprint/manifest", message).path(field));
        }
    }
    let [api_version, kind] = found;
    (api_version, kind)
}
