//! Which variables are there, and which of them may an expression read?

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics, nearest};

use crate::input::Input;
use crate::template::{Tree, member};

/// Variables that are always there.
pub(crate) const GIVEN: [&str; 4] = ["xr", "environment", "context", "self"];

/// What a variable stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    Given,
    Let,
    Require,
    /// The resource at this place.
    Resource(usize),
}

/// All variables of an input.
#[derive(Debug)]
pub(crate) struct Names {
    known: BTreeMap<String, Stands>,
}

impl Names {
    /// Collects them; names that collide, or that no expression could spell, are mistakes.
    pub(crate) fn of(input: &Input, mistakes: &mut Diagnostics) -> Self {
        let mut names = Self {
            known: BTreeMap::new(),
        };
        for name in GIVEN {
            names.known.insert(name.to_owned(), Stands::Given);
        }
        for name in input.lets.keys() {
            names.add(name, Stands::Let, &member("let", name), mistakes);
        }
        for name in input.requires.keys() {
            names.add(name, Stands::Require, &member("requires", name), mistakes);
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, resource) in input.resources.iter().enumerate() {
            let field = format!("resources[{at}].name");
            if let Some(first) = seen.insert(&resource.name, at) {
                let message = format!(
                    "the name {} is already taken by resources[{first}]",
                    resource.name
                );
                mistakes.push(Diagnostic::error("blueprint/duplicate-name", message).path(field));
                continue;
            }
            if resource.name.is_empty() {
                mistakes.push(
                    Diagnostic::error("blueprint/no-name", "a resource needs a name").path(field),
                );
                continue;
            }
            names.add(
                &variable(&resource.name),
                Stands::Resource(at),
                &field,
                mistakes,
            );
        }
        names
    }

    fn add(&mut self, name: &str, stands: Stands, field: &str, mistakes: &mut Diagnostics) {
        if !is_identifier(name) {
            let message = format!("no expression can spell the name {name}");
            let diagnostic = Diagnostic::error("blueprint/bad-name", message).path(field);
            mistakes.push(diagnostic.help("begin with a letter and use letters, digits and `_`"));
            return;
        }
        if let Some(taken) = self.known.insert(name.to_owned(), stands) {
            let message = match taken {
                Stands::Given => format!("the name {name} has a meaning of its own in expressions"),
                Stands::Let => format!("the name {name} is already taken by let.{name}"),
                Stands::Require => format!("the name {name} is already taken by requires.{name}"),
                Stands::Resource(at) => {
                    format!("the name {name} is already taken by resources[{at}]")
                }
            };
            mistakes.push(Diagnostic::error("blueprint/duplicate-name", message).path(field));
        }
    }

    /// What a variable stands for.
    pub(crate) fn get(&self, name: &str) -> Option<Stands> {
        self.known.get(name).copied()
    }

    /// Everything that `tree` reads is there. `own` are the variables that exist only here.
    pub(crate) fn check(&self, tree: &Tree, own: &[&str], mistakes: &mut Diagnostics) {
        tree.holes(&mut |hole| {
            for read in hole.program.reads() {
                let root = read.root.as_str();
                let special = root == "self" && !own.contains(&"self");
                if own.contains(&root)
                    || !special && self.get(root).is_some()
                    || purlin_expr::is_type_name(root)
                {
                    continue;
                }
                let message = format!(
                    "there is no variable `{root}`, which `{}` reads",
                    hole.program.source().trim()
                );
                let diagnostic =
                    Diagnostic::error("expr/no-such-variable", message).path(hole.field.clone());
                let known = self
                    .known
                    .keys()
                    .map(String::as_str)
                    .chain(own.iter().copied());
                let help = if special {
                    "`self` is the resource, and only `ready` has it".to_owned()
                } else {
                    match nearest(root, known.filter(|name| *name != "self")) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("there are: {}", self.listed(own)),
                    }
                };
                mistakes.push(diagnostic.help(help));
            }
        });
    }

    fn listed(&self, own: &[&str]) -> String {
        let names = self
            .known
            .keys()
            .map(String::as_str)
            .filter(|name| *name != "self");
        names
            .chain(own.iter().copied())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The name of a resource as an expression spells it.
pub(crate) fn variable(name: &str) -> String {
    name.replace(['-', '.'], "_")
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
