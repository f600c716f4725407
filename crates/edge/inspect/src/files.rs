//! Which files are meant by these paths?

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use purlin_diag::{Diagnostic, Diagnostics, Place};

/// Folders below each other.
const DEEPEST: usize = 32;
/// Files of one run.
const MOST: usize = 50_000;

/// A file, and what tells whether it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: u64,
}

/// The files that are there, and what could not be looked at.
#[derive(Debug, Default)]
pub struct Files {
    pub(crate) files: BTreeMap<PathBuf, Stamp>,
    pub(crate) found: Diagnostics,
}

impl Files {
    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// What is wrong with the paths themselves.
#[derive(Debug, thiserror::Error)]
pub enum Misuse {
    /// A path leads nowhere.
    #[error("there is no {0}")]
    Missing(String),
    /// More files than anybody checks at once.
    #[error("there are more than {MOST} files: check a part of them")]
    TooMany,
}

/// Finds the files: those that are named, and the `.yaml`, `.yml`, `.json` and `.xpkg` files of folders and of the folders
/// in them. Not looked into are hidden folders, `node_modules`, and templates of Helm charts.
///
/// # Errors
/// Everything that is wrong with the paths.
pub fn find(paths: &[PathBuf]) -> Result<Files, Vec<Misuse>> {
    let mut files = Files::default();
    let mut wrong = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Err(_) => wrong.push(Misuse::Missing(path.display().to_string())),
            Ok(metadata) if metadata.is_dir() => gather(path, DEEPEST, &mut files),
            Ok(metadata) => {
                files.files.insert(path.clone(), stamp(&metadata));
            }
        }
    }
    if files.files.len() > MOST {
        wrong.push(Misuse::TooMany);
    }
    if wrong.is_empty() {
        Ok(files)
    } else {
        Err(wrong)
    }
}

fn gather(folder: &Path, depth: usize, files: &mut Files) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return files.found.push(unreadable(folder, &error)),
    };
    let chart = folder.join("Chart.yaml").exists();
    for entry in entries {
        if files.files.len() > MOST {
            return;
        }
        let kind = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?, entry)));
        let (path, kind, entry) = match kind {
            Ok(found) => found,
            Err(error) => {
                files.found.push(unreadable(folder, &error));
                continue;
            }
        };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Links are not followed: they may lead in circles, and what they lead to is there anyway.
        if kind.is_dir() {
            let skipped =
                name.starts_with('.') || name == "node_modules" || chart && name == "templates";
            if !skipped && depth > 0 {
                gather(&path, depth - 1, files);
            }
        } else if kind.is_file() && is_manifest(&path) {
            match entry.metadata() {
                Ok(metadata) => {
                    files.files.insert(path, stamp(&metadata));
                }
                Err(error) => files.found.push(unreadable(&path, &error)),
            }
        }
    }
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    let modified = metadata.modified().ok();
    let since = modified.and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    Stamp {
        size: metadata.len(),
        modified: since.map_or(0, |since| {
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        }),
    }
}

fn is_manifest(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yaml" | "yml" | "json" | "xpkg"))
}

/// A file or folder that the system does not let us read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let path = path.display().to_string();
    let message = format!("{path} cannot be read: {error}");
    Diagnostic::error("check/unreadable", message)
        .at(Place::new(path, 1, 1))
        .help("make it readable, or leave it out")
}
