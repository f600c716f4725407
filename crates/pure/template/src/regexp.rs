//! What is this Go regular expression in the syntax of the `regex` crate?
//!
//! Both are RE2-like and match the same way; they differ in spelling. In Go `\d \w \s \b` know ASCII only, `[` `&&` `--`
//! `~~` are ordinary inside a class, `\<` is a plain `<`, and `\Q…\E` quotes. The compiled size is bounded.

use regex::bytes::{Regex, RegexBuilder};

/// The longest expression in bytes.
const MAX_LENGTH: usize = 16 << 10;
/// The largest compiled program in bytes.
const MAX_SIZE: usize = 2 << 20;

/// Compiles an expression written for Go.
///
/// # Errors
/// What is wrong with it, in words.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_LENGTH {
        return Err(format!(
            "the regular expression is longer than {MAX_LENGTH} bytes"
        ));
    }
    RegexBuilder::new(&translate(pattern))
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .nest_limit(100)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("the regular expression needs more than {MAX_SIZE} bytes when compiled")
            }
            // The last line says what is wrong; those before it draw the expression.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
        })
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Q') => quoted(&mut chars, &mut out),
                Some('C') => out.push_str("(?s-u:.)"),
                Some(escaped) => push_escape(&mut out, escaped, false),
                None => out.push('\\'),
            },
            '[' => class(&mut chars, &mut out),
            c => out.push(c),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Everything up to `\E` stands for itself.
fn quoted(chars: &mut Chars<'_>, out: &mut String) {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek() == Some(&'E') {
            chars.next();
            break;
        }
        text.push(c);
    }
    out.push_str(&regex::escape(&text));
}

fn push_escape(out: &mut String, escaped: char, in_class: bool) {
    let ascii = match (escaped, in_class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', _) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', false) => "[\\t\\n\\x0c\\r ]",
        ('s', true) => "\\t\\n\\x0c\\r ",
        ('S', _) => "[^\\t\\n\\x0c\\r ]",
        ('b', false) => "(?-u:\\b)",
        ('B', false) => "(?-u:\\B)",
        ('<', _) => "<",
        ('>', _) => ">",
        _ => {
            out.push('\\');
            out.push(escaped);
            return;
        }
    };
    out.push_str(ascii);
}

/// A bracketed class; the `[` is already taken.
fn class(chars: &mut Chars<'_>, out: &mut String) {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            ']' if first => out.push_str("\\]"),
            ']' => {
                out.push(']');
                return;
            }
            '[' if chars.peek() == Some(&':') => posix(chars, out),
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            // A dash that starts or ends the class, or follows another, is itself.
            '-' if first || matches!(chars.peek(), Some(']' | '-')) => out.push_str("\\-"),
            '\\' => match chars.next() {
                Some(escaped) => push_escape(out, escaped, true),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
        first = false;
    }
}

/// `[:alpha:]` and its like, or a plain `[` when it is none.
fn posix(chars: &mut Chars<'_>, out: &mut String) {
    let ahead: String = chars.clone().take_while(|c| *c != ']').collect();
    if ahead.len() > 2 && ahead.ends_with(':') {
        out.push('[');
        out.push_str(&ahead);
        out.push(']');
        // The characters ahead and the bracket.
        for _ in 0..=ahead.chars().count() {
            chars.next();
        }
    } else {
        out.push_str("\\[");
    }
}

#[cfg(test)]
mod tests {
    use super::compile;

    fn check(pattern: &str, text: &str, found: Option<&str>) {
        let regexp = compile(pattern).expect(pattern);
        let matched = regexp.find(text.as_bytes());
        let matched = matched.map(|m| String::from_utf8_lossy(m.as_bytes()));
        assert_eq!(matched.as_deref(), found, "{pattern} on {text}");
    }

    #[test]
    fn classes_mean_what_they_mean_in_go() {
        check("\\d+", "a٣7", Some("7"));
        check("\\w+", "é_a1", Some("_a1"));
        check("\\bb", "éb", Some("b"));
        check("[[a]+", "x[a[", Some("[a["));
        check("[a&&b]+", "x&b", Some("&b"));
        check("[]a]+", "x]a", Some("]a"));
        check("[^]a]+", "]ax", Some("x"));
        check("[a-]+", "x-a", Some("-a"));
        check("[[:alpha:]_]+", "1a_", Some("a_"));
        check("[\\d.]+", "v1.2", Some("1.2"));
        check("[\\D]+", "1ab", Some("ab"));
        check("\\Qa.b\\E+", "a.bb", Some("a.bb"));
        check("a\\<b", "a<b", Some("a<b"));
        check("my-([0-9]+)-string", "my-1-string", Some("my-1-string"));
        check("(?i)EU", "eu-west", Some("eu"));
        check("x", "abc", None);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for pattern in ["?", "[a-z", "(", "a{1001}{1001}", "(?P<", &"(".repeat(200)] {
            let error = compile(pattern).expect_err(pattern);
            assert!(!error.is_empty() && !error.contains('\n'), "{error}");
        }
    }
}
