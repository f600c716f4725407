//! Why a promotion could not even be considered.

use purlin_diag::{Diagnostics, Sources};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What stands in the way before there is a plan, or when it is performed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository or a remote failed, or somebody was faster.
    #[error(transparent)]
    Git(#[from] purlin_git::Error),
    /// What was asked for does not exist.
    #[error("{message}{}", help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
    Misuse {
        /// What does not exist.
        message: String,
        /// What to ask for instead.
        help: Option<String>,
    },
    /// Files in the repository are wrong.
    #[error("the files to promote have {} problems", findings.len())]
    Wrong {
        /// What is wrong, with its places.
        findings: Diagnostics,
        /// The texts those places are in.
        sources: Sources,
    },
    /// This machine cannot run what rendering takes.
    #[error("cannot render the target's claims")]
    Runtime {
        /// Why.
        source: std::io::Error,
    },
    /// The unit changed while it was promoted, so the plan that was shown is not the one that would be performed.
    #[error("{unit} changed in {environment} while it was promoted; look at the plan again")]
    Moved {
        /// The unit.
        unit: String,
        /// Where it changed.
        environment: String,
    },
    /// Pushing the promotion would push commits that have nothing to do with it.
    #[error(
        "{} on {branch} {} not pushed to {remote}; push {}, or use `--no-push` or `--branch NAME`",
        if *commits == 1 { "1 commit".to_owned() } else { format!("{commits} commits") },
        if *commits == 1 { "is" } else { "are" },
        if *commits == 1 { "it" } else { "them" }
    )]
    Unpushed {
        /// The local branch.
        branch: String,
        /// The remote's name and branch.
        remote: String,
        /// How many.
        commits: u64,
    },
    /// Commits that are not pushed change the very unit that would be proposed.
    #[error(
        "{unit} was changed by commits on {branch} that are not pushed to {remote}; push them first, or use `--no-push`"
    )]
    UnpushedUnit {
        /// The unit.
        unit: String,
        /// The local branch.
        branch: String,
        /// The remote's name and branch.
        remote: String,
    },
    /// The branch for the proposal holds something else.
    #[error(
        "branch {branch} exists and holds something else; delete it, or name another with `--branch`"
    )]
    BranchTaken {
        /// The branch.
        branch: String,
    },
}

impl Error {
    /// Whether the branches are not in a state to promote on: somebody else was first, or commits are not pushed.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Git(error) => error.is_conflict(),
            Self::Moved { .. }
            | Self::Unpushed { .. }
            | Self::UnpushedUnit { .. }
            | Self::BranchTaken { .. } => true,
            Self::Misuse { .. } | Self::Wrong { .. } | Self::Runtime { .. } => false,
        }
    }

    pub(crate) fn misuse(message: impl Into<String>, help: Option<String>) -> Self {
        Self::Misuse {
            message: message.into(),
            help,
        }
    }
}
