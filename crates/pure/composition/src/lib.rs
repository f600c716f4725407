//! Is this Composition right, and what is its plan?
//!
//! [`read`] turns a Composition or a CompositionRevision into a typed [`Composition`], or says everything that is
//! wrong with it: with file, line and column when it came from a file, with field paths when it came from an API
//! server. Knows nothing of running a pipeline.

pub mod modules;
mod read;

pub use purlin_api::composition::{
    Composition, Credential, Matching, RequiredResource, RequiredSchema, Selector, Step,
};
pub use read::read;
