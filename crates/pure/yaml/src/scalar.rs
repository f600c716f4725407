//! What a scalar means (the YAML 1.1 typing Kubernetes tools apply), and which source byte made which decoded byte.

use granit_parser::ScalarStyle;
use serde_json::{Number, Value};

/// A plain scalar's meaning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain {
    Value(Value),
    /// `.inf` or `.nan`, which JSON cannot hold.
    NotFinite,
}

/// Types a plain scalar as sigs.k8s.io/yaml does: `yes`, `on`, `y` are booleans, `0x10`, `017` and `1_000` numbers,
/// dates are text.
pub(crate) fn plain(text: &str) -> Plain {
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            Value::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => return Plain::NotFinite,
        other => return number(other).unwrap_or_else(|| Plain::Value(other.into())),
    };
    Plain::Value(value)
}

/// What a plain scalar is to Kubernetes' tools; nothing for `.inf` and `.nan`, which JSON cannot hold.
pub fn plain_value(text: &str) -> Option<Value> {
    match plain(text) {
        Plain::Value(value) => Some(value),
        Plain::NotFinite => None,
    }
}

fn number(text: &str) -> Option<Plain> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    // A scalar that starts with a point is never split by `_`.
    let digits = if first == b'.' {
        text.to_owned()
    } else {
        text.replace('_', "")
    };
    if let Some(integer) = integer(&digits) {
        return Some(Plain::Value(Value::Number(integer)));
    }
    if !is_float(&digits) {
        return None;
    }
    let float: f64 = digits.parse().ok()?;
    Some(float_number(float).map_or(Plain::NotFinite, |number| {
        Plain::Value(Value::Number(number))
    }))
}

/// A double as JSON shows it: whole ones are integers.
pub(crate) fn float_number(float: f64) -> Option<Number> {
    // Below 2^63 the cast is exact for a whole double.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and in range, so exact"
    )]
    if float.fract() == 0.0 && float.abs() < 9.2e18 {
        return Some(Number::from(float as i64));
    }
    Number::from_f64(float)
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let prefix = digits.get(..2).unwrap_or_default();
    let (radix, digits) = match prefix {
        "0x" | "0X" => (16, digits.get(2..)?),
        "0b" | "0B" => (2, digits.get(2..)?),
        "0o" | "0O" => (8, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        0i64.checked_sub_unsigned(magnitude).map(Number::from)
    } else {
        Some(Number::from(magnitude))
    }
}

/// `[-+]? (\.digits | digits (\. digits?)?) ([eE] [-+]? digits)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some((whole, part)) => {
            digits(whole) && digits(part) && (!whole.is_empty() || !part.is_empty())
        }
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_ok = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_ok && exponent_ok
}

/// A scalar's source: its text, how it is written, and the indentation of its lines when it is a block.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) raw: &'a str,
    pub(crate) style: ScalarStyle,
    pub(crate) indent: usize,
}

/// Maps byte `offset` of the decoded text to a byte of the source.
///
/// Walks both at once: a character that stands for itself pairs up; folded line breaks, indentation, doubled quotes
/// and escapes are stepped over. Never past the end of the source.
pub(crate) fn source_offset(written: Written<'_>, decoded: &str, offset: usize) -> usize {
    let Written { raw, style, indent } = written;
    let mut source = Cursor { raw, at: 0 };
    let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    if quoted {
        source.next();
    }
    // The source of a block starts at its first line with content.
    let lead = if block {
        decoded.len() - decoded.trim_start_matches('\n').len()
    } else {
        0
    };
    let indent = block.then_some(indent);
    for (at, wanted) in decoded.char_indices().skip_while(|(at, _)| *at < lead) {
        let start = source.seek(wanted, style, indent);
        if at >= offset {
            return start;
        }
        let before = source.at;
        source.take(style);
        let broke = raw
            .get(before..source.at)
            .is_some_and(|s| s.ends_with('\n'));
        if let (Some(indent), true) = (indent, broke) {
            source.skip_indent(indent);
        }
    }
    source.at.min(raw.len())
}

struct Cursor<'a> {
    raw: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.raw.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_while(&mut self, mut keep: impl FnMut(char) -> bool) {
        while self.peek().is_some_and(&mut keep) {
            self.next();
        }
    }

    fn skip_indent(&mut self, indent: usize) {
        for _ in 0..indent {
            if self.peek() != Some(' ') {
                return;
            }
            self.next();
        }
    }

    /// Steps over what is not content until something that can have made `wanted`, and returns where that starts.
    fn seek(&mut self, wanted: char, style: ScalarStyle, indent: Option<usize>) -> usize {
        loop {
            let Some(here) = self.peek() else {
                return self.at.min(self.raw.len());
            };
            let escaped = style == ScalarStyle::DoubleQuoted && here == '\\';
            if escaped {
                // An escaped line break makes nothing; any other escape makes one character.
                let after = self
                    .raw
                    .get(self.at + 1..)
                    .and_then(|rest| rest.chars().next());
                if !matches!(after, Some('\n' | '\r')) {
                    return self.at;
                }
                self.next();
                self.skip_while(char::is_whitespace);
                continue;
            }
            let line_break = matches!(here, '\n' | '\r');
            let folds = line_break && matches!(wanted, ' ' | '\n');
            let blank_skipped = wanted == '\n' && here == ' ' && style != ScalarStyle::Literal;
            if !blank_skipped && (here == wanted || folds || !(here.is_whitespace() || line_break))
            {
                return self.at;
            }
            self.next();
            if line_break && let Some(indent) = indent {
                self.skip_indent(indent);
            }
        }
    }

    /// Steps over the source of one decoded character.
    fn take(&mut self, style: ScalarStyle) {
        match (self.next(), style) {
            (Some('\\'), ScalarStyle::DoubleQuoted) => {
                let long = match self.next() {
                    Some('x') => 2,
                    Some('u') => 4,
                    Some('U') => 8,
                    _ => 0,
                };
                let digits = self.at;
                for _ in 0..long {
                    self.next();
                }
                // The two halves of a surrogate pair make one character.
                let high = self
                    .raw
                    .get(digits..self.at)
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                if long == 4 && high.is_some_and(|unit| (0xd800..0xdc00).contains(&unit)) {
                    for _ in 0..6 {
                        self.next();
                    }
                }
            }
            (Some('\''), ScalarStyle::SingleQuoted) => {
                self.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_have_the_types_kubectl_gives_them() {
        let cases = [
            ("yes", json!(true)),
            ("off", json!(false)),
            ("n", json!(false)),
            ("yEs", json!("yEs")),
            ("~", json!(null)),
            ("nULL", json!("nULL")),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+3", json!(3)),
            ("0x10", json!(16)),
            ("017", json!(15)),
            ("08", json!(8)),
            ("0o17", json!(15)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("1.0", json!(1)),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000)),
            ("1e30", json!(1e30)),
            ("1.2.3", json!("1.2.3")),
            ("2024-01-01", json!("2024-01-01")),
            ("1:20", json!("1:20")),
            ("-", json!("-")),
            (".", json!(".")),
            ("0x", json!("0x")),
            ("10Gi", json!("10Gi")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
        ];
        for (text, expect) in cases {
            assert_eq!(plain(text), Plain::Value(expect), "{text}");
        }
        assert_eq!(plain(".inf"), Plain::NotFinite);
        assert_eq!(plain("1e999"), Plain::NotFinite);
    }
}
