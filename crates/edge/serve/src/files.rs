//! How many files may the process have open? Each connection is one, and the usual limit of 1024 is for old programs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the process has open besides connections.
const OTHERS: u64 = 64;

/// Asks the system for as many files as it allows, and says so when these are too few for the connections.
pub(crate) fn allow_many(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let limit = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => wanted,
        Err(_) => limit,
    };
    let needed = u64::try_from(connections).unwrap_or(u64::MAX);
    if let Some(files) = limit
        .current
        .filter(|files| *files < needed.saturating_add(OTHERS))
    {
        tracing::warn!(
            files,
            connections,
            "the system allows fewer open files than there may be connections (--max-connections)"
        );
    }
}
