//! What does the next part of a Go regular expression say? Reads it, and writes it as the `regex` crate spells it.

use std::collections::BTreeSet;

use super::{Group, MAX_REPEAT};

/// What an opening parenthesis opened.
pub(super) enum Opened {
    Flags,
    Group,
}

/// What is left to read, and what was written.
pub(super) struct Reader<'p> {
    pub(super) rest: &'p str,
    pub(super) out: String,
    names: BTreeSet<&'p str>,
}

impl<'p> Reader<'p> {
    pub(super) fn new(pattern: &'p str) -> Self {
        Self {
            rest: pattern,
            out: String::with_capacity(pattern.len() * 2),
            names: BTreeSet::new(),
        }
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn eat(&mut self, text: &str) -> bool {
        let after = self.rest.strip_prefix(text);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// What was read since `before`.
    fn since(&self, before: &'p str) -> &'p str {
        before.strip_suffix(self.rest).unwrap_or(before)
    }

    /// Writes a character that stands for itself.
    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() {
            self.out.push(c);
        } else {
            push!(self.out, "\\x{{{:X}}}", u32::from(c));
        }
    }

    /// Writes a repetition, whose sign was read when it is no count. Answers its text.
    pub(super) fn repeat(
        &mut self,
        before: &'p str,
        just: Option<&'p str>,
        group: &mut Group,
        count: Option<(u64, Option<u64>)>,
    ) -> Result<&'p str, String> {
        let sign = self.since(before);
        let too_often = |text: &str| format!("invalid repeat count: `{text}`");
        if let Some((least, most)) = count
            && (least > MAX_REPEAT || most.is_some_and(|most| most > MAX_REPEAT || most < least))
        {
            return Err(too_often(sign));
        }
        self.eat("?");
        let text = self.since(before);
        if let Some(just) = just {
            return Err(format!(
                "invalid nested repetition operator: `{just}{text}`"
            ));
        }
        let Some(weight) = group.last else {
            return Err(format!("missing argument to repetition operator: `{sign}`"));
        };
        let weight = match count {
            Some((least, most)) => match most.unwrap_or(least) {
                0 => 1,
                times => weight * times,
            },
            None => weight,
        };
        if weight > MAX_REPEAT {
            return Err(too_often(text));
        }
        self.out.push_str(text);
        group.operand(weight);
        Ok(text)
    }

    /// Reads one thing that can be repeated; a quoted text is any number of them. Answers how many.
    pub(super) fn atoms(&mut self) -> Result<usize, String> {
        match self.rest.chars().next() {
            Some('[') => self.class()?,
            Some('\\') if self.rest.starts_with("\\Q") => return Ok(self.quoted()),
            Some('\\') => self.escape()?,
            Some(c @ ('^' | '$' | '.')) => {
                self.bump();
                self.out.push(c);
            }
            Some(c) => {
                self.bump();
                self.literal(c);
            }
            None => return Ok(0),
        }
        Ok(1)
    }

    /// Whether a count follows, and not a brace that stands for itself.
    pub(super) fn starts_count(&self) -> bool {
        Reader::new(self.rest).count().is_some()
    }

    /// Reads `{2}`, `{2,}` or `{2,3}`, or nothing when it is none.
    pub(super) fn count(&mut self) -> Option<(u64, Option<u64>)> {
        let (inner, after) = self.rest.strip_prefix('{')?.split_once('}')?;
        let number = |text: &str| {
            let plain = !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_digit())
                && (text.len() == 1 || !text.starts_with('0'));
            // What is too long for a number is too large in any case.
            plain.then(|| text.parse().unwrap_or(u64::MAX))
        };
        let found = match inner.split_once(',') {
            None => {
                let times = number(inner)?;
                (times, Some(times))
            }
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        self.rest = after;
        Some(found)
    }

    /// Reads what an opening parenthesis starts.
    pub(super) fn open(&mut self) -> Result<Opened, String> {
        let before = self.rest;
        self.bump();
        if !self.eat("?") {
            self.out.push('(');
            return Ok(Opened::Group);
        }
        if self.eat("P<") || self.eat("<") {
            let Some((name, after)) = self.rest.split_once('>') else {
                return Err(format!("invalid named capture: `{before}`"));
            };
            self.rest = after;
            let valid =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !valid {
                return Err(format!("invalid named capture: `{}`", self.since(before)));
            }
            if !self.names.insert(name) {
                return Err(format!("duplicate capture group name: `{name}`"));
            }
            // The crate has no names that start with a digit; such a group keeps its number only.
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                self.out.push('(');
            } else {
                push!(self.out, "(?P<{name}>");
            }
            return Ok(Opened::Group);
        }
        let (mut negative, mut flags) = (false, 0);
        let mut text = String::from("(?");
        loop {
            match self.bump() {
                Some(c @ ('i' | 'm' | 's' | 'U')) => {
                    flags += 1;
                    text.push(c);
                }
                Some('-') if !negative => {
                    (negative, flags) = (true, 0);
                    text.push('-');
                }
                Some(c @ (':' | ')')) if !negative || flags > 0 => {
                    text.push(c);
                    if text != "(?)" {
                        self.out.push_str(&text);
                    }
                    return Ok(if c == ':' {
                        Opened::Group
                    } else {
                        Opened::Flags
                    });
                }
                _ => {
                    return Err(format!(
                        "invalid or unsupported Perl syntax: `{}`",
                        self.since(before)
                    ));
                }
            }
        }
    }

