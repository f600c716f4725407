//! Writing a commit, and reading the ones before it.

use std::ops::ControlFlow;

use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use crate::{Error, Id, Repo, Result};

/// What a commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its id.
    pub id: Id,
    /// The commits it follows.
    pub parents: Vec<Id>,
    /// Its tree.
    pub root: Id,
    /// Its whole message.
    pub message: String,
    /// The author's name.
    pub author: String,
    /// When it was committed, as ISO 8601.
    pub time: String,
}

impl Repo {
    /// Writes a commit and returns its id. No ref is touched: until one points at it, nobody sees it.
    ///
    /// Author and committer are those `git commit` would use. When `commit.gpgSign` is set, the `git` program signs it.
    pub fn commit(&self, tree: Id, parents: &[Id], message: &str) -> Result<Id> {
        let author = self.gix.author().ok_or(Error::NoIdentity)?;
        let committer = self.gix.committer().ok_or(Error::NoIdentity)?;
        let bad_date = |source| Error::read("the commit date in the environment", source);
        let (author, committer) = (author.map_err(bad_date)?, committer.map_err(bad_date)?);
        if self
            .gix
            .config_snapshot()
            .boolean("commit.gpgSign")
            .unwrap_or(false)
        {
            return self.signed_commit(tree, parents, message);
        }
        let owned = |signature: gix::actor::SignatureRef<'_>| {
            signature.to_owned().map_err(|source| {
                Error::read(
                    "the commit date in the environment",
                    gix::Error::from_error(source),
                )
            })
        };
        let commit = gix::objs::Commit {
            tree: tree.0,
            parents: parents.iter().map(|id| id.0).collect(),
            author: owned(author)?,
            committer: owned(committer)?,
            encoding: None,
            message: message.into(),
            extra_headers: Vec::new(),
        };
        let id = self
            .gix
            .write_object(&commit)
            .map_err(|source| Error::write("a commit", source))?;
        Ok(Id(id.detach()))
    }

    fn signed_commit(&self, tree: Id, parents: &[Id], message: &str) -> Result<Id> {
        let mut args = vec!["commit-tree".to_owned(), "-S".to_owned()];
        for parent in parents {
            args.extend(["-p".to_owned(), parent.to_string()]);
        }
        args.extend([
            "-m".to_owned(),
            message.trim_end().to_owned(),
            tree.to_string(),
        ]);
        let purpose = "sign the commit";
        let said = self.git(purpose, &args)?;
        said.trim().parse().map_err(|_| Error::Git {
            purpose,
            said: format!("`git commit-tree` answered `{}`", said.trim()),
        })
    }

    /// What a commit says.
    pub fn commit_info(&self, id: Id) -> Result<CommitInfo> {
        let fail = |source| Error::read(format!("commit {id}"), source);
        let commit = self.gix.find_commit(id.0).map_err(fail)?;
        let time = commit.time().map_err(fail)?;
        Ok(CommitInfo {
            id,
            parents: commit.parent_ids().map(|id| Id(id.detach())).collect(),
            root: Id(commit.tree_id().map_err(fail)?.detach()),
            message: commit.message_raw_sloppy().to_string(),
            author: commit.author().map_err(fail)?.name.to_string(),
            time: time.format_or_unix(gix::date::time::format::ISO8601_STRICT),
        })
    }

    /// Visits the history of a commit, newest first, at most `limit` commits, until the visitor has seen enough. A
    /// shallow clone ends early.
    pub fn history(
        &self,
        tip: Id,
        limit: usize,
        mut visit: impl FnMut(&CommitInfo) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let fail = |source| Error::read("the history", source);
        let walk = self
            .gix
            .rev_walk([tip.0])
            .sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst))
            .all()
            .map_err(fail)?;
        for step in walk.take(limit) {
            let info = self.commit_info(Id(step.map_err(fail)?.id))?;
            if visit(&info)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
