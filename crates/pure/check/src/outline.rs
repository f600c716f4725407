//! Which lines does a Go template write, as far as its text tells?
//!
//! A template of manifests is mostly YAML. Its lines are read by their indentation, with holes where actions stand: what is
//! written out has a place and a value, and nothing is known of the rest. Both branches of an `if` are read, one after the
//! other. A document in which actions join lines is given up.

use std::ops::Range;

/// A document that a template writes.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Its lines, without blank ones and comments.
    pub(crate) lines: Vec<Line>,
    /// Whether its lines are not those one sees.
    pub(crate) uncertain: bool,
    /// Whether it stands in a named template, which may be used anywhere.
    pub(crate) named: bool,
}

/// A line of a document.
#[derive(Debug)]
pub(crate) enum Line {
    /// Something that an action writes, maybe several lines.
    Hole {
        /// The bytes of the action.
        at: Range<usize>,
        /// The column it writes in, when that is certain.
        column: Option<usize>,
    },
    /// A line that is written out, at least its name.
    Entry(Entry),
}

/// A line that is written out.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The columns of its dashes.
    pub(crate) dashes: Vec<usize>,
    /// The column of what follows them.
    pub(crate) column: usize,
    /// The name of the field, and its bytes; `None` when an action writes it, or when there is none.
    pub(crate) key: Option<(String, Range<usize>)>,
    /// Whether there is a name at all.
    pub(crate) keyed: bool,
    /// The value.
    pub(crate) value: Value,
}

/// What stands behind a name or a dash.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing: it follows in the next lines.
    Below,
    /// Text to read as YAML.
    Written(Range<usize>),
    /// A text for certain, of which parts are not known.
    Text(Range<usize>),
    /// Not known.
    Hole,
    /// A text of several lines.
    Block(Range<usize>),
}

/// A piece of a template.
#[derive(Debug)]
enum Piece {
    Text(Range<usize>),
    Action {
        at: Range<usize>,
        inside: Range<usize>,
        /// Whether it eats the blanks and line breaks after it.
        trims: bool,
    },
}

/// Reads a template into the documents it writes.
pub(crate) fn read(text: &str) -> Vec<Part> {
    let pieces = pieces(text);
    let mut reader = Reader {
        text,
        parts: vec![Part::default()],
        block: None,
        nesting: Vec::new(),
        last: None,
    };
    for line in lines(text, &pieces) {
        reader.line(&line);
    }
    reader.parts
}

/// Splits a template into texts and actions.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("{{")) {
        let open = at + open;
        if open > at {
            pieces.push(Piece::Text(at..open));
        }
        let end = action_end(text, open + 2);
        let whole = text.get(open..end).unwrap_or_default();
        let inside = whole.trim_start_matches("{{").trim_end_matches("}}");
        let trims = inside.ends_with(" -") || inside == "-";
        let start = open + whole.find(inside).unwrap_or_default();
        pieces.push(Piece::Action {
            at: open..end,
            inside: start..start + inside.len(),
            trims,
        });
        at = end;
    }
    if at < text.len() {
        pieces.push(Piece::Text(at..text.len()));
    }
    pieces
}

/// Where the action ends whose braces end before `from`.
fn action_end(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut quote = None;
    let rest = text.get(from..).unwrap_or_default();
    if rest.trim_start_matches(['-', ' ']).starts_with("/*") {
        let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
        at = from + end;
    }
    while let Some(byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') if quote != Some(b'`') => at += 1,
            (Some(open), _) if open == *byte => quote = None,
            (None, b'"' | b'`' | b'\'') => quote = Some(*byte),
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return at + 2,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// A line of the template: texts and actions, without the line break. Actions may span lines.
#[derive(Debug, Default)]
struct Row<'p> {
    pieces: Vec<(Range<usize>, Option<&'p Piece>)>,
}

fn lines<'p>(text: &str, pieces: &'p [Piece]) -> Vec<Row<'p>> {
    let mut rows = vec![Row::default()];
    for piece in pieces {
        match piece {
            Piece::Action { at, .. } => {
                if let Some(row) = rows.last_mut() {
                    row.pieces.push((at.clone(), Some(piece)));
                }
            }
            Piece::Text(range) => {
                let mut start = range.start;
                for (index, part) in text
                    .get(range.clone())
                    .unwrap_or_default()
                    .split('\n')
                    .enumerate()
                {
                    if index > 0 {
                        rows.push(Row::default());
                    }
                    if let Some(row) = rows.last_mut().filter(|_| !part.is_empty()) {
                        row.pieces.push((start..start + part.len(), None));
                    }
                    start += part.len() + 1;
                }
            }
        }
    }
    rows
}

