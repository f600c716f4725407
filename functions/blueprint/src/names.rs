//! Which variables are there, and what do they stand for?

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics};

use crate::declare::Declared;
use crate::input::{Require, Resource, Use};
use crate::language::{GIVEN, variable};
use crate::template::member;

/// What a variable stands for: something, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    Given,
    Parameter(usize),
    Let(usize),
    Require(usize),
    Resource(usize),
    Use(usize),
}

/// What names come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'i> {
    /// The field all of it stands in: empty, or `modules.<name>`.
    pub(crate) at: &'i str,
    pub(crate) parameters: &'i [Declared],
    pub(crate) lets: &'i BTreeMap<String, purlin_object::Value>,
    pub(crate) requires: &'i BTreeMap<String, Require>,
    pub(crate) resources: &'i [Resource],
    pub(crate) uses: &'i [Use],
    /// Whether this is a module.
    pub(crate) module: bool,
}

impl Parts<'_> {
    /// A field of it.
    pub(crate) fn field(&self, name: &str) -> String {
        if self.at.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.at)
        }
    }
}

/// All variables of a Blueprint or of a module.
#[derive(Debug)]
pub(crate) struct Names {
    known: BTreeMap<String, Stands>,
    /// Names of `let`, `requires`, … by place, for messages.
    fields: BTreeMap<String, String>,
    /// How many steps it takes from a variable to one of the things it stands for: none, unless there may be several.
    depths: BTreeMap<String, usize>,
}

impl Names {
    /// Collects them; names that collide, or that no expression could spell, are mistakes.
    pub(crate) fn of(parts: &Parts<'_>, mistakes: &mut Diagnostics) -> Self {
        let mut names = Self {
            known: BTreeMap::new(),
            fields: BTreeMap::new(),
            depths: BTreeMap::new(),
        };
        for given in GIVEN {
            if given.in_modules || !parts.module {
                names.known.insert(given.name.to_owned(), Stands::Given);
            }
        }
        for (at, parameter) in parts.parameters.iter().enumerate() {
            let field = member(&parts.field("parameters"), &parameter.name);
            names.add(&parameter.name, Stands::Parameter(at), field, mistakes);
        }
        for (at, name) in parts.lets.keys().enumerate() {
            let field = member(&parts.field("let"), name);
            names.add(name, Stands::Let(at), field, mistakes);
        }
        for (at, (name, require)) in parts.requires.iter().enumerate() {
            let field = member(&parts.field("requires"), name);
            let depth = usize::from(require.name.is_none());
            names.depths.insert(name.clone(), depth);
            names.add(name, Stands::Require(at), field, mistakes);
        }
        let resources = parts.resources.iter().enumerate();
        let resources = resources.map(|(at, one)| {
            let field = parts.field(&format!("resources[{at}].name"));
            let depth = depth(one.for_each.as_ref(), one.key.is_some());
            (&one.name, Stands::Resource(at), field, depth)
        });
        let uses = parts.uses.iter().enumerate();
        let uses = uses.map(|(at, one)| {
            let field = parts.field(&format!("use[{at}].name"));
            let depth = depth(one.for_each.as_ref(), one.key.is_some());
            (&one.name, Stands::Use(at), field, depth)
        });
        let mut seen: BTreeMap<&str, String> = BTreeMap::new();
        for (name, stands, field, depth) in resources.chain(uses) {
            if name.is_empty() {
                let message = "a resource or a use needs a name";
                mistakes.push(Diagnostic::error("blueprint/no-name", message).path(field));
                continue;
            }
            if let Some(first) = seen.get(name.as_str()) {
                let message = format!("the name {name} is already taken by {first}");
                mistakes.push(Diagnostic::error("blueprint/duplicate-name", message).path(field));
                continue;
            }
            let owner = field.trim_end_matches(".name").to_owned();
            seen.insert(name, owner);
            names.depths.insert(variable(name), depth);
            names.add(&variable(name), stands, field, mistakes);
        }
        names
    }

    fn add(&mut self, name: &str, stands: Stands, field: String, mistakes: &mut Diagnostics) {
        if !is_identifier(name) {
            let message = format!("no expression can spell the name {name}");
            let diagnostic = Diagnostic::error("blueprint/bad-name", message).path(field);
            mistakes.push(diagnostic.help("begin with a letter and use letters, digits and `_`"));
            return;
        }
        if GIVEN.iter().any(|given| given.name == name) {
            let message = format!("the name {name} has a meaning of its own in expressions");
            mistakes.push(Diagnostic::error("blueprint/duplicate-name", message).path(field));
            return;
        }
        if let Some(taken) = self.fields.get(name) {
            let message = format!("the name {name} is already taken by {taken}");
            mistakes.push(Diagnostic::error("blueprint/duplicate-name", message).path(field));
            return;
        }
        self.known.insert(name.to_owned(), stands);
        let owner = field.trim_end_matches(".name").to_owned();
        self.fields.insert(name.to_owned(), owner);
    }

    /// What a variable stands for.
    pub(crate) fn get(&self, name: &str) -> Option<Stands> {
        self.known.get(name).copied()
    }

    /// How many steps it takes from a variable to one of the things it stands for.
    pub(crate) fn depth(&self, name: &str) -> usize {
        self.depths.get(name).copied().unwrap_or(0)
    }

    /// The names that can be read here, but `self`.
    pub(crate) fn readable<'n>(&'n self, own: &'n [&str]) -> impl Iterator<Item = &'n str> {
        let names = self.known.keys().map(String::as_str);
        names
            .filter(|name| *name != "self")
            .chain(own.iter().copied().filter(|name| *name != "self"))
    }
}

/// How deep the map of something with a `forEach` is: one level for each variable, or one for its key.
pub(crate) fn depth<T>(for_each: Option<&BTreeMap<String, T>>, key: bool) -> usize {
    match for_each {
        None => 0,
        Some(_) if key => 1,
        Some(variables) => variables.len(),
    }
}

/// Whether an expression can spell it.
pub(crate) fn is_identifier(name: &str) -> bool {
    const RESERVED: [&str; 21] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&name)
}
