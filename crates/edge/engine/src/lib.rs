//! Gathers the world, lets lifecycle decide, performs.
//!
//! ```text
//! watches ──> router ──> queue ──> reconciles: definition, revision, claim, composite
//!    ▲                                 │  gather (stores) ─> decide (lifecycle, pipeline) ─> perform (kube)
//!    └───────────── writes ◄───────────┘
//! ```
//!
//! Only the Kubernetes API is used, so the engine cannot tell an embedded API server from a cluster. Every reconcile
//! reads what is, never why it was asked for; a steady state writes nothing.

mod claim;
mod clock;
mod compose;
mod composite;
mod crd;
mod definition;
mod engine;
mod events;
mod fetch;
mod functions;
mod install;
mod kinds;
mod lease;
mod manifests;
mod pass;
mod queue;
mod revision;
mod router;
mod shared;
mod tracker;

pub use engine::{Engine, EngineError, Options};
pub use functions::Functions;
pub use install::{ensure_namespace, install_crds};
pub use lease::{Lease, LeaseOptions};
pub use manifests::{Manifests, read_manifests};
