//! Which object does this document say, if it is as simple as nearly all that templates render?
//!
//! Maps and lists in block style, texts, numbers and booleans on one line, nothing but printable ASCII. It reads those much faster than a
//! parser of all of YAML does, and answers `None` to everything else: what that means, or what is wrong with it,
//! [`super::read`] says. A test compares the two.

use purlin_object::{List, Object, Value};

use super::read::Node;
use super::scalar::kubernetes;

/// How deep lists and maps may nest here; deeper ones are for the other reader.
const MAX_DEPTH: usize = 50;

/// The object of a document.
pub(crate) fn object(document: &str) -> Option<Object> {
    let mut lines = Lines {
        rest: document,
        line: None,
    };
    lines.next()?;
    if lines.line?.0 != 0 {
        return None;
    }
    let object = map(&mut lines, 0, 0)?;
    // Something was left over that no level wanted.
    lines.line.is_none().then_some(object)
}

/// The lines with something on them: how far they are indented, and what is on them.
struct Lines<'t> {
    rest: &'t str,
    line: Option<(usize, &'t str)>,
}

impl Lines<'_> {
    /// Goes to the next line. None when it has something that is not read here.
    fn next(&mut self) -> Option<()> {
        self.line = None;
        while !self.rest.is_empty() {
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            self.rest = rest;
            if !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return None;
            }
            let text = line.trim_start_matches(' ');
            let indent = line.len() - text.len();
            let text = text.trim_end_matches(' ');
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            // The end of the document, or a directive.
            if indent == 0
                && (text.starts_with("---") || text.starts_with("...") || text.starts_with('%'))
            {
                return None;
            }
            self.line = Some((indent, text));
            return Some(());
        }
        Some(())
    }
}

/// The map whose keys stand at `indent`; the first of them is on the line at hand.
fn map(lines: &mut Lines<'_>, indent: usize, depth: usize) -> Option<Object> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut object = Object::new();
    while let Some((at, text)) = lines.line {
        if at < indent {
            break;
        }
        if at > indent {
            return None;
        }
        // The next element of the list that this map is an element of.
        if is_item(text) {
            return None;
        }
        let (key, value) = key(text)?;
        lines.next()?;
        let value = if value.is_empty() {
            below(lines, indent, depth)?
        } else {
            // A line that is indented further would go on with the text.
            if lines.line.is_some_and(|(next, _)| next > indent) {
                return None;
            }
            scalar(value)?
        };
        object.insert(key, value);
    }
    Some(object)
}