/// What an action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It writes nothing, and opens a block or not.
    Opens,
    Defines,
    Ends,
    Silent,
    /// It writes something.
    Writes,
}

fn kind(inside: &str) -> Kind {
    let inside = inside.trim_start_matches('-').trim();
    let word = inside
        .split(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default();
    match word {
        "if" | "range" | "with" => Kind::Opens,
        "define" | "block" => Kind::Defines,
        "end" => Kind::Ends,
        "else" | "break" | "continue" => Kind::Silent,
        _ if inside.starts_with("/*") => Kind::Silent,
        _ if inside.starts_with('$') && is_assignment(inside) => Kind::Silent,
        _ => Kind::Writes,
    }
}

/// Whether an action gives variables a value: `$a := …`, `$a = …`, `$a, $b := …`.
fn is_assignment(inside: &str) -> bool {
    let rest = inside.trim_start_matches(|c: char| c.is_alphanumeric() || "$_, ".contains(c));
    rest.starts_with(":=") || rest.starts_with('=') && !rest.starts_with("==")
}

/// What a line has.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own"
)]
struct Has {
    /// Text that is written out.
    words: bool,
    /// An action that writes something.
    writes: bool,
    /// An action that writes nothing.
    silent: bool,
    /// Whether an action comes first.
    first: bool,
    /// Whether that eats what follows it.
    joined: bool,
    /// Whether the last action eats the line break.
    trimmed: bool,
}

struct Reader<'t> {
    text: &'t str,
    parts: Vec<Part>,
    /// The column that ends the text of several lines one is in.
    block: Option<usize>,
    nesting: Vec<Kind>,
    /// The column of the last name or dash, when its value may go on in the next line.
    last: Option<usize>,
}

