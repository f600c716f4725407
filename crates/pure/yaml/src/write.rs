//! Values to YAML, laid out as `kubectl -o yaml` lays it out: sorted keys, two spaces, lists level with their key.
//!
//! What is written reads back as the same value. Lines are never folded.

use serde_json::{Map, Number, Value};

use crate::scalar::{Plain, float_number, plain};

/// Writes one document, without `---`, with a line break at the end.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_map(&mut out, map, 0, Start::Line),
        Value::Array(list) if !list.is_empty() => write_list(&mut out, list, 0, Start::Line),
        other => {
            write_scalar(&mut out, other, 2);
            out.push('\n');
        }
    }
    out
}

/// Writes several documents, each after a line `---`.
pub fn to_stream<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    values.into_iter().fold(String::new(), |mut out, value| {
        out.push_str("---\n");
        out.push_str(&to_string(value));
        out
    })
}

/// Whether the first line of a collection is already indented.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    Line,
    AfterDash,
}

fn write_map(out: &mut String, map: &Map<String, Value>, indent: usize, start: Start) {
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    entries.sort_by(|a, b| natural(a.0, b.0));
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 || start == Start::Line {
            pad(out, indent);
        }
        write_text(out, key, None);
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                write_map(out, inner, indent + 2, Start::Line);
            }
            Value::Array(inner) if !inner.is_empty() => {
                out.push('\n');
                write_list(out, inner, indent, Start::Line);
            }
            other => {
                out.push(' ');
                write_scalar(out, other, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn write_list(out: &mut String, list: &[Value], indent: usize, start: Start) {
    for (index, value) in list.iter().enumerate() {
        if index > 0 || start == Start::Line {
            pad(out, indent);
        }
        out.push_str("- ");
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                write_map(out, inner, indent + 2, Start::AfterDash);
            }
            Value::Array(inner) if !inner.is_empty() => {
                write_list(out, inner, indent + 2, Start::AfterDash);
            }
            other => {
                write_scalar(out, other, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// `indent` is that of the lines of a block text.
fn write_scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_text(out, text, Some(indent)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

fn write_number(out: &mut String, number: &Number) {
    let whole = number
        .as_f64()
        .filter(|_| number.is_f64())
        .and_then(float_number);
    out.push_str(&whole.as_ref().unwrap_or(number).to_string());
}

/// `block` is the indentation of a block text, or `None` where a block cannot stand.
fn write_text(out: &mut String, text: &str, block: Option<usize>) {
    if let Some(indent) = block
        && fits_literal(text)
    {
        write_literal(out, text, indent);
    } else if text.chars().any(needs_escape) || !reads_as_text(text) {
        write_escaped(out, text);
    } else if fits_plain(text) {
        out.push_str(text);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}

/// Whether a plain scalar with this text would be text to this reader and to those that know dates and base 60.
fn reads_as_text(text: &str) -> bool {
    matches!(plain(text), Plain::Value(Value::String(_)))
        && !text.starts_with("<<")
        && text != "="
        && !looks_like_date(text)
        && !looks_like_base_60(text)
}

fn looks_like_date(text: &str) -> bool {
    let mut bytes = text.bytes();
    let digits = bytes.by_ref().take(4).filter(u8::is_ascii_digit).count();
    digits == 4
        && bytes.next() == Some(b'-')
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"-:.+ TtZz".contains(&b))
}

fn looks_like_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    text.contains(':')
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b":._".contains(&b))
}

fn fits_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    let second = chars.next();
    let starts_well = match first {
        '-' | '?' | ':' => second.is_some_and(|c| !c.is_whitespace()) && !text.starts_with("---"),
        ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' => false,
        other => !other.is_whitespace(),
    };
    starts_well
        && !text.starts_with("...")
        && !text.ends_with(char::is_whitespace)
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
}

/// Characters that only a double-quoted text can hold.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{a0}'
        )
        || matches!(u32::from(c), 0xfffe | 0xffff)
}

fn fits_literal(text: &str) -> bool {
    text.contains('\n')
        && text.trim_start_matches('\n') == text
        && !text.starts_with([' ', '\t'])
        && !text
            .lines()
            .any(|line| line.ends_with([' ', '\t']) || line.trim().is_empty() && !line.is_empty())
        && !text
            .chars()
            .any(|c| c != '\n' && c != '\t' && needs_escape(c))
}

fn write_literal(out: &mut String, text: &str, indent: usize) {
    let body = text.trim_end_matches('\n');
    let chomp = match text.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    out.push('|');
    out.push_str(chomp);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
    }
    // The caller ends the last line; kept blank lines come before that.
    for _ in 1..(text.len() - body.len()) {
        out.push('\n');
    }
}

