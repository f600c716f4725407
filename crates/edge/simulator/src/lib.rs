//! A simulated provider: it makes managed resources ready without any cloud.
//!
//! For laptops, tests and previews, and never for anything real. Every CRD that looks like a managed resource is
//! watched; its objects get an external name, a status typed by their CRD, conditions, a connection secret, and a
//! finalizer that is dropped when they are deleted. Two annotations steer an object:
//! `simulator.purlin.dev/behavior: ready|slow|flapping|failing` and `simulator.purlin.dev/delay: 5s`.

mod behavior;
mod controller;
mod fake;
mod fill;
mod managed;
mod plan;
mod secret;

use std::time::Duration;

pub use behavior::{ANNOTATION_BEHAVIOR, ANNOTATION_DELAY, Behavior};
pub use controller::run;

/// How the provider behaves where an object does not say.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a resource takes to become ready.
    pub delay: Duration,
    /// How long a slow one takes.
    pub slow: Duration,
    /// How long a flapping one stays as it is.
    pub flap: Duration,
    /// The account in ARNs and owner ids.
    pub account: String,
    /// How many objects are written at a time.
    pub workers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(300),
            slow: Duration::from_secs(30),
            flap: Duration::from_secs(10),
            account: "123456789012".to_owned(),
            workers: 32,
        }
    }
}
