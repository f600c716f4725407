//! What does this template mean?

use std::collections::BTreeMap;

use crate::ast::{Branch, Command, Expr, Node, Number, Pipe, Span, What};
use crate::gofmt::parse_float;
use crate::lex::{Kind, Mistake, Token, lex};
use crate::library::Library;
use crate::template::Delimiters;
use crate::value::Text;

/// How deep parentheses and blocks may nest.
const MAX_DEPTH: usize = 100;

/// Named trees; the one of the template itself is under its name.
pub(crate) type Trees = BTreeMap<String, Vec<Node>>;

pub(crate) fn parse(
    name: &str,
    text: &str,
    delimiters: &Delimiters,
    library: &Library,
) -> Result<Trees, Mistake> {
    let mut parser = Parser {
        text,
        tokens: lex(text, delimiters)?,
        at: 0,
        library,
        trees: Trees::new(),
        variables: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
    };
    let mut nodes = Vec::new();
    while parser.peek().kind != Kind::End {
        if parser.peek().kind == Kind::Open && parser.keyword_after_open() == Some("define") {
            parser.define()?;
            continue;
        }
        match parser.node()? {
            Parsed::Node(node) => nodes.push(node),
            Parsed::End(at) => return Err((at, "unexpected {{end}}".to_owned())),
            Parsed::Else(at) => return Err((at, "unexpected {{else}}".to_owned())),
        }
    }
    parser.add(name, nodes, 0)?;
    Ok(parser.trees)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    library: &'a Library,
    trees: Trees,
    variables: Vec<String>,
    ranges: usize,
    depth: usize,
}

enum Parsed {
    Node(Node),
    End(usize),
    /// The position of `else`; what follows it is still to be read.
    Else(usize),
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token {
        let last = self.tokens.len().saturating_sub(1);
        *(self.tokens.get(self.at.min(last))).expect("the last token is the end and never taken")
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
    }

