//! Which files make a package? Those of a folder, less what is left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Folders below each other.
const DEEPEST: usize = 32;
/// Files of one package.
const MOST_FILES: usize = 20_000;
/// Bytes of one file.
const LARGEST: u64 = 32 << 20;

/// What is left out of a folder.
#[derive(Debug, Default)]
pub(super) struct Without<'a> {
    /// Patterns of paths below the folder.
    pub(super) patterns: &'a [String],
    /// A whole folder.
    pub(super) folder: Option<PathBuf>,
}

/// The YAML files of a folder, by their names, in order. Hidden files and folders are no part of a package.
pub(super) fn files(root: &Path, without: &Without<'_>) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = BTreeSet::new();
    walk(root, Path::new(""), without, DEEPEST, &mut found)?;
    let mut files = Vec::new();
    for path in found {
        let name = path.display().to_string();
        let bytes = super::read(&path, LARGEST)?;
        let text = String::from_utf8(bytes).with_context(|| format!("{name} is not text"))?;
        files.push((name, text));
    }
    Ok(files)
}

fn walk(
    root: &Path,
    below: &Path,
    without: &Without<'_>,
    depth: usize,
    found: &mut BTreeSet<PathBuf>,
) -> anyhow::Result<()> {
    let folder = root.join(below);
    let cannot = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(&folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let name = entry.file_name();
        let relative = below.join(&name);
        let hidden = name.to_string_lossy().starts_with('.');
        if hidden || is_without(&relative, without.patterns) {
            continue;
        }
        let path = root.join(&relative);
        let facts =
            std::fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if facts.is_dir() {
            let left_out = without
                .folder
                .as_ref()
                .is_some_and(|folder| is_same(&path, folder));
            if left_out {
                continue;
            }
            if depth == 0 {
                bail!("{} is more than {DEEPEST} folders deep", path.display());
            }
            walk(root, &relative, without, depth - 1, found)?;
        } else if is_yaml(&path) {
            found.insert(path);
        }
        if found.len() > MOST_FILES {
            bail!("{} has more than {MOST_FILES} files", root.display());
        }
    }
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn is_yaml(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yaml" | "yml"))
}

fn is_without(path: &Path, patterns: &[String]) -> bool {
    let path = path.to_string_lossy().replace('\\', "/");
    patterns.iter().any(|pattern| {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        matches(pattern.as_bytes(), path.as_bytes())
    })
}

/// `*` and `?` stand for what is in one folder, `**` for any folders too.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => {
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            (0..=text.len()).any(|at| matches(rest, text.get(at..).unwrap_or_default()))
        }
        [b'*', rest @ ..] => {
            let end = text
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(text.len());
            (0..=end).any(|at| matches(rest, text.get(at..).unwrap_or_default()))
        }
        [b'?', rest @ ..] => match text {
            [byte, left @ ..] if *byte != b'/' => matches(rest, left),
            _ => false,
        },
        [wanted, rest @ ..] => match text {
            [byte, left @ ..] if byte == wanted => matches(rest, left),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_leave_out_what_they_say() {
        for (pattern, text, wanted) in [
            ("test.yaml", "test.yaml", true),
            ("test.yaml", "a/test.yaml", false),
            ("*.yaml", "test.yaml", true),
            ("*.yaml", "a/test.yaml", false),
            ("a/*", "a/b.yaml", true),
            ("**/*-test.yaml", "a/b/c-test.yaml", true),
            ("**/*-test.yaml", "c-test.yaml", true),
            ("a/**", "a/b/c", true),
            ("te?t", "test", true),
            ("te?t", "te/t", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                wanted,
                "{pattern} {text}"
            );
        }
    }
}
