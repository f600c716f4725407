//! Moves ownership of fields between managers when somebody applies or updates.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::managed::ManagerId;
use super::set::Set;
use super::shape::Shape;
use super::{merge, typed};

/// What one manager owns, in the version it used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Owned {
    pub set: Set,
    pub version: String,
}

/// Every manager and what it owns.
pub(crate) type Managers = BTreeMap<ManagerId, Owned>;

/// What somebody else owns and the applier wants differently, per manager.
pub(crate) type Conflicts = BTreeMap<ManagerId, Set>;

/// What the schema of the request's version says.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub shape: Arc<Shape>,
    pub version: String,
    /// Paths nobody owns through this endpoint.
    pub ignored: Set,
    /// What an object is before it is created, besides its type.
    pub empty: Value,
}

/// Reconciles the sets with a schema in which a field became atomic.
fn reconcile(rules: &Rules, managers: &mut Managers) {
    for owned in managers.values_mut() {
        owned.set = owned.set.reconciled(Some(&rules.shape));
    }
}

/// The outcome of an apply: the new object, or `None` when it is as it was.
pub(crate) struct Applied {
    pub object: Value,
    pub managers: Managers,
}

/// Applies `config` to `live` for a manager.
pub(crate) fn apply(
    rules: &Rules,
    live: &Value,
    config: &Value,
    mut managers: Managers,
    who: (&ManagerId, bool),
) -> Result<Applied, Conflicts> {
    let (manager, force) = who;
    reconcile(rules, &mut managers);
    let merged = merge::merge(&rules.shape, live, config);
    let set = typed::paths(&rules.shape, config).without(&rules.ignored);
    let owned = Owned {
        set,
        version: rules.version.clone(),
    };
    let last = managers.insert(manager.clone(), owned.clone());
    let object = match last {
        // Who applies the same fields again gives none up.
        Some(last) if !last.set.is_empty() && last.set != owned.set => {
            prune(rules, &merged, &last.set, &managers)
        }
        _ => merged,
    };
    let object = if object.is_null() {
        Value::Object(Map::new())
    } else {
        object
    };
    take_over(rules, live, &object, &mut managers, (manager, force))?;
    Ok(Applied { object, managers })
}

/// Removes what the manager applied last time and does not any more, unless somebody else has it.
fn prune(rules: &Rules, merged: &Value, last: &Set, managers: &Managers) -> Value {
    let shape = &rules.shape;
    let named = |set: &Set| set.with_named_fields(Some(shape));
    let pruned = merge::remove(shape, merged, &named(last));
    let all = managers
        .values()
        .fold(Set::default(), |all, owned| all.union(&owned.set));
    let merged_paths = named(&typed::paths(shape, merged));
    let kept = named(&typed::paths(shape, &pruned)).union(&named(&all));
    let pruned = merge::remove(shape, merged, &merged_paths.difference(&kept));
    // What nobody owned before is nobody's to remove.
    let kept = named(&typed::paths(shape, &pruned));
    let gone = merged_paths.difference(&kept).intersection(&named(last));
    merge::remove(shape, merged, &gone)
}

fn take_over(
    rules: &Rules,
    old: &Value,
    new: &Value,
    managers: &mut Managers,
    who: (&ManagerId, bool),
) -> Result<typed::Comparison, Conflicts> {
    let (manager, force) = who;
    let comparison = typed::compare(&rules.shape, old, new).without(&rules.ignored);
    let touched = comparison.touched();
    let mut conflicts = Conflicts::new();
    for (other, owned) in managers.iter().filter(|(other, _)| *other != manager) {
        let contested = owned.set.intersection(&touched);
        if !contested.is_empty() {
            conflicts.insert(other.clone(), contested);
        }
    }
    if !force && !conflicts.is_empty() {
        return Err(conflicts);
    }
    for (other, owned) in managers.iter_mut().filter(|(other, _)| *other != manager) {
        if let Some(contested) = conflicts.get(other) {
            owned.set = owned.set.difference(contested);
        }
        owned.set = owned.set.difference(&comparison.removed);
    }
    managers.retain(|_, owned| !owned.set.is_empty());
    Ok(comparison)
}

/// Records that a manager changed `live` into `new` by anything but an apply.
pub(crate) fn update(
    rules: &Rules,
    live: &Value,
    new: &Value,
    mut managers: Managers,
    manager: &ManagerId,
) -> Managers {
    reconcile(rules, &mut managers);
    let Ok(comparison) = take_over(rules, live, new, &mut managers, (manager, true)) else {
        return managers;
    };
    let previous = managers
        .remove(manager)
        .map(|owned| owned.set)
        .unwrap_or_default();
    let set = previous
        .difference(&comparison.removed)
        .union(&comparison.touched())
        .without(&rules.ignored);
    if !set.is_empty() {
        let version = rules.version.clone();
        managers.insert(manager.clone(), Owned { set, version });
    }
    managers
}
