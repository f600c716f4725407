//! One body while it runs: its variables, its instances, and the modules it uses.

use std::borrow::Cow;
use std::cell::RefCell;

use purlin_expr::{Bindings, Pending, Val};

use crate::fill::{Filling, Kept};
use crate::instance::Element;
use crate::plan::{Body, External, ResourcePlan};

/// Stands in a name for the part that is not known.
pub(crate) const ANY: char = '\0';

/// A Blueprint, or one use of a module.
#[derive(Debug)]
pub(crate) struct Frame<'m> {
    pub(crate) body: &'m Body,
    /// What the names of its resources begin with; [`ANY`] in it when it is not known which elements there are.
    pub(crate) prefix: String,
    pub(crate) bindings: Bindings<'m>,
    /// Values of the expressions that are the same everywhere in it.
    pub(crate) kept: RefCell<Vec<Option<Kept<'m>>>>,
    /// Whether all of it is wanted.
    pub(crate) gate: Gate,
    /// By the place of the resource.
    pub(crate) resources: Vec<Instances<Instance<'m>>>,
    /// By the place of the use.
    pub(crate) uses: Vec<Instances<Used<'m>>>,
    /// What outputs of uses wait for: variable, output, and what it is.
    pub(crate) causes: Vec<(&'m str, &'m str, Pending)>,
}

/// Whether something is wanted.
#[derive(Debug, Clone)]
pub(crate) enum Gate {
    Open,
    Shut,
    /// It cannot be told yet.
    Waits(Vec<Pending>),
    /// It is not, as long as this is missing.
    Unsure(Pending),
    /// That is told already.
    Wrong,
}

impl Gate {
    /// Both have to want it.
    pub(crate) fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Wrong, _) | (_, Self::Wrong) => Self::Wrong,
            (Self::Shut, _) | (_, Self::Shut) => Self::Shut,
            (Self::Unsure(why), _) => Self::Unsure(why),
            (_, Self::Unsure(why)) => Self::Unsure(why.clone()),
            (Self::Waits(mut waits), Self::Waits(more)) => {
                waits.extend(more.iter().cloned());
                Self::Waits(waits)
            }
            (Self::Waits(waits), Self::Open) => Self::Waits(waits),
            (Self::Open, other) => other.clone(),
        }
    }
}

/// How many there are of something.
#[derive(Debug)]
pub(crate) enum Instances<T> {
    Known {
        all: Vec<T>,
        /// There may be more, as long as this is missing.
        unsure: Option<Pending>,
        /// What stands for those that may be there too.
        ghost: Option<Box<T>>,
    },
    /// It is not known.
    Waits(Vec<Pending>, Option<Box<T>>),
    /// It is wrong; that is told already.
    Wrong,
}

impl<T> Instances<T> {
    /// Those that are known.
    pub(crate) fn known(&self) -> &[T] {
        match self {
            Self::Known { all, .. } => all,
            Self::Waits(..) | Self::Wrong => &[],
        }
    }

    /// What stands for those that are not known.
    pub(crate) fn ghost(&self) -> Option<&T> {
        match self {
            Self::Known { ghost, .. } | Self::Waits(_, ghost) => ghost.as_deref(),
            Self::Wrong => None,
        }
    }
}

/// One composed resource.
#[derive(Debug)]
pub(crate) struct Instance<'m> {
    /// Its name among the composed resources.
    pub(crate) name: Cow<'m, str>,
    pub(crate) element: Option<Element<'m>>,
    pub(crate) gate: Gate,
}

/// One use of a module that is wanted, or may be.
#[derive(Debug)]
pub(crate) struct Used<'m> {
    pub(crate) frame: Frame<'m>,
}

impl<'m> Frame<'m> {
    /// Whether nothing of it has a name yet.
    pub(crate) fn is_ghost(&self) -> bool {
        self.prefix.contains(ANY)
    }