impl Reader<'_> {
    fn part(&mut self) -> &mut Part {
        if self.parts.is_empty() {
            self.parts.push(Part::default());
        }
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }

    fn line(&mut self, row: &Row<'_>) {
        let text = self.text;
        let has = self.pieces_of(row);
        let (Some(start), Some(end)) = (
            row.pieces.first().map(|piece| piece.0.start),
            row.pieces.last().map(|piece| piece.0.end),
        ) else {
            return;
        };
        let whole = text.get(start..end).unwrap_or_default();
        let column = whole.len() - whole.trim_start_matches(' ').len();
        if let Some(block) = self.block {
            if column >= block || !has.words && !has.writes {
                return;
            }
            self.block = None;
        }
        if !has.words {
            if has.writes {
                let at = start + column..end;
                let column = hole_column(text.get(at.clone()).unwrap_or_default(), column);
                self.part().lines.push(Line::Hole { at, column });
                self.last = None;
            }
            self.trims(has.trimmed && !has.writes, end);
            return;
        }
        let line = whole.trim_start();
        if line.starts_with('#') {
            return;
        }
        if line == "---" || line.starts_with("--- ") {
            self.parts.push(Part::default());
            let named = self.nesting.contains(&Kind::Defines);
            self.part().named = named;
            self.last = None;
            return;
        }
        if has.first && (has.silent || has.joined) {
            self.part().uncertain = true;
            return;
        }
        self.entry(row, start + column, end, column);
        self.trims(has.trimmed, end);
    }

    /// Goes through the pieces of a line, and says what they are.
    fn pieces_of(&mut self, row: &Row<'_>) -> Has {
        let text = self.text;
        let mut has = Has::default();
        for (index, (range, piece)) in row.pieces.iter().enumerate() {
            if let Some(Piece::Action { inside, trims, .. }) = piece {
                has.first |= !has.words && !has.writes && !has.silent;
                if self.action(text.get(inside.clone()).unwrap_or_default()) == Kind::Writes {
                    has.writes = true;
                } else {
                    has.silent = true;
                }
                has.joined |= index == 0 && *trims;
                has.trimmed = *trims;
            } else if !text
                .get(range.clone())
                .unwrap_or_default()
                .trim()
                .is_empty()
            {
                has.words = true;
                has.trimmed = false;
            }
        }
        has
    }

    /// Notes an action that eats the line break after it: when text follows that is indented, lines are not what they seem.
    fn trims(&mut self, trims: bool, end: usize) {
        if !trims {
            return;
        }
        let rest = self.text.get(end..).unwrap_or_default();
        let next = rest.trim_start();
        let before = rest.len() - next.len();
        let indented = rest
            .get(..before)
            .and_then(|blank| blank.rsplit('\n').next())
            .is_some_and(|blank| !blank.is_empty());
        if indented && !next.is_empty() && !next.starts_with("{{") {
            self.part().uncertain = true;
        }
    }

    fn action(&mut self, inside: &str) -> Kind {
        let kind = kind(inside);
        match kind {
            Kind::Opens | Kind::Defines => {
                self.nesting.push(kind);
                if kind == Kind::Defines {
                    self.part().named = true;
                }
            }
            Kind::Ends => {
                if self.nesting.pop() == Some(Kind::Defines)
                    && !self.nesting.contains(&Kind::Defines)
                {
                    self.parts.push(Part::default());
                }
            }
            Kind::Silent | Kind::Writes => {}
        }
        kind
    }

    /// A line with words: dashes, a name, a value.
    fn entry(&mut self, row: &Row<'_>, start: usize, end: usize, column: usize) {
        let text = self.text;
        let holes: Vec<&Range<usize>> = row
            .pieces
            .iter()
            .filter(|(_, piece)| piece.is_some())
            .map(|(range, _)| range)
            .collect();
        let hole_in = |range: &Range<usize>| {
            holes
                .iter()
                .any(|hole| hole.start < range.end && range.start < hole.end)
        };
        let (mut at, mut column) = (start, column);
        let mut dashes = Vec::new();
        while let Some(rest) = text.get(at..end) {
            let Some(after) = rest
                .strip_prefix('-')
                .filter(|after| after.is_empty() || after.starts_with(' '))
            else {
                break;
            };
            dashes.push(column);
            let step = 1 + after.len() - after.trim_start_matches(' ').len();
            at += step;
            column += step;
        }
        // What goes on from the line before has no name of its own.
        let deeper = self.last.is_some_and(|last| column > last) && dashes.is_empty();
        let named = key(text, at, end, &hole_in);
        if deeper {
            if let Some(Line::Entry(before)) = self.part().lines.last_mut() {
                before.value = Value::Hole;
            }
            return;
        }
        let rest = at..end;
        let entry = match named {
            None => Entry {
                dashes,
                column,
                key: None,
                keyed: false,
                value: self.value(rest, &hole_in, column),
            },
            Some((name, bytes, after)) => Entry {
                dashes,
                column,
                key: (!hole_in(&bytes)).then_some((name, bytes)),
                keyed: true,
                value: self.value(after..end, &hole_in, column),
            },
        };
        self.last = matches!(
            entry.value,
            Value::Written(_) | Value::Text(_) | Value::Hole
        )
        .then_some(column);
        self.part().lines.push(Line::Entry(entry));
    }

    fn value(
        &mut self,
        range: Range<usize>,
        hole_in: &impl Fn(&Range<usize>) -> bool,
        column: usize,
    ) -> Value {
        let whole = self.text.get(range.clone()).unwrap_or_default();
        let start = range.start + whole.len() - whole.trim_start().len();
        let trimmed = without_comment(whole.trim(), start, hole_in);
        let bytes = start..start + trimmed.len();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return Value::Below;
        }
        if trimmed.starts_with(['|', '>']) {
            self.block = Some(column + 1);
            return Value::Block(bytes);
        }
        if !hole_in(&bytes) {
            return if trimmed.starts_with(['&', '*', '!']) {
                Value::Hole
            } else {
                Value::Written(bytes)
            };
        }
        let quoted = |quote: char| {
            trimmed.len() > 1 && trimmed.starts_with(quote) && trimmed.ends_with(quote)
        };
        if quoted('"') || quoted('\'') || is_quoted_by_action(trimmed) {
            return Value::Text(bytes);
        }
        Value::Hole
    }
}

/// The column that an action on its own line writes in: `nindent` says so, and one annotation is one line.
fn hole_column(action: &str, column: usize) -> Option<usize> {
    if action.matches("{{").count() != 1 {
        return None;
    }
    if let Some((_, rest)) = action.split_once("nindent") {
        let digits: String = rest
            .trim_start()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        return digits.parse().ok();
    }
    action
        .contains("setResourceNameAnnotation")
        .then_some(column)
}

/// A value, which starts at `start`, without the comment behind it.
fn without_comment<'t>(
    value: &'t str,
    start: usize,
    hole_in: &impl Fn(&Range<usize>) -> bool,
) -> &'t str {
    let Some(at) = value.rfind(" #") else {
        return value;
    };
    let (before, comment) = value.split_at(at);
    let quoted = comment.contains(['"', '\'']);
    if quoted || hole_in(&(start + at..start + value.len())) {
        return value;
    }
    before.trim_end()
}

