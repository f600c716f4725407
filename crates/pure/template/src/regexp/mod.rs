//! What is this Go regular expression in the syntax of the `regex` crate?
//!
//! Both are RE2-like and match the same way; they differ in what they accept and how it is spelt. So the expression is read
//! by Go's rules (`regexp/syntax`), refused where Go refuses it and in Go's words, and written anew: in Go `\d \w \s \b`
//! know ASCII only, a `{` that repeats nothing is itself, `\Q…\E` quotes, and there is no `\C`, no `(?x)` and no class of
//! classes. The compiled size is bounded.

mod reader;

use regex::bytes::{Regex, RegexBuilder};

use reader::{Opened, Reader};

/// The longest expression in bytes.
const MAX_LENGTH: usize = 16 << 10;
/// The largest compiled program in bytes.
const MAX_SIZE: usize = 2 << 20;
/// How often something may be repeated by counts, nested ones multiplied. Go's limit.
const MAX_REPEAT: u64 = 1000;

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
    RegexBuilder::new(&translate(pattern)?)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .nest_limit(250)
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

/// The expression as the crate spells it.
///
/// # Errors
/// Why Go does not take it, in Go's words.
fn translate(pattern: &str) -> Result<String, String> {
    let mut reader = Reader::new(pattern);
    let mut groups = vec![Group::default()];
    let mut repeated: Option<&str> = None;
    while let Some(c) = reader.rest.chars().next() {
        let before = reader.rest;
        let just = repeated.take();
        let group = groups.last_mut().expect("the outermost group stays");
        match c {
            '(' => match reader.open()? {
                Opened::Flags => {}
                Opened::Group => groups.push(Group::default()),
            },
            ')' => {
                reader.bump();
                if groups.len() == 1 {
                    return Err(format!("unexpected ): `{pattern}`"));
                }
                let inner = groups.pop().unwrap_or_default();
                reader.out.push(')');
                if let Some(group) = groups.last_mut() {
                    group.operand(inner.heaviest());
                }
            }
            '|' => {
                reader.bump();
                reader.out.push('|');
                group.alternative();
            }
            '*' | '+' | '?' => {
                reader.bump();
                repeated = Some(reader.repeat(before, just, group, None)?);
            }
            '{' if reader.starts_count() => {
                let count = reader.count();
                repeated = Some(reader.repeat(before, just, group, count)?);
            }
            _ => {
                for _ in 0..reader.atoms()? {
                    group.operand(1);
                }
            }
        }
    }
    if groups.len() > 1 {
        return Err(format!("missing closing ): `{pattern}`"));
    }
    Ok(reader.out)
}

/// What is open: whether there is something to repeat, and how often its parts are repeated by counts.
#[derive(Debug, Default)]
struct Group {
    last: Option<u64>,
    heaviest: u64,
}

impl Group {
    /// Something that can be repeated.
    fn operand(&mut self, weight: u64) {
        self.heaviest = self.heaviest.max(weight);
        self.last = Some(weight);
    }

    fn alternative(&mut self) {
        self.last = None;
    }

    fn heaviest(&self) -> u64 {
        self.heaviest.max(1)
    }
}

#[cfg(test)]
mod tests;