/// What stands below a key at `indent`: a map or a list, or nothing.
fn below(lines: &mut Lines<'_>, indent: usize, depth: usize) -> Option<Value> {
    match lines.line {
        Some((next, text)) if next > indent && is_item(text) => {
            list(lines, next, depth + 1).map(Value::List)
        }
        Some((next, _)) if next > indent => map(lines, next, depth + 1).map(Value::Object),
        Some((next, text)) if next == indent && is_item(text) => {
            list(lines, next, depth + 1).map(Value::List)
        }
        _ => Some(Value::Null),
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// The list whose dashes stand at `indent`.
fn list(lines: &mut Lines<'_>, indent: usize, depth: usize) -> Option<List> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut list = List::new();
    while let Some((at, text)) = lines.line {
        if at < indent || (at == indent && !is_item(text)) {
            break;
        }
        if at > indent {
            return None;
        }
        let item = text.strip_prefix("- ")?;
        if item.starts_with(' ') || is_item(item) {
            return None;
        }
        if key(item).is_some() {
            // Its keys stand where the first of them does.
            lines.line = Some((indent + 2, item));
            list.push(map_item(lines, indent + 2, depth + 1)?);
            continue;
        }
        lines.next()?;
        if lines.line.is_some_and(|(next, _)| next > indent) {
            return None;
        }
        list.push(scalar(item)?);
    }
    Some(list)
}

/// The map that is an element of a list, with its first key behind the dash.
fn map_item(lines: &mut Lines<'_>, indent: usize, depth: usize) -> Option<Value> {
    map(lines, indent, depth).map(Value::Object)
}

/// The key of a line, and what stands behind it.
fn key(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| {
        !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-'))
    })?;
    let (key, rest) = text.split_at_checked(end)?;
    let value = match rest.strip_prefix(':')? {
        "" => "",
        value => value.strip_prefix(' ')?.trim_start_matches(' '),
    };
    // A comment behind the colon.
    if value.starts_with('#') || !key.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    // `yes`, `null` and their like are no texts.
    if key.len() <= 5 && !matches!(kubernetes(key), Ok(Node::Text(_))) {
        return None;
    }
    Some((key, value))
}

/// A value on one line.
fn scalar(text: &str) -> Option<Value> {
    let first = text.bytes().next()?;
    if let b'"' | b'\'' = first {
        let inner = text.get(1..text.len().checked_sub(1)?)?;
        let quote = char::from(first);
        let plain = text.len() >= 2 && text.ends_with(quote) && !inner.contains([quote, '\\']);
        return plain.then(|| Value::from(inner));
    }
    match text {
        "{}" => return Some(Value::Object(Object::new())),
        "[]" => return Some(Value::List(List::new())),
        _ => {}
    }
    let is_plain = first.is_ascii_alphanumeric()
        || matches!(first, b'/' | b'.' | b'_' | b'+' | b'$' | b'^' | b'(' | b'~')
        || (first == b'-'
            && text
                .as_bytes()
                .get(1)
                .is_some_and(u8::is_ascii_alphanumeric));
    if !is_plain || text.contains(": ") || text.contains(" #") || text.ends_with(':') {
        return None;
    }
    Some(match kubernetes(text).ok()? {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(value),
        Node::Int(value) => Value::Int(value),
        Node::Float(value) => Value::Double(value),
        Node::Text(text) => Value::String(text),
        Node::Time(_) | Node::List(_) | Node::Map(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::object;
    use crate::documents::{objects, slow_object};

    /// Numbers that look random and are the same in every run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, count: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(self.0 >> 33).unwrap_or_default() % count
        }

        fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
            of[self.below(of.len())]
        }
    }

    const KEYS: &[&str] = &[
        "a",
        "b",
        "spec",
        "apiVersion",
        "app.kubernetes.io/name",
        "yes",
        "null",
        "1",
        "on",
        "x-y",
        "\"q\"",
        "no",
        "n",
        "<<",
        "a b",
        "true",
        "é",
    ];
    const VALUES: &[&str] = &[
        "",
        "x",
        "1",
        "-1",
        "1.5",
        "1e3",
        "0x1f",
        "0o7",
        "017",
        "true",
        "yes",
        "Off",
        "null",
        "~",
        "{}",
        "[]",
        "[1]",
        "{a: b}",
        "\"quoted\"",
        "'single'",
        "\"esc\\n\"",
        "'it''s'",
        "a: b",
        "a:b",
        "http://x/y",
        "a #b",
        "a#b",
        "#c",
        "- x",
        "-x",
        "-",
        "*a",
        "&a x",
        "!!str 1",
        "| ",
        "|",
        ">",
        "2026-01-01",
        "12:30",
        "a, b",
        "x:",
        "%x",
        "@x",
        "`x`",
        "?",
        "? x",
        ": x",
        "é",
        "\"a\" b",
        "'",
        "\"",
        "''",
        "\"\"",
        "$x",
        "(x)",
        "x\ty",
        ".5",
        ".inf",
        "+1",
        "1_000",
        "=",
        "/x",
        "x y  z",
        "1.0",
        "9223372036854775808",
        "arn:aws:s3:::b",
    ];

    /// Mostly one that is simple, so that many documents are.
    fn value(chance: &mut Chance) -> &'static str {
        if chance.below(4) == 0 {
            chance.one(VALUES)
        } else {
            chance.one(&["text", "1", "true", "two words", "\"quoted\"", "a-b.c/d"])
        }
    }

    fn document(chance: &mut Chance) -> String {
        let mut text = String::new();
        let mut indent: usize = 0;
        for index in 0..=chance.below(7) {
            indent = match chance.below(12) {
                0..=2 | 8..=11 => indent,
                3 | 4 => indent + 2,
                5 => indent + 1,
                6 => indent.saturating_sub(2),
                _ => 0,
            };
            let line = match chance.below(10) {
                0 => format!("- {}", value(chance)),
                1 => format!("- {}: {}", chance.one(KEYS), value(chance)),
                2 => format!("{}:", chance.one(KEYS)),
                // A key of its own, so that most documents have none twice.
                3..=6 => format!("key{index}: {}", value(chance)),
                7 if chance.below(4) == 0 => chance
                    .one(&["# comment", "", "-", "---", "...", "text"])
                    .to_owned(),
                _ => format!("{}: {}", chance.one(KEYS), value(chance)),
            };
            text.push_str(&" ".repeat(indent));
            text.push_str(&line);
            text.push_str(if chance.below(20) == 0 { "  \n" } else { "\n" });
        }
        text
    }

    #[test]
    fn what_is_read_here_is_what_the_other_reader_reads() {
        let mut chance = Chance(7);
        let mut read = 0;
        for _ in 0..30_000 {
            let text = document(&mut chance);
            if let Some(object) = object(&text) {
                read += 1;
                assert_eq!(slow_object(&text), Ok(Some(object)), "{text}");
            }
        }
        assert!(read > 2000, "{read}");
    }

    #[test]
    fn what_templates_render_is_read_here() {
        let text = "apiVersion: s3.aws.upbound.io/v1beta2\nkind: Bucket\nmetadata:\n  annotations:\n    \
                    gotemplating.fn.crossplane.io/composition-resource-name: bucket-001\n    example.org/request: \"0000000001\"\n\
                    spec:\n  forProvider:\n    forceDestroy: false\n    tags:\n    - key: a\n      value: 1\n    - key: b\n\n  \
                    # done\n  list:\n    - x\n    - 2\n  empty: {}\n  nothing:\n";
        let object = object(text).expect("an object");
        assert_eq!(slow_object(text), Ok(Some(object.clone())));
        assert_eq!(objects(text), Ok(vec![object]));
    }
}
