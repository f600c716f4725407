//! Logs, metrics and environment variables, each declared once.

pub mod env;
mod logs;
mod metrics;

pub use logs::{LogFormat, init_logs};
pub use metrics::{CallLabels, FunctionLabels, HandledLabels, Metrics, SeverityLabels};
