//! What is rendered, read from texts and checked as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use purlin_api::function::{Function, GROUP, KIND};
use purlin_api::xrd::Xrd;
use purlin_composition::Composition;
use purlin_composition::modules::Modules;
use purlin_diag::{Diagnostic, Diagnostics, Place, Sources};
use purlin_function::Functions;
use purlin_object::{Object, Value as ObjectValue};
use purlin_yaml::{PlaceMap, load};
use serde_json::{Value, json};

use crate::composite::identify;
use crate::definition::{check_match, define, with_defaults};
use crate::files::Text;
use crate::functions::check_steps;
use crate::manifest::{Manifest, manifests, single};
use crate::observed::{Composed, observed};

/// The texts of one run; see [`crate::Files`] for what each is.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of Files")]
pub struct Texts {
    pub xr: Text,
    pub composition: Text,
    /// Files of which those documents count that are modules.
    pub modules: Vec<Text>,
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
            &self.modules,
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

    /// As [`Inputs::read`]. When something is wrong, what the functions of this process find wrong with their inputs is
    /// told as well: otherwise [`crate::render`] tells it.
    pub fn read_all(
        texts: &Texts,
        annotations: &[(String, String)],
        hosted: &Functions,
    ) -> (Option<Self>, Diagnostics) {
        let (inputs, mut found) = Self::read(texts, annotations);
        if inputs.is_none() {
            // What is wrong with these texts is told already.
            let told = &mut Diagnostics::new();
            let functions = functions(&texts.functions, told);
            if let Some(composition) = composition(texts, told) {
                found.extend(check_steps(&composition, &functions, hosted));
                found.sort();
            }
        }
        (inputs, found)
    }

    /// The composite's Composition.
    pub fn composition(&self) -> &Composition {
        &self.composition
    }
}

/// The Composition, with the modules that its Blueprints use.
fn composition(texts: &Texts, found: &mut Diagnostics) -> Option<Manifest> {
    let mut manifest = single(&texts.composition, "Composition", found)?;
    if !texts.modules.is_empty() {
        let mut documents = Vec::new();
        for text in &texts.modules {
            let (loaded, mistakes) = load(&text.name, &text.content);
            found.extend(mistakes);
            documents.extend(loaded);
        }
        let (modules, _, mistakes) = Modules::take(documents);
        found.extend(mistakes);
        let (_, missing) = modules.fill(&mut manifest.value, &mut manifest.places);
        found.extend(missing);
    }
    Some(manifest)
}

fn read(texts: &Texts, found: &mut Diagnostics) -> Option<Inputs> {
    let xr = single(&texts.xr, "composite resource", found);
    let composition_manifest = composition(texts, found);
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
