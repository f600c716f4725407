//! Values to YAML as yaml.v3 writes it: four spaces, lists inside their key.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use purlin_template::gofmt::{Precision, format_float};
use purlin_template::{Elements, List, Value};
use purlin_yaml::natural;

use super::read::Node;
use super::scalar::version_3;

/// How deep a value is written.
const MAX_DEPTH: usize = 200;
/// How long the text may be.
const MAX_TEXT: usize = 16 << 20;

/// Writes one document, with a line break at the end.
pub(crate) fn to_yaml(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    write(&mut out, value, 0, At::Top, 0)?;
    Ok(out)
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Top,
    /// Behind `key:`.
    Key,
    /// Behind `- `.
    Item,
}

/// `indent` is that of the value's own lines when it is a list or a map.
fn write(
    out: &mut String,
    value: &Value,
    indent: usize,
    at: At,
    depth: usize,
) -> Result<(), String> {
    if depth > MAX_DEPTH || out.len() > MAX_TEXT {
        return Err("the value is too large or too deep to be written".to_owned());
    }
    match value {
        Value::Map(map) => {
            let entries = map.entries();
            let mut entries: Vec<(String, &Value)> = (entries.iter())
                .map(|(key, value)| (String::from_utf8_lossy(key).into_owned(), value))
                .collect();
            entries.sort_by(|a, b| natural(&a.0, &b.0));
            let entries = entries
                .into_iter()
                .map(|(key, value)| (key_text(&key), value));
            return write_map(out, entries.collect(), indent, at, depth);
        }
        Value::Pairs(pairs) => {
            let mut entries: Vec<&(Value, Value)> = pairs.iter().collect();
            entries.sort_by(|(a, _), (b, _)| compare_keys(a, b));
            let entries = entries.into_iter().map(|(key, value)| {
                let mut text = String::new();
                write_scalar(&mut text, key, None);
                (text, value)
            });
            return write_map(out, entries.collect(), indent, at, depth);
        }
        Value::List(list) => return write_list(out, list, indent, at, depth),
        _ => {}
    }
    if at == At::Key {
        out.push(' ');
    }
    // Block text is indented like a list or map would be.
    let block = match at {
        At::Top => 4,
        At::Key | At::Item => indent,
    };
    write_scalar(out, value, Some(block));
    out.push('\n');
    Ok(())
}

/// The order of keys of several types: numbers and booleans by size, nothing, texts, times.
fn compare_keys(a: &Value, b: &Value) -> Ordering {
    #[expect(clippy::cast_precision_loss, reason = "as yaml.v3 compares")]
    fn size(key: &Value) -> Option<(f64, u8)> {
        match key {
            Value::Bool(value) => Some((f64::from(u8::from(*value)), 0)),
            Value::Int(value, _) => Some((*value as f64, 1)),
            Value::Float(value) => Some((*value, 2)),
            _ => None,
        }
    }
    let rank = |key: &Value| match key {
        Value::Missing | Value::Nil => 1,
        Value::Text(_) => 2,
        Value::Native(_) => 3,
        _ => 0,
    };
    match (size(a), size(b), a, b) {
        (Some((a, kind)), Some((b, other)), ..) => a.total_cmp(&b).then(kind.cmp(&other)),
        (_, _, Value::Text(a), Value::Text(b)) => {
            natural(&String::from_utf8_lossy(a), &String::from_utf8_lossy(b))
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

/// The next multiple of four.
const fn deeper(indent: usize) -> usize {
    (indent + 4) / 4 * 4
}

fn write_map(
    out: &mut String,
    entries: Vec<(String, &Value)>,
    indent: usize,
    at: At,
    depth: usize,
) -> Result<(), String> {
    if entries.is_empty() {
        out.push_str(if at == At::Key { " {}\n" } else { "{}\n" });
        return Ok(());
    }
    if at == At::Key {
        out.push('\n');
    }
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 || at != At::Item {
            pad(out, indent);
        }
        out.push_str(&key);
        out.push(':');
        write(out, value, deeper(indent), At::Key, depth + 1)?;
    }
    Ok(())
}

fn write_list(
    out: &mut String,
    list: &List,
    indent: usize,
    at: At,
    depth: usize,
) -> Result<(), String> {
    if list.items().is_empty() {
        out.push_str(if at == At::Key { " []\n" } else { "[]\n" });
        return Ok(());
    }
    if at == At::Key {
        out.push('\n');
    }
    for (index, item) in list.items().iter().enumerate() {
        if index > 0 || at != At::Item {
            pad(out, indent);
        }
        out.push_str("- ");
        write(out, item, indent + 2, At::Item, depth + 1)?;
    }
    Ok(())
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn key_text(key: &str) -> String {
    let mut out = String::new();
    write_text(&mut out, key, None);
    out
}

fn write_scalar(out: &mut String, value: &Value, block: Option<usize>) {
    match value {
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value, _) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&float(*value)),
        Value::Text(text) => {
            if let Ok(text) = std::str::from_utf8(text) {
                write_text(out, text, block);
            } else {
                out.push_str("!!binary ");
                out.push_str(&STANDARD.encode(text));
            }
        }
        Value::Native(native) => {
            // A time stands unquoted.
            let json = native.json();
            out.push_str(json.trim_matches('"'));
        }
        Value::List(list) if list.elements() == Elements::Any => out.push_str("[]"),
        Value::Missing | Value::Nil => out.push_str("null"),
        Value::List(_) | Value::Map(_) | Value::Pairs(_) => out.push_str("{}"),
    }
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    // As `strconv.FormatFloat(value, 'g', -1, 64)`, whose exponents begin at 21 digits.
    format_float(value, 'g', Precision::Shortest)
}

/// `block` is the indentation of a block text, or `None` where a block cannot stand.
fn write_text(out: &mut String, text: &str, block: Option<usize>) {
    let plain = reads_as_text(text);
    let shape = Shape::of(text);
    if text.contains('\n') {
        match block {
            Some(indent) if shape.block => write_literal(out, text, indent),
            _ => write_escaped(out, text),
        }
    } else if plain && shape.plain {
        out.push_str(text);
    } else if plain && shape.single {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        write_escaped(out, text);
    }
}

/// Whether plain text with these letters would be text, also to readers that know more types.
fn reads_as_text(text: &str) -> bool {
    let old_bool = matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    );
    matches!(version_3(text), Node::Text(_)) && !old_bool && !is_base_60(text) && text != "<<"
}

fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, _) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut others = parts.peekable();
    others.peek().is_some()
        && first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && others.all(|part| {
            let (tens, length) = (part.bytes().next(), part.len());
            part.bytes().all(|b| b.is_ascii_digit())
                && (length == 1 || (length == 2 && tens.is_some_and(|t| t < b'6')))
        })
}

/// In which styles a text can stand, as the emitter of libyaml decides.
struct Shape {
    plain: bool,
    single: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self {
            plain: !text.is_empty(),
            single: true,
            block: true,
        };
        let mut block_indicators = text.starts_with("---") || text.starts_with("...");
        let chars: Vec<char> = text.chars().collect();
        let blank = |c: Option<&char>| c.is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        let (mut special, mut tab, mut lines) = (false, false, false);
        let (mut space_break, mut break_space) = (false, false);
        for (index, c) in chars.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|at| chars.get(at));
            let next_blank = blank(chars.get(index + 1));
            block_indicators |= match c {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"'
                | '%' | '@' | '`'
                    if index == 0 =>
                {
                    true
                }
                '?' | ':' | '-' if index == 0 => next_blank,
                ':' => next_blank,
                '#' => blank(before),
                _ => false,
            };
            tab |= *c == '\t';
            special |= !is_printable(*c);
            if *c == '\n' || *c == '\r' {
                lines = true;
                space_break |= before == Some(&' ');
            }
            break_space |= *c == ' ' && matches!(before, Some('\n' | '\r'));
        }
        let edge = |c: Option<&char>| matches!(c, Some(' ' | '\n' | '\r'));
        if edge(chars.first()) || edge(chars.last()) || lines || block_indicators {
            shape.plain = false;
        }
        if chars.last() == Some(&' ') || space_break || special {
            shape.block = false;
        }
        if break_space || space_break || tab || special {
            shape.plain = false;
            shape.single = false;
        }
        shape
    }
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | '\t' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{85}')
}

fn write_literal(out: &mut String, text: &str, indent: usize) {
    let body = text.trim_end_matches('\n');
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('4');
    }
    out.push_str(match text.len() - body.len() {
        0 => "-",
        1 if !body.is_empty() => "",
        _ => "+",
    });
    if body.is_empty() {
        // The first line break ends the line with the bar, and the caller makes the last.
        out.extend(std::iter::repeat_n('\n', text.len() - 1));
        return;
    }
    // yaml.v3 takes a first line break for the end of the line with the bar, and it is gone.
    let lines = body.strip_prefix('\n').unwrap_or(body);
    for line in lines.split('\n') {
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
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            c if !is_printable(c) => {
                let code = u32::from(c);
                let shown = match code {
                    0..0x100 => format!("\\x{code:02X}"),
                    0x100..0x10000 => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                out.push_str(&shown);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