/// Whether a value is one action that ends with `quote`.
fn is_quoted_by_action(value: &str) -> bool {
    let Some(inside) = value
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"))
    else {
        return false;
    };
    let last = inside.rsplit('|').next().unwrap_or_default();
    !inside.contains("{{") && inside.contains('|') && matches!(last.trim(), "quote" | "squote")
}

/// The name at the start of a range, its bytes, and where its value begins.
fn key(
    text: &str,
    start: usize,
    end: usize,
    hole_in: &impl Fn(&Range<usize>) -> bool,
) -> Option<(String, Range<usize>, usize)> {
    let line = text.get(start..end)?;
    if let Some(quote) = line.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let close = line.get(1..)?.find(quote)? + 1;
        let after = line.get(close + 1..)?.trim_start();
        let after = after.strip_prefix(':')?;
        if !after.is_empty() && !after.starts_with(' ') {
            return None;
        }
        let name = line.get(1..close)?.to_owned();
        return Some((name, start + 1..start + close, end - after.len()));
    }
    if line.starts_with(['[', '{', '|', '>', '&', '*', '!', '%', '@', '`'])
        && !line.starts_with("{{")
    {
        return None;
    }
    // A colon in an action is none.
    let mut from = 0;
    while let Some(found) = line.get(from..)?.find(':') {
        let at = from + found;
        let after = line.get(at + 1..)?;
        let whole = start + at..start + at + 1;
        if !hole_in(&whole) && (after.is_empty() || after.starts_with(' ')) {
            let name = line.get(..at)?.trim_end();
            return Some((name.to_owned(), start..start + name.len(), start + at + 1));
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of every document, in short.
    fn show(text: &str) -> Vec<String> {
        let parts = read(text);
        let mut out = Vec::new();
        for part in parts.iter().filter(|part| !part.lines.is_empty()) {
            let lines = part.lines.iter().map(|line| match line {
                Line::Hole { column, .. } => format!("?{}", column.unwrap_or_default()),
                Line::Entry(entry) => {
                    let dashes = "-".repeat(entry.dashes.len());
                    let key = match (&entry.key, entry.keyed) {
                        (Some((name, _)), _) => format!("{name}:"),
                        (None, true) => "?:".to_owned(),
                        (None, false) => String::new(),
                    };
                    let value = match &entry.value {
                        Value::Below => String::new(),
                        Value::Written(at) => text.get(at.clone()).unwrap_or_default().to_owned(),
                        Value::Text(_) => "text".to_owned(),
                        Value::Hole => "?".to_owned(),
                        Value::Block(_) => "|".to_owned(),
                    };
                    format!("{}{dashes}{key}{value}", entry.column)
                }
            });
            let mark = if part.uncertain { "!" } else { "" };
            let named = if part.named { "named " } else { "" };
            out.push(format!(
                "{mark}{named}{}",
                lines.collect::<Vec<_>>().join(" ")
            ));
        }
        out
    }

    #[test]
    fn what_is_written_out_is_read_with_its_place() {
        assert_eq!(
            show(
                "{{- $x := .a }}\na: {{ $x }}\nb:\n  c: 'd: e' # f\n  \"g\": \"{{ .h }}\"\n  {{- if .i }}\n  j: {{ .k | quote }}\n  {{- end }}\nl:\n- m: 1\n  {{ toYaml .n | nindent 2 }}\n- {{ .o }}\n"
            ),
            ["0a:? 0b: 2c:'d: e' 2g:text 2j:text 0l: 2-m:1 ?2 2-?"]
        );
    }

    #[test]
    fn documents_blocks_and_names_made_by_actions_are_seen() {
        assert_eq!(
            show(
                "---\na: |\n  b: {{ .c }}\n   d\n---\n{{ .e }}: f\ng: h\n  i\nj: http://k{{ .l }}\n"
            ),
            ["0a:|", "0?:f 0g:? 0j:?"]
        );
        assert_eq!(
            show("{{ define \"a\" }}\nb: 1\n{{ end }}\nc: 2\n"),
            ["named 0b:1", "0c:2"]
        );
    }

    #[test]
    fn joined_lines_are_given_up() {
        for text in [
            "a:\n  {{- if .b -}}\n  c: 1\n  {{- end }}\n",
            "{{ if .a }}b: 1{{ end }}\nc: 2\n",
        ] {
            assert!(show(text)[0].starts_with('!'), "{text} {:?}", show(text));
        }
        for text in [
            "{{- $a := 1 -}}\n{{- $b := 2 -}}\nc: 1\n",
            "{{ $a := `}}` }}\nb: 1\n",
            "{{/* it's }} */}}\nb: 1\n",
        ] {
            assert!(!show(text)[0].starts_with('!'), "{text} {:?}", show(text));
        }
    }
}
