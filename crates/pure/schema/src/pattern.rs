//! Does a string match a schema's `pattern`, read as Go's regular expressions (RE2 syntax, unanchored) are?

use std::fmt;

use regex::{Regex, RegexBuilder};

/// The longest pattern that is compiled.
const LONGEST: usize = 8 * 1024;
/// The most memory one compiled pattern may take.
const LARGEST: usize = 1 << 20;

/// A compiled `pattern`. Two are equal when their sources are.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Why it is not a regular expression, or that it is too large.
    pub fn new(source: &str) -> Result<Self, String> {
        if source.len() > LONGEST {
            return Err(format!("is longer than {LONGEST} bytes"));
        }
        let regex = RegexBuilder::new(&translate(source))
            .size_limit(LARGEST)
            .dfa_size_limit(LARGEST)
            .nest_limit(64)
            .build()
            .map_err(|error| {
                let text = error.to_string();
                text.lines()
                    .last()
                    .unwrap_or("is not a regular expression")
                    .to_owned()
            })?;
        Ok(Self {
            source: source.to_owned(),
            regex,
        })
    }

    /// The pattern as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The regular expression that was compiled from it.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// How many groups it has, without the whole match.
    pub fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// Whether some part of the text matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Rewrites what Go reads differently: `\d \w \s \b` are ASCII there, `[` `&` `~` are ordinary inside a class, and
/// `\Q…\E` quotes.
fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut chars = source.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    while let Some(c) = chars.next() {
        let first = std::mem::replace(&mut class_start, false);
        match c {
            '\\' => match chars.next() {
                Some('Q') if !in_class => quote(&mut chars, &mut out),
                Some(escaped) => escape(escaped, in_class, &mut out),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                class_start = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            '[' if chars.peek() == Some(&':') => posix(&mut chars, &mut out),
            '[' => out.push_str("\\["),
            ']' if in_class && first => out.push_str("\\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

fn escape(escaped: char, in_class: bool, out: &mut String) {
    let class = match escaped {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => "\\t\\n\\x0C\\r ",
        'D' => "^0-9",
        'W' => "^0-9A-Za-z_",
        'S' => "^\\t\\n\\x0C\\r ",
        'b' if !in_class => {
            out.push_str("(?-u:\\b)");
            return;
        }
        'B' if !in_class => {
            out.push_str("(?-u:\\B)");
            return;
        }
        other => {
            out.push('\\');
            out.push(other);
            return;
        }
    };
    out.push('[');
    out.push_str(class);
    out.push(']');
}

fn quote(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let mut quoted = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next_if_eq(&'E').is_some() {
            break;
        }
        quoted.push(c);
    }
    out.push_str(&regex::escape(&quoted));
}

fn posix(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push('[');
    for c in chars.by_ref() {
        out.push(c);
        if c == ']' {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, expect: bool) {
        let compiled = Pattern::new(pattern).unwrap();
        assert_eq!(compiled.is_match(text), expect, "{pattern} on {text:?}");
    }

    #[test]
    fn classes_are_ascii_and_patterns_are_unanchored_as_in_go() {
        check("^\\w+\\s\\d$", "ab 1", true);
        check("^\\w+\\s\\d$", "é 1", false);
        check("^[\\w-]+$", "a-b_1", true);
        check("^[^\\s]+$", "a b", false);
        check("[0-9]{2}", "xx12yy", true);
        check("^\\p{L}+$", "Éa", true);
        check("(?i)^abc$", "aBC", true);
        check("^[a-z]+$", "abc\n", false);
        check("^[[a]+$", "[a", true);
        check("^[a&&b]+$", "a&b", true);
        check("^[[:alpha:]]+$", "ab", true);
        check("^\\Qa.b\\E$", "a.b", true);
        check("^\\Qa.b\\E$", "axb", false);
        check("^[]a]+$", "]a", true);
    }

    #[test]
    fn what_go_refuses_is_refused() {
        assert!(Pattern::new("(").is_err());
        assert!(Pattern::new("(?=x)").is_err());
        assert!(Pattern::new("(a{1000}){1000}").is_err());
    }
}
