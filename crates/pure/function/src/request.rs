//! What was asked? Views that borrow from the request and are never missing what the protocol calls optional.

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_object::{Object, ObjectRef, ValueRef};
use purlin_proto::v1::credentials::Source;
use purlin_proto::v1::{Capability, Resource, RunFunctionRequest, State};

static NOTHING: Object = Object::new();

/// An object without members, to borrow where there is none.
#[cfg(feature = "cel")]
pub(crate) fn nothing() -> ObjectRef<'static> {
    NOTHING.as_ref()
}

static NO_RESOURCES: BTreeMap<String, Resource> = BTreeMap::new();
static NO_DETAILS: BTreeMap<String, Bytes> = BTreeMap::new();

/// The requirement under which the object is that made a watch operation run.
const WATCHED: &str = "ops.crossplane.io/watched-resource";

/// Reads a request.
///
/// ```
/// use purlin_function::RequestView;
/// use purlin_function::testing::Request;
/// use serde_json::json;
///
/// let request = Request::new()
///     .composite(json!({"spec": {"region": "eu-west-1"}}))
///     .required("defaults", [])
///     .build();
/// let region = request.observed_composite().get_path(&["spec", "region"]);
/// assert_eq!(region.and_then(|region| region.as_str()), Some("eu-west-1"));
/// // What nobody sent is empty, never missing.
/// assert!(request.desired_composite().is_empty());
/// assert!(request.observed_resource("vpc").is_none());
/// // Somebody looked for the defaults, and there are none; nobody looked for anything else.
/// assert_eq!(request.required_resources("defaults").map(<[_]>::len), Some(0));
/// assert!(request.required_resources("others").is_none());
/// ```
pub trait RequestView {
    /// The tag of the request: the same tag asks the same.
    fn tag(&self) -> &str;
    /// The step's input.
    fn input(&self) -> Option<&Object>;
    /// The composite as it is; an empty object when the caller sent none.
    fn observed_composite(&self) -> ObjectRef<'_>;
    /// The composite's connection details as they are.
    fn observed_composite_connection(&self) -> &BTreeMap<String, Bytes>;
    /// The composed resources that exist, by name.
    fn observed_resources(&self) -> &BTreeMap<String, Resource>;
    /// A composed resource, if it exists.
    fn observed_resource(&self, name: &str) -> Option<ObjectRef<'_>>;
    /// The composite's desired fields.
    fn desired_composite(&self) -> ObjectRef<'_>;
    /// The composed resources that earlier steps desire, by name.
    fn desired_resources(&self) -> &BTreeMap<String, Resource>;
    /// A composed resource, if an earlier step desires it.
    fn desired_resource(&self, name: &str) -> Option<ObjectRef<'_>>;
    /// What an earlier step left under a key.
    fn context(&self, key: &str) -> Option<ValueRef<'_>>;
    /// The data of a credential, by its name.
    fn credentials(&self, name: &str) -> Option<&BTreeMap<String, Bytes>>;
    /// What was found for a requirement: `None` when nobody looked yet, an empty slice when there is nothing.
    fn required_resources(&self, name: &str) -> Option<&[Resource]>;
    /// The schema found for a requirement: `None` when nobody looked yet, `Some(None)` when there is none.
    fn required_schema(&self, name: &str) -> Option<Option<&Object>>;
    /// The object whose change made a watch operation run.
    fn watched_resource(&self) -> Option<ObjectRef<'_>>;
    /// Whether the caller says what it can do; one that does not, may be able to do anything or nothing.
    fn advertises_capabilities(&self) -> bool;
    /// Whether the caller says that it can do something.
    fn has_capability(&self, capability: Capability) -> bool;
}

impl RequestView for RunFunctionRequest {
    fn tag(&self) -> &str {
        self.meta.as_ref().map_or("", |meta| &meta.tag)
    }

    fn input(&self) -> Option<&Object> {
        self.input.as_ref()
    }

    fn observed_composite(&self) -> ObjectRef<'_> {
        composite(self.observed.as_ref())
    }

    fn observed_composite_connection(&self) -> &BTreeMap<String, Bytes> {
        self.observed
            .as_ref()
            .and_then(|state| state.composite.as_ref())
            .map_or(&NO_DETAILS, |composite| &composite.connection_details)
    }

    fn observed_resources(&self) -> &BTreeMap<String, Resource> {
        resources(self.observed.as_ref())
    }

    fn observed_resource(&self, name: &str) -> Option<ObjectRef<'_>> {
        self.observed_resources().get(name).map(object)
    }

    fn desired_composite(&self) -> ObjectRef<'_> {
        composite(self.desired.as_ref())
    }

    fn desired_resources(&self) -> &BTreeMap<String, Resource> {
        resources(self.desired.as_ref())
    }

    fn desired_resource(&self, name: &str) -> Option<ObjectRef<'_>> {
        self.desired_resources().get(name).map(object)
    }

    fn context(&self, key: &str) -> Option<ValueRef<'_>> {
        self.context.as_ref()?.get(key)
    }

    fn credentials(&self, name: &str) -> Option<&BTreeMap<String, Bytes>> {
        match self.credentials.get(name)?.source.as_ref()? {
            Source::CredentialData(credential) => Some(&credential.data),
        }
    }

    fn required_resources(&self, name: &str) -> Option<&[Resource]> {
        self.required_resources
            .get(name)
            .or_else(|| self.extra_resources.get(name))
            .map(|resources| resources.items.as_slice())
    }

    fn required_schema(&self, name: &str) -> Option<Option<&Object>> {
        Some(self.required_schemas.get(name)?.openapi_v3.as_ref())
    }

    fn watched_resource(&self) -> Option<ObjectRef<'_>> {
        self.required_resources(WATCHED)?.first().map(object)
    }

    fn advertises_capabilities(&self) -> bool {
        self.has_capability(Capability::Capabilities)
    }

    fn has_capability(&self, capability: Capability) -> bool {
        self.meta
            .as_ref()
            .is_some_and(|meta| meta.capabilities().any(|held| held == capability))
    }
}

fn composite(state: Option<&State>) -> ObjectRef<'_> {
    state
        .and_then(|state| state.composite.as_ref())
        .map_or(NOTHING.as_ref(), object)
}

fn resources(state: Option<&State>) -> &BTreeMap<String, Resource> {
    state.map_or(&NO_RESOURCES, |state| &state.resources)
}

fn object(resource: &Resource) -> ObjectRef<'_> {
    resource.resource.as_ref().unwrap_or(&NOTHING).as_ref()
}
