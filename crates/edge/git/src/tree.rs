//! What is in a tree, and the tree that has one subtree swapped.

use gix::objs::Tree;
use gix::objs::tree::{Entry as RawEntry, EntryKind as RawKind};

use crate::{Error, Id, Repo, Result};

/// How much of a repository we are willing to read at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files together.
    pub total_bytes: u64,
    /// Number of files.
    pub files: usize,
    /// Folders inside folders.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 4 << 20,
            total_bytes: 64 << 20,
            files: 10_000,
            depth: 32,
        }
    }
}

/// The largest single tree object that is read.
const TREE_BYTES: u64 = 16 << 20;

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A file that may be run.
    Program,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without the folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// What it holds.
    pub id: Id,
}

/// A file below a tree. Links and submodules are listed too: they move, but they are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path from the tree it was listed for.
    pub path: String,
    /// What it is; never a folder.
    pub kind: EntryKind,
    /// What it holds.
    pub id: Id,
}

impl Repo {
    /// The tree of a commit.
    pub fn root(&self, commit: Id) -> Result<Id> {
        let commit = self
            .gix
            .find_commit(commit.0)
            .map_err(|source| Error::read(format!("commit {commit}"), source))?;
        let tree = commit
            .tree_id()
            .map_err(|source| Error::read(format!("commit {}", commit.id), source))?;
        Ok(Id(tree.detach()))
    }

    /// What a folder holds, in Git's order. A name that is not UTF-8 is an error: nothing we promote has one.
    pub fn entries(&self, tree: Id) -> Result<Vec<Entry>> {
        let tree = self.tree(tree)?;
        tree.entries
            .into_iter()
            .map(|entry| {
                let name = String::from_utf8(entry.filename.to_vec()).map_err(|_| Error::Path {
                    path: entry.filename.to_string(),
                    why: "is not UTF-8",
                })?;
                Ok(Entry {
                    name,
                    kind: kind(entry.mode.kind()),
                    id: Id(entry.oid),
                })
            })
            .collect()
    }

    /// What is at a path below a tree; the empty path is the tree itself.
    pub fn find(&self, tree: Id, path: &str) -> Result<Option<Entry>> {
        let mut at = Entry {
            name: String::new(),
            kind: EntryKind::Folder,
            id: tree,
        };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if at.kind != EntryKind::Folder {
                return Ok(None);
            }
            let Some(entry) = self.entries(at.id)?.into_iter().find(|e| e.name == name) else {
                return Ok(None);
            };
            at = entry;
        }
        Ok(Some(at))
    }

    /// The folder at a path below a tree.
    pub fn folder(&self, tree: Id, path: &str) -> Result<Option<Id>> {
        Ok(self
            .find(tree, path)?
            .filter(|entry| entry.kind == EntryKind::Folder)
            .map(|entry| entry.id))
    }

    /// Every file below a tree, ordered by path.
    pub fn files(&self, tree: Id, limits: Limits) -> Result<Vec<File>> {
        let mut found = Vec::new();
        self.collect(tree, "", limits, &mut found)?;
        found.sort_by(|a: &File, b: &File| a.path.cmp(&b.path));
        Ok(found)
    }

    fn collect(&self, tree: Id, under: &str, limits: Limits, found: &mut Vec<File>) -> Result<()> {
        if under.matches('/').count() > limits.depth {
            return Err(Error::TooLarge {
                what: format!("the nesting of `{under}`"),
                limit: format!("{} folders", limits.depth),
            });
        }
        for entry in self.entries(tree)? {
            let path = format!("{under}{}", entry.name);
            if entry.kind == EntryKind::Folder {
                self.collect(entry.id, &format!("{path}/"), limits, found)?;
                continue;
            }
            if found.len() == limits.files {
                return Err(Error::TooLarge {
                    what: format!("the folder of `{path}`"),
                    limit: format!("{} files", limits.files),
                });
            }
            found.push(File {
                path,
                kind: entry.kind,
                id: entry.id,
            });
        }
        Ok(())
    }

    /// The bytes of a file, unless there are more than `limit`.
    pub fn bytes(&self, id: Id, limit: u64) -> Result<Vec<u8>> {
        let what = || format!("blob {id}");
        let header = self
            .gix
            .find_header(id.0)
            .map_err(|source| Error::read(what(), source))?;
        if header.size() > limit {
            return Err(Error::TooLarge {
                what: what(),
                limit: format!("{limit} bytes"),
            });
        }
        let mut blob = self
            .gix
            .find_blob(id.0)
            .map_err(|source| Error::read(what(), source))?;
        Ok(blob.take_data())
    }

    /// Writes the tree that is `root` with the folder at `path` being `new`, and returns its id. Only the trees on the
    /// way to `path` are new objects, no blob is read, and no ref is touched.
    pub fn swap(&self, root: Id, path: &str, new: Id) -> Result<Id> {
        let names: Vec<&str> = path.split('/').collect();
        if names.len() > Limits::default().depth {
            return Err(Error::TooLarge {
                what: format!("`{path}`"),
                limit: format!("{} folders", Limits::default().depth),
            });
        }
        if names.iter().any(|name| {
            matches!(*name, "" | "." | "..")
                || name.eq_ignore_ascii_case(".git")
                || name.contains('\0')
        }) {
            return Err(Error::Path {
                path: path.to_owned(),
                why: "is not a path of plain names",
            });
        }
        self.swap_names(Some(root), &names, new)
    }

    fn swap_names(&self, tree: Option<Id>, names: &[&str], new: Id) -> Result<Id> {
        let Some((name, rest)) = names.split_first() else {
            return Ok(new);
        };
        let mut tree = match tree {
            Some(id) => self.tree(id)?,
            None => Tree::empty(),
        };
        let at = tree
            .entries
            .iter()
            .position(|e| e.filename == name.as_bytes());
        let below = match at.and_then(|at| tree.entries.get(at)) {
            Some(entry) if entry.mode.is_tree() => Some(Id(entry.oid)),
            Some(_) => {
                return Err(Error::Path {
                    path: (*name).to_owned(),
                    why: "is not a folder",
                });
            }
            None => None,
        };
        let child = self.swap_names(below, rest, new)?;
        if let Some(at) = at {
            tree.entries.remove(at);
        }
        tree.entries.push(RawEntry {
            mode: RawKind::Tree.into(),
            filename: (*name).into(),
            oid: child.0,
        });
        tree.entries.sort();
        let id = self
            .gix
            .write_object(&tree)
            .map_err(|source| Error::write("a tree", source))?;
        Ok(Id(id.detach()))
    }

    fn tree(&self, id: Id) -> Result<Tree> {
        let what = || format!("tree {id}");
        let header = self
            .gix
            .find_header(id.0)
            .map_err(|source| Error::read(what(), source))?;
        if header.size() > TREE_BYTES {
            return Err(Error::TooLarge {
                what: what(),
                limit: format!("{TREE_BYTES} bytes"),
            });
        }
        let tree = self
            .gix
            .find_tree(id.0)
            .map_err(|source| Error::read(what(), source))?;
        let decoded = tree
            .decode()
            .map_err(|source| Error::read(what(), source))?;
        Ok(decoded.to_owned())
    }
}

fn kind(raw: RawKind) -> EntryKind {
    match raw {
        RawKind::Tree => EntryKind::Folder,
        RawKind::Blob => EntryKind::File,
        RawKind::BlobExecutable => EntryKind::Program,
        RawKind::Link => EntryKind::Link,
        RawKind::Commit => EntryKind::Submodule,
    }
}
