//! Protocol buffers in their text format, as far as the cases of the conformance suite need it.

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    /// A number or a word.
    Word(String),
    /// A text or bytes.
    Text(Vec<u8>),
    Message(Message),
}

/// A message: its fields in the order of the file. Extensions and `Any` have their name in brackets.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Message(pub(crate) Vec<(String, Field)>);

impl Message {
    pub(crate) fn all<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Field> {
        self.0
            .iter()
            .filter(move |(have, _)| have == name)
            .map(|(_, field)| field)
    }

    pub(crate) fn messages<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Message> {
        self.all(name).filter_map(|field| match field {
            Field::Message(message) => Some(message),
            Field::Word(_) | Field::Text(_) => None,
        })
    }

    pub(crate) fn message<'m>(&'m self, name: &'m str) -> Option<&'m Message> {
        self.messages(name).next()
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let bytes = self.all(name).find_map(|field| match field {
            Field::Text(bytes) => Some(bytes.clone()),
            Field::Word(_) | Field::Message(_) => None,
        })?;
        String::from_utf8(bytes).ok()
    }

    pub(crate) fn word<'m>(&'m self, name: &'m str) -> Option<&'m str> {
        self.all(name).find_map(|field| match field {
            Field::Word(word) => Some(word.as_str()),
            Field::Text(_) | Field::Message(_) => None,
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

/// Reads a file.
pub(crate) fn parse(text: &str) -> Result<Message, String> {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
    };
    let message = reader.fields(None)?;
    reader.skip();
    if reader.at < reader.bytes.len() {
        return Err(reader.wrong("something after the end"));
    }
    Ok(message)
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> String {
        let before = String::from_utf8_lossy(&self.bytes[..self.at.min(self.bytes.len())]);
        let line = before.matches('\n').count();
        format!("line {}: {what}", line + 1)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self) {
        while let Some(b) = self.peek() {
            if b == b'#' {
                while self.peek().is_some_and(|b| b != b'\n') {
                    self.at += 1;
                }
            } else if b.is_ascii_whitespace() || b == b',' || b == b';' {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        self.skip();
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn fields(&mut self, close: Option<u8>) -> Result<Message, String> {
        let mut message = Message::default();
        loop {
            self.skip();
            match (self.peek(), close) {
                (None, None) => return Ok(message),
                (None, Some(_)) => return Err(self.wrong("a message is not closed")),
                (Some(b), Some(close)) if b == close => {
                    self.at += 1;
                    return Ok(message);
                }
                _ => {}
            }
            let name = self.name()?;
            let colon = self.take(b':');
            if colon && self.take(b'[') {
                while !self.take(b']') {
                    let value = self.value(colon)?;
                    message.0.push((name.clone(), value));
                }
            } else {
                let value = self.value(colon)?;
                message.0.push((name, value));
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        if self.take(b'[') {
            let from = self.at;
            while self.peek().is_some_and(|b| b != b']') {
                self.at += 1;
            }
            let name = String::from_utf8_lossy(&self.bytes[from..self.at]).into_owned();
            self.at += 1;
            return Ok(format!("[{name}]"));
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.wrong("a name is wanted"));
        }
        Ok(word)
    }

    fn word(&mut self) -> String {
        self.skip();
        let from = self.at;
        let inside = |b: u8| b.is_ascii_alphanumeric() || b"_.-+".contains(&b);
        while self.peek().is_some_and(inside) {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.bytes[from..self.at]).into_owned()
    }

    fn value(&mut self, colon: bool) -> Result<Field, String> {
        if self.take(b'{') {
            return self.fields(Some(b'}')).map(Field::Message);
        }
        if self.take(b'<') {
            return self.fields(Some(b'>')).map(Field::Message);
        }
        if !colon {
            return Err(self.wrong("a message is wanted"));
        }
        let mut text = Vec::new();
        let mut is_text = false;
        while let Some(quote @ (b'"' | b'\'')) = self.peek() {
            is_text = true;
            self.at += 1;
            self.quoted(quote, &mut text)?;
            self.skip();
        }
        if is_text {
            return Ok(Field::Text(text));
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.wrong("a value is wanted"));
        }
        Ok(Field::Word(word))
    }

    fn quoted(&mut self, quote: u8, text: &mut Vec<u8>) -> Result<(), String> {
        loop {
            let Some(b) = self.peek() else {
                return Err(self.wrong("a text is not closed"));
            };
            self.at += 1;
            match b {
                b if b == quote => return Ok(()),
                b'\\' => self.escape(text)?,
                b => text.push(b),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), String> {
        let Some(b) = self.peek() else {
            return Err(self.wrong("an escape is not finished"));
        };
        self.at += 1;
        match b {
            b'n' => text.push(b'\n'),
            b't' => text.push(b'\t'),
            b'r' => text.push(b'\r'),
            b'a' => text.push(7),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'v' => text.push(11),
            b'x' => {
                let code = self.digits(2, 16)?;
                text.push(u8::try_from(code).map_err(|_| self.wrong("an escape is too large"))?);
            }
            b'u' | b'U' => {
                let code = self.digits(if b == b'u' { 4 } else { 8 }, 16)?;
                let c = char::from_u32(code).ok_or_else(|| self.wrong("no such character"))?;
                text.extend(c.to_string().bytes());
            }
            b'0'..=b'7' => {
                self.at -= 1;
                let code = self.digits(3, 8)?;
                text.push(u8::try_from(code).map_err(|_| self.wrong("an escape is too large"))?);
            }
            other => text.push(other),
        }
        Ok(())
    }

    fn digits(&mut self, most: usize, radix: u32) -> Result<u32, String> {
        let mut code = 0;
        let mut count = 0;
        while count < most
            && let Some(digit) = self.peek().and_then(|b| char::from(b).to_digit(radix))
        {
            code = code * radix + digit;
            self.at += 1;
            count += 1;
        }
        if count == 0 {
            return Err(self.wrong("an escape has no digits"));
        }
        Ok(code)
    }
}

#[test]
fn texts_numbers_lists_and_messages_are_read() {
    let read = parse(
        "a: 1 # one\nb { c: \"x\\n\\303\\274\" 'y' }\nd: [1, -2.5e3] e <f: true> [g/h.i] { }",
    )
    .expect("it is well formed");
    let message = |fields: Vec<(&str, Field)>| {
        let fields = fields
            .into_iter()
            .map(|(name, field)| (name.to_owned(), field));
        Message(fields.collect())
    };
    let word = |word: &str| Field::Word(word.to_owned());
    let text = Field::Text("x\nüy".as_bytes().to_vec());
    let expect = message(vec![
        ("a", word("1")),
        ("b", Field::Message(message(vec![("c", text)]))),
        ("d", word("1")),
        ("d", word("-2.5e3")),
        ("e", Field::Message(message(vec![("f", word("true"))]))),
        ("[g/h.i]", Field::Message(Message::default())),
    ]);
    assert_eq!(read, expect);
    assert!(parse("a {").is_err() && parse("a: 'x").is_err() && parse("a b").is_err());
}
