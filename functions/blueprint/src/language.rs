//! Which fields of a Blueprint hold expressions, what may they read, and what do they give?
//!
//! The one description of the language that others than the function itself need: a checker that knows schemas walks an
//! input along [`FIELDS`], gives each expression the variables of [`GIVEN`] and those its [`Field`] adds, and holds its type against
//! [`Field::gives`]. The function's own compiler takes from here what its fields may read.
//!
//! A path of [`FIELDS`] is dotted; `[]` stands for every element of a list and `*` for every member of an object. Holes are
//! everywhere below the field, unless it is a text itself. The same fields below `modules.*` mean the same, with the
//! module's parameters as variables and none of the Blueprint's own names.

/// A variable that is there without being declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub meaning: &'static str,
    /// Whether modules have it too.
    pub in_modules: bool,
}

/// The variables that are there without being declared.
pub const GIVEN: &[Variable] = &[
    Variable {
        name: "xr",
        meaning: "the composite as it is; what its `status` lacks is waited for",
        in_modules: true,
    },
    Variable {
        name: "environment",
        meaning: "the environment of the pipeline; what it lacks is waited for",
        in_modules: true,
    },
    Variable {
        name: "context",
        meaning: "the whole context of the pipeline; what it lacks is waited for",
        in_modules: true,
    },
    Variable {
        name: "credentials",
        meaning: "the data of the step's credentials by name and key, never shown",
        in_modules: false,
    },
    Variable {
        name: "self",
        meaning: "in `ready`: the composed resource itself",
        in_modules: true,
    },
];

/// What an expression gives, before a schema says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Data of the kind that the manifest names.
    Manifest,
    /// Fields of the composite's status.
    Status,
    /// True or false.
    Truth,
    /// A text.
    Text,
    /// A list or a map.
    Elements,
    /// True or false, or one of the texts `True`, `False` and `Unknown`.
    ConditionStatus,
    /// What the module's parameter of that name is declared to be.
    Parameter,
    /// Anything.
    Any,
}

/// A field that holds expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Where it is.
    pub path: &'static str,
    /// What its expressions give.
    pub gives: Gives,
    /// Whether its expressions read the variables of the `forEach` beside it.
    pub each: bool,
    /// Whether its expressions read `self`.
    pub this: bool,
    /// Whether its expressions may read credentials.
    pub secrets: bool,
}

const fn field(path: &'static str, gives: Gives) -> Field {
    Field {
        path,
        gives,
        each: false,
        this: false,
        secrets: false,
    }
}

const fn each(path: &'static str, gives: Gives) -> Field {
    Field {
        each: true,
        ..field(path, gives)
    }
}

const fn secret(inner: Field) -> Field {
    Field {
        secrets: true,
        ..inner
    }
}

/// Every field that holds expressions. Apart from what is said of it, a field reads the names of `let`, `requires`,
/// `resources` and `use` beside it, and [`GIVEN`].
pub const FIELDS: &[Field] = &[
    secret(field("let.*", Gives::Any)),
    field("resources[].forEach.*", Gives::Elements),
    each("resources[].key", Gives::Text),
    each("resources[].when", Gives::Truth),
    secret(each("resources[].manifest", Gives::Manifest)),
    each("resources[].external.name", Gives::Text),
    Field {
        this: true,
        ..each("resources[].ready", Gives::Truth)
    },
    field("requires.*.apiVersion", Gives::Text),
    field("requires.*.kind", Gives::Text),
    field("requires.*.namespace", Gives::Text),
    field("requires.*.name", Gives::Text),
    field("requires.*.matchLabels.*", Gives::Text),
    field("use[].forEach.*", Gives::Elements),
    each("use[].key", Gives::Text),
    each("use[].when", Gives::Truth),
    secret(each("use[].with.*", Gives::Parameter)),
    field("asserts[].that", Gives::Truth),
    field("asserts[].message", Gives::Text),
    field("status", Gives::Status),
    secret(field("connection.*", Gives::Text)),
    field("connectionSecret.name", Gives::Text),
    field("connectionSecret.namespace", Gives::Text),
    field("conditions[].status", Gives::ConditionStatus),
    field("conditions[].reason", Gives::Text),
    field("conditions[].message", Gives::Text),
    secret(field("modules.*.outputs.*", Gives::Any)),
];

/// What a resource, a requirement or a use is called in expressions: `-` and `.` are written as `_`.
pub fn variable(name: &str) -> String {
    name.replace(['-', '.'], "_")
}

/// The description of a field. `path` is one of [`FIELDS`].
pub(crate) fn described(path: &str) -> Field {
    let known = FIELDS.iter().find(|field| field.path == path);
    known.copied().unwrap_or(field("", Gives::Any))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_described_once() {
        let mut paths: Vec<&str> = FIELDS.iter().map(|field| field.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), FIELDS.len());
        assert!(described("resources[].ready").this && described("let.*").secrets);
    }
}
