//! Patches and transforms: composed resources made of templates, patched from the composite, the environment and each
//! other.
//!
//! Takes the input of function-patch-and-transform (`pt.fn.crossplane.io/v1beta1 Resources`) and answers as it does,
//! with its rules for missing fields, its merging and its number formatting. What differs, on purpose:
//!
//! - All mistakes of an input are reported in one FATAL result, each with its field path; upstream reports the first.
//! - Messages say which patch of which resource, the path, what was found there, and what to do.
//! - Where upstream crashes, this answers: a `MatchCondition` check without a condition looks at `Ready`, a negative
//!   group of a regular expression is a mistake of the input.
//! - Expanding a wildcard goes through maps in their order and not in a random one.
//! - Texts made by formats, paths expanded by wildcards, regular expressions and the cache are bounded.
//!
//! An input is compiled once to a plan and kept by what it says; running a plan reads only the fields that are patched.

mod compile;
mod connection;
mod environment;
mod fault;
mod form;
mod function;
mod input;
mod patch;
mod plan;
mod readiness;
mod secret;
mod transform;
mod validate;
mod validate_transform;

use std::sync::Arc;

pub use function::PatchAndTransform;
use purlin_function::Hosted;

/// This function, to be hosted.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-patch-and-transform",
        api_version: "pt.fn.crossplane.io/v1beta1",
        kind: "Resources",
        function: Arc::new(PatchAndTransform::default()),
    }
}
