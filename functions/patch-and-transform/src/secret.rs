//! Where is the connection secret of a composite of the second version written, and what is in it?

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use purlin_object::{Object, ObjectRef, ValueRef};

use crate::patch::{PatchError, apply};
use crate::plan::{Secret, SecretPatch, Source};

/// The secret as a composed resource: its name among them, and its manifest. None when the composite is of the first
/// version, or has no details.
///
/// # Errors
/// Which patch of the reference cannot be applied, and why.
pub(crate) fn compose(
    composite: ObjectRef<'_>,
    details: &BTreeMap<String, Bytes>,
    input: Option<&Secret>,
) -> Result<Option<(String, Object)>, String> {
    if composite.get_path(&["spec", "crossplane"]).is_none() || details.is_empty() {
        return Ok(None);
    }
    let text = |path: &[&str]| {
        let found = composite.get_path(path).and_then(ValueRef::as_str);
        found.unwrap_or_default().to_owned()
    };
    let composite_name = text(&["metadata", "name"]);
    let asked = composite
        .get_path(&["spec", "writeConnectionSecretToRef"])
        .and_then(reference);
    let (name, namespace) = match (asked, input) {
        (Some(asked), _) => asked,
        (None, Some(input)) if !(input.name.is_empty() && input.namespace.is_empty()) => {
            (input.name.clone(), input.namespace.clone())
        }
        _ => (
            format!("{composite_name}-connection"),
            text(&["metadata", "namespace"]),
        ),
    };
    let (name, namespace) = patched(composite, name, namespace, input)?;
    let mut secret = Object::new();
    secret.insert("apiVersion", "v1");
    secret.insert("kind", "Secret");
    for (key, text) in [("name", name), ("namespace", namespace)] {
        if !text.is_empty() {
            secret.object_mut("metadata").insert(key, text);
        }
    }
    secret.insert("type", "connection.crossplane.io/v1alpha1");
    let data: Object = details
        .iter()
        .map(|(key, value)| (key.as_str(), STANDARD.encode(value)))
        .collect();
    secret.insert("data", data);
    Ok(Some((
        format!("{composite_name}-connection-secret"),
        secret,
    )))
}

/// A reference the composite gives itself: a name and a namespace, either of which may be missing. What is no reference
/// counts as none.
fn reference(value: ValueRef<'_>) -> Option<(String, String)> {
    let asked = match value {
        ValueRef::Null => return Some((String::new(), String::new())),
        ValueRef::Object(asked) => asked,
        _ => return None,
    };
    let text = |name| match asked.get(name) {
        None | Some(ValueRef::Null) => Some(String::new()),
        Some(ValueRef::String(text)) => Some(text.to_owned()),
        Some(_) => None,
    };
    Some((text("name")?, text("namespace")?))
}

