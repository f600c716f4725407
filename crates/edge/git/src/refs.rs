//! Where branches point, and moving them when they still are where we saw them.

use gix::refs::transaction::{PreviousValue, RefEdit};
use gix::refs::{FullName, Target};

use crate::{Error, Id, Repo, Result};

impl Repo {
    /// The branch `HEAD` names, whether or not it has a commit; none when a commit is checked out by itself.
    pub fn head_branch(&self) -> Result<Option<String>> {
        let name = self
            .gix
            .head_name()
            .map_err(|source| Error::read("HEAD", source))?;
        Ok(name.map(|name| name.shorten().to_string()))
    }

    /// The commit a branch points at.
    pub fn tip(&self, branch: &str) -> Result<Option<Id>> {
        let name = full_name(branch)?;
        let Some(mut reference) = self
            .gix
            .try_find_reference(&name)
            .map_err(|source| Error::read(branch, source))?
        else {
            return Ok(None);
        };
        let id = reference
            .peel_to_id()
            .map_err(|source| Error::read(branch, source))?;
        Ok(Some(Id(id.detach())))
    }

    /// The commit a branch, tag, or any other way to say it, stands for.
    pub fn resolve(&self, revision: &str) -> Result<Id> {
        let peeled = format!("{revision}^{{commit}}");
        self.gix
            .rev_parse_single(peeled.as_str())
            .map(|id| Id(id.detach()))
            .map_err(|source| Error::read(format!("revision `{revision}`"), source))
    }

    /// Moves a branch from `expected` (or from not being there) to `new`, or fails with [`Error::Conflict`] when it is
    /// somewhere else by now. This is the one write that makes a promotion visible.
    pub fn advance(&self, branch: &str, expected: Option<Id>, new: Id, why: &str) -> Result<()> {
        let previous = match expected {
            Some(id) => PreviousValue::MustExistAndMatch(Target::Object(id.0)),
            None => PreviousValue::MustNotExist,
        };
        let line = why.lines().next().unwrap_or_default();
        let edit = RefEdit::update(full_name(branch)?, Target::Object(new.0), previous, line);
        let Err(source) = self.gix.edit_reference(edit) else {
            return Ok(());
        };
        // Which kind of failure it was is read from the ref, not from the words of the error.
        let found = self.tip(branch)?;
        if found == expected {
            return Err(Error::write(branch, source));
        }
        Err(Error::Conflict {
            name: branch.to_owned(),
            expected,
            found,
        })
    }

    /// Whether every commit of `old` is in `new`.
    pub fn is_ancestor(&self, old: Id, new: Id) -> Result<bool> {
        if old == new {
            return Ok(true);
        }
        let base = self
            .gix
            .merge_base(old.0, new.0)
            .map_err(|source| Error::read("the common history", source))?;
        Ok(base.is_some_and(|base| base.detach() == old.0))
    }
}

pub(crate) fn full_name(branch: &str) -> Result<FullName> {
    FullName::try_from(format!("refs/heads/{branch}")).map_err(|_| Error::Path {
        path: branch.to_owned(),
        why: "cannot be the name of a branch",
    })
}
