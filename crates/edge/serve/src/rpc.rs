//! How does a call reach us, and its answer the client? As bytes: decoding and encoding is work of the service.
//!
//! tonic's generated servers decode on the threads that do I/O, where a large request holds up every other connection, and
//! where what it allocates is freed by another thread.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use purlin_proto::{v1, v1beta1};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;

use crate::service::Service;

/// A version of the protocol.
pub(crate) trait Version: Clone + Send + Sync + 'static {
    /// The full name of its service.
    const SERVICE: &'static str;
    /// The path of its only method.
    const METHOD: &'static str;
}

#[derive(Debug, Clone)]
pub(crate) struct V1;

impl Version for V1 {
    const SERVICE: &'static str = v1::function_runner_service_server::SERVICE_NAME;
    const METHOD: &'static str = "/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction";
}

#[derive(Debug, Clone)]
pub(crate) struct V1Beta1;

impl Version for V1Beta1 {
    const SERVICE: &'static str = v1beta1::function_runner_service_server::SERVICE_NAME;
    const METHOD: &'static str =
        "/apiextensions.fn.proto.v1beta1.FunctionRunnerService/RunFunction";
}

/// The functions as the gRPC service of a version.
#[derive(Debug, Clone)]
pub(crate) struct Rpc<V> {
    service: Service,
    version: PhantomData<V>,
}

impl<V> Rpc<V> {
    pub(crate) fn new(service: Service) -> Self {
        Self {
            service,
            version: PhantomData,
        }
    }
}

impl<V: Version> NamedService for Rpc<V> {
    const NAME: &'static str = V::SERVICE;
}

impl<V: Version> tower::Service<Request<Body>> for Rpc<V> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.service.clone();
        Box::pin(async move {
            if request.uri().path() != V::METHOD {
                return Ok(Status::unimplemented("there is no such method").into_http());
            }
            Ok(match service.handle(V::SERVICE, request).await {
                Ok(frame) => frame.into_response(),
                Err(status) => status.into_http(),
            })
        })
    }
}
