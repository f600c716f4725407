//! What does a Composition say? (`apiextensions.crossplane.io/v1`; spec/engine.md 2.1)
//!
//! A CompositionRevision has the same spec. Whether one is right is the `composition` crate's business.

use std::collections::BTreeMap;

use purlin_object::Object;

use crate::meta::Gvk;

/// The apiVersion of Compositions.
pub const API_VERSION: &str = "apiextensions.crossplane.io/v1";
/// The kind of Compositions.
pub const KIND: &str = "Composition";
/// The kind of their revisions.
pub const REVISION_KIND: &str = "CompositionRevision";
/// The only mode left.
pub const MODE: &str = "Pipeline";
/// How many steps a pipeline may have.
pub const MAX_STEPS: usize = 99;

/// How composites of one kind are composed.
#[derive(Debug, Clone, PartialEq)]
pub struct Composition {
    /// Its name.
    pub name: String,
    /// Its labels, which composites may select it by.
    pub labels: BTreeMap<String, String>,
    /// The kind of composites it is for.
    pub composite: Gvk,
    /// The functions to run, in order.
    pub pipeline: Vec<Step>,
    /// Where connection Secrets of legacy composites go.
    pub write_connection_secrets_to: Option<String>,
}

/// One function call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Its name, unique in the pipeline.
    pub name: String,
    /// The Function to call.
    pub function: String,
    /// What it is configured with.
    pub input: Option<Object>,
    /// The Secrets it gets.
    pub credentials: Vec<Credential>,
    /// Objects it gets without asking.
    pub required_resources: Vec<RequiredResource>,
    /// Schemas it gets without asking.
    pub required_schemas: Vec<RequiredSchema>,
}

/// A Secret given to a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credential {
    /// The name the function knows it by.
    pub name: String,
    /// The Secret's namespace.
    pub namespace: String,
    /// The Secret's name.
    pub secret: String,
}

/// Objects given to a function without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredResource {
    /// The name the function knows them by.
    pub name: String,
    /// Which objects.
    pub selector: Selector,
}

/// Which objects of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// Their apiVersion.
    pub api_version: String,
    /// Their kind.
    pub kind: String,
    /// Their namespace; `None` for cluster-scoped kinds, and for all namespaces.
    pub namespace: Option<String>,
    /// Which of them.
    pub matching: Matching,
}

/// Which objects of a kind and namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Matching {
    /// All.
    #[default]
    All,
    /// The one of this name.
    Name(String),
    /// Those with all these labels.
    Labels(BTreeMap<String, String>),
}

/// A kind's schema given to a function without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredSchema {
    /// The name the function knows it by.
    pub name: String,
    /// The kind's apiVersion.
    pub api_version: String,
    /// The kind.
    pub kind: String,
}
