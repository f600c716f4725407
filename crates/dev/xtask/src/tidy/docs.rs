//! The code map in ARCHITECTURE.md names every crate, and no crate that is not there.

use std::fs;

use anyhow::{Context as _, Result};

use super::workspace::Workspace;

pub(super) fn check(workspace: &Workspace, wrong: &mut Vec<String>) -> Result<()> {
    let map = fs::read_to_string(workspace.root.join("ARCHITECTURE.md"))
        .context("reading ARCHITECTURE.md")?;
    let named: Vec<&str> = map
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|path| path.starts_with("crates/") || path.starts_with("functions/"))
        .collect();
    for package in &workspace.packages {
        let path = package
            .dir
            .strip_prefix(&workspace.root)
            .unwrap_or(&package.dir)
            .display()
            .to_string();
        if !named.contains(&path.as_str()) {
            wrong.push(format!(
                "ARCHITECTURE.md: the code map has no row for {path}"
            ));
        }
    }
    for path in named {
        if !workspace.root.join(path).join("Cargo.toml").exists() {
            wrong.push(format!(
                "ARCHITECTURE.md: the code map names {path}, which is no crate"
            ));
        }
    }
    Ok(())
}
