//! Semantic versions, as the Kubernetes semver library defines them.

use std::rc::Rc;

use super::{Asked, Function, global, member, text};
use crate::outcome::Raise;
use crate::special::Special;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    global("semver", 1, make).up_to(2),
    global("isSemver", 1, |k, a| Ok(Val::Bool(make(k, a).is_ok()))).up_to(2),
    member("major", 0, |_, a| part(a, |v| v.major)),
    member("minor", 0, |_, a| part(a, |v| v.minor)),
    member("patch", 0, |_, a| part(a, |v| v.patch)),
];

/// A version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Semver(pub(crate) semver::Version);

fn make<'a>(_: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let given = text(&args[0])?;
    let normalize = match args.get(1) {
        None => false,
        Some(Val::Bool(b)) => *b,
        Some(_) => return Err(Raise::Types),
    };
    let version = if normalize {
        semver::Version::parse(&normal(given))
    } else {
        semver::Version::parse(given)
    };
    version
        .map(|version| Val::Special(Rc::new(Special::Semver(Semver(version)))))
        .map_err(|_| Raise::argument(format!("{given:?} is not a version like 1.2.3")))
}

/// Without a leading `v`, with minor and patch filled in, without leading zeros.
fn normal(text: &str) -> String {
    let text = text.trim_start_matches('v');
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut parts: Vec<&str> = numbers
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            part => part,
        })
        .collect();
    while parts.len() < 3 {
        parts.push("0");
    }
    format!("{}{rest}", parts.join("."))
}

fn part<'a>(args: &[Val<'a>], pick: fn(&semver::Version) -> u64) -> Result<Val<'a>, Raise> {
    match &args[0] {
        Val::Special(special) => match special.as_ref() {
            Special::Semver(Semver(version)) => i64::try_from(pick(version))
                .map(Val::Int)
                .map_err(|_| Raise::arithmetic("the number is beyond 64 bits")),
            _ => Err(Raise::Types),
        },
        _ => Err(Raise::Types),
    }
}
