//! How does Go's `Sprintf` write one bool, number or text under these flags, this width and this precision?

use super::float::{self as gofloat, Precision};
use super::quote as goquote;

/// Flags, width and precision of one directive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spec {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    /// `%#v`.
    pub(super) go_syntax: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// How many lists and maps are around.
    pub(super) depth: u16,
}

impl Spec {
    /// The same one level further in, unless that is too deep.
    pub(super) fn deeper(&self, limit: u16) -> Option<Self> {
        (self.depth < limit).then_some(Self {
            depth: self.depth + 1,
            ..*self
        })
    }

    /// Writes text, filled to the width; the width counts characters.
    pub(super) fn pad(&self, out: &mut Vec<u8>, text: &[u8]) {
        self.pad_with(
            out,
            text,
            if self.zero && !self.minus { b'0' } else { b' ' },
        );
    }

    fn pad_with(&self, out: &mut Vec<u8>, text: &[u8], fill: u8) {
        let missing = self.width.unwrap_or(0).saturating_sub(count(text));
        if !self.minus {
            out.extend(std::iter::repeat_n(fill, missing));
        }
        out.extend_from_slice(text);
        if self.minus {
            out.extend(std::iter::repeat_n(b' ', missing));
        }
    }

    /// Writes text cut to the precision.
    pub(super) fn text(&self, out: &mut Vec<u8>, text: &[u8]) {
        self.pad(out, self.cut(text));
    }

    fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        match self.precision {
            Some(precision) => text.get(..prefix(text, precision)).unwrap_or(text),
            None => text,
        }
    }

    pub(super) fn boolean(&self, out: &mut Vec<u8>, verb: char, value: bool) -> bool {
        if !matches!(verb, 't' | 'v') {
            return false;
        }
        self.pad(out, if value { b"true" } else { b"false" });
        true
    }

    pub(super) fn string(&self, out: &mut Vec<u8>, verb: char, text: &[u8]) -> bool {
        match verb {
            'v' if self.go_syntax => self.quoted(out, text),
            'v' | 's' => self.text(out, text),
            'q' => self.quoted(out, text),
            'x' | 'X' => self.hex(out, verb, text),
            _ => return false,
        }
        true
    }

    fn quoted(&self, out: &mut Vec<u8>, text: &[u8]) {
        let text = self.cut(text);
        if self.sharp && goquote::can_backquote(text) {
            self.pad(out, &[b"`", text, b"`"].concat());
        } else {
            self.pad(out, goquote::quote(text, self.plus).as_bytes());
        }
    }

    fn hex(&self, out: &mut Vec<u8>, verb: char, text: &[u8]) {
        let text = match self.precision {
            Some(precision) => text.get(..precision).unwrap_or(text),
            None => text,
        };
        let prefix = if verb == 'X' { "0X" } else { "0x" };
        let mut hex = String::with_capacity(text.len() * 2);
        for (index, byte) in text.iter().enumerate() {
            if self.space && index > 0 {
                hex.push(' ');
            }
            if self.sharp && (index == 0 || self.space) {
                hex.push_str(prefix);
            }
            let digits = if verb == 'X' {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            };
            hex.push_str(&digits);
        }
        self.pad(out, hex.as_bytes());
    }

    pub(super) fn integer(&self, out: &mut Vec<u8>, verb: char, value: i64) -> bool {
        let size = value.unsigned_abs();
        let (digits, prefix) = match verb {
            'v' | 'd' => (size.to_string(), ""),
            'b' => (format!("{size:b}"), "0b"),
            'o' | 'O' => (format!("{size:o}"), "0"),
            'x' => (format!("{size:x}"), "0x"),
            'X' => (format!("{size:X}"), "0X"),
            'c' => {
                self.pad(out, rune(value).to_string().as_bytes());
                return true;
            }
            'q' => {
                self.pad(out, goquote::quote_rune(rune(value), self.plus).as_bytes());
                return true;
            }
            'U' => {
                self.unicode(out, value);
                return true;
            }
            _ => return false,
        };
        if self.precision == Some(0) && value == 0 {
            out.extend(std::iter::repeat_n(b' ', self.width.unwrap_or(0)));
            return true;
        }
        let sign = match (value < 0, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        };
        let least = match (self.precision, self.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero && !self.minus => width.saturating_sub(sign.len()),
            _ => 0,
        };
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        let octal_zero = prefix == "0" && (digits.starts_with('0') || !zeros.is_empty());
        let prefix = match (self.sharp && !octal_zero, verb) {
            (true, 'O') => "0o0",
            (false, 'O') => "0o",
            (true, _) => prefix,
            (false, _) => "",
        };
        self.pad_with(
            out,
            format!("{sign}{prefix}{zeros}{digits}").as_bytes(),
            b' ',
        );
        true
    }

    fn unicode(&self, out: &mut Vec<u8>, value: i64) {
        let width = self.precision.unwrap_or(4).max(4);
        // Go reads the number as unsigned here.
        let digits = format!("{:X}", value.cast_unsigned());
        let zeros = "0".repeat(width.saturating_sub(digits.len()));
        let mut text = format!("U+{zeros}{digits}");
        if self.sharp
            && let Some(c) = u32::try_from(value).ok().and_then(char::from_u32)
            && goquote::printable(c)
        {
            push!(text, " '{c}'");
        }
        self.pad_with(out, text.as_bytes(), b' ');
    }

    pub(super) fn float(&self, out: &mut Vec<u8>, verb: char, value: f64) -> bool {
        let (format, default) = match verb {
            'v' => ('g', Precision::Shortest),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, Precision::Shortest),
            'e' | 'E' => (verb, Precision::Digits(6)),
            'f' | 'F' => ('f', Precision::Digits(6)),
            _ => return false,
        };
        let precision = self.precision.map_or(default, Precision::Digits);
        let text = gofloat::format(value, format, precision);
        let (mut sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("+", text.strip_prefix('+').unwrap_or(&text)),
        };
        if self.space && sign == "+" && !self.plus {
            sign = " ";
        }
        let show = self.plus || sign != "+";
        if !value.is_finite() {
            let show = if value.is_nan() {
                self.plus || self.space
            } else {
                // Go keeps the sign of an infinity in every format.
                true
            };
            let sign = if show { sign } else { "" };
            self.pad_with(out, format!("{sign}{digits}").as_bytes(), b' ');
            return true;
        }
        let digits = if self.sharp && format != 'b' {
            with_point(digits, format, precision)
        } else {
            digits.to_owned()
        };
        let sign = if show { sign } else { "" };
        let length = sign.len() + digits.len();
        if self.zero && !self.minus && !sign.is_empty() && self.width.is_some_and(|w| w > length) {
            let zeros = "0".repeat(self.width.unwrap_or(0) - length);
            out.extend_from_slice(format!("{sign}{zeros}{digits}").as_bytes());
        } else {
            self.pad(out, format!("{sign}{digits}").as_bytes());
        }
        true
    }
}

