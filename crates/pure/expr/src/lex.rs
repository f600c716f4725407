//! Where do the strings, comments and brackets of an expression stand?
//!
//! A scan, not a parser: enough to find the end of a `${…}` hole and to refuse what would overflow the real parser.

/// One stretch of source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a number, with everything that sticks to it.
    Word,
    /// A string or bytes literal of any quoting, prefix included, or a backquoted field name.
    Text,
    /// A `//` comment up to the end of its line.
    Comment,
    /// Any other single byte that is not blank.
    Mark(u8),
}

/// A string literal has no closing quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclosed {
    /// Where the literal begins.
    pub(crate) start: usize,
}

/// Walks over the tokens of `source`, from byte `at`.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(source: &'a str, at: usize) -> Self {
        Self {
            source: source.as_bytes(),
            at,
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    /// The next token with its start and end; `None` at the end of the text.
    pub(crate) fn next_token(&mut self) -> Result<Option<(Token, usize, usize)>, Unclosed> {
        while self.peek(0).is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
        let start = self.at;
        let Some(first) = self.peek(0) else {
            return Ok(None);
        };
        let token = match first {
            b'"' | b'\'' => {
                self.text(start, false)?;
                Token::Text
            }
            b'`' => {
                self.at += 1;
                while self.peek(0).is_some_and(|b| b != b'`') {
                    self.at += 1;
                }
                if self.peek(0).is_none() {
                    return Err(Unclosed { start });
                }
                self.at += 1;
                Token::Text
            }
            b'/' if self.peek(1) == Some(b'/') => {
                while self.peek(0).is_some_and(|b| b != b'\n') {
                    self.at += 1;
                }
                Token::Comment
            }
            b if is_word(b) => return self.word(start).map(Some),
            mark => {
                self.at += 1;
                Token::Mark(mark)
            }
        };
        Ok(Some((token, start, self.at)))
    }

    fn word(&mut self, start: usize) -> Result<(Token, usize, usize), Unclosed> {
        while self.peek(0).is_some_and(is_word) {
            self.at += 1;
        }
        let word = &self.source[start..self.at];
        let prefix = matches!(
            word,
            [b'r' | b'R' | b'b' | b'B'] | [b'r' | b'R', b'b' | b'B'] | [b'b' | b'B', b'r' | b'R']
        );
        if prefix && matches!(self.peek(0), Some(b'"' | b'\'')) {
            let raw = word.iter().any(|b| b.eq_ignore_ascii_case(&b'r'));
            self.text(start, raw)?;
            return Ok((Token::Text, start, self.at));
        }
        Ok((Token::Word, start, self.at))
    }

    /// Steps over a literal whose opening quote is the next byte.
    fn text(&mut self, start: usize, raw: bool) -> Result<(), Unclosed> {
        let quote = self.source[self.at];
        let triple = self.peek(1) == Some(quote) && self.peek(2) == Some(quote);
        self.at += if triple { 3 } else { 1 };
        loop {
            match self.peek(0) {
                None => return Err(Unclosed { start }),
                Some(b'\\') if !raw => self.at += 2,
                Some(b'\n' | b'\r') if !triple => return Err(Unclosed { start }),
                Some(b) if b == quote && !triple => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b)
                    if b == quote && self.peek(1) == Some(quote) && self.peek(2) == Some(quote) =>
                {
                    self.at += 3;
                    return Ok(());
                }
                Some(_) => self.at += 1,
            }
        }
    }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        let mut lexer = Lexer::new(source, 0);
        let mut out = Vec::new();
        while let Ok(Some((token, start, end))) = lexer.next_token() {
            if token == Token::Text {
                out.push(source.get(start..end).unwrap());
            }
        }
        out
    }

    #[test]
    fn every_way_of_quoting_is_one_text() {
        assert_eq!(texts(r#"'a' + "b}" "#), ["'a'", r#""b}""#]);
        assert_eq!(texts(r"r'\' + R'''a'b'''"), [r"r'\'", "R'''a'b'''"]);
        assert_eq!(texts(r#"b"x" + br'\'"#), [r#"b"x""#, r"br'\'"]);
        assert_eq!(texts(r"'it\'s' + x.`a-b`"), [r"'it\'s'", "`a-b`"]);
        assert_eq!(texts("bar'x'"), ["'x'"]);
        assert_eq!(texts("1 // 'no'\n + 'yes'"), ["'yes'"]);
    }

    #[test]
    fn an_open_literal_is_refused_where_it_begins() {
        let mut lexer = Lexer::new("x + 'abc", 0);
        lexer.next_token().unwrap();
        lexer.next_token().unwrap();
        assert_eq!(lexer.next_token(), Err(Unclosed { start: 4 }));
        assert!(Lexer::new("'''a''", 0).next_token().is_err());
        assert!(Lexer::new("'a\\", 0).next_token().is_err());
        assert!(Lexer::new("'a\nb'", 0).next_token().is_err());
    }
}
