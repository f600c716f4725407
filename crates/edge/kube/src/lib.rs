//! Talks to a Kubernetes API: requests on JSON objects, discovery, and caches kept by watches.
//!
//! Nothing here knows what the objects mean, and nothing decides.

mod client;
mod discovery;
mod error;
mod informer;
mod store;

pub use client::{Client, Listed, Propagation};
pub use discovery::Kind;
pub use error::{Error, Retry};
pub use informer::{Change, Informers};
pub use store::Store;
