//! Where is what is kept from one run to the next?

use std::env;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// The folder, if there is any place for it.
pub(crate) fn folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("PURLIN_SCHEMA_CACHE") {
        return Some(folder.into());
    }
    let caches = match set("XDG_CACHE_HOME") {
        Some(caches) => PathBuf::from(caches),
        None => PathBuf::from(set("HOME")?).join(".cache"),
    };
    Some(caches.join("purlin"))
}

/// Tells this program from other builds of it: what one remembers is nothing to another.
pub(crate) fn stamp() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let program = env::current_exe().and_then(std::fs::metadata);
    let built = program.ok().map(|program| {
        let modified = program.modified().ok();
        let since = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        (program.len(), since.unwrap_or_default().as_nanos())
    });
    format!("{version} {built:?}")
}
