//! Regular expressions, in time linear in the text, and bounded in size.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::{Asked, Function, int, make_text, member, text};
use crate::list::List;
use crate::outcome::Raise;
use crate::value::Val;

pub(super) static FUNCTIONS: &[Function] = &[
    member("matches", 1, matches).pattern(1),
    super::global("matches", 2, matches).pattern(1),
    member("find", 1, find).pattern(1),
    member("findAll", 1, find_all).up_to(2).pattern(1),
];

/// Compiles a pattern.
///
/// # Errors
/// Why it is none, in one line.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .nest_limit(64)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_owned(),
            error => error
                .to_string()
                .lines()
                .last()
                .unwrap_or("")
                .trim_start_matches("error: ")
                .to_owned(),
        })
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
