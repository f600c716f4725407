//! How does a request become a call of a function? In both versions of the protocol, in bounded time, and without dying.

use std::sync::Arc;
use std::time::{Duration, Instant};

use purlin_function::{Functions, Panicked, RequestView as _, Response as Answer, run_caught};
use purlin_proto::v1::function_runner_service_server as v1;
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse, Severity};
use purlin_proto::v1beta1::function_runner_service_server as v1beta1;
use purlin_telemetry::{CallLabels, FunctionLabels, HandledLabels, Metrics, SeverityLabels};
use tonic::{Request, Response, Status};

use crate::limit::Turn;

/// The functions behind both services.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) functions: Arc<Functions>,
    pub(crate) timeout: Duration,
    pub(crate) metrics: Arc<Metrics>,
}

#[tonic::async_trait]
impl v1::FunctionRunnerService for Service {
    async fn run_function(
        &self,
        request: Request<RunFunctionRequest>,
    ) -> Result<Response<RunFunctionResponse>, Status> {
        self.handle(v1::SERVICE_NAME, request).await
    }
}

#[tonic::async_trait]
impl v1beta1::FunctionRunnerService for Service {
    async fn run_function(
        &self,
        request: Request<RunFunctionRequest>,
    ) -> Result<Response<RunFunctionResponse>, Status> {
        self.handle(v1beta1::SERVICE_NAME, request).await
    }
}

impl Service {
    async fn handle(
        &self,
        service: &'static str,
        request: Request<RunFunctionRequest>,
    ) -> Result<Response<RunFunctionResponse>, Status> {
        let began = Instant::now();
        let call = CallLabels {
            grpc_type: "unary",
            grpc_service: service,
            grpc_method: "RunFunction",
        };
        self.metrics.started.get_or_create(&call).inc();
        self.metrics.received.get_or_create(&call).inc();
        let outcome = self.run(request).await;
        let handled = HandledLabels {
            grpc_type: call.grpc_type,
            grpc_service: call.grpc_service,
            grpc_method: call.grpc_method,
            grpc_code: if outcome.is_ok() { "OK" } else { "Unavailable" },
        };
        self.metrics.handled.get_or_create(&handled).inc();
        if outcome.is_ok() {
            self.metrics.sent.get_or_create(&call).inc();
        }
        let took = began.elapsed().as_secs_f64();
        self.metrics.handling.get_or_create(&call).observe(took);
        outcome
    }

    async fn run(
        &self,
        request: Request<RunFunctionRequest>,
    ) -> Result<Response<RunFunctionResponse>, Status> {
        let turn = request.extensions().get::<Turn>().cloned();
        let request = request.into_inner();
        let (tag, fatal) = (request.tag().to_owned(), Fallback::of(&request));
        let picked = self.functions.pick(&request).map(|hosted| {
            let function = Arc::clone(&hosted.function);
            (hosted.name, function)
        });
        let (name, function) = match picked {
            Ok(picked) => picked,
            Err(mistakes) => {
                tracing::warn!(tag, ?mistakes, "no function takes the request");
                let response = Answer::to(&request).mistakes(&mistakes).build();
                return Ok(Response::new(response));
            }
        };
        let began = Instant::now();
        // On a thread of its own: a function computes, and nothing can stop it while it does. It keeps its turn.
        let run = tokio::task::spawn_blocking(move || {
            let outcome = run_caught(function.as_ref(), &request);
            drop((request, turn));
            outcome
        });
        let response = match tokio::time::timeout(self.timeout, run).await {
            Ok(Ok((response, panicked))) => {
                self.note(name, &tag, &response, panicked);
                response
            }
            Ok(Err(_stopping)) => return Err(Status::unavailable("the server is stopping")),
            Err(_elapsed) => {
                let function = FunctionLabels { function: name };
                self.metrics.timeouts.get_or_create(&function).inc();
                let after = self.timeout.as_secs_f64();
                tracing::error!(
                    tag,
                    function = name,
                    after,
                    "the function does not come back"
                );
                fatal.answer(format!("{name} did not come back within {after} s"))
            }
        };
        let took = began.elapsed().as_secs_f64();
        self.metrics
            .ran
            .get_or_create(&FunctionLabels { function: name })
            .observe(took);
        tracing::debug!(tag, function = name, took, "answered");
        Ok(Response::new(response))
    }

    /// Counts and logs what a function reported.
    fn note(
        &self,
        function: &'static str,
        tag: &str,
        response: &RunFunctionResponse,
        panicked: Panicked,
    ) {
        if panicked == Panicked::Yes {
            self.metrics
                .panics
                .get_or_create(&FunctionLabels { function })
                .inc();
        }
        for result in &response.results {
            let severity = match result.severity() {
                Severity::Fatal => "fatal",
                Severity::Warning => "warning",
                Severity::Normal | Severity::Unspecified => "normal",
            };
            self.metrics
                .results
                .get_or_create(&SeverityLabels { function, severity })
                .inc();
            if result.severity() == Severity::Fatal {
                tracing::warn!(tag, function, message = result.message, "fatal result");
            }
        }
    }
}

/// What is needed to answer when the function does not; the request itself is with the function.
struct Fallback(RunFunctionRequest);

impl Fallback {
    fn of(request: &RunFunctionRequest) -> Self {
        Self(RunFunctionRequest {
            meta: request.meta.clone(),
            ..RunFunctionRequest::default()
        })
    }

    fn answer(&self, message: String) -> RunFunctionResponse {
        Answer::to(&self.0).fatal(message).build()
    }
}
