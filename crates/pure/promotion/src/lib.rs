//! May this move, what will it do, and why not?
//!
//! A unit is a folder in an environment, a release is that folder's Git tree, and a promotion gives one environment the
//! tree another one has. Everything here is a value worked out from values: which repository, which cluster and what
//! time it is are for others to know.

/// Writes into a `String`.
macro_rules! put {
    ($($arg:tt)*) => { write!($($arg)*).expect("a String takes any text") };
}

/// Writes a line into a `String`.
macro_rules! put_line {
    ($($arg:tt)*) => { writeln!($($arg)*).expect("a String takes any text") };
}

mod api_change;
mod contents;
mod decision;
mod gate;
mod immutable;
mod matrix;
mod object_change;
mod pipeline;
mod plan;
mod preview;
mod report;
mod trailer;

pub use api_change::{ApiChange, Compatibility, SchemaChange};
pub use contents::{Contents, Identity, Loaded};
pub use decision::{Decision, Reason, Request, Verdict, Way, decide};
pub use gate::{Budget, Gate};
pub use matrix::{Cell, Matrix, Promotion, Row, Snapshot, State, matrix};
pub use object_change::{ObjectChange, Presence};
pub use pipeline::{Environment, Mode, PIPELINE_FILE, Pipeline, is_subject_name};
pub use plan::{Counts, FilePatch, Inputs, Plan, Side};
pub use preview::{ClaimId, NotedChange, Preview, PreviewOutcome, Rendered};
pub use report::{matrix_markdown, matrix_table, plan_markdown, plan_text, summary};
pub use trailer::{Record, message, parse as parse_record};
