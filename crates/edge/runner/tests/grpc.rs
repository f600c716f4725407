//! Does a function elsewhere answer, and is every way in which it may not an error in bounded time?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::Duration;

use purlin_object::Object;
use purlin_proto::v1::function_runner_service_server as v1;
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};
use purlin_proto::v1beta1::function_runner_service_server as v1beta1;
use purlin_runner::{Grpc, GrpcOptions, Plaintext, Runner as _, RunnerError};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

#[derive(Clone, Copy)]
enum Answer {
    Echo,
    Never,
}

#[tonic::async_trait]
impl v1::FunctionRunnerService for Answer {
    async fn run_function(
        &self,
        request: Request<RunFunctionRequest>,
    ) -> Result<Response<RunFunctionResponse>, Status> {
        match self {
            Self::Echo => Ok(Response::new(RunFunctionResponse {
                desired: request.into_inner().desired,
                ..RunFunctionResponse::default()
            })),
            Self::Never => std::future::pending().await,
        }
    }
}

#[tonic::async_trait]
impl v1beta1::FunctionRunnerService for Answer {
    async fn run_function(
        &self,
        request: Request<RunFunctionRequest>,
    ) -> Result<Response<RunFunctionResponse>, Status> {
        v1::FunctionRunnerService::run_function(self, request).await
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn serve_v1(answer: Answer) -> SocketAddr {
    let (listener, address) = listen().await;
    let service = v1::FunctionRunnerServiceServer::new(answer);
    let server = Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

fn runner(address: SocketAddr, options: GrpcOptions) -> Grpc {
    let runner = Grpc::new(GrpcOptions {
        plaintext: Plaintext::Loopback,
        timeout: Duration::from_millis(500),
        ..options
    });
    runner.set_endpoint("function-a", &format!("dns:///{address}"));
    runner
}

async fn call(
    address: SocketAddr,
    function: &str,
    bytes: usize,
) -> Result<RunFunctionResponse, RunnerError> {
    let runner = runner(address, GrpcOptions::default());
    runner.run(function, request(bytes)).await
}

fn request(bytes: usize) -> RunFunctionRequest {
    let object: Object = [("text", "x".repeat(bytes))].into_iter().collect();
    let mut request = RunFunctionRequest::default();
    let desired = request.desired.get_or_insert_default();
    desired.composite.get_or_insert_default().resource = Some(object);
    request
}

#[tokio::test]
async fn a_function_answers_in_v1_and_in_v1beta1() {
    let address = serve_v1(Answer::Echo).await;
    let response = call(address, "function-a", 10);
    assert_eq!(response.await.unwrap().desired, request(10).desired);

    let (listener, address) = listen().await;
    let service = v1beta1::FunctionRunnerServiceServer::new(Answer::Echo);
    let server = Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let response = call(address, "function-a", 10);
    assert_eq!(response.await.unwrap().desired, request(10).desired);
}

#[tokio::test]
async fn an_unknown_function_is_an_error() {
    let address = serve_v1(Answer::Echo).await;
    let error = call(address, "function-b", 1);
    assert!(matches!(error.await, Err(RunnerError::Unknown { .. })));
}

#[tokio::test]
async fn a_function_that_never_answers_is_given_up() {
    let address = serve_v1(Answer::Never).await;
    let error = call(address, "function-a", 1);
    assert!(matches!(error.await, Err(RunnerError::Timeout { .. })));
}

#[tokio::test]
async fn nothing_listening_fails_at_once() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = call(address, "function-a", 1);
    assert!(matches!(error.await, Err(RunnerError::Connect { .. })));
}

#[tokio::test]
async fn a_cut_connection_is_an_error_and_the_next_call_connects_again() {
    let (listener, address) = listen().await;
    let runner = runner(address, GrpcOptions::default());
    let cut = async {
        // Accepts, waits for the client to speak, and is gone.
        let (stream, _) = listener.accept().await.unwrap();
        stream.readable().await.unwrap();
        drop((stream, listener));
    };
    let (outcome, ()) = tokio::join!(runner.run("function-a", request(1)), cut);
    let error = outcome.unwrap_err();
    assert_eq!(error.retry(), purlin_runner::Retry::Later, "{error:?}");
    let listener = TcpListener::bind(address).await.unwrap();
    let server = Server::builder().add_service(v1::FunctionRunnerServiceServer::new(Answer::Echo));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let answer = runner.run("function-a", request(1)).await;
    assert_eq!(answer.unwrap().desired, request(1).desired);
}

#[tokio::test]
async fn a_message_over_the_limit_is_an_error_in_both_directions() {
    let address = serve_v1(Answer::Echo).await;
    let small = GrpcOptions {
        max_message_size: 1000,
        ..GrpcOptions::default()
    };
    let error = runner(address, small)
        .run("function-a", request(2000))
        .await;
    assert!(
        matches!(error, Err(RunnerError::TooLarge { .. })),
        "{error:?}"
    );
    let error = call(address, "function-a", 5 << 20);
    let error = error.await;
    assert!(
        matches!(error, Err(RunnerError::TooLarge { .. })),
        "{error:?}"
    );
}
