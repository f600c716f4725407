//! How does Go quote this text (`%q`)?

/// The characters of a text that may not be UTF-8, with their length in bytes; `None` is a byte that belongs to none.
pub fn runes(text: &[u8]) -> impl Iterator<Item = (Option<char>, usize)> + '_ {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|c| (Some(c), c.len_utf8()));
        valid.chain(chunk.invalid().iter().map(|_| (None, 1)))
    })
}

/// Whether Go prints this character as it is inside quotes: letters, marks, numbers, punctuation, symbols and the
/// ASCII space. Unassigned characters are not known here and count as printable.
pub(super) fn printable(c: char) -> bool {
    match c {
        ' ' => true,
        '\u{ad}'
        | '\u{feff}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{f0000}'.. => false,
        c => !c.is_control() && !c.is_whitespace(),
    }
}

/// Whether the text can stand between backquotes: valid, one line, no control characters but tabs.
pub(super) fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars()
            .all(|c| c == '\t' || !(c < ' ' || matches!(c, '`' | '\u{7f}' | '\u{feff}')))
    })
}

/// A Go string literal.
pub fn quote(text: &[u8], ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut at = 0;
    for (c, length) in runes(text) {
        if let Some(c) = c {
            escape(&mut out, c, '"', ascii);
        } else {
            push!(out, "\\x{:02x}", text.get(at).copied().unwrap_or(0));
        }
        at += length;
    }
    out.push('"');
    out
}

/// A Go rune literal.
pub(super) fn quote_rune(c: char, ascii: bool) -> String {
    let mut out = String::from("'");
    escape(&mut out, c, '\'', ascii);
    out.push('\'');
    out
}

fn escape(out: &mut String, c: char, quote: char, ascii: bool) {
    if c == quote || c == '\\' {
        out.push('\\');
        out.push(c);
        return;
    }
    if (c.is_ascii() || !ascii) && printable(c) {
        out.push(c);
        return;
    }
    match c {
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        c if c < ' ' || c == '\u{7f}' => push!(out, "\\x{:02x}", u32::from(c)),
        c if c <= '\u{ffff}' => push!(out, "\\u{:04x}", u32::from(c)),
        c => push!(out, "\\U{:08x}", u32::from(c)),
    }
}
