//! Who is the composite, as the engine would have it before the pipeline runs?

use purlin_api::meta::{self, Gvk, names};
use purlin_api::xrd::Xrd;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

/// The resourceVersion of a composite that lives in a file.
const RESOURCE_VERSION: &str = "999";

/// Gives the composite a UID when it has none, the same for the same kind, namespace and name, so that generated names
/// do not change from run to run.
pub(crate) fn identify(mut composite: Value) -> Value {
    if meta::uid(&composite).is_empty() {
        let uid = uid(&composite);
        meta::object_mut(&mut composite, &["metadata"]).insert("uid".into(), uid.into());
    }
    composite
}

/// A name-based UUID (RFC 9562, version 5, nil namespace) of kind, namespace and name (spec/devex.md 1.3).
fn uid(composite: &Value) -> String {
    let gvk = Gvk::of(composite).unwrap_or_else(|| Gvk::new("", ""));
    let kind = format!("{}, Kind={}", gvk.api_version(), gvk.kind);
    let mut hash = Sha1::new();
    hash.update([0; 16]);
    hash.update(
        [
            kind.as_str(),
            meta::namespace(composite),
            meta::name(composite),
        ]
        .join("\0"),
    );
    let hash = hash.finalize();
    let mut out = String::with_capacity(36);
    for (index, byte) in hash.iter().take(16).enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x50,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// The composite as functions see it: selected, referring to what exists, labelled.
pub(crate) fn as_observed(
    composite: &Value,
    xrd: &Xrd,
    composition: &str,
    references: Vec<Value>,
    status: Value,
) -> Value {
    let mut composite = composite.clone();
    let metadata = meta::object_mut(&mut composite, &["metadata"]);
    metadata.insert("resourceVersion".into(), RESOURCE_VERSION.into());
    metadata.insert("finalizers".into(), json!([names::FINALIZER_COMPOSITE]));
    label(&mut composite);
    xrd.set(
        &mut composite,
        "compositionRef",
        json!({"name": composition}),
    );
    if !references.is_empty() {
        xrd.set(&mut composite, "resourceRefs", Value::Array(references));
    }
    meta::object_mut(&mut composite, &[]).insert("status".into(), status);
    composite
}

/// Gives a composite the label that everything it composes carries; one that has it is part of another.
pub(crate) fn label(composite: &mut Value) {
    if meta::label(composite, names::LABEL_COMPOSITE).is_empty() {
        let name = meta::name(composite).to_owned();
        meta::object_mut(composite, &["metadata", "labels"])
            .insert(names::LABEL_COMPOSITE.into(), name.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uid_is_that_of_the_existing_command() {
        let check = |metadata: Value, expect: &str| {
            let composite =
                json!({"apiVersion": "example.org/v1", "kind": "XApp", "metadata": metadata});
            assert_eq!(meta::uid(&identify(composite)), expect);
        };
        check(
            json!({"name": "app", "namespace": "team-a"}),
            "f222f554-dd91-5660-9f91-962869a97e0d",
        );
        check(
            json!({"name": "app"}),
            "3cd107d0-dda8-5e38-b30a-ffff75c631d4",
        );
        check(json!({"name": "app", "uid": "u"}), "u");
    }
}
