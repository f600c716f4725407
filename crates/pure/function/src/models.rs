//! How does an object become a type of one's own, and the other way round?
//!
//! A model is any type with serde's traits: one written by hand, one of `k8s-openapi`, one generated from a CRD. Fields
//! the model does not know are ignored when reading, because an object usually holds more than a function wants. When
//! writing, what the model skips (`skip_serializing_if`) is not in the object, and so is not owned by the function.

use purlin_object::{Object, ObjectRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why an object and a model do not fit.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A field has another type than the model says, or is missing.
    #[error("the object does not fit the model")]
    Read(#[source] serde_json::Error),
    /// The model cannot be written as JSON, or is no object.
    #[error("the model gives no object")]
    Write(#[source] serde_json::Error),
    /// A number is too large for the protocol, which knows doubles only, or the object nests too deep.
    #[error("the model gives an object that the protocol cannot carry")]
    Carry(#[source] purlin_object::Error),
}

/// Reads an object into a model.
///
/// # Errors
///
/// [`ModelError::Read`] when a field has another type than the model says.
///
/// ```
/// use purlin_function::{Object, models};
/// use serde::Deserialize;
/// use serde_json::json;
///
/// #[derive(Deserialize)]
/// struct Network {
///     spec: Spec,
/// }
/// #[derive(Deserialize)]
/// struct Spec {
///     region: String,
///     zones: Option<u8>,
/// }
///
/// let object = Object::from_json(json!({"kind": "Network", "spec": {"region": "eu-west-1"}}))?;
/// let network: Network = models::read(object.as_ref())?;
/// assert_eq!(network.spec.region, "eu-west-1");
/// assert_eq!(network.spec.zones, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read<T: DeserializeOwned>(object: ObjectRef<'_>) -> Result<T, ModelError> {
    let json = serde_json::to_value(object).map_err(ModelError::Read)?;
    serde_json::from_value(json).map_err(ModelError::Read)
}

/// Writes a model as an object.
///
/// # Errors
///
/// [`ModelError::Write`] when the model gives no object, [`ModelError::Carry`] when the protocol cannot carry it.
///
/// ```
/// use purlin_function::models;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Vpc {
///     api_version: &'static str,
///     kind: &'static str,
///     #[serde(skip_serializing_if = "Option::is_none")]
///     metadata: Option<()>,
/// }
///
/// let vpc = Vpc { api_version: "ec2.aws.upbound.io/v1beta1", kind: "VPC", metadata: None };
/// let object = models::write(&vpc)?;
/// assert_eq!(object.get("kind").and_then(|kind| kind.as_str()), Some("VPC"));
/// assert!(!object.contains_key("metadata"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write<T: Serialize>(model: &T) -> Result<Object, ModelError> {
    let json = serde_json::to_value(model).map_err(ModelError::Write)?;
    if !json.is_object() {
        let found = <serde_json::Error as serde::ser::Error>::custom("it is not an object");
        return Err(ModelError::Write(found));
    }
    Object::from_json(json).map_err(ModelError::Carry)
}
