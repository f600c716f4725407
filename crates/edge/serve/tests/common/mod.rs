//! A server with test functions, certificates, and clients for both.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purlin_function::{
    Function, Functions, Hosted, Response, RunFunctionRequest, RunFunctionResponse,
};
use purlin_object::Object;
use purlin_runner::{Grpc, GrpcOptions, Plaintext, Tls};
use purlin_serve::{Options, Running, Server};
use serde_json::json;

pub const API: &str = "test.fn.purlin.dev/v1";

/// Serves a function for each kind: `Echo` answers, and `kind` runs `function`.
pub async fn serve<F>(options: Options, kind: &'static str, function: F) -> Running
where
    F: Fn(&RunFunctionRequest) -> RunFunctionResponse + Send + Sync + 'static,
{
    server(options, kind, function).await.spawn()
}

pub async fn server<F>(options: Options, kind: &'static str, function: F) -> Server
where
    F: Fn(&RunFunctionRequest) -> RunFunctionResponse + Send + Sync + 'static,
{
    let hosted = |name, kind, function: Arc<dyn Function>| Hosted {
        name,
        api_version: API,
        kind,
        function,
    };
    let echo = |request: &RunFunctionRequest| Response::to(request).normal("echo").build();
    let functions = Functions::new([
        hosted("function-echo", "Echo", Arc::new(echo)),
        hosted("function-test", kind, Arc::new(function)),
    ])
    .with_default("function-echo");
    Server::bind(options, Arc::new(functions)).await.unwrap()
}

/// A request to the function of a kind, with a little desired state.
pub fn request(kind: &str) -> RunFunctionRequest {
    let mut request = RunFunctionRequest {
        input: Some(Object::from_json(json!({"apiVersion": API, "kind": kind})).unwrap()),
        ..RunFunctionRequest::default()
    };
    "a-tag".clone_into(&mut request.meta.get_or_insert_default().tag);
    let desired = request.desired.get_or_insert_default();
    desired.composite.get_or_insert_default().resource =
        Some(Object::from_json(json!({"status": {"a": 1}})).unwrap());
    request
}

/// A client in plain text.
pub fn plain(address: SocketAddr) -> Grpc {
    client(
        address,
        GrpcOptions {
            plaintext: Plaintext::Loopback,
            ..GrpcOptions::default()
        },
    )
}

/// A client with the certificates of a folder.
pub fn mutual(address: SocketAddr, folder: &Path) -> Grpc {
    let tls = Tls {
        folder: folder.to_owned(),
    };
    let options = GrpcOptions {
        tls: Some(tls),
        ..GrpcOptions::default()
    };
    client(address, options)
}

fn client(address: SocketAddr, options: GrpcOptions) -> Grpc {
    let client = Grpc::new(GrpcOptions {
        timeout: Duration::from_secs(20),
        ..options
    });
    client.set_endpoint("f", &format!("dns:///{address}"));
    client
}
