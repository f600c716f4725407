//! Where every unit stands in every environment, told from the identity of its folder.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::pipeline::Pipeline;
use crate::trailer::Record;

/// How a unit in one environment relates to the environment that feeds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Nothing feeds this environment: changes are made here.
    Source,
    /// Equal to the environment that feeds it.
    Same,
    /// What stands here once stood upstream, which moved on: there is something to promote.
    Behind,
    /// What stands upstream once stood here: this environment was changed on its own.
    Ahead,
    /// Neither is an earlier state of the other.
    Differs,
    /// Not here, but upstream: there is something to promote.
    Missing,
    /// Here, but not upstream.
    Alone,
    /// Neither here nor upstream.
    Absent,
}

impl State {
    /// The word people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Same => "same",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
            Self::Differs => "differs",
            Self::Missing => "missing",
            Self::Alone => "only here",
            Self::Absent => "-",
        }
    }
}

/// A promotion found in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// The commit.
    pub commit: String,
    /// When it was made, as ISO 8601.
    pub time: String,
    /// Who made it.
    pub author: String,
    /// What it did.
    #[serde(flatten)]
    pub record: Record,
}

/// What was read from a repository: identities only, no contents.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The tree of each unit, by environment and unit.
    pub trees: BTreeMap<(String, String), String>,
    /// The trees each unit ever had there, by environment and unit.
    pub histories: BTreeMap<(String, String), BTreeSet<String>>,
    /// The promotions in the history, newest first.
    pub promotions: Vec<Promotion>,
}

/// One unit in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// The environment.
    pub environment: String,
    /// The tree of the unit's folder; none when it is not there.
    pub tree: Option<String>,
    /// How it relates to what feeds it.
    pub state: State,
    /// The environment it was compared with.
    pub upstream: Option<String>,
    /// The other environments with the same tree.
    pub equal_to: Vec<String>,
    /// The last promotion into this cell.
    pub last_promotion: Option<Promotion>,
}

/// One unit across all environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The unit.
    pub unit: String,
    /// One cell for each environment, in the pipeline's order.
    pub cells: Vec<Cell>,
}

/// Every unit in every environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matrix {
    /// The environments, in the order things flow.
    pub environments: Vec<String>,
    /// The units, by name.
    pub units: Vec<Row>,
}

/// Works out the matrix.
pub fn matrix(pipeline: &Pipeline, snapshot: &Snapshot) -> Matrix {
    let units: BTreeSet<&String> = snapshot.trees.keys().map(|(_, unit)| unit).collect();
    let row = |unit: &String| Row {
        unit: unit.clone(),
        cells: pipeline
            .order()
            .iter()
            .map(|environment| cell(pipeline, snapshot, environment, unit))
            .collect(),
    };
    Matrix {
        environments: pipeline.order().to_vec(),
        units: units.into_iter().map(row).collect(),
    }
}

fn cell(pipeline: &Pipeline, snapshot: &Snapshot, environment: &str, unit: &str) -> Cell {
    let key = |environment: &str| (environment.to_owned(), unit.to_owned());
    let tree_in = |environment: &str| snapshot.trees.get(&key(environment));
    let tree = tree_in(environment);
    let from = pipeline
        .get(environment)
        .map(|e| e.from.as_slice())
        .unwrap_or_default();
    let upstream = from
        .iter()
        .find(|from| tree.is_some() && tree_in(from) == tree)
        .or_else(|| from.iter().find(|from| tree_in(from).is_some()))
        .or_else(|| from.first());
    let was_in = |environment: &str, tree: &str| {
        let history = snapshot.histories.get(&key(environment));
        history.is_some_and(|history| history.contains(tree))
    };
    let state = match (
        tree,
        upstream,
        upstream.and_then(|upstream| tree_in(upstream)),
    ) {
        (Some(_), None, _) => State::Source,
        (Some(here), _, Some(there)) if here == there => State::Same,
        (Some(here), Some(upstream), Some(_)) if was_in(upstream, here) => State::Behind,
        (Some(_), Some(_), Some(there)) if was_in(environment, there) => State::Ahead,
        (Some(_), Some(_), Some(_)) => State::Differs,
        (Some(_), Some(_), None) => State::Alone,
        (None, _, Some(_)) => State::Missing,
        (None, _, None) => State::Absent,
    };
    Cell {
        environment: environment.to_owned(),
        tree: tree.cloned(),
        state,
        upstream: upstream.cloned(),
        equal_to: pipeline
            .order()
            .iter()
            .filter(|other| *other != environment && tree.is_some() && tree_in(other) == tree)
            .cloned()
            .collect(),
        last_promotion: snapshot
            .promotions
            .iter()
            .find(|p| p.record.to == environment && p.record.unit == unit)
            .cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(trees: &[(&str, &str)], histories: &[(&str, &[&str])]) -> Vec<&'static str> {
        let folders = ["dev", "staging", "prod"].map(str::to_owned);
        let key = |environment: &str| (environment.to_owned(), "net".to_owned());
        let snapshot = Snapshot {
            trees: trees
                .iter()
                .map(|(env, tree)| (key(env), (*tree).to_owned()))
                .collect(),
            histories: histories
                .iter()
                .map(|(env, trees)| (key(env), trees.iter().map(|t| (*t).to_owned()).collect()))
                .collect(),
            promotions: Vec::new(),
        };
        let matrix = matrix(&Pipeline::standard(&folders), &snapshot);
        let cells = matrix.units.into_iter().flat_map(|row| row.cells);
        cells.map(|cell| cell.state.word()).collect()
    }

    #[test]
    fn states_are_told_from_trees_and_their_history() {
        let old: &[(&str, &[&str])] = &[
            ("dev", &["3", "2", "1"]),
            ("staging", &["2", "1"]),
            ("prod", &["9"]),
        ];
        assert_eq!(
            states(&[("dev", "3"), ("staging", "2"), ("prod", "2")], old),
            ["source", "behind", "same"]
        );
        assert_eq!(
            states(&[("dev", "3"), ("staging", "3")], old),
            ["source", "same", "missing"]
        );
        assert_eq!(
            states(&[("dev", "2"), ("staging", "5"), ("prod", "9")], old),
            ["source", "ahead", "differs"]
        );
        assert_eq!(states(&[("prod", "9")], old), ["-", "-", "only here"]);
    }

    #[test]
    fn equal_environments_and_the_last_promotion_are_named() {
        let key = |environment: &str| (environment.to_owned(), "net".to_owned());
        let promotion = |commit: &str, to: &str| Promotion {
            commit: commit.to_owned(),
            time: "2026-11-21T12:00:00+00:00".to_owned(),
            author: "Ada".to_owned(),
            record: Record {
                unit: "net".to_owned(),
                from: "dev".to_owned(),
                to: to.to_owned(),
                tree: "1".to_owned(),
                base: None,
                source_commit: "c".to_owned(),
                plan: None,
                overridden: Vec::new(),
            },
        };
        let snapshot = Snapshot {
            trees: ["dev", "staging", "prod"]
                .map(|env| (key(env), "1".to_owned()))
                .into(),
            promotions: vec![promotion("new", "staging"), promotion("old", "staging")],
            ..Snapshot::default()
        };
        let pipeline = Pipeline::standard(&["dev", "staging", "prod"].map(str::to_owned));
        let cells = &matrix(&pipeline, &snapshot).units[0].cells;
        assert_eq!(cells[1].equal_to, ["dev", "prod"]);
        assert_eq!(cells[1].last_promotion.as_ref().unwrap().commit, "new");
        assert!(cells[2].last_promotion.is_none());
    }
}
