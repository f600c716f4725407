//! Why has a node no value: in which words, and is it a mistake or something to wait for?

use purlin_diag::nearest;

use crate::ast::{Kind, Node, Span};
use crate::bindings::Bindings;
use crate::deps::{self, Step};
use crate::key::Key;
use crate::list::List;
use crate::map::Map;
use crate::outcome::{Fault, FaultKind, Pending, Raise, Stop};
use crate::value::Val;

pub(crate) fn fault(span: Span, kind: FaultKind, message: String) -> Stop {
    Stop::Fault(Box::new(Fault {
        kind,
        message,
        help: None,
        start: span.start as usize,
        end: span.end as usize,
    }))
}

pub(crate) fn types(span: Span, message: String) -> Stop {
    fault(span, FaultKind::Types, message)
}

pub(crate) fn stop(span: Span, raise: Raise) -> Stop {
    match raise {
        Raise::Types => types(span, "the types do not fit".to_owned()),
        Raise::Fault(kind, message) => fault(span, kind, message),
    }
}

pub(crate) fn no_field(node: &Node, value: &Val<'_>, field: &str) -> Stop {
    types(
        node.span,
        format!("{} has no field `{field}`", value.type_name()),
    )
}

pub(crate) fn unbound(node: &Node, name: &str, bindings: &Bindings<'_>) -> Stop {
    let help = nearest(name, bindings.names()).map(|near| format!("did you mean `{near}`?"));
    Stop::Fault(Box::new(Fault {
        kind: FaultKind::Unbound,
        message: format!("there is no variable `{name}`"),
        help,
        start: node.span.start as usize,
        end: node.span.end as usize,
    }))
}

/// The path that `node` reads, for a message. `root` is the tracked variable.
fn path_of(node: &Node, root: &str) -> String {
    let mut path = root.to_owned();
    let Some((start, steps, _, _)) = deps::chain(node) else {
        return path;
    };
    match &start.kind {
        Kind::Root(name) if **name == *root => {}
        // An element of a comprehension, or a variable that stands for a part: the way there is not known.
        _ => path.push_str("[…]"),
    }
    for step in steps {
        path.push_str(&step.to_string());
    }
    path
}

pub(crate) fn pending(node: &Node, root: &str, key: Option<&str>) -> Stop {
    let mut path = path_of(node, root);
    if let (Some(key), Some(at)) = (key, path.rfind("[…]"))
        && at + "[…]".len() == path.len()
        && matches!(node.kind, Kind::Index(_))
    {
        path.truncate(at);
        path.push_str(&Step::Field(key.to_owned()).to_string());
    }
    Stop::Pending(Box::new(Pending {
        root: root.to_owned(),
        path,
    }))
}

/// A key that is not there: waited for under a tracked variable, a mistake elsewhere.
pub(crate) fn missing(node: &Node, map: &Map<'_>, key: &str) -> Stop {
    if let Some(root) = map.origin() {
        return pending(node, root, Some(key));
    }
    let entries = map.entries().unwrap_or_default();
    let names = entries.iter().filter_map(|(key, _)| match key {
        Key::String(text) => Some(text.as_str()),
        Key::Bool(_) | Key::Int(_) | Key::UInt(_) => None,
    });
    Stop::Fault(Box::new(Fault {
        kind: FaultKind::NoSuchKey,
        message: format!("there is no `{key}` here"),
        help: Some(match nearest(key, names) {
            Some(near) => format!(
                "did you mean `{near}`? If it may be missing, write `.?{key}` with `.orValue(…)`"
            ),
            None => format!("if it may be missing, write `.?{key}` with `.orValue(…)`"),
        }),
        start: node.span.start as usize,
        end: node.span.end as usize,
    }))
}

pub(crate) fn outside(node: &Node, list: &List<'_>, index: &Val<'_>) -> Stop {
    if let Some(root) = list.origin() {
        return pending(node, root, None);
    }
    fault(
        node.span,
        FaultKind::OutOfRange,
        format!(
            "index {} is outside of a list of {}",
            index.show(),
            list.len()
        ),
    )
}
