//! What is wrong, where, and what to do?
//!
//! Knows nothing of YAML or Kubernetes: a place is a file, a line and a column, or a field path when there is no file.

mod diagnostic;
mod json;
mod place;
mod suggest;
mod text;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use place::Place;
pub use suggest::nearest;
pub use text::{Sources, render_text};
