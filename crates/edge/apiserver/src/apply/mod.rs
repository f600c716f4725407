//! Server-side apply: who owns which field, and what an apply or an update does to that.
//!
//! Mirrors the observable behaviour of sigs.k8s.io/structured-merge-diff v6 and of apimachinery's managedfields:
//! sets of owned paths, a schema that says which lists and maps are merged, comparison, merge, and pruning.

pub(crate) mod conflict;
pub(crate) mod managed;
pub(crate) mod merge;
pub(crate) mod path;
pub(crate) mod set;
pub(crate) mod shape;
pub(crate) mod typed;
pub(crate) mod updater;

#[cfg(test)]
mod tests;
