//! From a plan to a commit that a branch points at.
//!
//! The order makes it safe to be killed anywhere: objects first, which nobody sees; then the remote's branch, which is
//! where promotions meet; then ours; then the checked-out files. Each ref moves only from where it was seen, and a second
//! run finishes what a first one left.

use purlin_git::{Id, Upstream};
use purlin_promotion::{Record, Request, Verdict, Way, message, parse_record, summary};

use crate::gather::{Planned, Promoter, Subject};
use crate::{Error, Result};

/// How often a promotion is tried again on top of what others did meanwhile.
const ATTEMPTS: usize = 5;

/// A promotion that was asked for.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// What moves, and where.
    pub subject: Subject,
    /// For a proposal: the branch to make; none for `promote/<to>/<unit>`.
    pub branch: Option<String>,
    /// Whether to push when there is a remote.
    pub push: bool,
    /// What was said about gates.
    pub request: Request,
    /// What is added to the commit's message.
    pub note: String,
}

/// What a promotion came to.
#[derive(Debug)]
pub struct Outcome {
    /// The plan that was performed, or would have been.
    pub planned: Planned,
    /// What was done.
    pub done: Done,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Nothing: the target already is what the source is.
    Nothing {
        /// Whether a branch or files that a killed run had left behind were brought along.
        caught_up: bool,
        /// The proposal that already holds it.
        proposal: Option<String>,
    },
    /// Nothing: the decision was against it.
    Refused,
    /// It was promoted.
    Promoted {
        /// The commit.
        commit: Id,
        /// The branch that points at it.
        branch: String,
        /// Where it was pushed.
        pushed: Option<String>,
        /// Whether the local branch could not follow the remote, because it was moved meanwhile.
        left_behind: bool,
    },
}

/// Where the branch is, here and at the remote, and what to build on.
struct Seen {
    local: Id,
    upstream: Option<Upstream>,
    remote: Option<Id>,
    base: Id,
    /// How many commits are here that a push would bring along.
    unpushed: u64,
}