/// The reference after its patches; only `name` and `namespace` of it count.
fn patched(
    composite: ObjectRef<'_>,
    name: String,
    namespace: String,
    input: Option<&Secret>,
) -> Result<(String, String), String> {
    let mut reference = Object::new();
    reference.insert("apiVersion", "v1");
    reference.insert("kind", "SecretReference");
    reference.insert("name", name.as_str());
    reference.insert("namespace", namespace.as_str());
    let patches = input
        .map(|input| input.patches.as_slice())
        .unwrap_or_default();
    for (index, patch) in patches.iter().enumerate() {
        let place = format!("writeConnectionSecretToRef.patches[{index}]");
        let patch = match patch {
            SecretPatch::Patch(patch) => patch,
            SecretPatch::Broken(reason) => return Err(format!("{place}: {reason}")),
        };
        let result = apply(patch, composite, &mut reference);
        // An optional patch of one field is skipped whatever is wrong with it; any other is not. Upstream's rule.
        match (result, &patch.source) {
            (Ok(()), _) => {}
            (Err(_), Source::Field(_)) if !patch.required => {}
            (Err(PatchError::NotFound(error)), _) => return Err(format!("{place}: {error}")),
            (Err(PatchError::Failed(error)), _) => return Err(format!("{place}: {error}")),
        }
    }
    // What became anything but a text stays what it was.
    let text = |key: &str, before: String| match reference.get(key) {
        Some(ValueRef::String(text)) => text.to_owned(),
        _ => before,
    };
    Ok((text("name", name), text("namespace", namespace)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use purlin_object::Object;
    use serde_json::{Value as Json, json};

    use super::compose;
    use crate::compile::compile;

    /// The metadata of the secret.
    fn check(spec: &Json, reference: &Json) -> Result<Option<Json>, String> {
        let composite = Object::from_json(json!({
            "metadata": {"name": "my-xr", "namespace": "ns", "uid": "u-1"}, "spec": spec,
        }))
        .expect("an object");
        let input = Object::from_json(json!({
            "resources": [{"name": "r"}], "writeConnectionSecretToRef": reference,
        }))
        .expect("an object");
        let plan = compile(&input).expect("a plan");
        let details = BTreeMap::from([("very".to_owned(), Bytes::from_static(b"secret"))]);
        let secret = compose(composite.as_ref(), &details, plan.secret.as_ref())?;
        Ok(secret.map(|(name, secret)| {
            assert_eq!(name, "my-xr-connection-secret");
            let secret = secret.to_json();
            assert_eq!(secret["data"], json!({"very": "c2VjcmV0"}));
            secret["metadata"].clone()
        }))
    }

    #[test]
    fn the_first_reference_wins_and_patches_come_last() {
        assert_eq!(check(&json!({}), &Json::Null), Ok(None));
        let v2 = json!({"crossplane": {}});
        assert_eq!(
            check(&json!({"crossplane": null}), &Json::Null),
            Ok(Some(json!({"name": "my-xr-connection", "namespace": "ns"})))
        );
        let asked = json!({"crossplane": {}, "writeConnectionSecretToRef": {"name": "a", "namespace": "b"}});
        let input = json!({"name": "c"});
        assert_eq!(
            check(&asked, &input),
            Ok(Some(json!({"name": "a", "namespace": "b"})))
        );
        assert_eq!(check(&v2, &input), Ok(Some(json!({"name": "c"}))));
        let patches = json!({"patches": [
            {"type": "FromCompositeFieldPath", "fromFieldPath": "metadata.uid", "toFieldPath": "name",
             "transforms": [{"type": "string", "string": {"type": "Format", "fmt": "%s-cool"}}]},
            {"type": "CombineFromComposite", "toFieldPath": "namespace", "combine": {
                "strategy": "string", "string": {"fmt": "%s-%s"},
                "variables": [{"fromFieldPath": "spec.env"}, {"fromFieldPath": "metadata.name"}]}},
            {"type": "FromCompositeFieldPath", "fromFieldPath": "spec.missing", "toFieldPath": "name"},
        ]});
        assert_eq!(
            check(&json!({"crossplane": {}, "env": "prod"}), &patches),
            Ok(Some(json!({"name": "u-1-cool", "namespace": "prod-my-xr"})))
        );
        assert!(check(&v2, &patches).is_err());
        for (asked, name) in [
            (json!({"name": 1}), Some("my-xr-connection")),
            (json!("a"), Some("my-xr-connection")),
            (json!({"name": "a", "namespace": null}), Some("a")),
            (json!(null), None),
        ] {
            let spec = json!({"crossplane": {}, "writeConnectionSecretToRef": asked});
            let metadata = check(&spec, &Json::Null).expect("a secret").expect("v2");
            assert_eq!(metadata["name"].as_str(), name, "{asked}");
        }
        let wrong = json!({"patches": [{"type": "ToCompositeFieldPath", "fromFieldPath": "a"}]});
        assert!(check(&v2, &wrong).is_err());
    }
}
