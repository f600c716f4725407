//! Logs, metrics and environment variables, each declared once.

pub mod env;
mod logs;
mod metrics;

pub use logs::{LogFormat, init_logs};
pub use metrics::{
    AnswerLabels, CallLabels, FileLabels, FunctionLabels, HandledLabels, LimitLabels, Metrics,
    SeverityLabels,
};
