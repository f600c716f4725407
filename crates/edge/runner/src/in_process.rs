//! Calls the functions of this process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use purlin_function::{Function, Functions, run_caught};
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};

use crate::{Runner, RunnerError};

/// Calls the functions of this process, by their name or by the kind of their input. A panic becomes a FATAL result.
#[derive(Debug, Clone)]
pub struct InProcess {
    functions: Arc<Functions>,
    timeout: Duration,
}

impl InProcess {
    /// Calls these functions, each for a minute at most.
    pub fn new(functions: Arc<Functions>) -> Self {
        Self {
            functions,
            timeout: Duration::from_mins(1),
        }
    }

    /// Waits this long for a function.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether one of these functions takes the call.
    pub fn takes(&self, function: &str, request: &RunFunctionRequest) -> bool {
        self.functions.find(function, request).is_some()
    }
}

#[async_trait]
impl Runner for InProcess {
    async fn run(
        &self,
        function: &str,
        request: RunFunctionRequest,
    ) -> Result<RunFunctionResponse, RunnerError> {
        let Some(hosted) = self.functions.find(function, &request) else {
            return Err(RunnerError::Unknown {
                function: function.to_owned(),
                help: self.functions.unknown_name(function).to_string(),
            });
        };
        let hosted: Arc<dyn Function> = Arc::clone(&hosted.function);
        // On a thread of its own, because a function may compute for long, and cannot be stopped while it does.
        let run = tokio::task::spawn_blocking(move || run_caught(hosted.as_ref(), &request).0);
        match tokio::time::timeout(self.timeout, run).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_stopped)) => Err(RunnerError::Unknown {
                function: function.to_owned(),
                help: "the process is shutting down".to_owned(),
            }),
            Err(_elapsed) => Err(RunnerError::Timeout {
                function: function.to_owned(),
                after: self.timeout,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use purlin_function::{Functions, Hosted, Response, RunFunctionRequest, RunFunctionResponse};

    use super::InProcess;
    use crate::{Runner as _, RunnerError};

    fn runner(
        function: impl Fn(&RunFunctionRequest) -> RunFunctionResponse + Send + Sync + 'static,
    ) -> InProcess {
        InProcess::new(Arc::new(Functions::new([Hosted {
            name: "function-a",
            api_version: "a/v1",
            kind: "A",
            function: Arc::new(function),
        }])))
    }

    #[tokio::test]
    async fn a_hosted_function_answers() {
        let runner = runner(|request| Response::to(request).normal("here").build());
        let response = runner.run("function-a", RunFunctionRequest::default());
        assert_eq!(response.await.unwrap().results[0].message, "here");
    }

    #[tokio::test]
    async fn an_unknown_function_is_an_error_that_names_the_known_ones() {
        let runner = runner(|request| Response::to(request).build());
        let error = runner.run("function-b", RunFunctionRequest::default());
        let error = error.await.unwrap_err();
        assert!(
            error.to_string().contains("did you mean function-a?"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_panic_is_a_fatal_result() {
        let runner = runner(|_| panic!("by design"));
        let response = runner.run("function-a", RunFunctionRequest::default());
        let message = &response.await.unwrap().results[0].message;
        assert!(message.contains("by design"), "{message}");
    }

    #[tokio::test]
    async fn a_function_that_does_not_come_back_is_given_up() {
        let (release, wait) = mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let runner = runner(move |request| {
            drop(wait.lock().map(|wait| wait.recv()));
            Response::to(request).build()
        })
        .with_timeout(Duration::from_millis(20));
        let error = runner.run("function-a", RunFunctionRequest::default());
        assert!(matches!(error.await, Err(RunnerError::Timeout { .. })));
        drop(release);
    }
}
