//! How does Go write this value as JSON, and change the case of letters?

use super::arg::Arg;
use super::float::{self as gofloat, Precision};
use super::quote as goquote;

/// Which case letters get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextCase {
    /// Capitals.
    Upper,
    /// Small letters.
    Lower,
}

/// `encoding/json`'s compact text: keys sorted, `<`, `>` and `&` escaped.
///
/// # Errors
/// JSON has no NaN and no infinity.
pub fn json_text(arg: Arg<'_>) -> Result<Vec<u8>, String> {
    let mut out = String::new();
    write_json(&mut out, arg)?;
    Ok(out.into_bytes())
}

fn write_json(out: &mut String, arg: Arg<'_>) -> Result<(), String> {
    match arg {
        Arg::Nil => out.push_str("null"),
        Arg::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Arg::Int(value) | Arg::Whole(value, _) => out.push_str(&value.to_string()),
        Arg::Float(value) => out.push_str(&json_number(value)?),
        Arg::Text(text) | Arg::Named(text, _) => json_string(out, text),
        Arg::Sequence(_) | Arg::Mapping(_) => {
            return Err("this value has its own way to JSON".to_owned());
        }
        Arg::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(out, item.into())?;
            }
            out.push(']');
        }
        Arg::Map(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json_string(out, key.as_bytes());
                out.push(':');
                write_json(out, value.into())?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// How `encoding/json` writes a number.
///
/// # Errors
/// JSON has no NaN and no infinity.
pub fn json_number(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Err(format!("{value} cannot be written as JSON"));
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = gofloat::format(value, 'e', Precision::Shortest);
        // One exponent digit is enough: e-09 is written e-9.
        return Ok(text.replace("e-0", "e-"));
    }
    Ok(gofloat::format(value, 'f', Precision::Shortest))
}

/// How `encoding/json` writes a text, `<`, `>` and `&` escaped.
pub fn json_string(out: &mut String, text: &[u8]) {
    out.push('"');
    for (c, _) in goquote::runes(text) {
        match c {
            None => out.push_str("\\ufffd"),
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(c) if c < ' ' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                push!(out, "\\u{:04x}", u32::from(c));
            }
            Some(c) => out.push(c),
        }
    }
    out.push('"');
}

/// Upper or lower case letter by letter, as Go does: a letter that becomes two (`ß`) stays.
pub fn change_case(text: &[u8], case: TextCase) -> String {
    goquote::runes(text)
        .map(|(c, _)| {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            match case {
                TextCase::Upper => {
                    let mut upper = c.to_uppercase();
                    match (upper.next(), upper.next()) {
                        (Some(upper), None) => upper,
                        _ => c,
                    }
                }
                TextCase::Lower => c.to_lowercase().next().unwrap_or(c),
            }
        })
        .collect()
}

/// Text with a replacement character for every byte that is not part of UTF-8.
pub fn replace_invalid(text: &[u8]) -> String {
    goquote::runes(text)
        .map(|(c, _)| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
