//! The function protocol, v1 and v1beta1.
//!
//! Generated from `proto/` by `cargo run -p purlin-xtask -- codegen`. A `google.protobuf.Struct` is a [`purlin_object::Object`],
//! which keeps its bytes (docs/decisions/0001-proto-knows-object.md). v1beta1 has the messages of v1 under another
//! service name, so it is only a client and a server here.

mod codec;
mod redact;
mod request;

pub use codec::Codec;
pub use request::decode_request;

/// The messages and the service of `apiextensions.fn.proto.v1`.
pub mod v1 {
    #![allow(
        missing_docs,
        unreachable_pub,
        missing_debug_implementations,
        let_underscore_drop,
        deprecated,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated"
    )]
    include!("generated/v1.rs");
}

/// The service of `apiextensions.fn.proto.v1beta1`, with the messages of [`v1`].
pub mod v1beta1 {
    #![allow(
        missing_docs,
        unreachable_pub,
        missing_debug_implementations,
        let_underscore_drop,
        deprecated,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated"
    )]
    pub use crate::v1::{RunFunctionRequest, RunFunctionResponse};
    include!("generated/v1beta1.rs");
}

/// The encoded descriptors of both versions, for gRPC reflection.
pub const DESCRIPTOR: &[u8] = include_bytes!("generated/descriptor.bin");
