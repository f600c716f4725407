//! What does a message say, once captured texts are filled in?
//!
//! Messages are Go templates over the captured texts. Of the language there are actions that print: `{{ .name }}`, `{{ . }}`,
//! texts in quotes, `printf` with `%s`, `%v` and `%q`, pipelines, comments and `{{-` `-}}`. Anything else is a failure that
//! says so.

use std::fmt::Write as _;

use crate::matching::Groups;

/// The longest message in bytes; a control plane keeps it in every object it is about.
const MAX_LENGTH: usize = 32 << 10;

/// Fills captured texts in. Without any, the text stays as it is, whatever it looks like.
///
/// # Errors
/// What of the template cannot be read or run.
pub(crate) fn fill(text: &str, captured: &Groups) -> Result<String, String> {
    if captured.is_empty() {
        return Ok(text.to_owned());
    }
    let mut out = String::new();
    let mut rest = text;
    let mut trim = false;
    while let Some((before, action)) = rest.split_once("{{") {
        let (action, trims_before) = match action.strip_prefix('-') {
            Some(inner) if inner.starts_with(char::is_whitespace) => (inner, true),
            _ => (action, false),
        };
        let mut before = if trim { before.trim_start() } else { before };
        if trims_before {
            before = before.trim_end();
        }
        out.push_str(before);
        let end = end(action).ok_or_else(|| "an action `{{` does not end with `}}`".to_owned())?;
        let (inside, after) = action.split_at(end);
        rest = after.strip_prefix("}}").unwrap_or(after);
        let (inside, trims_after) = match inside.strip_suffix('-') {
            Some(inner) if inner.ends_with(char::is_whitespace) => (inner, true),
            _ => (inside, false),
        };
        trim = trims_after;
        let inside = inside.trim();
        if !(inside.starts_with("/*") && inside.ends_with("*/")) {
            out.push_str(&pipeline(inside, captured)?);
        }
        if out.len() > MAX_LENGTH {
            return Err(format!("the message is longer than {MAX_LENGTH} bytes"));
        }
    }
    out.push_str(if trim { rest.trim_start() } else { rest });
    Ok(out)
}

/// Where the action ends: at the first `}}` that does not stand in quotes.
fn end(action: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in action.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '`') => quote = Some(c),
            (None, '}') if action.get(at..).is_some_and(|rest| rest.starts_with("}}")) => {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

fn pipeline(text: &str, captured: &Groups) -> Result<String, String> {
    let mut value = None;
    for command in commands(text)? {
        value = Some(run(&command, value, captured)?);
    }
    value.ok_or_else(|| "an action is empty".to_owned())
}

/// A word of a command, with the text of a quoted one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Plain(String),
    Quoted(String),
}

/// The words of the commands between `|`.
fn commands(text: &str) -> Result<Vec<Vec<Word>>, String> {
    let mut commands = vec![Vec::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let word = match c {
            c if c.is_whitespace() => continue,
            '|' => {
                commands.push(Vec::new());
                continue;
            }
            '`' => Word::Quoted(chars.by_ref().take_while(|c| *c != '`').collect()),
            '"' => Word::Quoted(quoted(&mut chars)?),
            c => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && *c != '|') {
                    word.push(c);
                }
                Word::Plain(word)
            }
        };
        if let Some(last) = commands.last_mut() {
            last.push(word);
        }
    }
    Ok(commands)
}

/// The rest of a text in double quotes.
fn quoted(chars: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(text),
            '\\' => text.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(c @ ('"' | '\\')) => c,
                _ => return Err("a text in quotes has an escape that is not understood".to_owned()),
            }),
            c => text.push(c),
        }
    }
    Err("a text in quotes does not end".to_owned())
}

/// Runs a command; `piped` is its last argument.
fn run(command: &[Word], piped: Option<String>, captured: &Groups) -> Result<String, String> {
    match (command, piped) {
        ([Word::Plain(name), rest @ ..], piped) if name == "printf" || name == "print" => {
            let mut args = Vec::new();
            for word in rest {
                args.push(operand(word, captured)?);
            }
            args.extend(piped);
            match (name.as_str(), args.split_first()) {
                ("printf", Some((format, args))) => printf(format, args),
                ("printf", None) => Err("`printf` needs a format".to_owned()),
                // Between texts `print` adds nothing.
                _ => Ok(args.concat()),
            }
        }
        ([word], None) => operand(word, captured),
        ([], _) => Err("a command is empty".to_owned()),
        (words, _) => {
            let words: Vec<&str> = words.iter().map(Word::text).collect();
            Err(format!(
                "`{}` is not supported in messages",
                words.join(" ")
            ))
        }
    }
}

impl Word {
    fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Quoted(text) => text,
        }
    }
}

fn operand(word: &Word, captured: &Groups) -> Result<String, String> {
    let word = match word {
        Word::Quoted(text) => return Ok(text.clone()),
        Word::Plain(word) => word,
    };
    if word == "." {
        let entries: Vec<String> = captured
            .iter()
            .map(|(name, text)| format!("{name}:{text}"))
            .collect();
        return Ok(format!("map[{}]", entries.join(" ")));
    }
    let name = word
        .strip_prefix('.')
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    match name {
        // What nothing captured is no value in Go's templates, and is shown as that.
        Some(name) => Ok(captured
            .get(name)
            .map_or_else(|| "<no value>".to_owned(), Clone::clone)),
        None => Err(format!("`{word}` is not supported in messages")),
    }
}

fn printf(format: &str, args: &[String]) -> Result<String, String> {
    let mut out = String::new();
    let mut args = args.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let verb = chars.next();
        if verb == Some('%') {
            out.push('%');
            continue;
        }
        let arg = args
            .next()
            .ok_or_else(|| format!("`printf {format:?}` has too few arguments"))?;
        match verb {
            Some('s' | 'v') => out.push_str(arg),
            Some('q') => drop(write!(out, "{arg:?}")),
            _ => {
                return Err(format!(
                    "`printf {format:?}`: only %s, %v, %q and %% are supported"
                ));
            }
        }
    }
    if args.next().is_some() {
        return Err(format!("`printf {format:?}` has too many arguments"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let captured = [("id", "i-1"), ("region", "eu"), ("none", "")];
        let captured = captured.map(|(name, text)| (name.to_owned(), text.to_owned()));
        fill(text, &captured.into())
    }

    #[test]
    fn captured_texts_are_filled_in() {
        for (text, expected) in [
            ("id {{ .id }} at {{.region}}", "id i-1 at eu"),
            ("[{{ .none }}][{{ .other }}]", "[][<no value>]"),
            ("{{ . }}", "map[id:i-1 none: region:eu]"),
            ("a {{- .id -}} b", "ai-1b"),
            ("{{/* nothing */}}x", "x"),
            ("{{ printf \"%s }} %q\" .id .region }}", "i-1 }} \"eu\""),
            ("{{ .id | printf \"<%v>\" }}", "<i-1>"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_run_is_a_failure() {
        for text in [
            "{{ .Error }",
            "{{ }}",
            "{{ if .id }}x{{ end }}",
            "{{ nope }}",
            "{{ .a | html }}",
        ] {
            assert!(filled(text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_captured_texts_nothing_is_a_template() {
        assert_eq!(fill("{{ .id ", &Groups::new()).as_deref(), Ok("{{ .id "));
    }
}
