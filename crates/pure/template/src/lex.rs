//! Which words does a template consist of?

use crate::ast::Span;
use crate::template::Delimiters;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Open,
    Close,
    Space,
    Declare,
    Assign,
    Pipe,
    Comma,
    OpenParen,
    CloseParen,
    Dot,
    Field,
    Variable,
    Word,
    Number,
    Char,
    Quoted,
    Raw,
    End,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// A mistake, and where it is.
pub(crate) type Mistake = (usize, String);

pub(crate) fn lex(text: &str, delimiters: &Delimiters) -> Result<Vec<Token>, Mistake> {
    let mut lexer = Lexer {
        text,
        at: 0,
        left: &delimiters.left,
        right: &delimiters.right,
        tokens: Vec::new(),
        parens: 0,
    };
    lexer.run()?;
    let end = text.len();
    lexer.push(Kind::End, end, end);
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    left: &'a str,
    right: &'a str,
    tokens: Vec<Token>,
    parens: usize,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl<'a> Lexer<'a> {
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let span = Span { start, end };
        self.tokens.push(Token { kind, span });
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn run(&mut self) -> Result<(), Mistake> {
        while !self.rest().is_empty() {
            let Some(found) = self.rest().find(self.left) else {
                self.push(Kind::Text, self.at, self.text.len());
                return Ok(());
            };
            let open = self.at + found;
            let after = open + self.left.len();
            let inside = self.text.get(after..).unwrap_or_default();
            let trims = inside.starts_with('-') && inside.chars().nth(1).is_some_and(is_space);
            let before = self.text.get(self.at..open).unwrap_or_default();
            let kept = if trims {
                before.trim_end_matches(is_space)
            } else {
                before
            };
            if !kept.is_empty() {
                self.push(Kind::Text, self.at, self.at + kept.len());
            }
            self.at = after + if trims { 2 } else { 0 };
            if trims && !self.rest().starts_with("/*") {
                // The space after the marker counts for nothing.
                self.at = after + 1;
            }
            if self.rest().starts_with("/*") {
                self.comment(open)?;
            } else {
                self.push(Kind::Open, open, after);
                self.parens = 0;
                self.action(open)?;
            }
        }
        Ok(())
    }

    fn comment(&mut self, open: usize) -> Result<(), Mistake> {
        let Some(end) = self.rest().find("*/") else {
            return Err((open, "unclosed comment".to_owned()));
        };
        self.at += end + 2;
        match self.close() {
            Some((length, trims)) => {
                self.at += length;
                if trims {
                    self.skip_space();
                }
                Ok(())
            }
            None => Err((self.at, "comment ends before closing delimiter".to_owned())),
        }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// The length of the right delimiter here, with its trim marker, and whether there is one.
    fn close(&self) -> Option<(usize, bool)> {
        let rest = self.rest();
        let mut chars = rest.chars();
        if chars.next().is_some_and(is_space)
            && chars.next() == Some('-')
            && rest
                .get(2..)
                .is_some_and(|rest| rest.starts_with(self.right))
        {
            return Some((2 + self.right.len(), true));
        }
        rest.starts_with(self.right)
            .then_some((self.right.len(), false))
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of word")]
    fn action(&mut self, open: usize) -> Result<(), Mistake> {
        loop {
            if let Some((length, trims)) = self.close() {
                if self.parens > 0 {
                    return Err((self.at, "unclosed left paren".to_owned()));
                }
                self.push(Kind::Close, self.at, self.at + length);
                self.at += length;
                if trims {
                    self.skip_space();
                }
                return Ok(());
            }
            let start = self.at;
            let Some(c) = self.bump() else {
                return Err((open, "unclosed action".to_owned()));
            };
            let kind = match c {
                c if is_space(c) => {
                    // A trim marker needs the last space.
                    while self.peek().is_some_and(is_space) && self.close().is_none() {
                        self.bump();
                    }
                    Kind::Space
                }
                '=' => Kind::Assign,
                ':' => {
                    if self.bump() != Some('=') {
                        return Err((start, "expected :=".to_owned()));
                    }
                    Kind::Declare
                }
                '|' => Kind::Pipe,
                ',' => Kind::Comma,
                '"' => self.quoted('"', "unterminated quoted string")?,
                '\'' => self.quoted('\'', "unterminated character constant")?,
                '`' => {
                    let Some(end) = self.rest().find('`') else {
                        return Err((start, "unterminated raw quoted string".to_owned()));
                    };
                    self.at += end + 1;
                    Kind::Raw
                }
                '$' => self.name(Kind::Variable)?,
                '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => {
                    if self.peek().is_some_and(is_word) {
                        self.name(Kind::Field)?
                    } else {
                        self.name(Kind::Dot)?
                    }
                }
                '.' | '+' | '-' | '0'..='9' => {
                    self.at = start;
                    self.number()?
                }
                '(' => {
                    self.parens += 1;
                    Kind::OpenParen
                }
                ')' => {
                    if self.parens == 0 {
                        return Err((start, "unexpected right paren".to_owned()));
                    }
                    self.parens -= 1;
                    Kind::CloseParen
                }
                c if is_word(c) => self.name(Kind::Word)?,
                c => {
                    return Err((
                        start,
                        format!("unrecognized character in action: {}", unicode(c)),
                    ));
                }
            };
            self.push(kind, start, self.at);
        }
    }

    fn name(&mut self, kind: Kind) -> Result<Kind, Mistake> {
        if kind != Kind::Dot {
            while self.peek().is_some_and(is_word) {
                self.bump();
            }
        } else if !self.rest().starts_with(self.right) {
            // A dot may be followed by anything that ends it.
        }
        let ends = match self.peek() {
            Some(c) if is_space(c) => true,
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(self.right),
        };
        match self.peek() {
            Some(c) if !ends && kind != Kind::Dot => {
                Err((self.at, format!("bad character {}", unicode(c))))
            }
            _ => Ok(kind),
        }
    }

    fn quoted(&mut self, quote: char, message: &str) -> Result<Kind, Mistake> {
        let start = self.at;
        loop {
            match self.bump() {
                Some('\\') if !matches!(self.peek(), None | Some('\n')) => {
                    self.bump();
                }
                None | Some('\n' | '\\') => return Err((start, message.to_owned())),
                Some(c) if c == quote => break,
                Some(_) => {}
            }
        }
        Ok(if quote == '"' {
            Kind::Quoted
        } else {
            Kind::Char
        })
    }

    fn number(&mut self) -> Result<Kind, Mistake> {
        let start = self.at;
        if matches!(self.peek(), Some('+' | '-')) {
            self.bump();
        }
        let mut digits: &str = "0123456789_";
        let mut exponent: &str = "eE";
        let prefix = self
            .rest()
            .get(..2)
            .unwrap_or_default()
            .to_ascii_lowercase();
        match prefix.as_str() {
            "0x" => {
                digits = "0123456789abcdefABCDEF_";
                exponent = "pP";
                self.at += 2;
            }
            "0o" => {
                digits = "01234567_";
                self.at += 2;
            }
            "0b" => {
                digits = "01_";
                self.at += 2;
            }
            _ => {}
        }
        let run = |lexer: &mut Self, set: &str| {
            while lexer.peek().is_some_and(|c| set.contains(c)) {
                lexer.bump();
            }
        };
        run(self, digits);
        if self.peek() == Some('.') {
            self.bump();
            run(self, digits);
        }
        if self.peek().is_some_and(|c| exponent.contains(c)) {
            self.bump();
            if matches!(self.peek(), Some('+' | '-')) {
                self.bump();
            }
            run(self, "0123456789_");
        }
        if self.peek() == Some('i') {
            self.bump();
        }
        if self.peek().is_some_and(is_word) {
            self.bump();
            let text = self.text.get(start..self.at).unwrap_or_default();
            return Err((start, format!("bad number syntax: {text:?}")));
        }
        Ok(Kind::Number)
    }
}

/// As Go writes a character in a message: `U+002D '-'`.
fn unicode(c: char) -> String {
    format!("U+{:04X} '{c}'", u32::from(c))
}
