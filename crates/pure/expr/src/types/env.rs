//! What is checked against what: the variables of an expression, and what is wanted of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use purlin_schema::{Kind, Schema};

use super::{Checker, Dialect, Ty};
use crate::{Embedded, Problem, Program};

/// The variables of an expression and their types.
#[derive(Debug, Clone, Default)]
pub struct Env<'s> {
    by_name: BTreeMap<Cow<'s, str>, Ty<'s>>,
    outer: Option<&'s Env<'s>>,
}

impl<'s> Env<'s> {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// No variables but those of `outer`, which new ones hide.
    pub fn inside(outer: &'s Env<'s>) -> Self {
        Self {
            by_name: BTreeMap::new(),
            outer: Some(outer),
        }
    }

    /// Declares a variable; a later one of the same name wins.
    pub fn set(&mut self, name: impl Into<Cow<'s, str>>, ty: Ty<'s>) {
        self.by_name.insert(name.into(), ty);
    }

    /// The type of a variable.
    pub fn get(&self, name: &str) -> Option<&Ty<'s>> {
        self.by_name
            .get(name)
            .or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }

    /// All names.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_name.keys().map(AsRef::as_ref).collect();
        names.extend(self.outer.map(Env::names).unwrap_or_default());
        names
    }
}

/// What an expression is wanted for.
#[derive(Debug, Clone)]
pub enum Wanted<'s> {
    /// Nothing is known about where its value goes.
    Anything,
    /// A piece of a text.
    Text,
    /// A value of this type, as it is.
    Value(Ty<'s>),
    /// The value of a field of data. Texts are made of bytes, moments and lengths of time; an optional without a value,
    /// and `null`, leave the field out.
    Field(&'s Schema),
    /// A whole Kubernetes object.
    Object(&'s Schema),
}

/// What a check gives.
#[derive(Debug, Clone)]
pub struct Checked<'s> {
    /// The type of the expression's value.
    pub ty: Ty<'s>,
    /// Everything that is wrong with it, with offsets into its source, in the order of the source.
    pub problems: Vec<Problem>,
}

impl Program {
    /// Checks the types of the expression for these variables, and whether its value fits.
    ///
    /// What is not known passes: nothing is told that may be right when the expression runs.
    pub fn check<'s>(&self, env: &Env<'s>, wanted: &Wanted<'s>) -> Checked<'s> {
        let mut checker = Checker::new(Dialect::Full, self.source(), env);
        let ty = checker.expect(self.node(), wanted);
        let mut problems = checker.problems;
        problems.sort_by_key(|problem| (problem.start, problem.end));
        Checked { ty, problems }
    }
}

/// Checks a text with `${…}` in it: every expression, and whether the text fits. Gives the type of the whole, and the
/// problems with offsets into `text`.
pub fn check_text<'s>(text: &str, env: &Env<'s>, wanted: &Wanted<'s>) -> Checked<'s> {
    let embedded = match Embedded::parse(text) {
        Ok(embedded) => embedded,
        Err(problems) => {
            return Checked {
                ty: Ty::Err,
                problems,
            };
        }
    };
    let only = embedded.only_hole().is_some();
    let mut ty = Ty::String(None);
    let mut problems = Vec::new();
    for hole in embedded.holes() {
        let wanted = if only { wanted } else { &Wanted::Text };
        let found = match Program::parse(hole.source) {
            Ok(program) => program.check(env, wanted),
            Err(problems) => Checked {
                ty: Ty::Err,
                problems,
            },
        };
        if only {
            ty = found.ty;
        }
        let found = found.problems.into_iter();
        problems.extend(found.map(|problem| problem.shifted(hole.start)));
    }
    if !only && embedded.holes().next().is_some() {
        problems.extend(no_text(text, wanted));
    }
    Checked { ty, problems }
}

/// A text with expressions in it stands where no text may be.
fn no_text(text: &str, wanted: &Wanted<'_>) -> Option<Problem> {
    let wants = match wanted {
        Wanted::Anything
        | Wanted::Text
        | Wanted::Value(Ty::Dyn | Ty::Err | Ty::String(_) | Ty::IntOrString) => return None,
        Wanted::Value(ty) => ty.to_string(),
        Wanted::Object(_) => "object".to_owned(),
        Wanted::Field(schema) => match schema.kind {
            _ if schema.int_or_string => return None,
            None | Some(Kind::String) => return None,
            Some(kind) => kind.as_str().to_owned(),
        },
    };
    let message = format!("text with expressions in it is a string, and {wants} is wanted");
    Some(
        Problem::new("expr/types", message, 0, text.len())
            .help("write one expression and nothing around it"),
    )
}