impl Promoter {
    /// Promotes a unit. What others push meanwhile is built upon, as long as it leaves this unit alone.
    pub fn run(&self, order: &Order) -> Result<Outcome> {
        let mut digest: Option<String> = None;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let seen = self.look(order)?;
            let planned = self.plan_at(seen.base, &order.subject, &order.request)?;
            let plan = &planned.plan;
            if digest.as_ref().is_some_and(|digest| *digest != plan.digest) {
                let (unit, environment) = (plan.unit.clone(), plan.to.clone());
                return Err(Error::Moved { unit, environment });
            }
            digest = Some(plan.digest.clone());
            let done = match planned.decision.verdict {
                Verdict::Same => self.finish(&seen, &planned),
                Verdict::Blocked | Verdict::Breaking => Ok(Done::Refused),
                Verdict::Ready => match order.request.way {
                    Way::Direct | Way::Configured => self
                        .check_pushed(&seen)
                        .and_then(|()| self.promote(order, &seen, &planned)),
                    Way::Proposal => self.propose(order, &seen, &planned),
                },
            };
            match done {
                Err(Error::Git(error @ purlin_git::Error::Conflict { .. })) => last = Some(error),
                Err(error) => return Err(error),
                Ok(done) => return Ok(Outcome { planned, done }),
            }
        }
        Err(last.map_or_else(
            || Error::Moved {
                unit: order.subject.unit.clone(),
                environment: order.subject.to.clone(),
            },
            Error::Git,
        ))
    }

    fn look(&self, order: &Order) -> Result<Seen> {
        let local = self.tip()?;
        let upstream = if order.push {
            self.repo.upstream(&self.branch)
        } else {
            None
        };
        let remote = match &upstream {
            Some(upstream) => self.repo.fetch(upstream)?,
            None => None,
        };
        let base = match remote {
            Some(remote) if self.repo.is_ancestor(local, remote)? => remote,
            Some(remote) if !self.repo.is_ancestor(remote, local)? => {
                return Err(Error::Git(purlin_git::Error::Diverged {
                    branch: self.branch.clone(),
                    remote: upstream
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                }));
            }
            _ => local,
        };
        let unpushed = match &upstream {
            Some(upstream) if remote != Some(local) && base == local => {
                self.repo.unpushed(upstream, remote, local)?
            }
            _ => 0,
        };
        let mut seen = Seen {
            local,
            upstream,
            remote,
            base,
            unpushed,
        };
        // A proposal can leave out what is not pushed, as long as the unit is the same without it.
        if order.request.way == Way::Proposal && unpushed > 0 {
            seen.base = remote.unwrap_or(local);
            self.check_unit_pushed(&seen, &order.subject)?;
        }
        Ok(seen)
    }

    /// A push takes all commits along that the remote lacks, and nobody asked for those.
    fn check_pushed(&self, seen: &Seen) -> Result<()> {
        match &seen.upstream {
            Some(upstream) if seen.unpushed > 0 => Err(Error::Unpushed {
                branch: self.branch.clone(),
                remote: upstream.to_string(),
                commits: seen.unpushed,
            }),
            _ => Ok(()),
        }
    }

    fn check_unit_pushed(&self, seen: &Seen, subject: &Subject) -> Result<()> {
        let (here, there) = (self.repo.root(seen.local)?, self.repo.root(seen.base)?);
        let (pipeline, _) = self.pipeline(here)?;
        let from = self.route(&pipeline, here, subject)?;
        let mut same = seen.remote.is_some();
        for environment in [&from, &subject.to] {
            let folder = pipeline.unit_folder(environment, &subject.unit);
            same &= self.repo.folder(here, &folder)? == self.repo.folder(there, &folder)?;
        }
        if same {
            return Ok(());
        }
        Err(Error::UnpushedUnit {
            unit: subject.unit.clone(),
            branch: self.branch.clone(),
            remote: seen
                .upstream
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        })
    }

    /// Nothing is left to promote; but a run killed after it pushed has left the local branch behind, and one killed
    /// before the files followed has left those.
    fn finish(&self, seen: &Seen, planned: &Planned) -> Result<Done> {
        let plan = &planned.plan;
        let folder = self.target_folder(seen.base, planned)?;
        let record = parse_record(&self.repo.commit_info(seen.base)?.message);
        let ours = record.is_some_and(|record| record.unit == plan.unit && record.to == plan.to);
        let checked_out = ours && self.repo.is_checked_out(&self.branch)?;
        let caught_up = if ours && seen.unpushed == 0 && seen.local != seen.base {
            if checked_out {
                self.repo.check_follow(seen.local, seen.base)?;
            }
            let why = format!("promote {} to {}", plan.unit, plan.to);
            self.repo
                .advance(&self.branch, Some(seen.local), seen.base, &why)?;
            if checked_out {
                self.repo.follow(seen.local, seen.base)?;
            }
            true
        } else {
            checked_out && self.repo.catch_up(seen.local, &folder)?
        };
        Ok(Done::Nothing {
            caught_up,
            proposal: None,
        })
    }

    fn promote(&self, order: &Order, seen: &Seen, planned: &Planned) -> Result<Done> {
        let folder = self.target_folder(seen.base, planned)?;
        let checked_out = self.repo.is_checked_out(&self.branch)?;
        if checked_out {
            self.repo.check_clean(&folder)?;
        }
        let commit = self.write(order, seen, planned)?;
        if checked_out {
            self.repo.check_follow(seen.local, commit)?;
        }
        let mut pushed = None;
        if let Some(upstream) = &seen.upstream {
            self.repo.push(upstream, seen.remote, commit)?;
            pushed = Some(upstream.to_string());
        }
        let why = format!("promote {} to {}", planned.plan.unit, planned.plan.to);
        let left_behind = match self
            .repo
            .advance(&self.branch, Some(seen.local), commit, &why)
        {
            Ok(()) => false,
            // It is done where it counts; only this clone has to catch up.
            Err(error) if error.is_conflict() && pushed.is_some() => true,
            Err(error) => return Err(error.into()),
        };
        if checked_out && !left_behind {
            self.repo.follow(seen.local, commit)?;
        }
        Ok(Done::Promoted {
            commit,
            branch: self.branch.clone(),
            pushed,
            left_behind,
        })
    }

    fn propose(&self, order: &Order, seen: &Seen, planned: &Planned) -> Result<Done> {
        let plan = &planned.plan;
        let branch = order
            .branch
            .clone()
            .unwrap_or_else(|| format!("promote/{}/{}", plan.to, plan.unit));
        let upstream = seen.upstream.as_ref().map(|main| Upstream {
            remote: main.remote.clone(),
            branch: branch.clone(),
        });
        let remote = match &upstream {
            Some(upstream) => self.repo.fetch(upstream)?,
            None => None,
        };
        let local = self.repo.tip(&branch)?;
        if let Some(existing) = remote.or(local) {
            if !self.holds(existing, planned)?
                || (local.is_some() && remote.is_some() && local != remote)
            {
                return Err(Error::BranchTaken { branch });
            }
            if let (Some(upstream), None) = (&upstream, remote) {
                self.repo.push(upstream, None, existing)?;
            }
            if local.is_none() {
                self.repo
                    .advance(&branch, None, existing, "proposed elsewhere")?;
            }
            return Ok(Done::Nothing {
                caught_up: false,
                proposal: Some(branch),
            });
        }
        let commit = self.write(order, seen, planned)?;
        let mut pushed = None;
        if let Some(upstream) = &upstream {
            self.repo.push(upstream, None, commit)?;
            pushed = Some(upstream.to_string());
        }
        let why = format!("propose {} for {}", plan.unit, plan.to);
        self.repo.advance(&branch, None, commit, &why)?;
        Ok(Done::Promoted {
            commit,
            branch,
            pushed,
            left_behind: false,
        })
    }

    /// Whether a branch's last commit is this very promotion.
    fn holds(&self, tip: Id, planned: &Planned) -> Result<bool> {
        let plan = &planned.plan;
        let record = parse_record(&self.repo.commit_info(tip)?.message);
        Ok(record.is_some_and(|record| {
            record.unit == plan.unit
                && record.to == plan.to
                && record.tree == plan.tree
                && record.base == plan.base
        }))
    }

    /// Writes the commit. Nobody sees it yet.
    fn write(&self, order: &Order, seen: &Seen, planned: &Planned) -> Result<Id> {
        let plan = &planned.plan;
        let folder = self.target_folder(seen.base, planned)?;
        let tree: Id = plan.tree.parse()?;
        let root = self.repo.swap(self.repo.root(seen.base)?, &folder, tree)?;
        let record = Record {
            unit: plan.unit.clone(),
            from: plan.from.clone(),
            to: plan.to.clone(),
            tree: plan.tree.clone(),
            base: plan.base.clone(),
            source_commit: seen.base.to_string(),
            plan: Some(plan.digest.clone()),
            overridden: planned.decision.overridden(),
        };
        let body = format!("{}\n\n{}", order.note.trim(), summary(plan));
        Ok(self
            .repo
            .commit(root, &[seen.base], &message(&record, &body))?)
    }

    fn target_folder(&self, commit: Id, planned: &Planned) -> Result<String> {
        let (pipeline, _) = self.pipeline(self.repo.root(commit)?)?;
        Ok(pipeline.unit_folder(&planned.plan.to, &planned.plan.unit))
    }

    /// The files of the unit in the source environment that are not committed, and so not promoted.
    pub fn uncommitted(&self, planned: &Planned) -> Result<Vec<String>> {
        if !self.repo.is_checked_out(&self.branch).unwrap_or(false) {
            return Ok(Vec::new());
        }
        let (pipeline, _) = self.pipeline(self.repo.root(self.tip()?)?)?;
        let folder = pipeline.unit_folder(&planned.plan.from, &planned.plan.unit);
        Ok(self.repo.uncommitted(&folder)?)
    }
}
