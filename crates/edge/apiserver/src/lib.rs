//! An embedded Kubernetes API server: storage, watch, CRDs, apply.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use purlin_apiserver::{Options, Server};
//!
//! let server = Server::start(Options::default()).await?; // 127.0.0.1, any free port, in memory
//! let client = server.client("default"); // in process: no TLS, no sockets
//! std::fs::write("kubeconfig", server.kubeconfig())?; // for kubectl and everybody else
//! server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! One user, on loopback: a tool for laptops, tests and previews, not a security boundary.

mod apply;
mod custom;
mod definitions;
mod discovery;
mod failure;
mod garbage;
mod housekeeping;
mod http;
mod identity;
mod jsonpath;
mod kinds;
mod openapi;
mod patch;
mod registry;
mod selector;
mod server;
mod start;
mod store;
mod table;
mod verbs;

pub use start::{Error, Options, Running, Server};

/// What `/version` says.
pub const VERSION: &str = concat!("v1.33.0+purlin-", env!("CARGO_PKG_VERSION"));
