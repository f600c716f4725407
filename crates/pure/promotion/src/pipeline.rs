//! Which environments there are, and which feeds which.
//!
//! An environment is a folder. Without `.purlin/promotion.yaml`, `dev` feeds `staging` and `staging` feeds `prod`, and any
//! other folder stands for itself.

mod parse;

use std::collections::{BTreeMap, BTreeSet};

use crate::gate::Gate;

/// Where the description of the pipeline is kept in a repository.
pub const PIPELINE_FILE: &str = ".purlin/promotion.yaml";

/// How a promotion into an environment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// By a commit on the branch that is synced.
    #[default]
    Direct,
    /// By a commit on a branch of its own, to be reviewed and merged.
    Proposal,
}

/// One environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// The environments that feed it.
    pub from: Vec<String>,
    /// How promotions into it are made.
    pub mode: Mode,
    /// What must hold before something is promoted into it.
    pub gates: Vec<Gate>,
}

/// The environments of a repository, in the order things flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    root: String,
    environments: BTreeMap<String, Environment>,
    order: Vec<String>,
}

impl Pipeline {
    /// The folder that holds the environments.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The names of the environments, each after those that feed it.
    pub fn order(&self) -> &[String] {
        &self.order
    }

    /// An environment by name.
    pub fn get(&self, name: &str) -> Option<&Environment> {
        self.environments.get(name)
    }

    /// The folder of a unit in an environment.
    pub fn unit_folder(&self, environment: &str, unit: &str) -> String {
        format!("{}/{environment}/{unit}", self.root)
    }

    /// The folder of an environment's claims, which belong to it and are never promoted.
    pub fn claims_folder(&self, environment: &str) -> String {
        format!("{}/{environment}/_claims", self.root)
    }

    /// The pipeline of a repository that does not describe one: `dev` to `staging` to `prod` as far as their folders are
    /// there, and any other folder on its own.
    pub fn standard(folders: &[String]) -> Self {
        let usual = ["dev", "staging", "prod"];
        let mut environments: BTreeMap<String, Environment> = BTreeMap::new();
        let mut before: Option<&str> = None;
        for name in usual
            .into_iter()
            .filter(|name| folders.iter().any(|f| f == name))
        {
            let from = before.map(str::to_owned).into_iter().collect();
            environments.insert(
                name.to_owned(),
                Environment {
                    from,
                    ..Environment::default()
                },
            );
            before = Some(name);
        }
        for folder in folders {
            environments.entry(folder.clone()).or_default();
        }
        let mut order: Vec<String> = environments.keys().cloned().collect();
        order.sort_by_key(|name| {
            let rank = usual.iter().position(|usual| usual == name);
            (rank.unwrap_or(usual.len()), name.clone())
        });
        Self {
            root: "environments".to_owned(),
            environments,
            order,
        }
    }

    fn ordered(
        root: String,
        environments: BTreeMap<String, Environment>,
    ) -> Result<Self, Vec<String>> {
        let mut order: Vec<String> = Vec::new();
        let mut left: BTreeSet<&String> = environments.keys().collect();
        while !left.is_empty() {
            let ready = |name: &&String| {
                let from = environments.get(*name).map(|e| e.from.as_slice());
                from.unwrap_or_default()
                    .iter()
                    .all(|f| order.contains(f) || !environments.contains_key(f))
            };
            let Some(next) = left.iter().copied().find(ready) else {
                return Err(left.into_iter().cloned().collect());
            };
            left.remove(next);
            order.push(next.clone());
        }
        Ok(Self {
            root,
            environments,
            order,
        })
    }
}

/// Whether a folder's name can be that of an environment or a unit. Names that begin with `_` or `.` are set aside for
/// what is not promoted.
pub fn is_subject_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['.', '_']) && !name.contains(['/', '\n', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_folders_feed_each_other_and_the_rest_stand_alone() {
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let pipeline = Pipeline::standard(&names(&["sandbox", "prod", "dev", "staging"]));
        assert_eq!(
            pipeline.order(),
            names(&["dev", "staging", "prod", "sandbox"])
        );
        let from = |name: &str| pipeline.get(name).map(|e| e.from.clone()).unwrap();
        assert_eq!(from("dev"), names(&[]));
        assert_eq!(from("staging"), names(&["dev"]));
        assert_eq!(from("prod"), names(&["staging"]));
        assert_eq!(from("sandbox"), names(&[]));
        let pipeline = Pipeline::standard(&names(&["dev", "prod"]));
        assert_eq!(pipeline.get("prod").unwrap().from, names(&["dev"]));
        assert_eq!(pipeline.unit_folder("dev", "net"), "environments/dev/net");
    }
}
