//! Chores of the workspace: `cargo run -p xtask -- <chore>`.

mod codegen;

use std::path::{Path, PathBuf};

use clap::Parser;

#[derive(Debug, Parser)]
enum Chore {
    /// Generate crates/pure/proto/src/generated from proto/.
    Codegen,
}

fn main() -> anyhow::Result<()> {
    match Chore::parse() {
        Chore::Codegen => codegen::write(&root()),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .expect("xtask lives three folders below the root")
        .to_path_buf()
}
