//! Reads where every unit stands, and stood, from tree ids alone: no file is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use purlin_git::{EntryKind, Id, Repo};
use purlin_promotion::{Promotion, Snapshot, is_subject_name, parse_record};

use crate::Result;

/// How far back a unit's lineage is followed.
const COMMITS: usize = 2_000;

/// The folders of the environments' root that can be environments.
pub(crate) fn environments(repo: &Repo, root: Id, folder: &str) -> Result<Vec<(String, Id)>> {
    let Some(tree) = repo.folder(root, folder)? else {
        return Ok(Vec::new());
    };
    Ok(subjects(repo, tree)?)
}

/// Reads the units of every environment in a commit, and their history.
pub(crate) fn survey(repo: &Repo, tip: Id, folder: &str) -> Result<Snapshot> {
    let mut snapshot = Snapshot {
        trees: units(repo, repo.root(tip)?, folder)?,
        ..Snapshot::default()
    };
    let (mut seen, mut seen_environments) = (BTreeSet::new(), BTreeSet::new());
    repo.history(tip, COMMITS, |commit| {
        if let Some(record) = parse_record(&commit.message) {
            snapshot.promotions.push(Promotion {
                commit: commit.id.to_string(),
                time: commit.time.clone(),
                author: commit.author.clone(),
                record,
            });
        }
        // Most commits leave the environments alone, and an equal tree has nothing new.
        if let Some(tree) = repo.folder(commit.root, folder)?
            && seen.insert(tree)
        {
            for (name, environment) in subjects(repo, tree)? {
                if !seen_environments.insert((name.clone(), environment)) {
                    continue;
                }
                for (unit, id) in subjects(repo, environment)? {
                    let history = snapshot.histories.entry((name.clone(), unit)).or_default();
                    history.insert(id.to_string());
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(snapshot)
}

/// The tree of every unit in every environment.
pub(crate) fn units(
    repo: &Repo,
    root: Id,
    folder: &str,
) -> Result<BTreeMap<(String, String), String>> {
    let mut trees = BTreeMap::new();
    for (name, environment) in environments(repo, root, folder)? {
        for (unit, id) in subjects(repo, environment)? {
            trees.insert((name.clone(), unit), id.to_string());
        }
    }
    Ok(trees)
}

fn subjects(repo: &Repo, tree: Id) -> Result<Vec<(String, Id)>, purlin_git::Error> {
    let entries = repo.entries(tree)?.into_iter();
    Ok(entries
        .filter(|entry| entry.kind == EntryKind::Folder && is_subject_name(&entry.name))
        .map(|entry| (entry.name, entry.id))
        .collect())
}
