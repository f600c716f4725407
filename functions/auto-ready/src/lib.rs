//! Marks composed resources ready by what is observed of them.
//!
//! Takes the input of function-auto-ready (`autoready.fn.crossplane.io/v1beta1 Input`, or none) and answers as it does: a
//! desired resource whose readiness no earlier step decided becomes ready when its own health check passes (a CEL
//! expression of the input, a rule for the built-in kind), or when its condition `Ready` is true. What differs, on purpose:
//!
//! - CEL health checks are on; upstream ignores them silently without a feature gate. [`Options`] turns them off.
//! - In CEL, whole and floating numbers may meet in arithmetic.
//! - Where upstream crashes (checks taken from a context path that is not there, and more given inline), the inline
//!   checks count.
//! - All mistakes of an input are reported at once, each with its field path.

mod custom;
mod function;
mod health;
mod input;
mod lenient;
mod typed;

use std::sync::Arc;

pub use function::{AutoReady, Options};
use purlin_function::Hosted;

/// This function, to be hosted.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-auto-ready",
        api_version: "autoready.fn.crossplane.io/v1beta1",
        kind: "Input",
        function: Arc::new(AutoReady::default()),
    }
}
