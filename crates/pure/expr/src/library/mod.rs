//! Which functions are there, and what do they take?
//!
//! One table per family; a member's target is its first argument. Types are in [`signatures`].

mod core;
mod data;
mod format;
mod hash;
mod lists;
mod math;
mod net;
mod optional;
mod quantity;
pub(crate) mod regex;
mod sets;
pub(crate) mod signatures;
mod strings;
mod time;
mod url;
mod version;

use crate::meter::Meter;
use crate::outcome::Raise;
use crate::value::Val;

pub(crate) use self::net::{Cidr, Ip};
pub(crate) use self::quantity::{Quantity, show as show_quantity};
pub(crate) use self::url::Url;
pub(crate) use self::version::Semver;

/// What a function is asked with, besides its arguments.
#[derive(Debug)]
pub(crate) struct Asked<'m> {
    pub(crate) meter: &'m mut Meter,
    /// The compiled pattern, when it was a literal.
    pub(crate) regex: Option<&'m ::regex::Regex>,
}

pub(crate) type Run = for<'a> fn(&mut Asked<'_>, &[Val<'a>]) -> Result<Val<'a>, Raise>;

/// Functions that look at an argument only when they need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lazy {
    Or,
    OrValue,
}

/// Where a function may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Everywhere,
    /// Not in the rules of a custom resource definition: the API server has no such function there.
    NotInRules,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) member: bool,
    /// Arguments, a member's target included.
    pub(crate) min: usize,
    pub(crate) max: usize,
    /// Which argument is a regular expression.
    pub(crate) pattern: Option<usize>,
    pub(crate) lazy: Option<Lazy>,
    pub(crate) usable: Where,
    pub(crate) run: Run,
}

const fn function(
    name: &'static str,
    member: bool,
    (min, max): (usize, usize),
    run: Run,
) -> Function {
    Function {
        name,
        member,
        min,
        max,
        pattern: None,
        lazy: None,
        usable: Where::Everywhere,
        run,
    }
}

/// `f(x)`
const fn global(name: &'static str, args: usize, run: Run) -> Function {
    function(name, false, (args, args), run)
}

/// `x.f()`; `args` counts without `x`.
const fn member(name: &'static str, args: usize, run: Run) -> Function {
    function(name, true, (args + 1, args + 1), run)
}

impl Function {
    const fn up_to(mut self, args: usize) -> Self {
        self.max = if self.member { args + 1 } else { args };
        self
    }

    const fn pattern(mut self, at: usize) -> Self {
        self.pattern = Some(at);
        self
    }

    const fn lazy(mut self, lazy: Lazy) -> Self {
        self.lazy = Some(lazy);
        self
    }

    const fn not_in_rules(mut self) -> Self {
        self.usable = Where::NotInRules;
        self
    }
}

static FAMILIES: &[&[Function]] = &[
    core::FUNCTIONS,
    strings::FUNCTIONS,
    lists::FUNCTIONS,
    math::FUNCTIONS,
    optional::FUNCTIONS,
    regex::FUNCTIONS,
    time::FUNCTIONS,
    sets::FUNCTIONS,
    net::FUNCTIONS,
    quantity::FUNCTIONS,
    url::FUNCTIONS,
    version::FUNCTIONS,
    format::FUNCTIONS,
    data::FUNCTIONS,
    hash::FUNCTIONS,
];

/// Functions of the language itself that stand in families of extensions.
const CORE: &[(&str, bool)] = &[
    ("contains", true),
    ("startsWith", true),
    ("endsWith", true),
    ("matches", true),
    ("matches", false),
    ("duration", false),
    ("timestamp", false),
    ("getFullYear", true),
    ("getMonth", true),
    ("getDate", true),
    ("getDayOfMonth", true),
    ("getDayOfWeek", true),
    ("getDayOfYear", true),
    ("getHours", true),
    ("getMinutes", true),
    ("getSeconds", true),
    ("getMilliseconds", true),
];

/// Whether the language itself defines this function.
pub(crate) fn is_core(function: &Function) -> bool {
    CORE.contains(&(function.name, function.member))
        || core::FUNCTIONS.iter().any(|core| {
            core.usable == Where::Everywhere
                && (core.name, core.member) == (function.name, function.member)
        })
}

pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The function of this name, called this way with this many arguments (a member's target included).
pub(crate) fn find(name: &str, member: bool, args: usize) -> Option<&'static Function> {
    all().find(|f| f.name == name && f.member == member && (f.min..=f.max).contains(&args))
}

/// Whether a function is called by this name, with its namespace.
pub(crate) fn has_global(name: &str) -> bool {
    all().any(|f| !f.member && f.name == name)
}

/// How many arguments the functions of this name take, the target not counted.
pub(crate) fn arities(name: &str, member: bool) -> Vec<usize> {
    let target = usize::from(member);
    let mut counts: Vec<usize> = all()
        .filter(|f| f.name == name && f.member == member)
        .flat_map(|f| f.min - target..=(f.max - target).min(f.min - target + 3))
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// All names, for suggestions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let forms = [
        "has",
        "all",
        "exists",
        "exists_one",
        "map",
        "filter",
        "optMap",
        "optFlatMap",
        "transformList",
        "transformMap",
        "sortBy",
    ];
    all().map(|f| f.name).chain(forms)
}

static TYPES: &[(&str, &str)] = &[
    ("bool", "bool"),
    ("bytes", "bytes"),
    ("double", "double"),
    ("int", "int"),
    ("list", "list"),
    ("map", "map"),
    ("null_type", "null_type"),
    ("optional_type", "optional_type"),
    ("string", "string"),
    ("type", "type"),
    ("uint", "uint"),
];

/// The type a name stands for when no variable has that name.
pub(crate) fn type_called(name: &str) -> Option<&'static str> {
    TYPES
        .iter()
        .find(|(called, _)| *called == name)
        .map(|(_, known)| *known)
}

/// Types of the values of libraries: the name of a package, the name in it, and the whole.
static QUALIFIED: &[(&str, &str, &str)] = &[
    ("net", "IP", "net.IP"),
    ("net", "CIDR", "net.CIDR"),
    ("kubernetes", "Quantity", "kubernetes.Quantity"),
    ("kubernetes", "URL", "kubernetes.URL"),
    ("kubernetes", "Semver", "kubernetes.Semver"),
    ("kubernetes", "NamedFormat", "kubernetes.NamedFormat"),
];

/// The type that `package.name` stands for when no variable is called `package`.
pub(crate) fn type_in(package: &str, name: &str) -> Option<&'static str> {
    QUALIFIED
        .iter()
        .find(|(of, called, _)| *of == package && *called == name)
        .map(|(_, _, whole)| *whole)
}

/// Whether `name` means a type when nothing is bound to it, as in `type(x) == string`.
pub fn is_type_name(name: &str) -> bool {
    type_called(name).is_some()
}

fn text<'v>(value: &'v Val<'_>) -> Result<&'v str, Raise> {
    value.as_str().ok_or(Raise::Types)
}

fn int(value: &Val<'_>) -> Result<i64, Raise> {
    match value {
        Val::Int(i) => Ok(*i),
        _ => Err(Raise::Types),
    }
}

fn make_text<'a>(asked: &mut Asked<'_>, made: String) -> Result<Val<'a>, Raise> {
    asked.meter.make(made.len())?;
    Ok(Val::text(made))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod manual;
