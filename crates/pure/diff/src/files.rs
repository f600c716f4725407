//! Which files of a folder changed.

use std::collections::BTreeMap;

use serde::Serialize;

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content or mode is another.
    Changed,
}

/// A file that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path inside the folder.
    pub path: String,
    /// What happened to it.
    pub kind: FileChangeKind,
}

/// Compares two folders by the identity of their files, ordered by path. An identity is whatever tells contents apart,
/// for example a hash and a mode.
pub fn files<Identity: PartialEq>(
    old: &BTreeMap<String, Identity>,
    new: &BTreeMap<String, Identity>,
) -> Vec<FileChange> {
    let mut changes: Vec<FileChange> = old
        .iter()
        .filter_map(|(path, identity)| {
            let kind = match new.get(path) {
                None => FileChangeKind::Removed,
                Some(other) if other != identity => FileChangeKind::Changed,
                Some(_) => return None,
            };
            Some(FileChange {
                path: path.clone(),
                kind,
            })
        })
        .chain(
            new.keys()
                .filter(|path| !old.contains_key(*path))
                .map(|path| FileChange {
                    path: path.clone(),
                    kind: FileChangeKind::Added,
                }),
        )
        .collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_removed_and_changed_files_are_listed_by_path() {
        let side =
            |files: &[(&str, u8)]| files.iter().map(|(p, id)| ((*p).to_owned(), *id)).collect();
        let old: BTreeMap<String, u8> = side(&[("a", 1), ("c", 1), ("d", 1)]);
        let new: BTreeMap<String, u8> = side(&[("b", 1), ("c", 2), ("d", 1)]);
        let shown: Vec<_> = files(&old, &new)
            .into_iter()
            .map(|c| (c.path, c.kind))
            .collect();
        assert_eq!(
            shown,
            [
                ("a".to_owned(), FileChangeKind::Removed),
                ("b".to_owned(), FileChangeKind::Added),
                ("c".to_owned(), FileChangeKind::Changed)
            ]
        );
    }
}
