//! What does a compiled input look like?

use crate::template::Tree;

/// A compiled input.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Values and lists of elements, each after everything it reads.
    pub(crate) named: Vec<Named>,
    pub(crate) resources: Vec<ResourcePlan>,
    pub(crate) requires: Vec<RequirePlan>,
    pub(crate) status: Option<Tree>,
    pub(crate) connection: Vec<(String, Tree)>,
    pub(crate) asserts: Vec<AssertPlan>,
}

/// Something that is evaluated before the resources.
#[derive(Debug)]
pub(crate) enum Named {
    Let(String, Tree),
    /// The elements of the resource at this place.
    Elements(usize),
}

#[derive(Debug)]
pub(crate) struct ResourcePlan {
    pub(crate) name: String,
    /// Its name in expressions.
    pub(crate) variable: String,
    pub(crate) for_each: Option<(String, Tree)>,
    pub(crate) when: Option<Tree>,
    pub(crate) ready: Option<Tree>,
    pub(crate) external: bool,
    pub(crate) manifest: Tree,
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
}

#[derive(Debug)]
pub(crate) struct AssertPlan {
    pub(crate) that: Tree,
    pub(crate) message: Tree,
}
