//! Does the Composition fit the composite, and what does the composite's definition say?

use purlin_api::xrd::Xrd;
use purlin_composition::Composition;
use purlin_diag::{Diagnostic, Diagnostics, nearest};
use purlin_schema::{Schema, apply_defaults, composite_crd, validate};
use serde_json::{Value, json};

use crate::manifest::Manifest;

/// What is known of the composite's definition.
pub(crate) fn define(
    xr: &Manifest,
    definition: Option<&Manifest>,
    found: &mut Diagnostics,
) -> Option<Xrd> {
    let Some(definition) = definition else {
        let scope = if xr.namespace().is_empty() {
            "Cluster"
        } else {
            "Namespaced"
        };
        return synthetic(xr, scope);
    };
    let spec = definition.value.get("spec");
    let kind_of = |names: &str| spec.and_then(|spec| spec.get(names)?.get("kind")?.as_str());
    let group = spec.and_then(|spec| spec.get("group")?.as_str());
    let Some(read) = Xrd::read(&definition.value) else {
        let kind = definition.text("/kind");
        let message = format!(
            "this {kind} defines no composite: it lacks a group, names, or a referenceable version"
        );
        found.push(Diagnostic::error("render/xrd", message).at(definition.place("spec")));
        return None;
    };
    let xr_group = xr.text("/apiVersion").split('/').next();
    let kind = xr.text("/kind");
    if kind_of("claimNames") == Some(kind) && group == xr_group {
        let message = format!("{kind} is the kind of claims; a composite resource is rendered");
        let error = Diagnostic::error("render/claim", message).at(xr.place("kind"));
        let composite = kind_of("names").unwrap_or_default();
        found.push(error.help(format!(
            "render the {composite} that the engine makes of the claim"
        )));
        return None;
    }
    if kind_of("names") != Some(kind) || group != xr_group {
        let message = format!(
            "the definition is of {} {}, and the composite is a {} {kind}",
            group.unwrap_or_default(),
            kind_of("names").unwrap_or_default(),
            xr_group.unwrap_or_default(),
        );
        found.push(
            Diagnostic::error("render/xrd-mismatch", message)
                .at(definition.place("spec.names.kind")),
        );
        return None;
    }
    // Only the layout is taken from the scope: where the composite lives is what it says itself.
    let scope = if read.is_legacy() && !definition.text("/apiVersion").ends_with("/v2") {
        "LegacyCluster"
    } else if xr.namespace().is_empty() {
        "Cluster"
    } else {
        "Namespaced"
    };
    synthetic(xr, scope)
}

fn synthetic(xr: &Manifest, scope: &str) -> Option<Xrd> {
    let api_version = xr.text("/apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = xr.text("/kind");
    Xrd::read(&json!({
        "metadata": {"name": format!("{}s.{group}", kind.to_lowercase())},
        "spec": {
            "group": group, "scope": scope, "names": {"kind": kind, "plural": format!("{}s", kind.to_lowercase())},
            "versions": [{"name": version, "served": true, "referenceable": true}],
        },
    }))
}

/// The composite with its definition's defaults; what the definition would refuse is warned about.
pub(crate) fn with_defaults(
    xr: &Manifest,
    definition: &Manifest,
    found: &mut Diagnostics,
) -> Value {
    let mut composite = xr.value.clone();
    let crd = match composite_crd(&definition.value) {
        Ok(crd) => crd,
        Err(errors) => {
            for error in errors {
                let diagnostic = Diagnostic::error("render/xrd", error.to_string());
                found.push(
                    diagnostic
                        .at(definition.place(&error.path))
                        .path(error.path.clone()),
                );
            }
            return composite;
        }
    };
    let version = xr
        .text("/apiVersion")
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array);
    let held = versions
        .into_iter()
        .flatten()
        .find(|held| held.get("name").and_then(Value::as_str) == Some(version));
    let Some(held) = held else {
        let message = format!("the definition has no version {version:?}");
        found.push(Diagnostic::error("render/xrd-mismatch", message).at(xr.place("apiVersion")));
        return composite;
    };
    let schema = held.pointer("/schema/openAPIV3Schema").map(Schema::parse);
    if let Some(Ok(schema)) = schema {
        apply_defaults(&mut composite, &schema);
        for error in validate(&composite, &schema) {
            let warning = Diagnostic::warning("render/invalid-composite", error.to_string());
            found.push(warning.at(xr.place(&error.path)).path(error.path.clone()));
        }
    }
    composite
}

/// Whether the Composition is one for this composite.
pub(crate) fn check_match(
    xr: &Manifest,
    xrd: &Xrd,
    composition: &Composition,
    manifest: &Manifest,
    found: &mut Diagnostics,
) {
    let wanted = &composition.composite;
    let is = format!("{} {}", xr.text("/apiVersion"), xr.text("/kind"));
    if wanted.to_string() != is {
        let name = &composition.name;
        let message = format!(
            "the Composition {name:?} composes {wanted}, and the composite resource is a {is}"
        );
        let mut error = Diagnostic::error("render/other-kind", message)
            .at(manifest.place("spec.compositeTypeRef"))
            .path("spec.compositeTypeRef");
        error = match nearest(xr.text("/kind"), [wanted.kind.as_str()]) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help("name the Composition that composes this kind"),
        };
        found.push(error);
    }
    let reference = xrd.reference(&xr.value, "compositionRef");
    if !reference.is_empty() && reference != composition.name {
        let message = format!(
            "the composite refers to the Composition {reference:?}, and {:?} is rendered",
            composition.name
        );
        let path = xrd.machinery("compositionRef").join(".");
        found.push(Diagnostic::warning("render/other-composition", message).at(xr.place(&path)));
    }
    for (label, value) in xrd
        .selector(&xr.value, "compositionSelector")
        .into_iter()
        .flatten()
    {
        let has = composition.labels.get(label).map(String::as_str);
        if has != value.as_str() {
            let shown = value.as_str().unwrap_or_default();
            let message = format!(
                "the composite selects Compositions with the label {label}={shown}, which {:?} lacks",
                composition.name
            );
            let path = format!(
                "{}.matchLabels[{label}]",
                xrd.machinery("compositionSelector").join(".")
            );
            let error = Diagnostic::error("render/not-selected", message).at(xr.place(&path));
            found.push(
                error.help("add the label to the Composition, or render the one that is selected"),
            );
        }
    }
}
