//! What is rendered, read from texts and checked as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use purlin_api::function::{Function, GROUP, KIND};
use purlin_api::xrd::Xrd;
use purlin_composition::Composition;
use purlin_diag::{Diagnostic, Diagnostics, Place, Sources, nearest};
use purlin_object::{Object, Value as ObjectValue};
use purlin_schema::{Schema, apply_defaults, composite_crd, validate};
use purlin_yaml::{PlaceMap, load};
use serde_json::{Value, json};

use crate::composite::identify;
use crate::files::Text;
use crate::manifest::{Manifest, manifests, single};
use crate::observed::{Composed, observed};

/// The texts of one run; see [`crate::Files`] for what each is.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of Files")]
pub struct Texts {
    pub xr: Text,
    pub composition: Text,
    pub functions: Vec<Text>,
    pub observed: Vec<Text>,
    pub required: Vec<Text>,
    pub schemas: Vec<Text>,
    pub credentials: Vec<Text>,
    pub xrd: Option<Text>,
    pub context: Vec<(String, Text)>,
}

impl Texts {
    /// The texts by name, for showing the lines that findings point at.
    pub fn sources(&self) -> Sources {
        let mut sources = Sources::new();
        let context = self.context.iter().map(|(_, text)| text);
        let single = [&self.xr, &self.composition].into_iter().chain(&self.xrd);
        let many = [
            &self.functions,
            &self.observed,
            &self.required,
            &self.credentials,
        ];
        for text in single.chain(many.into_iter().flatten()).chain(context) {
            sources.insert(text.name.clone(), text.content.clone());
        }
        sources
    }
}

/// What is rendered.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The composite as the user wrote it.
    pub(crate) written: Value,
    /// The composite with its UID and the defaults of its definition.
    pub(crate) composite: Value,
    pub(crate) composition: Composition,
    pub(crate) composition_places: PlaceMap,
    /// The definition, or what can be told of it from the composite.
    pub(crate) xrd: Xrd,
    pub(crate) functions: Vec<(Function, Place)>,
    pub(crate) observed: BTreeMap<String, Composed>,
    pub(crate) required: Vec<Object>,
    pub(crate) secrets: BTreeMap<(String, String), BTreeMap<String, Bytes>>,
    pub(crate) schemas: Arc<[Value]>,
    pub(crate) context: Object,
}

impl Inputs {
    /// Reads and checks everything; every Function gets the annotations as well. There are none when anything found is
    /// an error.
    pub fn read(texts: &Texts, annotations: &[(String, String)]) -> (Option<Self>, Diagnostics) {
        let mut found = Diagnostics::new();
        let mut inputs = read(texts, &mut found);
        for (function, _) in inputs.iter_mut().flat_map(|inputs| &mut inputs.functions) {
            function.annotations.extend(annotations.iter().cloned());
        }
        found.sort();
        (inputs.filter(|_| !found.has_errors()), found)
    }

    /// The composite's Composition.
    pub fn composition(&self) -> &Composition {
        &self.composition
    }
}

fn read(texts: &Texts, found: &mut Diagnostics) -> Option<Inputs> {
    let xr = single(&texts.xr, "composite resource", found);
    let composition_manifest = single(&texts.composition, "Composition", found);
    let composition = composition_manifest.as_ref().and_then(|manifest| {
        let (composition, mistakes) =
            purlin_composition::read(&manifest.value, Some(&manifest.places));
        found.extend(mistakes);
        composition
    });
    let functions = functions(&texts.functions, found);
    let definition = texts
        .xrd
        .as_ref()
        .and_then(|text| single(text, "CompositeResourceDefinition", found));
    let context = context(&texts.context, found);
    let secrets = secrets(&texts.credentials, found);
    let schemas = schemas(&texts.schemas, found);
    let required_manifests = manifests(&texts.required, found);
    let observed_manifests = manifests(&texts.observed, found);
    let required = required_manifests
        .iter()
        .filter_map(|manifest| manifest.object(found))
        .collect();
    let xr = xr?;
    let xrd = define(&xr, definition.as_ref(), found)?;
    let composite = match &definition {
        Some(definition) => with_defaults(&xr, definition, found),
        None => xr.value.clone(),
    };
    let composite = identify(composite);
    if xr.name().is_empty() {
        let error = Diagnostic::error("render/no-name", "the composite resource has no name");
        found.push(
            error
                .at(xr.place("metadata.name"))
                .help("add `metadata.name`"),
        );
    }
    let observed = observed(&observed_manifests, &required_manifests, &composite, found);
    let composition = composition?;
    let composition_manifest = composition_manifest?;
    check_match(&xr, &xrd, &composition, &composition_manifest, found);
    Some(Inputs {
        written: xr.value,
        composite,
        composition,
        composition_places: composition_manifest.places,
        xrd,
        functions,
        observed,
        required,
        secrets,
        schemas: schemas.into(),
        context,
    })
}

