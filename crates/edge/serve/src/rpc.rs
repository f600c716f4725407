//! How does a call reach us, and its answer the client? As bytes: decoding and encoding is work of the function's thread.
//!
//! tonic's generated servers decode on the threads that do I/O, where a large request holds up every other connection, and
//! where what it allocates is freed by another thread.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BufMut as _, Bytes};
use http::{Request, Response};
use purlin_proto::{v1, v1beta1};
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};

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
    max_request_size: usize,
    version: PhantomData<V>,
}

impl<V> Rpc<V> {
    pub(crate) fn new(service: Service, max_request_size: usize) -> Self {
        Self {
            service,
            max_request_size,
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
        let this = self.clone();
        Box::pin(async move {
            if request.uri().path() != V::METHOD {
                return Ok(Status::unimplemented("there is no such method").into_http());
            }
            let limit = Some(this.max_request_size);
            let mut grpc = Grpc::new(Raw).apply_max_message_size_config(limit, None);
            Ok(grpc.unary(Method(V::SERVICE, this.service), request).await)
        })
    }
}

/// The method of a service, by the service's name.
struct Method(&'static str, Service);

impl UnaryService<Bytes> for Method {
    type Response = Bytes;
    type Future =
        Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send + 'static>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (name, service) = (self.0, self.1.clone());
        Box::pin(async move { service.handle(name, request).await })
    }
}

/// Bytes in, bytes out.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.reserve(message.len());
        buf.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buf.copy_to_bytes(buf.remaining())))
    }
}
