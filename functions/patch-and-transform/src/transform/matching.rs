//! Which pattern does this value match first?

use purlin_object::Value;
use regex::bytes::Regex;

use super::Data;
use crate::fault::Fault;
use purlin_template::gofmt::Arg;

/// A compiled `match` transform.
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) patterns: Vec<(Pattern, Value)>,
    pub(crate) fallback: Fallback,
}

/// One compiled pattern.
#[derive(Debug)]
pub(crate) enum Pattern {
    Literal(String),
    Regexp(Regex),
    /// Cannot be tried; upstream finds out when it tries.
    Broken(String),
}

/// What a value becomes that matches nothing.
#[derive(Debug)]
pub(crate) enum Fallback {
    Value(Value),
    Input,
    /// Both were asked for.
    Both,
}

impl Match {
    pub(super) fn apply<'a>(&self, data: Data<'a>) -> Result<Data<'a>, Fault> {
        for (index, (pattern, result)) in self.patterns.iter().enumerate() {
            let Arg::Text(text) = data.arg() else {
                return Err(Fault::of(
                    data.arg(),
                    "match compares strings; convert the value to a string first",
                ));
            };
            let found = match pattern {
                Pattern::Literal(literal) => literal.as_bytes() == text,
                Pattern::Regexp(regexp) => regexp.is_match(text),
                Pattern::Broken(message) => {
                    return Err(format!("patterns[{index}]: {message}").into());
                }
            };
            if found {
                return Ok(Data::Owned(result.clone()));
            }
        }
        match &self.fallback {
            Fallback::Value(value) => Ok(Data::Owned(value.clone())),
            Fallback::Input => Ok(data),
            Fallback::Both => Err(Fault::of(
                data.arg(),
                "nothing matches, and match has both a fallbackValue and `fallbackTo: Input`; remove one of them",
            )),
        }
    }
}
