//! Which resources are served: the built-in ones and those of the custom resource definitions.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::custom::Custom;
use crate::kinds::{self, Builtin};
use crate::store::KindId;

/// What serves a resource.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Builtin(&'static Builtin),
    Custom(Arc<Custom>),
}

/// One resource in one version, as discovery shows it.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub list_kind: String,
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub namespaced: bool,
    /// The kind's name in the store.
    pub id: KindId,
    pub source: Source,
}

impl Resource {
    /// `group/version`, or the version alone in the core group.
    pub(crate) fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }

    pub(crate) fn custom(&self) -> Option<&Arc<Custom>> {
        match &self.source {
            Source::Custom(custom) => Some(custom),
            Source::Builtin(_) => None,
        }
    }

    pub(crate) fn builtin(&self) -> Option<&'static Builtin> {
        match &self.source {
            Source::Builtin(builtin) => Some(builtin),
            Source::Custom(_) => None,
        }
    }

    /// The verbs of the resource itself.
    pub(crate) fn verbs(&self) -> &'static [&'static str] {
        match &self.source {
            Source::Builtin(builtin) => builtin.verbs,
            Source::Custom(custom) if custom.terminating => &[
                "delete",
                "deletecollection",
                "get",
                "list",
                "update",
                "watch",
            ],
            Source::Custom(_) => &[
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "create",
                "update",
                "watch",
            ],
        }
    }

    pub(crate) fn has_status(&self) -> bool {
        match &self.source {
            Source::Builtin(builtin) => builtin.status,
            Source::Custom(custom) => custom.status,
        }
    }
}

/// `group/version`, or the version alone in the core group.
pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

/// The groups in the order discovery lists them, each with its versions, the preferred one first.
pub(crate) type Groups = Vec<(String, Vec<(String, Vec<Arc<Resource>>)>)>;

/// An immutable picture of everything served.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    resources: BTreeMap<(String, String, String), Arc<Resource>>,
    /// Counts the pictures; part of the ETag of discovery documents.
    pub edition: u64,
}

impl Catalog {
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.resources
            .get(&(group.to_owned(), version.to_owned(), plural.to_owned()))
    }

    /// Any served version of a kind.
    pub(crate) fn find_kind(&self, group: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.resources
            .values()
            .find(|r| r.group == group && r.kind == kind)
    }

    /// Any served version of a kind in the store.
    pub(crate) fn find_id(&self, id: &str) -> Option<&Arc<Resource>> {
        self.resources.values().find(|r| &*r.id == id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.values()
    }

    pub(crate) fn groups(&self) -> Groups {
        let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<Arc<Resource>>>> = BTreeMap::new();
        for resource in self.resources.values() {
            groups
                .entry(&resource.group)
                .or_default()
                .entry(&resource.version)
                .or_default()
                .push(resource.clone());
        }
        let ordered = groups.into_iter().map(|(group, versions)| {
            let mut versions: Vec<(String, Vec<Arc<Resource>>)> = versions
                .into_iter()
                .map(|(v, r)| (v.to_owned(), r))
                .collect();
            versions.sort_by(|a, b| rank(&b.0).cmp(&rank(&a.0)).then_with(|| a.0.cmp(&b.0)));
            (group.to_owned(), versions)
        });
        ordered.collect()
    }
}

/// How preferred a version name is: GA before beta before alpha, then the larger numbers; other names come last.
pub(crate) fn rank(version: &str) -> (u8, u64, u64) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (major, stage) = rest.split_at(digits);
        let major: u64 = major.parse().ok()?;
        if stage.is_empty() {
            return Some((3, major, 0));
        }
        for (word, rank) in [("beta", 2), ("alpha", 1)] {
            if let Some(minor) = stage.strip_prefix(word) {
                let minor = if minor.is_empty() {
                    0
                } else {
                    minor.parse().ok()?
                };
                return Some((rank, major, minor));
            }
        }
        None
    };
    parse().unwrap_or((0, 0, 0))
}

/// The current catalog, replaced as a whole.
#[derive(Debug)]
pub(crate) struct Registry {
    current: RwLock<Arc<Catalog>>,
}

impl Default for Registry {
    fn default() -> Self {
        let registry = Self {
            current: RwLock::default(),
        };
        registry.publish(Vec::new());
        registry
    }
}

impl Registry {
    pub(crate) fn current(&self) -> Arc<Catalog> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces the custom resources served.
    pub(crate) fn publish(&self, custom: Vec<Resource>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let resources = kinds::resources()
            .into_iter()
            .chain(custom)
            .map(|resource| {
                let key = (
                    resource.group.clone(),
                    resource.version.clone(),
                    resource.plural.clone(),
                );
                (key, Arc::new(resource))
            });
        *current = Arc::new(Catalog {
            resources: resources.collect(),
            edition: current.edition + 1,
        });
    }
}
