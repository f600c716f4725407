//! Where are the holes of a value, and which expressions fill them?

use std::sync::Arc;

use prost::Message as _;
use purlin_diag::Diagnostic;
use purlin_expr::{Embedded, Part, Problem, Program};
use purlin_object::{Form, Limits, Object, Value, ValueRef};

use crate::compiler::{Compiler, Sees};

/// A value with holes.
#[derive(Debug)]
pub(crate) enum Tree {
    /// No hole at all.
    Fixed(Value),
    /// Exactly one hole: the expression's value keeps its type.
    Hole(Hole),
    /// Holes with text around them: a text.
    Text(Vec<Piece>),
    List(Vec<Tree>),
    /// The members without holes, already encoded, and the others.
    Object(Object, Vec<(String, Tree)>),
}

/// An expression and the field it stands in.
#[derive(Debug)]
pub(crate) struct Hole {
    pub(crate) program: Arc<Program>,
    /// Where its value is kept while a body runs, when it is the same everywhere in the body.
    pub(crate) slot: Option<usize>,
    /// Whether it reads what must never be shown.
    pub(crate) secret: bool,
    /// The field of the input, for example `resources[0].manifest.spec.size`.
    pub(crate) field: String,
}

/// A part of a text.
#[derive(Debug)]
pub(crate) enum Piece {
    Text(String),
    Hole(Hole),
}

impl Tree {
    /// Finds and compiles the holes of `value`, which stands at `field`.
    pub(crate) fn compile(
        value: ValueRef<'_>,
        field: &str,
        sees: &Sees<'_>,
        compiler: &mut Compiler<'_>,
    ) -> Self {
        match value {
            ValueRef::String(text) => string(text, field, sees, compiler),
            ValueRef::List(list) => {
                let items = list.iter().enumerate();
                let items: Vec<Self> = items
                    .map(|(at, item)| {
                        Self::compile(item, &format!("{field}[{at}]"), sees, compiler)
                    })
                    .collect();
                if items.iter().all(Self::is_fixed) && !holds_escape(value) {
                    return Self::Fixed(encoded(value));
                }
                Self::List(items)
            }
            ValueRef::Object(object) => {
                let mut members = Vec::with_capacity(object.len());
                for (key, item) in object {
                    let at = member(field, key);
                    if key.contains("${") {
                        compiler.mistakes.push(
                            Diagnostic::error(
                                "blueprint/hole-in-key",
                                "the name of a field has no holes",
                            )
                            .path(at.clone())
                            .help("give the whole object by one expression: ${ {key: value} }"),
                        );
                    }
                    members.push((key.to_owned(), Self::compile(item, &at, sees, compiler)));
                }
                if members.iter().all(|(_, item)| item.is_fixed()) && !holds_escape(value) {
                    return Self::Fixed(encoded(value));
                }
                let mut fixed = Object::new();
                members.retain(|(key, item)| match item {
                    Self::Fixed(value) => {
                        fixed.insert(key, value.clone());
                        false
                    }
                    _ => true,
                });
                match encoded(ValueRef::Object(fixed.as_ref())) {
                    Value::Object(fixed) => Self::Object(fixed, members),
                    _ => Self::Object(fixed, members),
                }
            }
            ValueRef::Null | ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::Double(_) => {
                Self::Fixed(value.to_owned())
            }
        }
    }

    /// A form of an object that has holes, these numbered as [`Tree::leaves`] gives them.
    pub(crate) fn form(&self) -> Option<Form> {
        let Self::Object(..) = self else {
            return None;
        };
        let (mut base, mut paths) = (Object::new(), Vec::new());
        self.outline(&mut base, &mut Vec::new(), &mut paths);
        Form::new(base.as_ref(), paths)
    }

