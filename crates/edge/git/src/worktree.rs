//! Keeps a checked-out branch's files and index in step when the branch moves.

use std::path::Path;

use crate::{Error, Id, Repo, Result};

/// How many paths an error names.
const NAMED: usize = 5;

impl Repo {
    /// Whether `branch` is what this repository's own work tree shows. Fails when another work tree shows it.
    pub fn is_checked_out(&self, branch: &str) -> Result<bool> {
        let fail = |source| Error::read("the list of work trees", source);
        for proxy in self.gix.worktrees().map_err(fail)? {
            let path = proxy.base().map_err(fail)?;
            let Ok(other) = proxy.into_repo_with_possibly_inaccessible_worktree() else {
                continue;
            };
            let other = Self { gix: other };
            if !other.is_same(self) && other.head_branch()?.as_deref() == Some(branch) {
                let branch = branch.to_owned();
                return Err(Error::CheckedOutElsewhere { branch, path });
            }
        }
        if let Ok(main) = self.gix.main_repo()
            && let Some(path) = main.workdir().map(Path::to_path_buf)
        {
            let main = Self { gix: main };
            if !main.is_same(self) && main.head_branch()?.as_deref() == Some(branch) {
                let branch = branch.to_owned();
                return Err(Error::CheckedOutElsewhere { branch, path });
            }
        }
        Ok(self.work_dir().is_some() && self.head_branch()?.as_deref() == Some(branch))
    }

    fn is_same(&self, other: &Self) -> bool {
        let place = |repo: &Self| repo.git_dir().canonicalize().ok();
        place(self) == place(other)
    }

    /// The files below `path` that differ from the last commit, or that it does not know; none in a bare repository.
    pub fn uncommitted(&self, path: &str) -> Result<Vec<String>> {
        if self.work_dir().is_none() {
            return Ok(Vec::new());
        }
        let path = format!(":(top,literal){path}");
        let args = [
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=all",
            "--no-renames",
            "--",
            &path,
        ];
        let said = self.git("look for uncommitted changes", &args)?;
        let paths = said.split('\0').filter_map(|line| line.get(3..));
        Ok(paths.map(str::to_owned).collect())
    }

    /// Fails with [`Error::Dirty`] when something below `path` is not committed.
    pub fn check_clean(&self, path: &str) -> Result<()> {
        let mut paths = self.uncommitted(path)?;
        if paths.is_empty() {
            return Ok(());
        }
        let more = paths.len().saturating_sub(NAMED);
        paths.truncate(NAMED);
        if more > 0 {
            paths.push(format!("and {more} more"));
        }
        Err(Error::Dirty { paths })
    }

    /// Says whether [`Repo::follow`] would work, without changing anything.
    pub fn check_follow(&self, old: Id, new: Id) -> Result<()> {
        self.read_tree(old, new, true)
    }

    /// Moves the index and the files from commit `old` to commit `new`, as a fast-forward does: changes elsewhere stay,
    /// and a change in the way is an error before anything is touched.
    pub fn follow(&self, old: Id, new: Id) -> Result<()> {
        self.read_tree(old, new, false)
    }

    fn read_tree(&self, old: Id, new: Id, dry: bool) -> Result<()> {
        // Fails when some file differs, which is what the next command looks at; only the refreshed times matter here.
        drop(self.git("refresh the index", &["update-index", "-q", "--refresh"]));
        let (old, new) = (old.to_string(), new.to_string());
        let mut args = vec!["read-tree", "-m", "-u"];
        args.extend(dry.then_some("-n"));
        args.extend([old.as_str(), new.as_str()]);
        self.git("update the checked-out files", &args).map(drop)
    }

    /// Finishes what a killed run began: when the branch was moved to `tip` but the index and the files below `path` are
    /// still those of its parent, they follow now. Says whether they did.
    pub fn catch_up(&self, tip: Id, path: &str) -> Result<bool> {
        if self.work_dir().is_none() {
            return Ok(false);
        }
        let info = self.commit_info(tip)?;
        let [parent] = info.parents.as_slice() else {
            return Ok(false);
        };
        let spec = format!(":(top,literal){path}");
        let same = |args: &[&str]| self.git("compare the index", args).is_ok();
        let (tip_name, parent_name) = (tip.to_string(), parent.to_string());
        let behind = !same(&["diff-index", "--cached", "--quiet", &tip_name, "--", &spec])
            && same(&[
                "diff-index",
                "--cached",
                "--quiet",
                &parent_name,
                "--",
                &spec,
            ])
            && same(&["diff-files", "--quiet", "--", &spec]);
        if behind {
            self.follow(*parent, tip)?;
        }
        Ok(behind)
    }
}
