//! From a repository to a plan.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use purlin_diag::{Diagnostics, Sources, nearest};
use purlin_function::Functions;
use purlin_git::{EntryKind, Id, Limits, Repo};
use purlin_promotion::{
    Decision, Inputs, Matrix, PIPELINE_FILE, Pipeline, Plan, Request, Side, decide, matrix,
};

use crate::folder::Folder;
use crate::preview::{Previews, known_crds, previews};
use crate::survey::{environments, survey, units};
use crate::{Error, Result};

/// A repository with environments in it, on one of its branches.
pub struct Promoter {
    pub(crate) repo: Repo,
    pub(crate) branch: String,
    hosted: Arc<Functions>,
}

impl std::fmt::Debug for Promoter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Promoter")
            .field("repo", &self.repo)
            .field("branch", &self.branch)
            .finish_non_exhaustive()
    }
}

/// What would move, and where.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The unit.
    pub unit: String,
    /// The environment it comes from; none for the one that feeds the target.
    pub from: Option<String>,
    /// The environment it goes to.
    pub to: String,
}

/// A plan, what was decided about it, and what is worth saying about the files.
#[derive(Debug)]
pub struct Planned {
    /// What would be done.
    pub plan: Plan,
    /// Whether it may be.
    pub decision: Decision,
    /// Findings that do not stop it.
    pub findings: Diagnostics,
    /// The texts the findings point into.
    pub sources: Sources,
}

impl Promoter {
    /// Opens the repository that `path` is in, on `branch`, or on the branch that is checked out. Claims are rendered
    /// with the functions that are `hosted` here.
    pub fn open(path: &Path, branch: Option<&str>, hosted: Arc<Functions>) -> Result<Self> {
        let repo = Repo::open(path)?;
        let branch = match branch {
            Some(branch) => branch.to_owned(),
            None => repo.head_branch()?.ok_or_else(|| {
                Error::misuse(
                    "no branch is checked out",
                    Some("name one with `--on`".to_owned()),
                )
            })?,
        };
        Ok(Self {
            repo,
            branch,
            hosted,
        })
    }

    /// The branch whose environments these are.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Where every unit stands.
    pub fn status(&self) -> Result<(Matrix, Diagnostics)> {
        let tip = self.tip()?;
        let (pipeline, findings) = self.pipeline(self.repo.root(tip)?)?;
        let snapshot = survey(&self.repo, tip, pipeline.root())?;
        Ok((matrix(&pipeline, &snapshot), findings))
    }

    /// What promoting a unit would do, on top of the branch as it is here.
    pub fn plan(&self, subject: &Subject, request: &Request) -> Result<Planned> {
        self.plan_at(self.tip()?, subject, request)
    }

    pub(crate) fn tip(&self) -> Result<Id> {
        self.repo
            .tip(&self.branch)?
            .ok_or_else(|| Error::misuse(format!("branch {} has no commit", self.branch), None))
    }

    pub(crate) fn plan_at(
        &self,
        commit: Id,
        subject: &Subject,
        request: &Request,
    ) -> Result<Planned> {
        let root = self.repo.root(commit)?;
        let (pipeline, mut findings) = self.pipeline(root)?;
        let Subject { unit, to, .. } = subject;
        let from = self.route(&pipeline, root, subject)?;
        let (source_path, target_path) = (
            pipeline.unit_folder(&from, unit),
            pipeline.unit_folder(to, unit),
        );
        let mut source = Folder::read(&self.repo, root, &source_path)?;
        let mut target = Folder::read(&self.repo, root, &target_path)?;
        source.check();
        if source.findings.has_errors() {
            return Err(Error::Wrong {
                findings: source.findings,
                sources: source.sources,
            });
        }
        let unreadable = target.as_warnings();
        let claims = self.claims(root, &pipeline.claims_folder(to), (&target, &source))?;
        let tree = |path: &str| -> Result<Option<String>> {
            Ok(self.repo.folder(root, path)?.map(|id| id.to_string()))
        };
        let side = |environment: &str, path: &str, folder: &Folder| -> Result<Side> {
            Ok(Side {
                environment: environment.to_owned(),
                tree: tree(path)?,
                contents: folder.contents.clone(),
            })
        };
        let plan = Plan::new(Inputs {
            unit: unit.clone(),
            commit: commit.to_string(),
            source: side(&from, &source_path, &source)?,
            target: side(to, &target_path, &target)?,
            unreadable,
            unreadable_claims: claims.unreadable,
            rendered: claims.rendered,
            crds: known_crds(&self.repo, root)?,
        });
        let decision = decide(&plan, &pipeline, request);
        findings.extend(source.findings);
        findings.extend(target.findings);
        findings.extend(claims.findings);
        let mut sources = source.sources;
        sources.extend(target.sources);
        sources.extend(claims.sources);
        Ok(Planned {
            plan,
            decision,
            findings,
            sources,
        })
    }

