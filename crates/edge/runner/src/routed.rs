//! Calls a function here when it is hosted here, and elsewhere when it is not.

use async_trait::async_trait;
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};

use crate::{Grpc, InProcess, Runner, RunnerError};

/// Prefers this process, by the function's name or the kind of the input; any other function has to have an endpoint.
#[derive(Debug, Clone)]
pub struct Routed {
    /// The functions of this process.
    pub here: InProcess,
    /// All others.
    pub elsewhere: Grpc,
}

#[async_trait]
impl Runner for Routed {
    async fn run(
        &self,
        function: &str,
        request: RunFunctionRequest,
    ) -> Result<RunFunctionResponse, RunnerError> {
        if self.here.takes(function, &request) || !self.elsewhere.knows(function) {
            return self.here.run(function, request).await;
        }
        self.elsewhere.run(function, request).await
    }
}