    fn word(&self, token: Token) -> &'a str {
        (self.text.get(token.span.start..token.span.end)).unwrap_or_default()
    }

    /// The word that follows the delimiter here.
    fn keyword_after_open(&self) -> Option<&'a str> {
        let rest = self.tokens.get(self.at + 1..)?;
        let token = rest.iter().find(|token| token.kind != Kind::Space)?;
        (token.kind == Kind::Word).then(|| self.word(*token))
    }

    fn unexpected<T>(&self, token: Token, context: &str) -> Result<T, Mistake> {
        let what = match token.kind {
            Kind::End => "EOF".to_owned(),
            _ => format!("{:?}", self.word(token)),
        };
        Err((token.span.start, format!("unexpected {what} in {context}")))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token, Mistake> {
        self.skip_space();
        let token = self.next();
        if token.kind == kind {
            Ok(token)
        } else {
            self.unexpected(token, context)
        }
    }

    fn add(&mut self, name: &str, nodes: Vec<Node>, at: usize) -> Result<(), Mistake> {
        let is_blank = |nodes: &[Node]| {
            nodes.iter().all(|node| match node {
                Node::Text(text) => text.iter().all(u8::is_ascii_whitespace),
                _ => false,
            })
        };
        match self.trees.get(name) {
            Some(held) if !is_blank(held) => {
                if is_blank(&nodes) {
                    return Ok(());
                }
                let message = format!("multiple definition of template {name:?}");
                return Err((at, message));
            }
            _ => {}
        }
        self.trees.insert(name.to_owned(), nodes);
        Ok(())
    }

    fn name_of(&mut self, context: &str) -> Result<String, Mistake> {
        self.skip_space();
        let token = self.next();
        if !matches!(token.kind, Kind::Quoted | Kind::Raw) {
            return self.unexpected(token, context);
        }
        let text = self.string(token)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn define(&mut self) -> Result<(), Mistake> {
        let open = self.next();
        self.skip_space();
        self.next();
        let name = self.name_of("define clause")?;
        self.expect(Kind::Close, "define clause")?;
        let nodes = self.own_tree("define clause")?;
        self.add(&name, nodes, open.span.start)
    }

    /// Nodes up to `end`, with variables of their own.
    fn own_tree(&mut self, context: &str) -> Result<Vec<Node>, Mistake> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, end) = self.nodes()?;
        if let Parsed::Else(at) = end {
            return Err((at, format!("unexpected {{{{else}}}} in {context}")));
        }
        self.variables = variables;
        self.ranges = ranges;
        Ok(nodes)
    }

    /// Nodes up to `end` or `else`.
    fn nodes(&mut self) -> Result<(Vec<Node>, Parsed), Mistake> {
        self.enter()?;
        let mut nodes = Vec::new();
        loop {
            let token = self.peek();
            if token.kind == Kind::End {
                return Err((token.span.start, "unexpected EOF".to_owned()));
            }
            match self.node()? {
                Parsed::Node(node) => nodes.push(node),
                end => {
                    self.depth -= 1;
                    return Ok((nodes, end));
                }
            }
        }
    }

    fn enter(&mut self) -> Result<(), Mistake> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err((
                self.peek().span.start,
                format!("nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each keyword")]
    fn node(&mut self) -> Result<Parsed, Mistake> {
        let token = self.next();
        if token.kind == Kind::Text {
            let text = Text::from(self.word(token).as_bytes());
            return Ok(Parsed::Node(Node::Text(text)));
        }
        self.skip_space();
        let first = self.peek();
        let keyword = if first.kind == Kind::Word {
            self.word(first)
        } else {
            ""
        };
        let start = token.span.start;
        match keyword {
            "if" | "with" | "range" => {
                self.next();
                return Ok(Parsed::Node(self.control(keyword)?));
            }
            "end" => {
                self.next();
                self.expect(Kind::Close, "end")?;
                return Ok(Parsed::End(start));
            }
            "else" => {
                self.next();
                return Ok(Parsed::Else(start));
            }
            "break" | "continue" if self.library.get(keyword).is_none() => {
                self.next();
                self.skip_space();
                let close = self.next();
                if close.kind != Kind::Close {
                    return self.unexpected(close, &format!("{{{{{keyword}}}}}"));
                }
                if self.ranges == 0 {
                    return Err((start, format!("{{{{{keyword}}}}} outside {{{{range}}}}")));
                }
                let node = if keyword == "break" {
                    Node::Break
                } else {
                    Node::Continue
                };
                return Ok(Parsed::Node(node));
            }
            "template" => {
                self.next();
                let name = self.name_of("template clause")?;
                return Ok(Parsed::Node(self.template(first.span, name)?));
            }
            "block" => {
                self.next();
                let name = self.name_of("block clause")?;
                let pipe = self.pipeline("block clause", Kind::Close)?;
                let nodes = self.own_tree("block clause")?;
                self.add(&name, nodes, start)?;
                return Ok(Parsed::Node(Node::Template {
                    span: first.span,
                    name,
                    pipe: Some(pipe),
                }));
            }
            "define" => return Err((start, "unexpected {{define}}".to_owned())),
            _ => {}
        }
        let pipe = self.pipeline("command", Kind::Close)?;
        Ok(Parsed::Node(Node::Action(pipe)))
    }

    fn template(&mut self, span: Span, name: String) -> Result<Node, Mistake> {
        self.skip_space();
        let pipe = if self.peek().kind == Kind::Close {
            self.next();
            None
        } else {
            Some(self.pipeline("template clause", Kind::Close)?)
        };
        Ok(Node::Template { span, name, pipe })
    }

    fn control(&mut self, keyword: &str) -> Result<Node, Mistake> {
        let held = self.variables.len();
        let pipe = self.pipeline(keyword, Kind::Close)?;
        let in_range = usize::from(keyword == "range");
        self.ranges += in_range;
        let (then, end) = self.nodes()?;
        self.ranges -= in_range;
        let mut otherwise = Vec::new();
        if let Parsed::Else(at) = end {
            self.skip_space();
            let next = self.peek();
            if next.kind == Kind::Close {
                self.next();
                let (nodes, end) = self.nodes()?;
                if let Parsed::Else(at) = end {
                    return Err((at, "expected end; found {{else}}".to_owned()));
                }
                otherwise = nodes;
            } else if next.kind == Kind::Word
                && self.word(next) == keyword
                && matches!(keyword, "if" | "with")
            {
                self.next();
                self.enter()?;
                otherwise.push(self.control(keyword)?);
                self.depth -= 1;
            } else {
                return Err((at, format!("unexpected {:?} in else", self.word(next))));
            }
        }
        self.variables.truncate(held);
        let branch = Branch {
            pipe,
            then,
            otherwise,
        };
        Ok(match keyword {
            "if" => Node::If(branch),
            "with" => Node::With(branch),
            _ => Node::Range(branch),
        })
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe, Mistake> {
        self.enter()?;
        self.skip_space();
        let start = self.peek().span.start;
        let mut pipe = Pipe {
            span: Span { start, end: start },
            assigns: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, context)?;
        loop {
            self.skip_space();
            let token = self.peek();
            if token.kind == end {
                pipe.span.end = token.span.start;
                self.next();
                break;
            }
            match token.kind {
                Kind::Word
                | Kind::Dot
                | Kind::Field
                | Kind::Variable
                | Kind::Number
                | Kind::Char
                | Kind::Quoted
                | Kind::Raw
                | Kind::OpenParen => pipe.commands.push(self.command()?),
                _ => return self.unexpected(token, context),
            }
        }
        if pipe.commands.is_empty() {
            return Err((start, format!("missing value for {context}")));
        }
        for (stage, command) in pipe.commands.iter().enumerate().skip(1) {
            if let Some(first) = command.args.first()
                && matches!(
                    first.what,
                    What::Bool(_) | What::Dot | What::Nil | What::Number(_) | What::Text(_)
                )
            {
                return Err((
                    first.span.start,
                    format!("non executable command in pipeline stage {}", stage + 1),
                ));
            }
        }
        self.depth -= 1;
        Ok(pipe)
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<(), Mistake> {
        loop {
            self.skip_space();
            let start = self.at;
            if self.peek().kind != Kind::Variable {
                return Ok(());
            }
            let variable = self.next();
            let name = self.word(variable).to_owned();
            self.skip_space();
            match self.peek().kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assigns = self.next().kind == Kind::Assign;
                    pipe.variables.push(name.clone());
                    self.variables.push(name);
                    return Ok(());
                }
                Kind::Comma => {
                    self.next();
                    pipe.variables.push(name.clone());
                    self.variables.push(name);
                    self.skip_space();
                    if context != "range" || pipe.variables.len() > 1 {
                        let message = format!("too many declarations in {context}");
                        return Err((variable.span.start, message));
                    }
                    if self.peek().kind != Kind::Variable {
                        return Err((
                            variable.span.start,
                            "range can only initialize variables".to_owned(),
                        ));
                    }
                }
                _ => {
                    self.at = start;
                    return Ok(());
                }
            }
        }
    }

    fn command(&mut self) -> Result<Command, Mistake> {
        let mut args = Vec::new();
        loop {
            self.skip_space();
            if let Some(expr) = self.operand()? {
                args.push(expr);
            }
            let token = self.peek();
            match token.kind {
                Kind::Space => {}
                Kind::Close | Kind::CloseParen => break,
                Kind::Pipe => {
                    self.next();
                    break;
                }
                _ => return self.unexpected(token, "operand"),
            }
        }
        if args.is_empty() {
            return Err((self.peek().span.start, "empty command".to_owned()));
        }
        Ok(Command { args })
    }

    fn operand(&mut self) -> Result<Option<Expr>, Mistake> {
        let Some(mut term) = self.term()? else {
            return Ok(None);
        };
        if self.peek().kind != Kind::Field {
            return Ok(Some(term));
        }
        let mut fields = Vec::new();
        let start = term.span.start;
        let mut end = term.span.end;
        while self.peek().kind == Kind::Field {
            let field = self.next();
            end = field.span.end;
            fields.push(self.word(field).trim_start_matches('.').to_owned());
        }
        let span = Span { start, end };
        term = match term.what {
            What::Field(mut names) => {
                names.extend(fields);
                let what = What::Field(names);
                Expr { span, what }
            }
            What::Variable(name, mut names) => {
                names.extend(fields);
                let what = What::Variable(name, names);
                Expr { span, what }
            }
            What::Bool(_) | What::Text(_) | What::Number(_) | What::Nil | What::Dot => {
                let text = (self.text.get(start..term.span.end)).unwrap_or_default();
                return Err((start, format!("unexpected . after term {text:?}")));
            }
            _ => Expr {
                span,
                what: What::Chain(Box::new(term), fields),
            },
        };
        Ok(Some(term))
    }

    fn term(&mut self) -> Result<Option<Expr>, Mistake> {
        let token = self.peek();
        let word = self.word(token);
        let start = token.span.start;
        let what = match token.kind {
            Kind::Word => match word {
                "true" => What::Bool(true),
                "false" => What::Bool(false),
                "nil" => What::Nil,
                _ => match self.library.get(word) {
                    Some(function) => What::Function(function),
                    None => return Err((start, format!("function {word:?} not defined"))),
                },
            },
            Kind::Dot => What::Dot,
            Kind::Variable => {
                if !self.variables.iter().any(|name| name == word) {
                    return Err((start, format!("undefined variable {word:?}")));
                }
                What::Variable(word.to_owned(), Vec::new())
            }
            Kind::Field => What::Field(vec![word.trim_start_matches('.').to_owned()]),
            Kind::Char => {
                let text = unquote(word).filter(|text| text.chars().count() == 1);
                let Some(c) = text.and_then(|text| text.chars().next()) else {
                    return Err((start, format!("malformed character constant: {word}")));
                };
                let number = i64::from(u32::from(c));
                What::Number(Number {
                    int: Some(number),
                    float: Some(f64::from(u32::from(c))),
                    is_float: false,
                })
            }
            Kind::Number if word.ends_with('i') => match number(word.trim_end_matches('i')) {
                Ok(number) => What::Imaginary(number.float.unwrap_or_default()),
                Err(message) => return Err((start, message)),
            },
            Kind::Number => match number(word) {
                Ok(number) => What::Number(number),
                Err(message) => return Err((start, message)),
            },
            Kind::Quoted | Kind::Raw => What::Text(self.string(token)?),
            Kind::OpenParen => {
                self.next();
                let pipe = self.pipeline("parenthesized pipeline", Kind::CloseParen)?;
                let end = self.tokens.get(self.at - 1).map_or(start, |t| t.span.end);
                return Ok(Some(Expr {
                    span: Span { start, end },
                    what: What::Pipe(pipe),
                }));
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(Expr {
            span: token.span,
            what,
        }))
    }

    fn string(&self, token: Token) -> Result<Text, Mistake> {
        let word = self.word(token);
        if token.kind == Kind::Raw {
            let inner = word.trim_matches('`').replace('\r', "");
            return Ok(Text::from(inner.as_bytes()));
        }
        match unquote_bytes(word) {
            Some(text) => Ok(text.into()),
            None => Err((token.span.start, format!("invalid syntax in {word}"))),
        }
    }
}

fn unquote(word: &str) -> Option<String> {
    String::from_utf8(unquote_bytes(word)?).ok()
}

/// `strconv.Unquote` of a quoted string or character.
fn unquote_bytes(word: &str) -> Option<Vec<u8>> {
    let quote = word.chars().next()?;
    let inner = word.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut out = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = chars.next()?;
        let mut code = |length: usize, radix: u32, first: Option<char>| -> Option<u32> {
            let digits: String = first
                .into_iter()
                .chain(chars.by_ref().take(length))
                .collect();
            if digits.chars().count() != length + usize::from(first.is_some())
                || !digits.chars().all(|c| c.is_digit(radix))
            {
                return None;
            }
            u32::from_str_radix(&digits, radix).ok()
        };
        match escape {
            'a' => out.push(7),
            'b' => out.push(8),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            '\\' => out.push(b'\\'),
            '\'' | '"' if escape == quote => out.push(u8::try_from(quote).ok()?),
            'x' => out.push(u8::try_from(code(2, 16, None)?).ok()?),
            '0'..='7' => out.push(u8::try_from(code(2, 8, Some(escape))?).ok()?),
            'u' | 'U' => {
                let c = char::from_u32(code(if escape == 'u' { 4 } else { 8 }, 16, None)?)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return None,
        }
    }
    Some(out)
}

/// A number as written.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "whole and in range, so exact; and as Go rounds"
)]
fn number(word: &str) -> Result<Number, String> {
    let bad = || format!("bad number syntax: {word:?}");
    let negative = word.starts_with('-');
    let unsigned = word.trim_start_matches(['+', '-']);
    let lower = unsigned.to_ascii_lowercase();
    if lower.ends_with('_') || lower.contains("__") || lower.starts_with('_') {
        return Err(bad());
    }
    let digits = lower.replace('_', "");
    let (radix, body) = match digits.get(..2) {
        Some("0x") => (16, digits.get(2..).unwrap_or_default()),
        Some("0o") => (8, digits.get(2..).unwrap_or_default()),
        Some("0b") => (2, digits.get(2..).unwrap_or_default()),
        _ if digits.len() > 1 && digits.starts_with('0') && !digits.contains(['.', 'e']) => {
            (8, digits.get(1..).unwrap_or_default())
        }
        _ => (10, digits.as_str()),
    };
    if !body.is_empty() && body.chars().all(|c| c.is_digit(radix)) {
        let size =
            u64::from_str_radix(body, radix).map_err(|_| format!("integer overflow: {word:?}"))?;
        let int = if negative {
            0i64.checked_sub_unsigned(size)
        } else {
            i64::try_from(size).ok()
        };
        let Some(int) = int else {
            return Err(format!("{word} overflows int"));
        };
        return Ok(Number {
            int: Some(int),
            float: Some(int as f64),
            is_float: false,
        });
    }
    if !digits.contains(['.', 'e', 'p']) {
        return Err(bad());
    }
    let float = parse_float(&digits).ok_or_else(bad)?;
    let float = if negative { -float } else { float };
    let int = (float.fract() == 0.0 && float.abs() < 9.2e18).then_some(float as i64);
    Ok(Number {
        int,
        float: Some(float),
        is_float: true,
    })
}
