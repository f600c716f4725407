//! Chores of the workspace: `cargo run -p purlin-xtask -- <chore>`.

mod codegen;
mod tidy;

use std::path::{Path, PathBuf};

use clap::Parser;

#[derive(Debug, Parser)]
enum Chore {
    /// Generate crates/pure/proto/src/generated from proto/.
    Codegen,
    /// Check arrows between crates, orphan files, file headers and the code map.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Chore::parse() {
        Chore::Codegen => codegen::write(&root()),
        Chore::Tidy => tidy::run(&root()),
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
