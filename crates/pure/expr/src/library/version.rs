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
        semver::Version::parse(&normal(given).unwrap_or_default())
    } else {
        semver::Version::parse(given)
    };
    version
        .map(|version| Val::Special(Rc::new(Special::Semver(Semver(version)))))
        .map_err(|_| Raise::argument(format!("{given:?} is not a version like 1.2.3")))
}

/// Without one leading `v`, with minor and patch filled in, without leading zeros; `None` when a shortened version says
/// more than numbers.
fn normal(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts: Vec<String> = text
        .splitn(3, '.')
        .map(|part| {
            if part.len() < 2 {
                return part.to_owned();
            }
            let short = part.trim_start_matches('0');
            if short.starts_with(|c: char| c.is_ascii_digit()) {
                short.to_owned()
            } else {
                format!("0{short}")
            }
        })
        .collect();
    if parts.len() < 3 && parts.last()?.contains(['+', '-']) {
        return None;
    }
    while parts.len() < 3 {
        parts.push("0".to_owned());
    }
    Some(parts.join("."))
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
