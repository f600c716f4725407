//! Which connection secret does a managed resource ask for?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use purlin_api::meta;
use purlin_api::meta::names::SECRET_TYPE;
use serde_json::{Map, Value, json};

use crate::fake::Identity;
use crate::fill;
use crate::managed::Managed;

/// The secret, when `spec.writeConnectionSecretToRef` names one.
pub(crate) fn of(
    object: &Value,
    managed: &Managed,
    status: &Value,
    identity: &Identity,
) -> Option<Value> {
    let reference = object.pointer("/spec/writeConnectionSecretToRef")?;
    let name = reference["name"].as_str()?;
    let namespace = reference["namespace"]
        .as_str()
        .unwrap_or_else(|| meta::namespace(object));
    if namespace.is_empty() {
        return None;
    }
    let values = fill::connection(&status["atProvider"], object, identity);
    let data: Map<String, Value> = values
        .as_object()?
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), STANDARD.encode(value.as_str()?).into())))
        .collect();
    Some(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "ownerReferences": [{
                "apiVersion": managed.gvk.api_version(),
                "kind": managed.gvk.kind,
                "name": meta::name(object),
                "uid": meta::uid(object),
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "type": SECRET_TYPE,
        "data": data,
    }))
}
