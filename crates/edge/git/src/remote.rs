//! A branch's counterpart at a remote: where it is, and moving it when it still is there.

use gix::bstr::ByteSlice as _;

use crate::{Error, Id, Repo, Result};

/// Where a branch is pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote's name, for example `origin`.
    pub remote: String,
    /// The branch's name there.
    pub branch: String,
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.remote, self.branch)
    }
}

impl Repo {
    /// Where `branch` is pushed to: what its configuration says, else the same name at `remote.pushDefault`, at
    /// `origin`, or at the only remote. None when there is no remote.
    pub fn upstream(&self, branch: &str) -> Option<Upstream> {
        let config = self.gix.config_snapshot();
        let string = |key: &str| {
            config
                .string(key)
                .and_then(|value| value.to_str().map(str::to_owned).ok())
        };
        let names = self.gix.remote_names();
        let known = |name: &String| {
            names
                .iter()
                .any(|known| known.as_bytes() == name.as_bytes())
        };
        let only = || match names.iter().next() {
            Some(only) if names.len() == 1 => Some(only.to_string()),
            _ => None,
        };
        let own = string(&format!("branch.{branch}.remote")).filter(known);
        let merge = string(&format!("branch.{branch}.merge"))
            .and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned))
            .filter(|_| own.is_some());
        let remote = own
            .or_else(|| string("remote.pushDefault").filter(known))
            .or_else(|| Some("origin".to_owned()).filter(known))
            .or_else(only)?;
        Some(Upstream {
            remote,
            branch: merge.unwrap_or_else(|| branch.to_owned()),
        })
    }

    /// Where the branch is at the remote right now; its commits are fetched when they are not here yet. No ref of ours
    /// moves.
    pub fn fetch(&self, upstream: &Upstream) -> Result<Option<Id>> {
        let Some(tip) = self.remote_tip(upstream)? else {
            return Ok(None);
        };
        if !self.gix.has_object(tip.0) {
            let name = format!("refs/heads/{}", upstream.branch);
            let args = [
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--",
                &upstream.remote,
                &name,
            ];
            self.git("fetch from the remote", &args)?;
        }
        Ok(Some(tip))
    }

    /// How many commits of `local` a push would bring along: those the remote's branch lacks, or, when it has no such
    /// branch, those that none of its branches we know of has.
    pub fn unpushed(&self, upstream: &Upstream, remote: Option<Id>, local: Id) -> Result<u64> {
        let purpose = "count the commits that are not pushed";
        let there = remote.map_or_else(
            || format!("--remotes={}", upstream.remote),
            |remote| remote.to_string(),
        );
        let local = local.to_string();
        let said = self.git(purpose, &["rev-list", "--count", &local, "--not", &there])?;
        said.trim().parse().map_err(|_| Error::Git {
            purpose,
            said: format!("`git rev-list` answered `{}`", said.trim()),
        })
    }

    fn remote_tip(&self, upstream: &Upstream) -> Result<Option<Id>> {
        let purpose = "ask the remote";
        let name = format!("refs/heads/{}", upstream.branch);
        let said = self.git(
            purpose,
            &["ls-remote", "--quiet", "--", &upstream.remote, &name],
        )?;
        said.lines()
            .filter_map(|line| line.split_once('\t'))
            .find(|(_, listed)| *listed == name)
            .map(|(id, _)| {
                id.parse().map_err(|_| Error::Git {
                    purpose,
                    said: format!("`git ls-remote` answered `{id}`"),
                })
            })
            .transpose()
    }

    /// Moves the branch at the remote from `expected` (or from not being there) to `new`, or fails with
    /// [`Error::Conflict`] when somebody moved it meanwhile. Never overwrites what others pushed.
    pub fn push(&self, upstream: &Upstream, expected: Option<Id>, new: Id) -> Result<()> {
        let name = format!("refs/heads/{}", upstream.branch);
        let old = expected.map(|id| id.to_string()).unwrap_or_default();
        let lease = format!("--force-with-lease={name}:{old}");
        let what = format!("{new}:{name}");
        let args = ["push", "--quiet", &lease, "--", &upstream.remote, &what];
        let Err(error) = self.git("push", &args) else {
            return Ok(());
        };
        // The words of a refusal differ between servers, so the remote is asked where it is instead.
        let found = self.remote_tip(upstream)?;
        if found == Some(new) {
            return Ok(());
        }
        if found == expected {
            return Err(error);
        }
        Err(Error::Conflict {
            name: upstream.to_string(),
            expected,
            found,
        })
    }
}
