//! How is a function tried without a server? Requests made from JSON, and a view of what was answered.
//!
//! ```
//! use purlin_function::testing::{AnswerView, Request};
//! use purlin_function::{Function, Response, RunFunctionRequest};
//! use serde_json::json;
//!
//! let function = |request: &RunFunctionRequest| Response::to(request).normal("hello").build();
//! let request = Request::new()
//!     .composite(json!({"apiVersion": "example.com/v1", "kind": "XNetwork"}))
//!     .observed("vpc", json!({"kind": "VPC", "status": {"id": "vpc-1"}}))
//!     .build();
//! let answer = function.run(&request);
//! assert_eq!(answer.messages(), ["hello"]);
//! assert_eq!(answer.fatal(), None);
//! ```

use bytes::Bytes;
use purlin_object::{Object, ObjectRef, Value as ObjectValue};
use purlin_proto::v1::credentials::Source;
use purlin_proto::v1::{
    Capability, CredentialData, Credentials, Ready, RequestMeta, Resource, Resources,
    RunFunctionRequest, RunFunctionResponse, Schema, Severity,
};
use serde_json::Value;

/// A request being made. Everything in it is given as JSON; what is not given is not there.
#[derive(Debug, Clone, Default)]
pub struct Request(RunFunctionRequest);

impl Request {
    /// A request with nothing in it but the tag `test`.
    pub fn new() -> Self {
        Self(RunFunctionRequest {
            meta: Some(RequestMeta {
                tag: "test".to_owned(),
                ..RequestMeta::default()
            }),
            ..RunFunctionRequest::default()
        })
    }

    /// The step's input.
    #[must_use]
    pub fn input(mut self, input: Value) -> Self {
        self.0.input = Some(object(input));
        self
    }

    /// The composite as it is.
    #[must_use]
    pub fn composite(mut self, composite: Value) -> Self {
        let observed = self.0.observed.get_or_insert_default();
        observed.composite.get_or_insert_default().resource = Some(object(composite));
        self
    }

    /// A composed resource that exists.
    #[must_use]
    pub fn observed(mut self, name: &str, resource: Value) -> Self {
        let observed = self.0.observed.get_or_insert_default();
        observed.resources.insert(name.to_owned(), made(resource));
        self
    }

    /// A connection detail of a composed resource that exists.
    #[must_use]
    pub fn connection(mut self, name: &str, key: &str, value: impl Into<Bytes>) -> Self {
        let observed = self.0.observed.get_or_insert_default();
        if !observed.resources.contains_key(name) {
            let empty = Resource::default();
            observed.resources.insert(name.to_owned(), empty);
        }
        if let Some(resource) = observed.resources.get_mut(name) {
            let value = value.into();
            resource.connection_details.insert(key.to_owned(), value);
        }
        self
    }

    /// A composed resource that an earlier step desires.
    #[must_use]
    pub fn desired(mut self, name: &str, resource: Value) -> Self {
        let desired = self.0.desired.get_or_insert_default();
        desired.resources.insert(name.to_owned(), made(resource));
        self
    }

    /// What earlier steps desire of the composite.
    #[must_use]
    pub fn desired_composite(mut self, composite: Value) -> Self {
        let desired = self.0.desired.get_or_insert_default();
        desired.composite.get_or_insert_default().resource = Some(object(composite));
        self
    }

    /// What an earlier step left under a key.
    #[must_use]
    pub fn context(mut self, key: &str, value: Value) -> Self {
        let context = self.0.context.get_or_insert_default();
        context.insert(key, ObjectValue::from_json(value));
        self
    }

    /// What was found for a requirement; none means that somebody looked and there is nothing.
    #[must_use]
    pub fn required(mut self, name: &str, found: impl IntoIterator<Item = Value>) -> Self {
        let items = found.into_iter().map(made).collect();
        let found = Resources { items };
        self.0.required_resources.insert(name.to_owned(), found);
        self
    }

    /// The schema found for a requirement; `None` means that somebody looked and there is none.
    #[must_use]
    pub fn required_schema(mut self, name: &str, schema: Option<Value>) -> Self {
        let openapi_v3 = schema.map(object);
        let found = Schema { openapi_v3 };
        self.0.required_schemas.insert(name.to_owned(), found);
        self
    }

    /// A value of a credential.
    #[must_use]
    pub fn credential(mut self, name: &str, key: &str, value: impl Into<Bytes>) -> Self {
        let held = self.0.credentials.remove(name);
        let Source::CredentialData(mut data) = held
            .and_then(|held| held.source)
            .unwrap_or(Source::CredentialData(CredentialData::default()));
        data.data.insert(key.to_owned(), value.into());
        let source = Some(Source::CredentialData(data));
        let credentials = Credentials { source };
        self.0.credentials.insert(name.to_owned(), credentials);
        self
    }

    /// Something the caller says that it can do.
    #[must_use]
    pub fn capability(mut self, capability: Capability) -> Self {
        let meta = self.0.meta.get_or_insert_default();
        meta.capabilities.push(capability.into());
        self
    }

    /// The finished request.
    pub fn build(self) -> RunFunctionRequest {
        self.0
    }
}

fn made(resource: Value) -> Resource {
    Resource {
        resource: Some(object(resource)),
        ..Resource::default()
    }
}

/// Tests are where this runs, so what is no object fails them here.
fn object(json: Value) -> Object {
    Object::from_json(json).expect("a test gives objects that the protocol can carry")
}

/// Reads an answer.
pub trait AnswerView {
    /// The first FATAL message, if the function gave up.
    fn fatal(&self) -> Option<&str>;
    /// All messages of results, in order.
    fn messages(&self) -> Vec<&str>;
    /// A composed resource that is desired now.
    fn desired(&self, name: &str) -> Option<ObjectRef<'_>>;
    /// Whether a desired composed resource is said to be ready; `Unspecified` also when there is none.
    fn ready(&self, name: &str) -> Ready;
    /// What is desired of the composite; an empty object when nothing is.
    fn composite(&self) -> ObjectRef<'_>;
    /// Status and reason of a condition that was set, the last one of its type.
    fn condition(&self, kind: &str) -> Option<(purlin_proto::v1::Status, &str)>;
}

static NOTHING: Object = Object::new();

impl AnswerView for RunFunctionResponse {
    fn fatal(&self) -> Option<&str> {
        let mut results = self.results.iter();
        results
            .find(|result| result.severity() == Severity::Fatal)
            .map(|result| result.message.as_str())
    }

    fn messages(&self) -> Vec<&str> {
        let messages = self.results.iter().map(|result| result.message.as_str());
        messages.collect()
    }

    fn desired(&self, name: &str) -> Option<ObjectRef<'_>> {
        let resource = self.desired.as_ref()?.resources.get(name)?;
        Some(resource.resource.as_ref().unwrap_or(&NOTHING).as_ref())
    }

    fn ready(&self, name: &str) -> Ready {
        let desired = self.desired.as_ref();
        desired
            .and_then(|desired| desired.resources.get(name))
            .map_or(Ready::Unspecified, Resource::ready)
    }

    fn composite(&self) -> ObjectRef<'_> {
        let composite = self
            .desired
            .as_ref()
            .and_then(|desired| desired.composite.as_ref());
        let object = composite.and_then(|composite| composite.resource.as_ref());
        object.unwrap_or(&NOTHING).as_ref()
    }

    fn condition(&self, kind: &str) -> Option<(purlin_proto::v1::Status, &str)> {
        let mut conditions = self.conditions.iter().rev();
        conditions
            .find(|condition| condition.r#type == kind)
            .map(|condition| (condition.status(), condition.reason.as_str()))
    }
}
