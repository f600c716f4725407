//! Regular expressions, in time linear in the text, and bounded in size.

use std::rc::Rc;
use std::sync::Arc;

use regex::{Captures, Regex};

use super::{Asked, Function, int, make_text, member, text};
use crate::list::List;
use crate::outcome::Raise;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    member("matches", 1, matches).pattern(1),
    super::global("matches", 2, matches).pattern(1),
    member("find", 1, find).pattern(1),
    member("findAll", 1, find_all).up_to(2).pattern(1),
    super::global("regex.replace", 3, replace)
        .up_to(4)
        .pattern(1)
        .not_in_rules(),
    super::global("regex.extract", 2, extract)
        .pattern(1)
        .not_in_rules(),
    super::global("regex.extractAll", 2, extract_all)
        .pattern(1)
        .not_in_rules(),
];

/// Compiles a pattern, read as Go reads it: `\\d`, `\\w` and `\\s` are ASCII.
///
/// # Errors
/// Why it is none, in one line.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    purlin_schema::Pattern::new(pattern).map(|pattern| pattern.regex().clone())
}

enum Pattern<'m> {
    Literal(&'m Regex),
    Made(Arc<Regex>),
}

impl std::ops::Deref for Pattern<'_> {
    type Target = Regex;
    fn deref(&self) -> &Regex {
        match self {
            Self::Literal(regex) => regex,
            Self::Made(regex) => regex,
        }
    }
}

fn pattern<'m>(asked: &mut Asked<'m>, value: &Val<'_>) -> Result<Pattern<'m>, Raise> {
    match asked.regex {
        Some(regex) => Ok(Pattern::Literal(regex)),
        None => Ok(Pattern::Made(asked.meter.pattern(text(value)?)?)),
    }
}

fn matches<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let whole = text(&args[0])?;
    let pattern = pattern(asked, &args[1])?;
    asked.meter.read(whole.len() * 4)?;
    Ok(Val::Bool(pattern.is_match(whole)))
}

fn find<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let whole = text(&args[0])?;
    let pattern = pattern(asked, &args[1])?;
    asked.meter.read(whole.len() * 4)?;
    let found = pattern
        .find(whole)
        .map_or(String::new(), |found| found.as_str().to_owned());
    make_text(asked, found)
}

fn find_all<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let whole = text(&args[0])?;
    let limit = match args.get(2) {
        Some(limit) => usize::try_from(int(limit)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let pattern = pattern(asked, &args[1])?;
    asked.meter.read(whole.len() * 4)?;
    let mut found = Vec::new();
    for hit in pattern.find_iter(whole).take(limit) {
        asked.meter.make(hit.len() + 48)?;
        found.push(Val::text(hit.as_str().to_owned()));
    }
    Ok(Val::List(List::owned(found)))
}

/// `\1` to `\9` in a replacement are groups, `\0` is the whole match, `\\` is a backslash.
fn expand(replacement: &str, groups: usize, found: &Captures<'_>) -> Result<String, Raise> {
    let mut made = String::new();
    let mut chars = replacement.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            made.push(c);
            continue;
        }
        match chars.next() {
            Some('\\') => made.push('\\'),
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit.to_digit(10).map_or(0, |digit| digit as usize);
                if group > groups {
                    return Err(Raise::argument(format!(
                        "the replacement names group {group}, and the expression has {groups}"
                    )));
                }
                made.push_str(found.get(group).map_or("", |part| part.as_str()));
            }
            _ => {
                return Err(Raise::argument(
                    "a backslash of a replacement is followed by a digit or a backslash",
                ));
            }
        }
    }
    Ok(made)
}

fn replace<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let (whole, by) = (text(&args[0])?, text(&args[2])?);
    let times = match args.get(3) {
        Some(times) => usize::try_from(int(times)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let pattern = pattern(asked, &args[1])?;
    asked.meter.read(whole.len() * 4)?;
    let mut made = String::new();
    let mut at = 0;
    for found in pattern.captures_iter(whole).take(times) {
        let part = expand(by, pattern.captures_len() - 1, &found)?;
        let hit = found.get_match();
        let before = whole.get(at..hit.start()).unwrap_or_default();
        asked.meter.make(before.len() + part.len())?;
        made.push_str(before);
        made.push_str(&part);
        at = hit.end();
    }
    made.push_str(whole.get(at..).unwrap_or_default());
    make_text(asked, made)
}

/// What a match gives: its only group, or all of it. An empty group is none.
fn extracted<'t>(found: &Captures<'t>) -> Option<&'t str> {
    if found.len() > 1 {
        found
            .get(1)
            .map(|group| group.as_str())
            .filter(|group| !group.is_empty())
    } else {
        Some(found.get_match().as_str())
    }
}

fn at_most_one_group(pattern: &Regex) -> Result<(), Raise> {
    if pattern.captures_len() > 2 {
        return Err(Raise::argument(
            "the regular expression has more than one group",
        ));
    }
    Ok(())
}

fn extract<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let whole = text(&args[0])?;
    let pattern = pattern(asked, &args[1])?;
    at_most_one_group(&pattern)?;
    asked.meter.read(whole.len() * 4)?;
    let found = pattern
        .captures(whole)
        .and_then(|found| extracted(&found).map(str::to_owned));
    asked.meter.make(found.as_ref().map_or(0, String::len))?;
    Ok(Val::Optional(found.map(|found| Rc::new(Val::text(found)))))
}

fn extract_all<'a>(asked: &mut Asked<'_>, args: &[Val<'a>]) -> Result<Val<'a>, Raise> {
    let whole = text(&args[0])?;
    let pattern = pattern(asked, &args[1])?;
    at_most_one_group(&pattern)?;
    asked.meter.read(whole.len() * 4)?;
    let mut all = Vec::new();
    for found in pattern.captures_iter(whole) {
        if let Some(part) = extracted(&found) {
            asked.meter.make(part.len() + 48)?;
            all.push(Val::text(part.to_owned()));
        }
    }
    Ok(Val::List(List::owned(all)))
}
