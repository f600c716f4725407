//! What is wrong, where, and what to do?
//!
//! Knows nothing of YAML or Kubernetes: a place is a file, a line and a column, or a field path when there is no file.

mod diagnostic;
mod github;
mod json;
mod place;
mod sarif;
mod suggest;
mod text;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use github::render_github;
pub use place::Place;
pub use sarif::to_sarif;
pub use suggest::nearest;
pub use text::{Sources, count, render_findings, render_text};
