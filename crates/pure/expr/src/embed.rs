//! Which parts of a text are expressions?
//!
//! `${…}` opens a hole and the matching `}` closes it; braces inside strings, comments and nested braces do not count.
//! `$${` stands for a literal `${`.

use std::borrow::Cow;

use crate::Problem;
use crate::lex::{Lexer, Token};

/// One hole of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole<'a> {
    /// The expression between the braces.
    pub source: &'a str,
    /// Where `source` begins in the whole text, in bytes.
    pub start: usize,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text that stands for itself, escapes resolved.
    Text(Cow<'a, str>),
    /// An expression.
    Hole(Hole<'a>),
}

/// A text taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded<'a> {
    /// The pieces in order; empty for an empty text. Two texts are never neighbours.
    pub parts: Vec<Part<'a>>,
}

impl<'a> Embedded<'a> {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// A hole that is never closed, or has nothing in it. Later holes are still looked at.
    pub fn parse(text: &'a str) -> Result<Self, Vec<Problem>> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut problems = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let rest = text.get(at..).expect("`at` stands on a character boundary");
            let Some(found) = rest.find("${") else {
                push_text(&mut parts, rest);
                break;
            };
            if rest.as_bytes()[..found].ends_with(b"$") {
                let upto = rest.get(..found - 1).expect("a `$` is one byte");
                push_text(&mut parts, upto);
                push_text(&mut parts, "${");
                at += found + 2;
                continue;
            }
            push_text(
                &mut parts,
                rest.get(..found).expect("`find` gives a boundary"),
            );
            let start = at + found + 2;
            match hole_end(text, start) {
                Ok(end) => {
                    let source = text.get(start..end).expect("`}` stands on a boundary");
                    if source.trim().is_empty() {
                        problems.push(Problem::new(
                            "expr/empty-hole",
                            "`${}` has no expression in it",
                            start - 2,
                            end + 1,
                        ));
                    }
                    parts.push(Part::Hole(Hole { source, start }));
                    at = end + 1;
                }
                Err(problem) => {
                    problems.push(problem);
                    break;
                }
            }
        }
        if problems.is_empty() {
            Ok(Self { parts })
        } else {
            Err(problems)
        }
    }

    /// The only hole, if the text is exactly one hole: then its value keeps its type.
    pub fn only_hole(&self) -> Option<Hole<'a>> {
        match self.parts.as_slice() {
            [Part::Hole(hole)] => Some(*hole),
            _ => None,
        }
    }

    /// The holes in order.
    pub fn holes(&self) -> impl Iterator<Item = Hole<'a>> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(*hole),
            Part::Text(_) => None,
        })
    }
}

fn push_text<'a>(parts: &mut Vec<Part<'a>>, text: &'a str) {
    if text.is_empty() {
        return;
    }
    if let Some(Part::Text(last)) = parts.last_mut() {
        last.to_mut().push_str(text);
    } else {
        parts.push(Part::Text(Cow::Borrowed(text)));
    }
}

/// The offset of the `}` that closes the hole whose expression begins at `start`.
fn hole_end(text: &str, start: usize) -> Result<usize, Problem> {
    let mut lexer = Lexer::new(text, start);
    let mut depth = 0_u32;
    loop {
        match lexer.next_token() {
            Ok(Some((Token::Mark(b'{'), ..))) => depth += 1,
            Ok(Some((Token::Mark(b'}'), at, _))) if depth == 0 => return Ok(at),
            Ok(Some((Token::Mark(b'}'), ..))) => depth -= 1,
            Ok(Some(_)) => {}
            Ok(None) => {
                return Err(Problem::new(
                    "expr/open-hole",
                    "`${` is never closed",
                    start - 2,
                    text.len(),
                )
                .help("close it with `}`, or write `$${` for a literal `${`"));
            }
            Err(open) => {
                return Err(Problem::new(
                    "expr/open-string",
                    "this string is never closed",
                    open.start,
                    text.len(),
                )
                .help("end it with the quote it began with, on the same line"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match Embedded::parse(text) {
            Ok(embedded) => embedded
                .parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => format!("[{text}]"),
                    Part::Hole(hole) => format!("<{}@{}>", hole.source, hole.start),
                })
                .collect(),
            Err(problems) => {
                let told = problems.iter().map(|p| format!("!{}@{}", p.code, p.start));
                told.collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn texts_come_apart_at_the_right_braces() {
        for (text, expect) in [
            ("", ""),
            ("plain $x {y}", "[plain $x {y}]"),
            ("${a}", "<a@2>"),
            ("x-${a}-${b}", "[x-]<a@4>[-]<b@9>"),
            ("${'}'}", "<'}'@2>"),
            (r#"${"}" + '''}'''}"#, r#"<"}" + '''}'''@2>"#),
            (r"${r'\' + a}!", r"<r'\' + a@2>[!]"),
            ("${ {'a': {'b': 1}} }", "< {'a': {'b': 1}} @2>"),
            ("$${a} ${b}", "[${a} ]<b@8>"),
            ("a$$${b}", "[a$${b}]"),
            ("${a // }\n}", "<a // }\n@2>"),
            ("ü${a}", "[ü]<a@4>"),
            ("${a", "!expr/open-hole@0"),
            ("${'a}", "!expr/open-string@2"),
            ("${ }", "!expr/empty-hole@0"),
        ] {
            assert_eq!(show(text), expect, "{text}");
        }
    }
}