    /// Everything up to `\E` stands for itself. Answers how many characters that were.
    fn quoted(&mut self) -> usize {
        self.eat("\\Q");
        let (text, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.rest = after;
        text.chars().for_each(|c| self.literal(c));
        text.chars().count()
    }

    /// Reads an escape outside of a class.
    fn escape(&mut self) -> Result<(), String> {
        for (name, meaning) in [
            ("\\A", "\\A"),
            ("\\b", "(?-u:\\b)"),
            ("\\B", "(?-u:\\B)"),
            ("\\z", "\\z"),
        ] {
            if self.eat(name) {
                self.out.push_str(meaning);
                return Ok(());
            }
        }
        if self.perl_class(false) || self.unicode_class()? {
            return Ok(());
        }
        let c = self.escaped()?;
        self.literal(c);
        Ok(())
    }

    /// Reads `\d` and its like.
    fn perl_class(&mut self, in_class: bool) -> bool {
        for (name, inside, negated) in [
            ("\\d", "0-9", false),
            ("\\D", "0-9", true),
            ("\\w", "0-9A-Za-z_", false),
            ("\\W", "0-9A-Za-z_", true),
            ("\\s", "\\t\\n\\x0C\\r\\x20", false),
            ("\\S", "\\t\\n\\x0C\\r\\x20", true),
        ] {
            if self.eat(name) {
                match (negated, in_class) {
                    (false, true) => self.out.push_str(inside),
                    (false, false) => push!(self.out, "[{inside}]"),
                    (true, _) => push!(self.out, "[^{inside}]"),
                }
                return true;
            }
        }
        false
    }

    /// Reads `\pL`, `\p{Greek}`, `\P{^Greek}`.
    fn unicode_class(&mut self) -> Result<bool, String> {
        let before = self.rest;
        let mut negated = match () {
            () if self.eat("\\p") => false,
            () if self.eat("\\P") => true,
            () => return Ok(false),
        };
        let mut name = match self.bump() {
            Some('{') => {
                let Some((name, after)) = self.rest.split_once('}') else {
                    return Err(format!("invalid character class range: `{before}`"));
                };
                self.rest = after;
                name.to_owned()
            }
            Some(c) => c.to_string(),
            None => String::new(),
        };
        if let Some(positive) = name.strip_prefix('^') {
            negated = !negated;
            name = positive.to_owned();
        }
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_') {
            return Err(format!(
                "invalid character class range: `{}`",
                self.since(before)
            ));
        }
        push!(self.out, "\\{}{{{name}}}", if negated { 'P' } else { 'p' });
        Ok(true)
    }

    /// Reads an escape that stands for one character.
    fn escaped(&mut self) -> Result<char, String> {
        let before = self.rest;
        self.bump();
        let Some(c) = self.bump() else {
            return Err("trailing backslash at end of expression: ``".to_owned());
        };
        let found = match c {
            '1'..='7' if !self.rest.starts_with(|c| matches!(c, '0'..='7')) => None,
            '0'..='7' => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    self.bump();
                    value = value * 8 + digit;
                }
                char::from_u32(value)
            }
            'x' => self.hexadecimal(),
            'a' => Some('\x07'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\x0b'),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
            _ => None,
        };
        found.ok_or_else(|| format!("invalid escape sequence: `{}`", self.since(before)))
    }

    /// Reads `41` or `{1F600}`.
    fn hexadecimal(&mut self) -> Option<char> {
        let digits = if self.eat("{") {
            let (digits, after) = self.rest.split_once('}')?;
            self.rest = after;
            digits.to_owned()
        } else {
            [self.bump()?, self.bump()?].iter().collect()
        };
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = plain.then(|| u32::from_str_radix(&digits, 16).ok())??;
        char::from_u32(value)
    }

    /// Reads a bracketed class.
    fn class(&mut self) -> Result<(), String> {
        let before = self.rest;
        self.bump();
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if self.posix_class()? || self.unicode_class()? || self.perl_class(true) {
                continue;
            }
            let start = self.rest;
            let low = self.class_char(before)?;
            let mut high = low;
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
                self.bump();
                high = self.class_char(before)?;
                if high < low {
                    return Err(format!(
                        "invalid character class range: `{}`",
                        self.since(start)
                    ));
                }
            }
            self.literal(low);
            if high != low {
                self.out.push('-');
                self.literal(high);
            }
        }
        self.bump();
        self.out.push(']');
        Ok(())
    }

    fn class_char(&mut self, class: &str) -> Result<char, String> {
        if self.rest.starts_with('\\') {
            return self.escaped();
        }
        self.bump()
            .ok_or_else(|| format!("missing closing ]: `{class}`"))
    }

    /// Reads `[:alpha:]` and its like inside of a class.
    fn posix_class(&mut self) -> Result<bool, String> {
        const NAMES: &[&str] = &[
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        let Some((name, after)) = self
            .rest
            .strip_prefix("[:")
            .and_then(|rest| rest.split_once(":]"))
        else {
            return Ok(false);
        };
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("invalid character class range: `[:{name}:]`"));
        }
        push!(self.out, "[:{name}:]");
        self.rest = after;
        Ok(true)
    }
}
