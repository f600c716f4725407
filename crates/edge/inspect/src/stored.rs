//! Which kinds did a user pull, for all projects?
//!
//! One file for each kind, and an index, so that a check reads only the kinds it meets. A broken file is as good as none.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use purlin_check::{Kept, Known};
use purlin_schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The folder below the cache.
const FOLDER: &str = "kinds";
const INDEX: &str = "index.json";

/// A kind that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKind {
    /// Its group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Its versions, and whether each is deprecated.
    pub versions: Vec<(String, bool)>,
    /// Where it was pulled from.
    pub source: String,
    /// Tells its schemas from others.
    pub digest: u64,
}

/// The kinds that are kept in a folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store below a cache folder, which need not be there.
    pub fn new(cache: &Path) -> Self {
        Self {
            folder: cache.join(FOLDER),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is kept, in the order of groups and kinds.
    pub fn list(&self) -> Vec<StoredKind> {
        let index = fs::read(self.folder.join(INDEX)).ok();
        let index = index.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        index.unwrap_or_else(|| self.look())
    }

    /// Keeps kinds; those that are there already are replaced. Gives how many were kept.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn add(&self, kinds: &[Kept], source: &str) -> io::Result<usize> {
        let mut index: BTreeMap<(String, String), StoredKind> = self
            .list()
            .into_iter()
            .map(|one| ((one.group.clone(), one.kind.clone()), one))
            .collect();
        let mut added = 0;
        for kind in kinds {
            if !is_plain(&kind.group) || !is_plain(&kind.kind) {
                continue;
            }
            let stored = stored(kind, source);
            let folder = self.folder.join(&kind.group);
            fs::create_dir_all(&folder)?;
            let versions = kind.versions.iter().map(|one| (&one.name, &one.schema));
            let schemas: BTreeMap<&String, &Value> = versions.collect();
            let whole = json!({"kind": stored, "schemas": schemas});
            write(
                &self.file(&kind.group, &kind.kind),
                whole.to_string().as_bytes(),
            )?;
            index.insert((kind.group.clone(), kind.kind.clone()), stored);
            added += 1;
        }
        let index: Vec<&StoredKind> = index.values().collect();
        write(&self.folder.join(INDEX), &serde_json::to_vec(&index)?)?;
        Ok(added)
    }

    /// Forgets the kinds of these groups, or all. Gives how many there were.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn clean(&self, groups: &[String]) -> io::Result<usize> {
        let all = self.list();
        if groups.is_empty() {
            return match fs::remove_dir_all(&self.folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(all.len()),
            };
        }
        let (gone, kept): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| groups.contains(&one.group));
        for one in &gone {
            match fs::remove_file(self.file(&one.group, &one.kind)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        write(&self.folder.join(INDEX), &serde_json::to_vec(&kept)?)?;
        Ok(gone.len())
    }

    /// What a check may need of it.
    pub fn known(&self) -> Vec<Known> {
        let all = self.list().into_iter();
        all.flat_map(|one| {
            let path = self.file(&one.group, &one.kind);
            let versions = one.versions.clone();
            versions
                .into_iter()
                .map(move |(version, deprecated)| Known {
                    group: one.group.clone(),
                    kind: one.kind.clone(),
                    namespaced: one.namespaced,
                    deprecated,
                    file: String::new(),
                    digest: one.digest,
                    load: load(path.clone(), version.clone()),
                    version,
                })
        })
        .collect()
    }

    fn file(&self, group: &str, kind: &str) -> PathBuf {
        self.folder.join(group).join(format!("{kind}.json"))
    }

    /// What the files say, when the index is gone.
    fn look(&self) -> Vec<StoredKind> {
        let below = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            paths.sort();
            paths
        };
        let files = below(&self.folder)
            .into_iter()
            .flat_map(|group| below(&group));
        files
            .filter_map(|file| {
                let whole: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
                serde_json::from_value(whole["kind"].clone()).ok()
            })
            .collect()
    }
}

fn load(path: PathBuf, version: String) -> Arc<purlin_check::LoadSchema> {
    Arc::new(move || {
        let whole: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        Schema::parse(&whole["schemas"][&version]).ok()
    })
}

fn stored(kind: &Kept, source: &str) -> StoredKind {
    let mut hash = Sha256::new();
    for version in &kind.versions {
        hash.update(version.name.as_bytes());
        hash.update(version.schema.to_string().as_bytes());
    }
    StoredKind {
        group: kind.group.clone(),
        kind: kind.kind.clone(),
        namespaced: kind.namespaced,
        versions: kind
            .versions
            .iter()
            .map(|version| (version.name.clone(), version.deprecated))
            .collect(),
        source: source.to_owned(),
        digest: first(&hash.finalize()),
    }
}

/// The first eight bytes of a hash, as a number.
pub(crate) fn first(hash: &[u8]) -> u64 {
    hash.iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Names become names of files.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
}

/// Writes a file at once, so that nobody reads half of it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &str, kind: &str) -> Kept {
        Kept {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespaced: true,
            versions: vec![purlin_check::KeptVersion {
                name: "v1".to_owned(),
                deprecated: false,
                schema: json!({"type": "object"}),
            }],
        }
    }

    #[test]
    fn kinds_are_kept_listed_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        assert!(store.list().is_empty());
        let kinds = [
            kind("a.example", "One"),
            kind("b.example", "Two"),
            kind("../x", "Bad"),
        ];
        assert_eq!(store.add(&kinds, "test").unwrap(), 2);
        assert_eq!(store.list().len(), 2);
        assert!(store.known().iter().all(|known| (known.load)().is_some()));
        assert_eq!(store.clean(&["a.example".to_owned()]).unwrap(), 1);
        assert_eq!(store.list().len(), 1);
        assert_eq!(store.clean(&[]).unwrap(), 1);
        assert!(store.list().is_empty());
    }

    #[test]
    fn a_lost_index_is_made_again_and_a_broken_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store
            .add(
                &[kind("a.example", "One"), kind("a.example", "Two")],
                "test",
            )
            .unwrap();
        fs::write(store.folder().join(INDEX), "{").unwrap();
        assert_eq!(store.list().len(), 2);
        fs::write(store.file("a.example", "Two"), "{").unwrap();
        assert_eq!(store.list().len(), 1);
    }
}