fn write_escaped(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{1b}' => out.push_str("\\e"),
            c if needs_escape(c) => {
                let code = u32::from(c);
                let shown = if code < 0x100 {
                    format!("\\x{code:02x}")
                } else if code < 0x10000 {
                    format!("\\u{code:04x}")
                } else {
                    format!("\\U{code:08x}")
                };
                out.push_str(&shown);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// The key order of go-yaml: runs of digits count as numbers, and letters come after everything else.
pub fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let (a_chars, b_chars): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = a_chars
        .iter()
        .zip(&b_chars)
        .take_while(|(x, y)| x == y)
        .count();
    let (Some(&x), Some(&y)) = (a_chars.get(same), b_chars.get(same)) else {
        return a_chars.len().cmp(&b_chars.len());
    };
    let in_digits = same > 0 && a_chars.get(same - 1).is_some_and(char::is_ascii_digit);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        // Inside a number, a letter ends it, and the shorter number comes first.
        (true, false) if in_digits => return std::cmp::Ordering::Less,
        (false, true) if in_digits => return std::cmp::Ordering::Greater,
        (true, false) => return std::cmp::Ordering::Greater,
        (false, true) => return std::cmp::Ordering::Less,
        (false, false) => {}
    }
    let number = |chars: &[char]| -> (u128, usize) {
        let start = chars
            .iter()
            .take(same)
            .rposition(|c| !c.is_ascii_digit())
            .map_or(0, |at| at + 1);
        let digits: String = chars
            .iter()
            .skip(start)
            .take_while(|c| c.is_ascii_digit())
            .take(38)
            .collect();
        (digits.parse().unwrap_or(0), digits.len())
    };
    number(&a_chars)
        .cmp(&number(&b_chars))
        .then_with(|| x.cmp(&y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn output_looks_like_kubectl() {
        let value = json!({
            "spec": {"names": ["a", {"b": 1, "a": [[1, 2], []]}], "empty": {}, "none": null},
            "metadata": {"labels": {"x10": "yes", "x9": "1", "on": "no"}, "when": "2024-01-01T00:00:00Z"},
            "text": "one\n\ntwo\n", "odd": " lead", "colon": "a: b", "tick": "it's", "tab": "a\tb", "n": 1.0,
            "f": 1.5, "e": "", "star": "*x", "dash": "-", "neg": "-a", "time": "1:20", "keep": "a\n\n",
            "strip": "a\nb", "bel": "\u{7}", "quote": "\"q\"", "hash": "a #b", "tpl": "{{ x }}",
        });
        assert_eq!(
            to_string(&value),
            r#"bel: "\a"
colon: 'a: b'
dash: '-'
e: ""
f: 1.5
hash: 'a #b'
keep: |+
  a

metadata:
  labels:
    "on": "no"
    x9: "1"
    x10: "yes"
  when: "2024-01-01T00:00:00Z"
"n": 1
neg: -a
odd: ' lead'
quote: '"q"'
spec:
  empty: {}
  names:
  - a
  - a:
    - - 1
      - 2
    - []
    b: 1
  none: null
star: '*x'
strip: |-
  a
  b
tab: "a\tb"
text: |
  one

  two
tick: it's
time: "1:20"
tpl: '{{ x }}'
"#
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            4 => "[a-zA-Z0-9 .:#,'\"\\-\\n\\[\\]{}&*!|>%@`~?=<_/+]{0,12}",
            1 => any::<String>(),
            1 => proptest::sample::select(vec![
                "", "~", "null", "yes", "off", "y", "0x1f", "017", "1e3", ".5", "-", "---", "...", "--- a", "...a",
                "<<", "=", "1:20", "2024-01-01", "a\n b\n", "\n", "\n\n", " \n", "a\n\n\n", "? a", ": a", "- a", "#",
                "a\u{85}b", "\u{feff}", "\u{2028}", "a\r\nb", "a \nb", "\ta\nb", "a\n\tb", "\u{1f600}", ".inf", "-.",
                "!!str a", "%a", "a:", "a: ", "a #", "-1", "+1", "1_0", "08", "--a", "?-", ":-", "a\n---\nb", "a\n...\n",
            ]).prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>()
                .prop_filter("finite", |f| f.is_finite())
                .prop_map(|f| { float_number(f).map_or(Value::Null, Value::Number) }),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 48, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(text.clone(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_is_written_reads_back(value in value()) {
            let text = to_string(&value);
            let (documents, found) = load("t", &text);
            prop_assert!(!found.has_errors(), "{text}\n{found:?}");
            let back = documents.into_iter().next().map_or(Value::Null, |d| d.value);
            prop_assert_eq!(back, value, "{}", text);
        }

        #[test]
        fn json_reads_as_json(value in value()) {
            let text = serde_json::to_string_pretty(&value).expect("a value is JSON");
            let (documents, found) = load("t", &text);
            prop_assert!(!found.has_errors(), "{text}\n{found:?}");
            let back = documents.into_iter().next().map_or(Value::Null, |d| d.value);
            prop_assert_eq!(back, value, "{}", text);
        }
    }
}
