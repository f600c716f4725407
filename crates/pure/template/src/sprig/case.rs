//! Sprig's functions of letters' case: `snakecase`, `title` and their like.

use super::{f, text};
use crate::gofmt::{TextCase, change_case};
use crate::library::{Function, Param};

use Param::Text;

pub(super) static FUNCTIONS: &[Function] = &[
    f("upper", &[Text], |_, a| {
        Ok(change_case(super::bytes(a, 0), TextCase::Upper).into())
    }),
    f("lower", &[Text], |_, a| {
        Ok(change_case(super::bytes(a, 0), TextCase::Lower).into())
    }),
    f("title", &[Text], |_, a| Ok(title(&text(a, 0)).into())),
    f("untitle", &[Text], |_, a| Ok(untitle(&text(a, 0)).into())),
    f("swapcase", &[Text], |_, a| {
        let text = text(a, 0);
        let swapped = text
            .chars()
            .map(|c| if c.is_uppercase() { lower(c) } else { upper(c) });
        Ok(swapped.collect::<String>().into())
    }),
    f("initials", &[Text], |_, a| {
        let text = text(a, 0);
        let first = text
            .split_whitespace()
            .filter_map(|word| word.chars().next());
        Ok(first.collect::<String>().into())
    }),
    f("camelcase", &[Text], |_, a| Ok(pascal(&text(a, 0)).into())),
    f("snakecase", &[Text], |_, a| {
        Ok(connected(&text(a, 0), '_').into())
    }),
    f("kebabcase", &[Text], |_, a| {
        Ok(connected(&text(a, 0), '-').into())
    }),
];

/// One letter for one letter, as Go has it.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// `strings.Title`: letters after something that is no part of a word.
fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|c| {
            let starts = if previous.is_ascii() {
                !(previous.is_ascii_alphanumeric() || previous == '_')
            } else {
                !previous.is_alphanumeric() && previous.is_whitespace()
            };
            previous = c;
            if starts { upper(c) } else { c }
        })
        .collect()
}

fn untitle(text: &str) -> String {
    let mut starts = true;
    text.chars()
        .map(|c| {
            let first = std::mem::replace(&mut starts, c.is_whitespace());
            if first { lower(c) } else { c }
        })
        .collect()
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// `xstrings.ToPascalCase`.
fn pascal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut current = None;
    let mut was_upper = false;
    for c in chars.by_ref() {
        if !is_connector(c) {
            was_upper = c.is_uppercase();
            current = Some(upper(c));
            break;
        }
        out.push(c);
    }
    let Some(mut current) = current else {
        return out;
    };
    for c in chars {
        let previous = current;
        current = c;
        if is_connector(current) && is_connector(previous) {
            out.push(previous);
            continue;
        }
        if is_connector(previous) {
            was_upper = current.is_uppercase();
            current = upper(current);
            continue;
        }
        if was_upper {
            if current.is_uppercase() {
                current = lower(current);
            } else {
                was_upper = false;
            }
        }
        out.push(previous);
    }
    out.push(current);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && u32::from(c) < 0x3400
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
}

fn next_word(text: &str) -> (Word, &str, &str) {
    let Some(first) = text.chars().next() else {
        return (Word::Invalid, "", "");
    };
    let run = |skip: usize, keep: &dyn Fn(char) -> bool| -> usize {
        let rest = text.get(skip..).unwrap_or_default();
        skip + rest.len() - rest.trim_start_matches(keep).len()
    };
    let size = first.len_utf8();
    let small = |c: char| is_letter(c) && !c.is_uppercase();
    let (word, length) = if is_connector(first) {
        (Word::Connector, run(size, &is_connector))
    } else if is_punctuation(first) {
        (Word::Punctuation, run(size, &is_punctuation))
    } else if first.is_uppercase() {
        let second = text.get(size..).and_then(|rest| rest.chars().next());
        let length = match second {
            Some(c) if c.is_uppercase() => {
                let capitals = run(size, &char::is_uppercase);
                let after = text.get(capitals..).and_then(|rest| rest.chars().next());
                if after.is_some_and(is_letter) {
                    let last = text.get(..capitals).and_then(|t| t.chars().next_back());
                    capitals - last.map_or(0, char::len_utf8)
                } else {
                    capitals
                }
            }
            Some(c) if is_letter(c) => run(size, &small),
            _ => size,
        };
        (Word::Upper, length)
    } else if is_letter(first) {
        (Word::Alphabet, run(size, &small))
    } else if first.is_numeric() {
        (Word::Number, run(size, &char::is_numeric))
    } else {
        let other =
            |c: char| !(is_connector(c) || is_letter(c) || c.is_numeric() || is_punctuation(c));
        (Word::Other, run(size, &other))
    };
    let (head, tail) = text.split_at(length);
    (word, head, tail)
}

fn push_lower(out: &mut String, kind: Word, word: &str, connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.push_str(word);
        return;
    }
    out.extend(
        word.chars()
            .map(|c| if is_connector(c) { connector } else { lower(c) }),
    );
}

/// `xstrings.ToSnakeCase` and `ToKebabCase`.
fn connected(text: &str, connector: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let joins = |kind: Word| !matches!(kind, Word::Invalid | Word::Punctuation | Word::Connector);
    let (mut kind, mut word, mut left) = next_word(text);
    while !left.is_empty() {
        if kind != Word::Connector {
            push_lower(&mut out, kind, word, connector);
        }
        let (previous, last) = (kind, word);
        (kind, word, left) = next_word(left);
        match previous {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word, left) = next_word(left);
                }
                if joins(kind) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, previous, last, connector),
            Word::Punctuation => {}
            _ => {
                if kind != Word::Number {
                    if joins(kind) || kind == Word::Invalid {
                        out.push(connector);
                    }
                    continue;
                }
                if left.is_empty() {
                    continue;
                }
                let number = word;
                (kind, word, left) = next_word(left);
                if kind != Word::Alphabet {
                    push_lower(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                    continue;
                }
                out.push(connector);
                push_lower(&mut out, Word::Number, number, connector);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word, left) = next_word(left);
                }
                if joins(kind) {
                    out.push(connector);
                }
            }
        }
    }
    push_lower(&mut out, kind, word, connector);
    out
}
