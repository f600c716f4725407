//! Takes a YAML stream apart into its documents, without parsing them.
//!
//! A package may be larger than what is parsed in one go; its documents are not.

/// One document of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'t> {
    /// The line of the stream on which it starts, from 1.
    pub line: u32,
    /// Its text, without the separator.
    pub text: &'t str,
}

/// The documents of a stream that have more than comments in them.
///
/// A line that starts with `---` always separates: no scalar of YAML may contain one.
pub fn split(stream: &str) -> Vec<Part<'_>> {
    let stream = stream.strip_prefix('\u{feff}').unwrap_or(stream);
    let mut parts = Vec::new();
    let (mut start, mut first, mut line, mut at) = (0, 1, 1, 0);
    for text in stream.split_inclusive('\n') {
        if is_separator(text) {
            push(&mut parts, first, stream.get(start..at).unwrap_or_default());
            // What follows the separator on its line belongs to the document; so does its line number.
            start = at + 3;
            first = line;
        }
        at += text.len();
        line += 1;
    }
    push(&mut parts, first, stream.get(start..).unwrap_or_default());
    parts
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.chars().next().is_none_or(char::is_whitespace))
}

fn push<'t>(parts: &mut Vec<Part<'t>>, line: u32, text: &'t str) {
    let says_something = text.lines().any(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with('%') && line != "..."
    });
    if says_something {
        parts.push(Part { line, text });
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    fn check(stream: &str, wanted: &[(u32, &str)]) {
        let found: Vec<_> = split(stream)
            .iter()
            .map(|part| (part.line, part.text.trim()))
            .collect();
        assert_eq!(found, wanted, "{stream:?}");
    }

    #[test]
    fn documents_are_what_stands_between_separators() {
        check(
            "---\na: 1\n---\nb: |\n  ---\n---\n",
            &[(1, "a: 1"), (3, "b: |\n  ---")],
        );
        check("a: 1\n--- {b: 2}\n", &[(1, "a: 1"), (2, "{b: 2}")]);
        check("a: 1\r\n---\r\nb: 2", &[(1, "a: 1"), (2, "b: 2")]);
    }

    #[test]
    fn nothing_and_comments_are_no_documents() {
        check("", &[]);
        check("---\n# just words\n---\n\n--- \n", &[]);
        check("----\n", &[(1, "----")]);
    }
}
