//! Which composed resources exist already?

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_api::meta::{self, names};
use purlin_diag::{Diagnostic, Diagnostics};
use purlin_object::Object;
use serde_json::{Value, json};

use crate::inputs::secret_data;
use crate::manifest::Manifest;

/// A composed resource that exists.
#[derive(Debug, Clone)]
pub(crate) struct Composed {
    pub(crate) value: Value,
    pub(crate) object: Object,
    pub(crate) connection: BTreeMap<String, Bytes>,
}

/// The observed resources by their name in the pipeline, as the engine would find them: controlled by the composite,
/// in its namespace.
pub(crate) fn observed(
    manifests: &[Manifest],
    others: &[Manifest],
    composite: &Value,
    found: &mut Diagnostics,
) -> BTreeMap<String, Composed> {
    let mut observed: BTreeMap<String, Composed> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for manifest in manifests {
        let name = meta::annotation(&manifest.value, names::ANNOTATION_RESOURCE_NAME);
        let path = format!("metadata.annotations[{}]", names::ANNOTATION_RESOURCE_NAME);
        if name.is_empty() {
            let message = format!(
                "the observed resource does not say which one it is: it lacks the annotation {}",
                names::ANNOTATION_RESOURCE_NAME
            );
            let error =
                Diagnostic::error("render/anonymous-observed", message).at(manifest.place(&path));
            found.push(error.help("set it to the resource's name in the pipeline"));
            continue;
        }
        if let Some(first) = places.get(name) {
            let message =
                format!("there are two observed resources {name:?}; the first is at {first}");
            found.push(Diagnostic::error("render/duplicate", message).at(manifest.place(&path)));
            continue;
        }
        places.insert(name.to_owned(), manifest.place(&path));
        if let Some(reason) = not_seen(&manifest.value, composite) {
            let message = format!("the observed resource {name:?} is left out: {reason}");
            found.push(
                Diagnostic::warning("render/not-observed", message).at(manifest.place("metadata")),
            );
            continue;
        }
        let mut owned = manifest.clone();
        own(&mut owned.value, composite, name);
        if let Some(object) = owned.object(found) {
            let connection = connection(&owned, manifests.iter().chain(others), found);
            let composed = Composed {
                value: owned.value,
                object,
                connection,
            };
            observed.insert(name.to_owned(), composed);
        }
    }
    observed
}

/// Why the engine would not see the object as one of the composite's.
fn not_seen(value: &Value, composite: &Value) -> Option<String> {
    let home = meta::namespace(composite);
    let lives = meta::namespace(value);
    if !home.is_empty() && !lives.is_empty() && lives != home {
        return Some(format!(
            "it is in the namespace {lives}, and the composite in {home}"
        ));
    }
    let owner = meta::controller(value)?;
    (owner.uid != meta::uid(composite)).then(|| {
        format!(
            "{} {:?} controls it, not the composite",
            owner.kind, owner.name
        )
    })
}

fn own(value: &mut Value, composite: &Value, name: &str) {
    if meta::controller(value).is_none() {
        let owner = meta::controller_reference(composite);
        let owners = meta::object_mut(value, &["metadata"])
            .entry("ownerReferences")
            .or_insert_with(|| json!([]));
        if let Some(owners) = owners.as_array_mut() {
            owners.push(owner);
        }
    }
    let home = meta::namespace(composite).to_owned();
    let nameless = meta::name(value).is_empty();
    let metadata = meta::object_mut(value, &["metadata"]);
    if !home.is_empty() {
        metadata.insert("namespace".into(), home.into());
    }
    if nameless {
        // A live object always has a name; this is the one the engine would have given it.
        let prefix = metadata.get("generateName").and_then(Value::as_str);
        let prefix = prefix.unwrap_or_else(|| meta::name(composite));
        let generated = purlin_lifecycle::name::composed(prefix, meta::uid(composite), name);
        metadata.insert("name".into(), generated.into());
    }
}

/// What the connection Secret of an observed resource holds, when that Secret is among the files.
fn connection<'a>(
    owned: &Manifest,
    mut all: impl Iterator<Item = &'a Manifest>,
    found: &mut Diagnostics,
) -> BTreeMap<String, Bytes> {
    let name = owned.text("/spec/writeConnectionSecretToRef/name");
    if name.is_empty() {
        return BTreeMap::new();
    }
    let namespace = match owned.text("/spec/writeConnectionSecretToRef/namespace") {
        "" => owned.namespace(),
        said => said,
    };
    let secret = all.find(|other| {
        other.text("/kind") == "Secret"
            && other.text("/apiVersion") == "v1"
            && other.name() == name
            && (other.namespace() == namespace)
    });
    secret
        .map(|secret| secret_data(secret, found))
        .unwrap_or_default()
}
