//! What can call functions?

use async_trait::async_trait;
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};

use crate::RunnerError;

/// Calls functions by their name.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Calls a function, in bounded time.
    async fn run(
        &self,
        function: &str,
        request: RunFunctionRequest,
    ) -> Result<RunFunctionResponse, RunnerError>;
}
