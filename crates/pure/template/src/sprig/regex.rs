//! Sprig's regular expressions, in Go's syntax.

use regex::bytes::{Match, Regex};

use super::{MAX_TEXT, Made, bytes, f, int, text, too_long};
use crate::library::{Call, Function, Param};
use crate::regexp;
use crate::value::{Elements, List, Value};

use Param::{Int, Text};

pub(super) static FUNCTIONS: &[Function] = &[
    f("regexMatch", &[Text, Text], |_, a| {
        Ok(compile(a)
            .is_ok_and(|regex| regex.is_match(bytes(a, 1)))
            .into())
    }),
    f("mustRegexMatch", &[Text, Text], |_, a| {
        Ok(compile(a)?.is_match(bytes(a, 1)).into())
    }),
    f("regexFind", &[Text, Text], find),
    f("mustRegexFind", &[Text, Text], find),
    f("regexFindAll", &[Text, Text, Int], find_all),
    f("mustRegexFindAll", &[Text, Text, Int], find_all),
    f("regexReplaceAll", &[Text, Text, Text], replace),
    f("mustRegexReplaceAll", &[Text, Text, Text], replace),
    f(
        "regexReplaceAllLiteral",
        &[Text, Text, Text],
        replace_literal,
    ),
    f(
        "mustRegexReplaceAllLiteral",
        &[Text, Text, Text],
        replace_literal,
    ),
    f("regexSplit", &[Text, Text, Int], split),
    f("mustRegexSplit", &[Text, Text, Int], split),
    f("regexQuoteMeta", &[Text], |_, a| {
        let mut out = String::new();
        for c in text(a, 0).chars() {
            if "\\.+*?()|[]{}^$".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
        Ok(out.into())
    }),
];

fn compile(a: &[Value]) -> Result<Regex, String> {
    regexp::compile(&text(a, 0))
}

fn find(_: &mut dyn Call, a: &[Value]) -> Made {
    let found = compile(a)?
        .find(bytes(a, 1))
        .map(|found| found.as_bytes().to_vec());
    Ok(found.unwrap_or_default().into())
}

/// Whether a match does not begin inside of a character, where Go finds no empty match.
fn between_characters(source: &[u8], found: &Match<'_>) -> bool {
    let inside = source
        .get(found.start())
        .is_some_and(|byte| (0x80..0xc0).contains(byte));
    !(found.is_empty() && inside)
}

fn find_all(_: &mut dyn Call, a: &[Value]) -> Made {
    let limit = usize::try_from(int(a, 2)).unwrap_or(usize::MAX);
    let regex = compile(a)?;
    let source = bytes(a, 1);
    let found: Vec<&[u8]> = regex
        .find_iter(source)
        .filter(|found| between_characters(source, found))
        .take(limit.min(super::MAX_ITEMS))
        .map(|found| found.as_bytes())
        .collect();
    Ok(Value::List(if found.is_empty() {
        List::nil_of(Elements::Texts)
    } else {
        List::texts(found)
    }))
}

fn replace(_: &mut dyn Call, a: &[Value]) -> Made {
    let (regex, source, with) = (compile(a)?, bytes(a, 1), bytes(a, 2));
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    for found in regex.captures_iter(source) {
        let Some(whole) = found
            .get(0)
            .filter(|whole| between_characters(source, whole))
        else {
            continue;
        };
        out.extend_from_slice(source.get(at..whole.start()).unwrap_or_default());
        found.expand(with, &mut out);
        at = whole.end();
        if out.len() > MAX_TEXT {
            return too_long();
        }
    }
    out.extend_from_slice(source.get(at..).unwrap_or_default());
    Ok(out.into())
}

fn replace_literal(_: &mut dyn Call, a: &[Value]) -> Made {
    let (regex, source, with) = (compile(a)?, bytes(a, 1), bytes(a, 2));
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    for found in regex
        .find_iter(source)
        .filter(|found| between_characters(source, found))
    {
        out.extend_from_slice(source.get(at..found.start()).unwrap_or_default());
        out.extend_from_slice(with);
        at = found.end();
        if out.len() > MAX_TEXT {
            return too_long();
        }
    }
    out.extend_from_slice(source.get(at..).unwrap_or_default());
    Ok(out.into())
}

/// `Regexp.Split`.
fn split(_: &mut dyn Call, a: &[Value]) -> Made {
    let (regex, source, count) = (compile(a)?, bytes(a, 1), int(a, 2));
    let texts = |parts: Vec<&[u8]>| Ok(Value::List(List::texts(parts)));
    if count == 0 {
        return Ok(Value::List(List::nil_of(Elements::Texts)));
    }
    if !bytes(a, 0).is_empty() && source.is_empty() {
        return texts(vec![b""]);
    }
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let mut parts: Vec<&[u8]> = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex
        .find_iter(source)
        .filter(|found| between_characters(source, found))
        .take(limit)
    {
        if parts.len() + 1 >= limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(source.get(begin..end).unwrap_or_default());
        }
        begin = found.end();
    }
    if end != source.len() {
        parts.push(source.get(begin..).unwrap_or_default());
    }
    texts(parts)
}
