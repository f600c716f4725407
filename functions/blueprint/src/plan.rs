//! What does a compiled input look like?

use std::collections::BTreeSet;

use crate::declare::Declared;
use crate::input::{Severity, Target, UsageVersion};
use crate::template::Tree;
use purlin_object::Form;

/// A compiled input.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) body: Body,
    pub(crate) modules: Vec<ModulePlan>,
    pub(crate) environment: Vec<Declared>,
    pub(crate) status: Option<Tree>,
    /// The same as a form, if it can be one.
    pub(crate) status_form: Option<Form>,
    pub(crate) connection: Vec<(String, Tree)>,
    pub(crate) secret: SecretPlan,
    pub(crate) conditions: Vec<ConditionPlan>,
    pub(crate) usages: Option<UsagesPlan>,
}

/// What a Blueprint and a module have in common.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// What is evaluated before the resources, each after everything it reads.
    pub(crate) named: Vec<Named>,
    pub(crate) lets: Vec<(String, Tree)>,
    pub(crate) resources: Vec<ResourcePlan>,
    pub(crate) requires: Vec<RequirePlan>,
    pub(crate) uses: Vec<UsePlan>,
    pub(crate) asserts: Vec<AssertPlan>,
    /// The variables that are read at all.
    pub(crate) reads: BTreeSet<String>,
    /// Those whose connection details are read, or may be.
    pub(crate) connections: BTreeSet<String>,
    /// How many values of expressions are kept while it runs.
    pub(crate) slots: usize,
}

/// A compiled module.
#[derive(Debug)]
pub(crate) struct ModulePlan {
    pub(crate) parameters: Vec<Declared>,
    pub(crate) body: Body,
    pub(crate) outputs: Vec<Output>,
}

/// An output of a module.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) value: Tree,
    /// What its value comes from.
    pub(crate) sources: BTreeSet<Source>,
}

/// Something of a body that a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Resource(usize),
    Parameter(usize),
    /// An output of a use.
    Output(usize, usize),
}

/// Something that is evaluated before the resources, by its place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    Let(usize),
    /// The elements of a resource, and which of them are wanted.
    Resource(usize),
    Use(usize),
}

/// How many there are of something.
#[derive(Debug, Default)]
pub(crate) struct Each {
    /// Variables in the order of their names, with what they take their values from.
    pub(crate) variables: Vec<(String, Tree)>,
    pub(crate) key: Option<Tree>,
    pub(crate) when: Option<Tree>,
    /// The field they stand in, for example `resources[0]`.
    pub(crate) field: String,
}

impl Each {
    /// Whether there may be several.
    pub(crate) fn many(&self) -> bool {
        !self.variables.is_empty()
    }

    /// Whether it is not just always one.
    pub(crate) fn decides(&self) -> bool {
        self.many() || self.when.is_some()
    }

    pub(crate) fn trees(&self) -> impl Iterator<Item = &Tree> {
        let lists = self.variables.iter().map(|(_, list)| list);
        lists.chain(&self.key).chain(&self.when)
    }
}

#[derive(Debug)]
pub(crate) struct ResourcePlan {
    pub(crate) name: String,
    /// Its name in expressions.
    pub(crate) variable: String,
    /// Whether something of the body reads it.
    pub(crate) read: bool,
    pub(crate) each: Each,
    pub(crate) ready: Option<Tree>,
    pub(crate) external: External,
    pub(crate) manifest: Tree,
    /// The same as a form, if it can be one.
    pub(crate) form: Option<Form>,
    /// What is written out of its apiVersion and kind.
    pub(crate) kind: (Option<String>, Option<String>),
    /// What it reads, for usages.
    pub(crate) sources: BTreeSet<Source>,
}

impl ResourcePlan {
    /// Everything that decides whether and how it is composed.
    pub(crate) fn trees(&self) -> impl Iterator<Item = &Tree> {
        let external = match &self.external {
            External::Named { name, .. } => name.as_ref(),
            External::No | External::Object => None,
        };
        self.each.trees().chain([&self.manifest]).chain(external)
    }
}

/// Whose the resource is.
#[derive(Debug)]
pub(crate) enum External {
    /// Ours.
    No,
    /// Somebody else's object in the cluster.
    Object,
    /// Ours, but what it stands for has a name outside of the cluster, or is only looked at.
    Named { name: Option<Tree>, observe: bool },
}

#[derive(Debug)]
pub(crate) struct RequirePlan {
    pub(crate) name: String,
    pub(crate) api_version: Tree,
    pub(crate) kind: Tree,
    pub(crate) namespace: Option<Tree>,
    /// One object by its name; otherwise a list.
    pub(crate) object: Option<Tree>,
    pub(crate) labels: Option<Tree>,
    pub(crate) optional: bool,
    /// The field it stands in.
    pub(crate) field: String,
}

impl RequirePlan {
    pub(crate) fn trees(&self) -> impl Iterator<Item = &Tree> {
        let optional = [&self.namespace, &self.object, &self.labels];
        [&self.api_version, &self.kind]
            .into_iter()
            .chain(optional.into_iter().flatten())
    }
}

#[derive(Debug)]
pub(crate) struct UsePlan {
    pub(crate) name: String,
    pub(crate) variable: String,
    /// The place of the module.
    pub(crate) module: usize,
    pub(crate) each: Each,
    /// A value for every parameter that is given, by the parameter's place.
    pub(crate) with: Vec<(usize, Tree)>,
    /// What the parameters come from, for usages.
    pub(crate) sources: Vec<(usize, BTreeSet<Source>)>,
    /// The variables that these expressions read.
    pub(crate) reads: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct AssertPlan {
    pub(crate) that: Tree,
    pub(crate) message: Tree,
    pub(crate) severity: Severity,
    pub(crate) target: Target,
    pub(crate) field: String,
}

#[derive(Debug)]
pub(crate) struct ConditionPlan {
    pub(crate) kind: String,
    pub(crate) status: Tree,
    pub(crate) reason: Option<Tree>,
    pub(crate) message: Option<Tree>,
    pub(crate) target: Target,
}

#[derive(Debug, Default)]
pub(crate) struct SecretPlan {
    pub(crate) name: Option<Tree>,
    pub(crate) namespace: Option<Tree>,
}

#[derive(Debug)]
pub(crate) struct UsagesPlan {
    pub(crate) inferred: bool,
    /// Pairs of resources: who uses, and whom.
    pub(crate) pairs: Vec<(Place, Place)>,
    pub(crate) version: UsageVersion,
    pub(crate) replay_deletion: bool,
}

/// A resource of the Blueprint or of a module it uses: the uses on the way, and its place there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) uses: Vec<usize>,
    pub(crate) resource: usize,
}
