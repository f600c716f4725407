//! Which repository this is.

use std::path::Path;

use crate::{Error, Result};

/// A repository on this machine, bare or with a work tree.
pub struct Repo {
    pub(crate) gix: gix::Repository,
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Repo").field(&self.gix.git_dir()).finish()
    }
}

impl Repo {
    /// Opens the repository that `path` is in, or is.
    pub fn open(path: &Path) -> Result<Self> {
        let mut gix = gix::discover(path).map_err(|source| Error::Open {
            path: path.to_path_buf(),
            source: Box::new(source),
        })?;
        // Walking the history reads the same trees again and again.
        gix.object_cache_size_if_unset(8 * 1024 * 1024);
        Ok(Self { gix })
    }

    /// The folder with the files, unless the repository is bare.
    pub fn work_dir(&self) -> Option<&Path> {
        self.gix.workdir()
    }

    /// The folder with the objects and refs.
    pub fn git_dir(&self) -> &Path {
        self.gix.git_dir()
    }
}
