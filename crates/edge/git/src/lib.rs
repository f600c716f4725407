//! Trees, commits, refs and pushes.
//!
//! Objects are read and written in process, without a work tree, so bare repositories work as normal ones do. Only what
//! gix cannot do yet goes through the `git` program: pushing, fetching, signing, and moving a work tree along.
//! Knows nothing of environments, units or promotions.

mod commit;
mod error;
mod id;
mod process;
mod refs;
mod remote;
mod repo;
mod tree;
mod worktree;

pub use commit::CommitInfo;
pub use error::{Error, Result};
pub use id::Id;
pub use remote::Upstream;
pub use repo::Repo;
pub use tree::{Entry, EntryKind, File, Limits};