fn functions(texts: &[Text], found: &mut Diagnostics) -> Vec<(Function, Place)> {
    let mut functions: Vec<(Function, Place)> = Vec::new();
    for manifest in manifests(texts, found) {
        let kind = manifest.text("/kind");
        let group = manifest.text("/apiVersion").split('/').next();
        if kind != KIND || group != Some(GROUP) {
            let message = format!(
                "this is a {} {kind}, not a Function",
                manifest.text("/apiVersion")
            );
            let error =
                Diagnostic::error("render/not-a-function", message).at(manifest.place("kind"));
            found.push(error.help(format!(
                "a Function starts with `apiVersion: {GROUP}/v1` and `kind: {KIND}`"
            )));
            continue;
        }
        let place = manifest.place("metadata.name");
        let name = manifest.name().to_owned();
        if name.is_empty() {
            let error = Diagnostic::error("render/no-name", "the Function has no name").at(place);
            found.push(error.help("add `metadata.name`; Compositions refer to it"));
            continue;
        }
        if let Some((_, first)) = functions.iter().find(|(function, _)| function.name == name) {
            let message = format!("the Function {name:?} is already defined at {first}");
            found.push(
                Diagnostic::error("render/duplicate", message)
                    .at(place)
                    .help("keep one of the two"),
            );
            continue;
        }
        let annotations = manifest
            .value
            .pointer("/metadata/annotations")
            .and_then(Value::as_object);
        let annotations = annotations.into_iter().flatten();
        let function = Function {
            name,
            package: manifest.text("/spec/package").to_owned(),
            annotations: annotations
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
        };
        functions.push((function, place));
    }
    functions
}

fn context(texts: &[(String, Text)], found: &mut Diagnostics) -> Object {
    let mut context = Object::new();
    for (key, text) in texts {
        let (documents, mistakes) = load(&text.name, &text.content);
        found.extend(mistakes);
        let value = documents
            .into_iter()
            .next()
            .map_or(Value::Null, |document| document.value);
        match Object::from_json(json!({ "value": value })) {
            Ok(mut wrapped) => {
                let value = wrapped.remove("value").unwrap_or(ObjectValue::Null);
                context.insert(key.as_str(), value);
            }
            Err(error) => {
                let message = format!("the context value cannot be sent to a function: {error}");
                let place = Place::new(text.name.as_str(), 1, 1);
                found.push(Diagnostic::error("render/object", message).at(place));
            }
        }
    }
    context
}

fn secrets(
    texts: &[Text],
    found: &mut Diagnostics,
) -> BTreeMap<(String, String), BTreeMap<String, Bytes>> {
    let mut secrets = BTreeMap::new();
    for manifest in manifests(texts, found) {
        let kind = manifest.text("/kind");
        if kind != "Secret" {
            let message = format!("function credentials are Secrets, and this is a {kind}");
            found
                .push(Diagnostic::error("render/not-a-secret", message).at(manifest.place("kind")));
            continue;
        }
        let key = (manifest.namespace().to_owned(), manifest.name().to_owned());
        secrets.insert(key, secret_data(&manifest, found));
    }
    secrets
}

/// The decoded data of a Secret.
pub(crate) fn secret_data(secret: &Manifest, found: &mut Diagnostics) -> BTreeMap<String, Bytes> {
    use base64::Engine as _;
    let mut data = BTreeMap::new();
    for (field, encoded) in [("data", true), ("stringData", false)] {
        let entries = secret.value.get(field).and_then(Value::as_object);
        for (key, value) in entries.into_iter().flatten() {
            let path = format!("{field}[{key}]");
            let bytes = value.as_str().and_then(|text| {
                if encoded {
                    base64::engine::general_purpose::STANDARD
                        .decode(text.trim())
                        .ok()
                } else {
                    Some(text.as_bytes().to_vec())
                }
            });
            if let Some(bytes) = bytes {
                data.insert(key.clone(), Bytes::from(bytes));
                continue;
            }
            let message = format!("`{field}.{key}` is not base64 text");
            let error = Diagnostic::error("render/secret", message).at(secret.place(&path));
            found.push(error.help("encode it, or put the plain text under `stringData`"));
        }
    }
    data
}

fn schemas(texts: &[Text], found: &mut Diagnostics) -> Vec<Value> {
    let mut schemas = Vec::new();
    for text in texts {
        match serde_json::from_str(&text.content) {
            Ok(schema) => schemas.push(schema),
            Err(error) => {
                let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                let place = Place::new(
                    text.name.as_str(),
                    small(error.line()),
                    small(error.column()),
                );
                found.push(
                    Diagnostic::error("render/schema", format!("this is no JSON: {error}"))
                        .at(place),
                );
            }
        }
    }
    schemas
}

/// What is known of the composite's definition.
fn define(xr: &Manifest, definition: Option<&Manifest>, found: &mut Diagnostics) -> Option<Xrd> {
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
fn with_defaults(xr: &Manifest, definition: &Manifest, found: &mut Diagnostics) -> Value {
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
fn check_match(
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