    /// The target's claims, rendered with both sides; there is nothing to render when the sides hold the same.
    fn claims(
        &self,
        root: Id,
        folder: &str,
        (target, source): (&Folder, &Folder),
    ) -> Result<Previews> {
        if target.contents.files == source.contents.files {
            return Ok(Previews::default());
        }
        previews(&self.repo, (root, folder), (target, source), &self.hosted)
    }

    /// The pipeline a commit describes, or the usual one.
    pub(crate) fn pipeline(&self, root: Id) -> Result<(Pipeline, Diagnostics)> {
        let file = self.repo.find(root, PIPELINE_FILE)?;
        let Some(file) = file.filter(|f| matches!(f.kind, EntryKind::File | EntryKind::Program))
        else {
            let folders = environments(&self.repo, root, "environments")?;
            let names: Vec<String> = folders.into_iter().map(|(name, _)| name).collect();
            if names.is_empty() {
                let help = format!(
                    "put each under `environments/<name>/`, or describe them in {PIPELINE_FILE}"
                );
                let message = format!("branch {} has no environments", self.branch);
                return Err(Error::misuse(message, Some(help)));
            }
            return Ok((Pipeline::standard(&names), Diagnostics::new()));
        };
        let bytes = self
            .repo
            .bytes(file.id, Limits::default().file_bytes)
            .map_err(|error| match error {
                purlin_git::Error::TooLarge { limit, .. } => purlin_git::Error::TooLarge {
                    what: PIPELINE_FILE.to_owned(),
                    limit,
                },
                error => error,
            })?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (documents, mut findings) = purlin_yaml::load(PIPELINE_FILE, &text);
        let parsed = documents.first().and_then(|document| {
            let (pipeline, found) = Pipeline::parse(&document.value);
            findings.extend(found.into_iter().map(|finding| {
                let place = finding.path.as_deref().map_or_else(
                    || document.places.start(),
                    |path| {
                        document
                            .places
                            .key(path)
                            .unwrap_or_else(|| document.places.nearest(path))
                    },
                );
                finding.at(place)
            }));
            pipeline
        });
        match parsed {
            Some(pipeline) if !findings.has_errors() => Ok((pipeline, findings)),
            _ => Err(Error::Wrong {
                findings,
                sources: Sources::from([(PIPELINE_FILE.to_owned(), text)]),
            }),
        }
    }

    /// Where the unit comes from, once everything that was asked for is known to exist.
    pub(crate) fn route(&self, pipeline: &Pipeline, root: Id, subject: &Subject) -> Result<String> {
        let Subject { unit, from, to } = subject;
        let known = |name: &str| -> Result<()> {
            if pipeline.get(name).is_some() {
                return Ok(());
            }
            let names = pipeline.order();
            let near = nearest(name, names.iter().map(String::as_str));
            let help = near.map_or_else(
                || format!("there are {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Error::misuse(
                format!("`{name}` is not an environment"),
                Some(help),
            ))
        };
        known(to)?;
        let feeds = pipeline
            .get(to)
            .map(|e| e.from.as_slice())
            .unwrap_or_default();
        let from = match (from, feeds) {
            (Some(from), _) => from.clone(),
            (None, [only]) => only.clone(),
            (None, _) => {
                let message = format!("it is not clear where {to} is fed from");
                return Err(Error::misuse(
                    message,
                    Some("say so with `--from`".to_owned()),
                ));
            }
        };
        known(&from)?;
        if from == *to {
            return Err(Error::misuse(
                "an environment cannot be promoted to itself",
                None,
            ));
        }
        let all = units(&self.repo, root, pipeline.root())?;
        if all.contains_key(&(from.clone(), unit.clone())) {
            return Ok(from);
        }
        if all.contains_key(&(to.clone(), unit.clone())) {
            return Err(only_in_target(&from, subject, pipeline));
        }
        let names: BTreeSet<&str> = all
            .keys()
            .filter(|(environment, _)| *environment == from)
            .map(|(_, unit)| unit.as_str())
            .collect();
        Err(no_unit(&from, unit, &names))
    }
}

fn only_in_target(from: &str, subject: &Subject, pipeline: &Pipeline) -> Error {
    let Subject { unit, to, .. } = subject;
    let help = format!(
        "a promotion does not delete: if it shall go from {to} too, `git rm -r {}` and commit",
        pipeline.unit_folder(to, unit)
    );
    let message = format!("{from} has no unit `{unit}`, only {to} has it");
    Error::misuse(message, Some(help))
}

fn no_unit(from: &str, unit: &str, names: &BTreeSet<&str>) -> Error {
    let help = match nearest(unit, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => format!("{from} has no units"),
        None => {
            let names: Vec<&str> = names.iter().copied().collect();
            format!("there are {}", names.join(", "))
        }
    };
    Error::misuse(format!("{from} has no unit `{unit}`"), Some(help))
}