    /// The name of a resource without an element.
    pub(crate) fn name(&self, name: &'m str) -> Cow<'m, str> {
        if self.prefix.is_empty() {
            Cow::Borrowed(name)
        } else {
            Cow::Owned(format!("{}{name}", self.prefix))
        }
    }

    /// What the value that is kept at a place fills a hole of a form with, if it did before.
    pub(crate) fn filling(&self, slot: usize) -> Option<Filling> {
        self.kept.borrow().get(slot)?.as_ref()?.filling.clone()
    }

    pub(crate) fn keep_filling(&self, slot: usize, filling: &Filling) {
        if let Some(Some(kept)) = self.kept.borrow_mut().get_mut(slot) {
            kept.filling = Some(filling.clone());
        }
    }

    /// What is waited for, in words that mean something outside of this body: its root is empty from then on.
    pub(crate) fn told(&self, pending: Pending) -> Pending {
        if pending.root.is_empty() {
            return pending;
        }
        let cause = self.causes.iter().find(|(variable, output, _)| {
            **variable == pending.root && pending.path.contains(&format!(".{output}"))
        });
        if let Some((_, _, cause)) = cause {
            return cause.clone();
        }
        let root = pending.root.as_str();
        let own = self.body.resources.iter().any(|one| one.variable == root)
            || self.body.requires.iter().any(|one| one.name == root)
            || self.body.uses.iter().any(|one| one.variable == root);
        let path = if own && !self.prefix.is_empty() {
            let prefix = self.prefix.trim_end_matches('-').replace(ANY, "…");
            format!("{prefix}.{}", pending.path)
        } else {
            pending.path
        };
        Pending {
            root: String::new(),
            path,
        }
    }

    /// Everything that is composed here, with what decides about it.
    pub(crate) fn composed(
        &self,
    ) -> impl Iterator<Item = (&'m ResourcePlan, &Instances<Instance<'m>>)> {
        let plans = self.body.resources.iter().zip(&self.resources);
        plans.filter(|(plan, _)| !matches!(plan.external, External::Object))
    }
}

/// A map of maps of values, by the ways to them.
pub(crate) fn nest<'m>(entries: Vec<(&[String], Val<'m>)>) -> Val<'m> {
    type Ways<'e, 'm> = Vec<(&'e [String], Val<'m>)>;
    let mut groups: Vec<(&String, Ways<'_, 'm>)> = Vec::new();
    for (keys, value) in entries {
        let Some((first, rest)) = keys.split_first() else {
            return value;
        };
        match groups.last_mut() {
            Some((key, group)) if *key == first => group.push((rest, value)),
            _ => groups.push((first, vec![(rest, value)])),
        }
    }
    Val::map(
        groups
            .into_iter()
            .map(|(key, group)| (key.clone(), nest(group))),
    )
}

/// Whether `name` is one that `pattern` may stand for, and how much of it is written out.
pub(crate) fn matches(pattern: &str, name: &str) -> Option<usize> {
    let mut parts = pattern.split(ANY);
    let mut rest = name.strip_prefix(parts.next()?)?;
    let parts: Vec<&str> = parts.collect();
    for (at, part) in parts.iter().enumerate() {
        if at + 1 == parts.len() {
            // The last one ends the name, and at least one character stands for what is not known.
            let middle = rest.strip_suffix(part)?;
            if middle.is_empty() {
                return None;
            }
            rest = "";
        } else {
            let found = rest.get(1..)?.find(part)? + 1;
            rest = rest.get(found + part.len()..)?;
        }
    }
    rest.is_empty()
        .then(|| pattern.len() - pattern.matches(ANY).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_with_something_in_their_gaps() {
        for (pattern, name, found) in [
            ("a-\0", "a-b", Some(2)),
            ("a-\0", "a-", None),
            ("a-\0-vpc", "a-x-y-vpc", Some(6)),
            ("a-\0-vpc", "a-vpc", None),
            ("a-\0-s-\0", "a-x-s-y", Some(5)),
            ("a-\0-s-\0", "a-x-t-y", None),
            ("a", "a", Some(1)),
            ("a", "ab", None),
        ] {
            assert_eq!(matches(pattern, name), found, "{pattern:?} {name}");
        }
    }
}
