//! Why Git could not do it.

use std::path::PathBuf;

use crate::Id;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The repository, the `git` program or a remote failed, or somebody else was faster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No repository at a path.
    #[error("{} is not in a Git repository", path.display())]
    Open {
        /// The path that was asked for.
        path: PathBuf,
        /// Why.
        source: Box<gix::Error>,
    },
    /// An object or ref cannot be read.
    #[error("cannot read {what}")]
    Read {
        /// Which one.
        what: String,
        /// Why.
        source: Box<gix::Error>,
    },
    /// An object or ref cannot be written.
    #[error("cannot write {what}")]
    Write {
        /// Which one.
        what: String,
        /// Why.
        source: Box<gix::Error>,
    },
    /// Something is bigger than we are willing to read.
    #[error("{what} is larger than {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// A path inside a tree that cannot be used.
    #[error("`{path}` {why}")]
    Path {
        /// The path inside the tree.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nobody is configured as author or committer.
    #[error(
        "nobody is configured as the author of commits; set user.name and user.email with `git config`, or GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL"
    )]
    NoIdentity,
    /// A ref no longer is where it was when we looked: somebody else moved it.
    #[error("{name} moved from {} to {}", words(*expected), words(*found))]
    Conflict {
        /// The ref, with the remote in front when it is not ours.
        name: String,
        /// Where it was when we looked.
        expected: Option<Id>,
        /// Where it is now.
        found: Option<Id>,
    },
    /// A branch and its counterpart at the remote have each commits the other lacks.
    #[error("{branch} and {remote} have diverged; `git pull --rebase` brings them together")]
    Diverged {
        /// The local branch.
        branch: String,
        /// The remote's name and branch.
        remote: String,
    },
    /// Uncommitted changes are in the way.
    #[error("uncommitted changes are in the way: {}; commit or stash them", paths.join(", "))]
    Dirty {
        /// The files, at most a handful.
        paths: Vec<String>,
    },
    /// The branch is checked out in another work tree, which would be left behind.
    #[error("{branch} is checked out in {}; run the command there", path.display())]
    CheckedOutElsewhere {
        /// The branch.
        branch: String,
        /// The other work tree.
        path: PathBuf,
    },
    /// The `git` program cannot be started.
    #[error("cannot run `git`, which is needed to {purpose}; is it installed?")]
    NoGit {
        /// What it was wanted for.
        purpose: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The `git` program said no.
    #[error("cannot {purpose}: {said}")]
    Git {
        /// What it was wanted for.
        purpose: &'static str,
        /// What it said, or that it took too long.
        said: String,
    },
}

impl Error {
    /// Whether somebody else changed the same thing first, so that looking again may help.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Diverged { .. })
    }

    pub(crate) fn read(what: impl Into<String>, source: impl Into<gix::Error>) -> Self {
        Self::Read {
            what: what.into(),
            source: Box::new(source.into()),
        }
    }

    pub(crate) fn write(what: impl Into<String>, source: impl Into<gix::Error>) -> Self {
        Self::Write {
            what: what.into(),
            source: Box::new(source.into()),
        }
    }
}

fn words(id: Option<Id>) -> String {
    id.map_or_else(|| "nothing".to_owned(), |id| id.short())
}
