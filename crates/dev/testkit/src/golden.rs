//! Finds and reads the recorded cases under `tests/golden/`.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .expect("testkit lives three folders below the root")
        .to_path_buf()
}

/// The path of a file under `tests/golden/`.
pub fn golden(relative: &str) -> PathBuf {
    root().join("tests/golden").join(relative)
}

/// The cases of a JSON Lines file under `tests/golden/`, one object a line.
pub fn cases(relative: &str) -> Vec<Value> {
    let path = golden(relative);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        })
        .collect()
}
