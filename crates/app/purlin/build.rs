//! Puts the sources of the function kit into the binary, for `purlin new function`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The crates that a function of somebody else's is built with, and what those need.
const KIT: &[&str] = &[
    "crates/pure/api",
    "crates/pure/diag",
    "crates/pure/expr",
    "crates/pure/function",
    "crates/pure/object",
    "crates/pure/proto",
    "crates/pure/schema",
    "crates/edge/serve",
    "crates/edge/telemetry",
];

/// Folders that no build needs.
const SKIPPED: &[&str] = &["tests", "fuzz", "benches", "examples"];

/// Sections of a manifest that are about such folders.
const SKIPPED_SECTIONS: &[&str] = &[
    "[dev-dependencies]",
    "[[test]]",
    "[[bench]]",
    "[[example]]",
    "[profile",
];

#[expect(
    clippy::unnecessary_debug_formatting,
    reason = "the debug form of a path is a string of Rust"
)]
fn main() -> io::Result<()> {
    let root = folder("CARGO_MANIFEST_DIR")?
        .join("../../..")
        .canonicalize()?;
    let out = folder("OUT_DIR")?;
    let mut files = vec![root.join("Cargo.toml"), root.join("LICENSE")];
    for crate_folder in KIT {
        let crate_folder = root.join(crate_folder);
        println!("cargo::rerun-if-changed={}", crate_folder.display());
        collect(&crate_folder, &mut files)?;
    }
    println!(
        "cargo::rerun-if-changed={}",
        root.join("Cargo.toml").display()
    );
    let mut list = String::from("const KIT: &[(&str, &[u8])] = &[\n");
    for (index, file) in files.iter().enumerate() {
        let path = file.strip_prefix(&root).map_err(io::Error::other)?;
        let source = if file.ends_with("Cargo.toml") {
            let manifest = manifest(&fs::read_to_string(file)?);
            let written = out.join(format!("{index}.toml"));
            fs::write(&written, manifest)?;
            written
        } else {
            file.clone()
        };
        writeln!(list, "    ({path:?}, include_bytes!({source:?})),").map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    fs::write(out.join("kit.rs"), list)
}

fn folder(variable: &str) -> io::Result<PathBuf> {
    env::var(variable)
        .map(PathBuf::from)
        .map_err(io::Error::other)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        if !entry.file_type()?.is_dir() {
            files.push(entry.path());
        } else if !SKIPPED.iter().any(|skipped| name == *skipped) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// A manifest without what is not in the kit.
fn manifest(text: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in text.lines() {
        if line == "[workspace]" {
            kept.push_str("[workspace]\nresolver = \"3\"\nmembers = [\"crates/*/*\"]\n\n");
            skipping = true;
        } else if line.starts_with('[') {
            skipping = SKIPPED_SECTIONS
                .iter()
                .any(|section| line.starts_with(section));
        }
        if !skipping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
