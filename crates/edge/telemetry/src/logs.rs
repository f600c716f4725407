//! How are logs written? To stderr, as text for people or as JSON for collectors.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::env;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// Starts logging to stderr; `level` is used unless the variable `PURLIN_LOG` says otherwise.
///
/// Does nothing when something in this process logs already.
pub fn init_logs(format: LogFormat, level: &str) {
    let filter =
        EnvFilter::try_from_env(env::PURLIN_LOG.name).unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let outcome = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
    };
    drop(outcome);
}
