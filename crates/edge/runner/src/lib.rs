//! Calls a function: in process or over gRPC.
//!
//! What the function answers is none of its business. A function that cannot be called is a [`RunnerError`], which says
//! whether trying again may help; a function that answers badly is the caller's to judge.

mod endpoint;
mod error;
mod grpc;
mod in_process;
mod routed;
mod runner;
mod tls_error;

pub use endpoint::{Plaintext, Tls};
pub use error::{Retry, RunnerError};
pub use grpc::{Grpc, GrpcOptions};
pub use in_process::InProcess;
pub use routed::Routed;
pub use runner::Runner;