/// `%#g` and its like: a decimal point always, and trailing zeros for `g`.
fn with_point(text: &str, verb: char, precision: Precision) -> String {
    let mut wanted: i64 = match (verb, precision) {
        ('g' | 'G' | 'x', Precision::Shortest) => 6,
        ('g' | 'G' | 'x', Precision::Digits(digits)) => i64::try_from(digits).unwrap_or(i64::MAX),
        _ => 0,
    };
    let tail_at = text
        .find(|c| c == 'p' || c == 'P' || (!matches!(verb, 'x' | 'X') && matches!(c, 'e' | 'E')))
        .unwrap_or(text.len());
    let (number, tail) = text.split_at(tail_at);
    let mut seen = false;
    for c in number.chars().filter(|c| *c != '.') {
        seen |= c != '0';
        wanted -= i64::from(seen);
    }
    let mut out = number.to_owned();
    if !number.contains('.') {
        wanted -= i64::from(number == "0");
        out.push('.');
    }
    out.extend(std::iter::repeat_n(
        '0',
        usize::try_from(wanted).unwrap_or(0),
    ));
    out.push_str(tail);
    out
}

fn rune(value: i64) -> char {
    u32::try_from(value)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// How many characters Go counts: an invalid byte is one.
fn count(text: &[u8]) -> usize {
    goquote::runes(text).count()
}

/// The length in bytes of the first `characters` characters.
fn prefix(text: &[u8], characters: usize) -> usize {
    goquote::runes(text)
        .take(characters)
        .map(|(_, length)| length)
        .sum()
}
