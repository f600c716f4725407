//! The gRPC server for functions: TLS with reload, health, reflection, limits, drain, metrics.
//!
//! What functions do is none of its business; that one of them panics, runs for ever or answers a megabyte is.

mod caller;
mod connection;
mod expiry;
mod files;
mod flags;
mod incoming;
mod kept;
mod large;
mod limit;
mod listen;
mod main_of;
mod message;
mod metrics_page;
mod options;
mod outgoing;
mod rarely;
mod record;
mod rpc;
mod server;
mod service;
mod stop;
mod stream;
mod tls;

pub use flags::Flags;
pub use main_of::main;
pub use options::{Address, Options, ServeError};
pub use record::Record;
pub use server::{Running, Server};
pub use stop::stop_signal;
