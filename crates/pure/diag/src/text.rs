//! Findings for people: the line in question with carets under what is meant.

#![expect(
    clippy::let_underscore_must_use,
    reason = "writing to a String cannot fail"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{Diagnostic, Diagnostics, Place, Severity};

/// The text of the files that findings may point into, by the name used in [`Place::file`].
pub type Sources = BTreeMap<String, String>;

/// Renders every finding, with the line it points at when the file's text is in `sources`, and a closing count.
pub fn render_text(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = render_findings(diagnostics, sources);
    if !diagnostics.is_empty() {
        let _ = writeln!(out, "{}", count(diagnostics));
    }
    out
}

/// As [`render_text`], without the count.
pub fn render_findings(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        render_one(&mut out, diagnostic, sources);
    }
    out
}

/// How many findings there are, in words, as `1 error, 2 notes`; empty when there are none.
pub fn count(diagnostics: &Diagnostics) -> String {
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count()
    };
    let counts: Vec<String> = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ]
    .into_iter()
    .map(|(severity, word)| (count(severity), word))
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| {
        if count == 1 {
            format!("1 {word}")
        } else {
            format!("{count} {word}s")
        }
    })
    .collect();
    counts.join(", ")
}

fn render_one(out: &mut String, diagnostic: &Diagnostic, sources: &Sources) {
    let _ = match (&diagnostic.place, &diagnostic.path) {
        (Some(place), _) => write!(out, "{place}: "),
        (None, Some(path)) => write!(out, "{path}: "),
        (None, None) => Ok(()),
    };
    let _ = writeln!(
        out,
        "{}[{}]: {}",
        diagnostic.severity.as_str(),
        diagnostic.code,
        diagnostic.message
    );
    if let Some(place) = &diagnostic.place {
        render_line(out, place, sources);
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "  help: {help}");
    }
}

/// How many characters of a line are shown before its window moves with the column.
const WIDTH: usize = 100;

fn render_line(out: &mut String, place: &Place, sources: &Sources) {
    let Some(line) = sources
        .get(place.file.as_ref())
        .and_then(|text| text.lines().nth(place.line.max(1) as usize - 1))
    else {
        return;
    };
    let number = place.line.to_string();
    let start = place.column.max(1) as usize - 1;
    // A long line (minified JSON, say) is shown around the column only.
    let first = if start > WIDTH { start - WIDTH / 2 } else { 0 };
    let mut shown: String = line.chars().skip(first).take(WIDTH + WIDTH / 2).collect();
    let room = shown.chars().count().saturating_sub(start - first).max(1);
    let mut pad: String = shown
        .chars()
        .take(start - first)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    if first > 0 {
        shown.insert(0, '…');
        pad.insert(0, ' ');
    }
    if line.chars().nth(first + WIDTH + WIDTH / 2).is_some() {
        shown.push('…');
    }
    let carets = "^".repeat((place.length.max(1) as usize).min(room));
    let _ = writeln!(out, "{number} | {shown}");
    let _ = writeln!(out, "{} | {pad}{carets}", " ".repeat(number.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_its_line_and_carets_and_help() {
        let sources = Sources::from([(
            "net.yaml".to_owned(),
            "kind: X\nspec: {replcas: 3}\n".to_owned(),
        )]);
        let found = Diagnostics::from(
            Diagnostic::error("schema/unknown-field", "`replcas` is not a field of spec")
                .at(Place::new("net.yaml", 2, 8).with_length(7))
                .help("did you mean `replicas`?"),
        );
        assert_eq!(
            render_text(&found, &sources),
            "net.yaml:2:8: error[schema/unknown-field]: `replcas` is not a field of spec\n\
             2 | spec: {replcas: 3}\n  |        ^^^^^^^\n  help: did you mean `replicas`?\n1 error\n"
        );
    }

    #[test]
    fn a_place_past_the_text_is_not_a_panic() {
        let sources = Sources::from([("a".to_owned(), "x".to_owned())]);
        let found = Diagnostics::from(
            Diagnostic::note("a/b", "c").at(Place::new("a", 9, 900).with_length(9)),
        );
        assert_eq!(
            render_text(&found, &sources),
            "a:9:900: note[a/b]: c\n1 note\n"
        );
        let found = Diagnostics::from(
            Diagnostic::note("a/b", "c").at(Place::new("a", 1, 900).with_length(9)),
        );
        assert!(render_text(&found, &sources).contains('^'));
    }

    #[test]
    fn a_long_line_is_shown_around_the_column_only() {
        let line = "x".repeat(100_000);
        let sources = Sources::from([("a".to_owned(), line)]);
        for column in [1, 99, 5_000, 100_000] {
            let found = Diagnostics::from(
                Diagnostic::note("a/b", "c").at(Place::new("a", 1, column).with_length(90_000)),
            );
            let text = render_text(&found, &sources);
            assert!(text.len() < 1_000, "{column}: {} bytes", text.len());
            let lines: Vec<&str> = text.lines().collect();
            let caret = lines[2].chars().position(|c| c == '^').unwrap();
            assert_eq!(lines[1].chars().nth(caret), Some('x'), "{column}");
        }
    }
}
