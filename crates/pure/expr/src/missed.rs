//! What is there at a field or an index that may be missing, and is it missing for good?
//!
//! An expression that says itself what to do without something (`has`, `.?`, `[?…]`, `in`) has a value also while tracked
//! data is not there yet. Whoever asked wants to know, because with that data the value may be another.

use std::rc::Rc;

use crate::ast::{Binary, Node};
use crate::eval::{Got, Machine};
use crate::key::Key;
use crate::outcome::Stop;
use crate::raise::{no_field, pending};
use crate::value::Val;

impl<'a> Machine<'a, '_> {
    pub(crate) fn opt_at(
        &mut self,
        node: &'a Node,
        target: Option<&Val<'a>>,
        index: &Val<'a>,
    ) -> Val<'a> {
        let found = opt_at(target, index);
        if let (Val::Optional(None), Some(target)) = (&found, target) {
            self.note(node, hopes(target));
        }
        found
    }

    /// Notes that something of `root` is missing and done without.
    pub(crate) fn note(&mut self, node: &'a Node, root: Option<&str>) {
        if let (None, Some(root)) = (&self.missed, root)
            && let Stop::Pending(missed) = pending(node, root, None)
        {
            self.missed = Some(*missed);
        }
    }

    pub(crate) fn note_optional(&mut self, node: &'a Node, inner: Option<&Val<'a>>, field: &str) {
        match inner {
            Some(Val::Map(map)) if map.field(field).is_none() => self.note(node, map.hopes()),
            Some(Val::Optional(inner)) => self.note_optional(node, inner.as_deref(), field),
            _ => {}
        }
    }

    /// A key that is not in a tracked map may come.
    pub(crate) fn note_in(
        &mut self,
        node: &'a Node,
        operator: Binary,
        key: &Val<'a>,
        map: &Val<'a>,
    ) {
        if let (Binary::In, Val::Map(map)) = (operator, map)
            && map.hopes().is_some()
            && Key::from_val(key).is_none_or(|key| map.get(&key).is_none())
        {
            self.note(node, map.hopes());
        }
    }
}

/// A list index: the outer `None` for what is no number, the inner for a negative one.
#[expect(
    clippy::option_option,
    reason = "no number, and no place in a list, are two answers"
)]
pub(crate) fn place(index: &Val<'_>) -> Option<Option<usize>> {
    match index {
        Val::Int(i) => Some(usize::try_from(*i).ok()),
        Val::UInt(u) => Some(usize::try_from(*u).ok()),
        Val::Double(d) => crate::value::whole(*d).map(|i| usize::try_from(i).ok()),
        _ => None,
    }
}

pub(crate) fn optional(value: Option<Val<'_>>) -> Val<'_> {
    Val::Optional(value.map(Rc::new))
}

/// The variable that a list or map came from, when something missing in it may still come.
fn hopes<'a>(target: &Val<'a>) -> Option<&'a str> {
    match target {
        Val::Map(map) => map.hopes(),
        Val::List(list) => list.origin(),
        _ => None,
    }
}

/// What has no elements has none at this index either.
pub(crate) fn opt_at<'a>(target: Option<&Val<'a>>, index: &Val<'a>) -> Val<'a> {
    match target {
        Some(Val::List(list)) => optional(place(index).flatten().and_then(|at| list.get(at))),
        Some(Val::Map(map)) => optional(Key::from_val(index).and_then(|key| map.get(&key))),
        _ => Val::Optional(None),
    }
}

/// A field of what an optional holds, which has to be something with fields.
pub(crate) fn strict_field<'a>(node: &Node, inner: Option<&Val<'a>>, field: &str) -> Got<'a> {
    match inner {
        None | Some(Val::Map(_) | Val::Optional(_)) => Ok(opt_field(inner, field)),
        Some(other) => Err(no_field(node, other, field)),
    }
}

pub(crate) fn opt_field<'a>(inner: Option<&Val<'a>>, field: &str) -> Val<'a> {
    match inner {
        Some(Val::Map(map)) => optional(map.field(field)),
        Some(Val::Optional(inner)) => opt_field(inner.as_deref(), field),
        _ => Val::Optional(None),
    }
}