    /// What of it is fixed, and the ways to its leaves.
    fn outline<'t>(
        &'t self,
        base: &mut Object,
        at: &mut Vec<&'t str>,
        paths: &mut Vec<Vec<&'t str>>,
    ) {
        let Self::Object(fixed, members) = self else {
            return paths.push(at.clone());
        };
        base.clone_from(fixed);
        for (key, item) in members {
            at.push(key);
            if let Self::Object(..) = item {
                item.outline(base.object_mut(key), at, paths);
            } else {
                item.outline(&mut Object::new(), at, paths);
            }
            at.pop();
        }
    }

    /// Calls `visit` for everything in its objects that has to be filled in, until that says no.
    pub(crate) fn leaves<'t>(&'t self, visit: &mut dyn FnMut(&'t Self) -> bool) -> bool {
        match self {
            Self::Object(_, members) => members.iter().all(|(_, item)| item.leaves(visit)),
            leaf => visit(leaf),
        }
    }

    fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// Calls `visit` for every hole.
    pub(crate) fn holes<'t>(&'t self, visit: &mut dyn FnMut(&'t Hole)) {
        match self {
            Self::Fixed(_) => {}
            Self::Hole(hole) => visit(hole),
            Self::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Hole(hole) = piece {
                        visit(hole);
                    }
                }
            }
            Self::List(items) => items.iter().for_each(|item| item.holes(visit)),
            Self::Object(_, members) => members.iter().for_each(|(_, item)| item.holes(visit)),
        }
    }

    /// The same, to change them.
    pub(crate) fn holes_mut(&mut self, visit: &mut dyn FnMut(&mut Hole)) {
        match self {
            Self::Fixed(_) => {}
            Self::Hole(hole) => visit(hole),
            Self::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Hole(hole) = piece {
                        visit(hole);
                    }
                }
            }
            Self::List(items) => items.iter_mut().for_each(|item| item.holes_mut(visit)),
            Self::Object(_, members) => {
                for (_, item) in members {
                    item.holes_mut(visit);
                }
            }
        }
    }
}

/// The value in the bytes it is written as, so that nothing of it is made again when it is used.
fn encoded(value: ValueRef<'_>) -> Value {
    let around = Object::from_iter([("", value)]);
    let bytes = around.encode_to_vec();
    match Object::from_wire(bytes, Limits::default()) {
        Ok(around) => around.get("").map_or(Value::Null, ValueRef::to_owned),
        // Deeper than what comes over a wire: it stays as it was read.
        Err(_) => value.to_owned(),
    }
}

/// Whether an escaped `$${` is somewhere inside: then the value is not what it looks like.
fn holds_escape(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::String(text) => text.contains("$${"),
        ValueRef::List(list) => list.iter().any(holds_escape),
        ValueRef::Object(object) => object.iter().any(|(_, item)| holds_escape(item)),
        ValueRef::Null | ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::Double(_) => false,
    }
}

fn string(text: &str, field: &str, sees: &Sees<'_>, compiler: &mut Compiler<'_>) -> Tree {
    let fixed = || Tree::Fixed(Value::String(text.to_owned()));
    if !text.contains("${") {
        return fixed();
    }
    let embedded = match Embedded::parse(text) {
        Ok(embedded) => embedded,
        Err(problems) => {
            compiler.mistakes.extend(
                problems
                    .iter()
                    .map(|problem| told(problem, text, field).within(problem.start, problem.end)),
            );
            return fixed();
        }
    };
    let mut whole = true;
    let mut pieces = Vec::with_capacity(embedded.parts.len());
    for part in embedded.parts {
        match part {
            Part::Text(text) => pieces.push(Piece::Text(text.into_owned())),
            Part::Hole(hole) => match compiler.hole(hole, field, sees) {
                Some(hole) => pieces.push(Piece::Hole(hole)),
                None => whole = false,
            },
        }
    }
    if !whole {
        return fixed();
    }
    if pieces.len() == 1 {
        return match pieces.remove(0) {
            Piece::Hole(hole) => Tree::Hole(hole),
            Piece::Text(text) => Tree::Fixed(Value::String(text)),
        };
    }
    Tree::Text(pieces)
}

/// A problem of an expression, with the field and the part of the expression it is about.
pub(crate) fn told(problem: &Problem, source: &str, field: &str) -> Diagnostic {
    let part = source
        .get(problem.start..problem.end.min(source.len()))
        .unwrap_or("")
        .trim();
    let mut diagnostic = problem.diagnostic().path(field);
    if !part.is_empty() && part.len() <= 120 && !problem.message.contains(part) {
        diagnostic.message = format!("{} in `{part}`", problem.message);
    } else {
        let column = source
            .get(..problem.start.min(source.len()))
            .unwrap_or(source)
            .chars()
            .count()
            + 1;
        diagnostic.message = format!(
            "{} at character {column} of `{}`",
            problem.message,
            shortened(source)
        );
    }
    diagnostic
}

fn shortened(source: &str) -> String {
    let source = source.trim();
    match source.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", source.get(..at).unwrap_or("")),
        None => source.to_owned(),
    }
}

/// The path of a member: `a.b`, or `a["b.c"]` when the name has characters that a path gives a meaning.
pub(crate) fn member(parent: &str, name: &str) -> String {
    if name.is_empty() || name.contains(['.', '[', ']', '"']) {
        format!("{parent}[{name:?}]")
    } else if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}
