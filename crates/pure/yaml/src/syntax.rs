//! What a syntax error means to the person who wrote the file.

use granit_parser::{ErrorKind, ScanError};
use purlin_diag::{Diagnostic, Place};

use crate::padding::Padding;
use crate::place::Source;

/// The diagnostic for an error of the parser.
pub(crate) fn diagnose(error: &ScanError, source: &Source, padding: &Padding) -> Diagnostic {
    let marker = error.marker();
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (code, message, help) = words(error.kind());
    let line = marker.line().max(1);
    // The parser stops behind a tab; the tab itself is what to look at.
    let tab = source.text.lines().nth(line - 1).and_then(|text| {
        text.chars()
            .take_while(|c| c.is_whitespace())
            .position(|c| c == '\t')
    });
    let column = match tab {
        Some(tab) if code == "yaml/tab" => tab,
        _ => padding.column(line, marker.col()),
    };
    let place = Place::new(
        source.name.clone(),
        small(line),
        small(column).saturating_add(1),
    );
    let message = message.map_or_else(|| error.kind().to_string(), str::to_owned);
    let mut diagnostic = Diagnostic::error(code, message).at(place);
    if let Some(help) = help {
        diagnostic = diagnostic.help(help);
    }
    diagnostic
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign, non-exhaustive enum; the rest keeps the parser's words"
)]
#[expect(clippy::too_many_lines, reason = "a table")]
fn words(kind: &ErrorKind) -> (&'static str, Option<&'static str>, Option<&'static str>) {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => (
            "yaml/tab",
            Some("a tab cannot indent YAML"),
            Some("use spaces"),
        ),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => (
            "yaml/indentation",
            Some("this line does not line up with the lines above it"),
            Some("give the fields of one map, and the items of one list, the same indentation"),
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "yaml/missing-colon",
            Some("a `:` is missing after this key, or a text that spans lines is not indented"),
            Some("write `key: value`, with a space after the colon"),
        ),
        ErrorKind::InvalidColonPlacement => (
            "yaml/unexpected-colon",
            Some("a `:` cannot stand here"),
            Some("close the list or map that is still open, or quote text that contains `:`"),
        ),
        ErrorKind::MappingValueNotAllowed => (
            "yaml/unexpected-colon",
            Some("a second `: ` in one line"),
            Some("quote a value that contains `: `, or start a new line for a nested map"),
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "yaml/unclosed-quote",
            Some("this quoted text never ends"),
            Some("close the quote"),
        ),
        ErrorKind::InvalidQuotedScalarIndent => (
            "yaml/unclosed-quote",
            Some("the quoted text above is not closed, or this line of it is not indented"),
            Some("close the quote, or indent the lines of the text"),
        ),
        ErrorKind::UnclosedFlowCollection { open: '[' } => (
            "yaml/unclosed-list",
            Some("this `[` is never closed"),
            Some("close the list with `]`, or quote the text"),
        ),
        ErrorKind::UnclosedFlowCollection { .. } => (
            "yaml/unclosed-map",
            Some("this `{` is never closed"),
            Some("close the map with `}`, or quote the text"),
        ),
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::ExpectedFlowSequenceSeparator => (
            "yaml/unclosed-list",
            Some("this `[` list is not continued with `,` or closed with `]`"),
            Some("put commas between the items and close the list"),
        ),
        ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator => (
            "yaml/unclosed-map",
            Some("this `{` map is not continued with `,` or closed with `}`"),
            Some(
                "put commas between the fields and close the map; quote text that contains braces",
            ),
        ),
        ErrorKind::RecursionLimitExceeded => (
            "yaml/too-deep",
            Some("lists and maps are nested too deeply"),
            None,
        ),
        _ => ("yaml/syntax", None, None),
    }
}
