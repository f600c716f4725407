//! What a pass asks for, and what it is answered.

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_composition::Selector;
use purlin_object::Object;
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};

use crate::Outcome;

/// What a pass needs next.
#[derive(Debug)]
pub enum Step {
    /// A function is to be called; answer with [`Answer::Called`].
    Call(Box<Call>),
    /// Objects are to be looked up; answer with [`Answer::Fetched`].
    Fetch(Fetch),
    /// Nothing more.
    Done(Box<Outcome>),
}

/// A function to call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The pipeline step.
    pub step: String,
    /// The name of the Function.
    pub function: String,
    /// What to send it.
    pub request: RunFunctionRequest,
}

/// Objects to look up, each under the name the function knows it by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fetch {
    /// The pipeline step.
    pub step: String,
    /// Objects of a kind: by name (none or one), by labels, or all; lists sorted by `namespace/name`.
    pub resources: BTreeMap<String, Selector>,
    /// The same, asked for by the deprecated field `extra_resources`. Look both up alike.
    pub extra_resources: BTreeMap<String, Selector>,
    /// OpenAPI v3 schemas of kinds.
    pub schemas: BTreeMap<String, SchemaOf>,
    /// Secrets. A missing one is an error, unlike a missing resource.
    pub secrets: BTreeMap<String, SecretOf>,
}

/// The kind whose schema is wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaOf {
    /// Its apiVersion.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
}

/// The Secret that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretOf {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What was found, under the same names. A resource or schema that is left out was not found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fetched {
    /// For [`Fetch::resources`].
    pub resources: BTreeMap<String, Vec<Object>>,
    /// For [`Fetch::extra_resources`].
    pub extra_resources: BTreeMap<String, Vec<Object>>,
    /// For [`Fetch::schemas`].
    pub schemas: BTreeMap<String, Object>,
    /// For [`Fetch::secrets`]: their decoded data.
    pub secrets: BTreeMap<String, BTreeMap<String, Bytes>>,
}

/// The answer to a [`Step`]. An error is one sentence for people; it ends the pass.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made and taken apart at once, one at a time"
)]
pub enum Answer {
    /// To [`Step::Call`].
    Called(Result<RunFunctionResponse, String>),
    /// To [`Step::Fetch`].
    Fetched(Result<Fetched, String>),
}

/// The world as it is seen at the start of a pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// The composite.
    pub composite: ObservedResource,
    /// The composed resources that exist, by their name in the pipeline.
    pub resources: BTreeMap<String, ObservedResource>,
}

/// An object, and what its connection Secret holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservedResource {
    /// The object.
    pub object: Object,
    /// The decoded data of its connection Secret; empty without one.
    pub connection: BTreeMap<String, Bytes>,
}

/// What each step asked for in the pass before, so that a stable pipeline needs one call a step. Give
/// [`Outcome::requirements`] back in the next pass; losing it costs calls, nothing else.
pub type Remembered = BTreeMap<String, Fetch>;
