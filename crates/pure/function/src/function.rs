//! What is a function?

use std::fmt;
use std::sync::Arc;

use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};

/// One step of a pipeline: from what is observed and desired to what is desired.
pub trait Function: Send + Sync {
    /// Answers a request. Mistakes of users are FATAL results ([`crate::Response::fatal`]), never panics.
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse;
}

impl<F> Function for F
where
    F: Fn(&RunFunctionRequest) -> RunFunctionResponse + Send + Sync,
{
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        self(request)
    }
}

/// A function in this process, and what it answers to.
#[derive(Clone)]
pub struct Hosted {
    /// Its name, as Compositions refer to it.
    pub name: &'static str,
    /// The apiVersion of its input.
    pub api_version: &'static str,
    /// The kind of its input.
    pub kind: &'static str,
    /// The function.
    pub function: Arc<dyn Function>,
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("name", &self.name)
            .field("api_version", &self.api_version)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
