//! A document of a file that should be a Kubernetes object.

use purlin_diag::{Diagnostic, Diagnostics, Place};
use purlin_object::Object;
use purlin_yaml::{Document, Fields, PlaceMap, load};
use serde_json::Value;

use crate::files::Text;

/// An object, and where it was read.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    pub(crate) value: Value,
    pub(crate) places: PlaceMap,
}

impl Manifest {
    pub(crate) fn text(&self, pointer: &str) -> &str {
        let value = self.value.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub(crate) fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    pub(crate) fn place(&self, path: &str) -> Place {
        self.places.nearest(path)
    }

    /// The object as functions get it.
    pub(crate) fn object(&self, found: &mut Diagnostics) -> Option<Object> {
        match Object::from_json(self.value.clone()) {
            Ok(object) => Some(object),
            Err(error) => {
                let message = format!("this object cannot be sent to a function: {error}");
                found.push(Diagnostic::error("render/object", message).at(self.place("")));
                None
            }
        }
    }
}

/// The objects of some texts. A `List` counts as its items.
pub(crate) fn manifests(texts: &[Text], found: &mut Diagnostics) -> Vec<Manifest> {
    let mut manifests = Vec::new();
    for text in texts {
        let (documents, mistakes) = load(&text.name, &text.content);
        found.extend(mistakes);
        for document in documents {
            let document = Manifest {
                value: document.value,
                places: document.places,
            };
            for manifest in items(document) {
                if check(&manifest, found) {
                    manifests.push(manifest);
                }
            }
        }
    }
    manifests
}

/// The one object of a text.
pub(crate) fn single(text: &Text, what: &str, found: &mut Diagnostics) -> Option<Manifest> {
    let (documents, mistakes) = load(&text.name, &text.content);
    let broken = mistakes.has_errors();
    found.extend(mistakes);
    let mut documents = documents.into_iter();
    let first = documents.next();
    if let Some(Document { places, .. }) = documents.next() {
        let message = format!("one {what} is expected, and this is a second document");
        let error = Diagnostic::error("render/documents", message).at(places.start());
        found.push(error.help("take it away, or move it into a file of its own"));
    }
    let Some(first) = first else {
        if !broken {
            let message = format!("the file holds no {what}");
            let place = Place::new(text.name.as_str(), 1, 1);
            found.push(Diagnostic::error("render/documents", message).at(place));
        }
        return None;
    };
    let manifest = Manifest {
        value: first.value,
        places: first.places,
    };
    check(&manifest, found).then_some(manifest)
}

fn items(document: Manifest) -> Vec<Manifest> {
    let is_list = document.text("/kind").ends_with("List") && document.text("/apiVersion") == "v1";
    let items = document.value.get("items").and_then(Value::as_array);
    let (true, Some(items)) = (is_list, items) else {
        return vec![document];
    };
    let items = items.iter().enumerate().filter_map(|(index, value)| {
        let places = document.places.under(&format!("items[{index}]"))?;
        Some(Manifest {
            value: value.clone(),
            places,
        })
    });
    items.collect()
}

/// What every object needs: apiVersion, kind, and a name that is text when there is one.
fn check(manifest: &Manifest, found: &mut Diagnostics) -> bool {
    let mut fields = Fields::new("render/object", Some(&manifest.places));
    if let Some(root) = fields.root(&manifest.value) {
        fields.text(&root, "apiVersion");
        fields.text(&root, "kind");
        if let Some(metadata) = fields.optional_section(&root, "metadata") {
            for field in ["name", "namespace", "generateName", "uid"] {
                fields.optional_text(&metadata, field);
            }
            fields.texts(&metadata, "labels");
            fields.texts(&metadata, "annotations");
        }
    }
    let mistakes = fields.into_found();
    let right = !mistakes.has_errors();
    found.extend(mistakes);
    right
}
