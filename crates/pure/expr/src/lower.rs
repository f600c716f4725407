//! What does the tree of the `cel` parser mean in ours?

use std::sync::Arc;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, LiteralValue, SourceInfo, operators};
use purlin_diag::nearest;

use crate::Problem;
use crate::ast::{Binary, Call, Kind, Node, Span};
use crate::lex::{Lexer, Token};
use crate::library;

/// Turns the crate's tree into ours: macros become forms, names become locals, functions are found.
pub(crate) struct Lower<'a> {
    pub(crate) source: &'a str,
    pub(crate) places: &'a SourceInfo,
    pub(crate) scope: Vec<Arc<str>>,
    pub(crate) problems: Vec<Problem>,
}

impl Lower<'_> {
    #[expect(
        clippy::too_many_lines,
        reason = "one flat arm per kind of node reads better"
    )]
    pub(crate) fn node(&mut self, expr: &IdedExpr) -> Node {
        let (start, stop) = self.places.offset_for(expr.id).unwrap_or((0, 0));
        let mut span = Span {
            start,
            end: stop + 1,
        };
        let kind = match &expr.expr {
            Expr::Literal(literal) => literal_kind(literal),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => match type_named(expr) {
                Some(name) => Kind::TypeName(name),
                None => Kind::Select(
                    Box::new(self.node(&select.operand)),
                    select.field.as_str().into(),
                ),
            },
            Expr::Call(call) => {
                let kind = self.call(expr, call, span);
                if !is_operator(&call.func_name) {
                    span.end = self.closing(span.start).max(span.end);
                    span.start = self.name_before(span.start);
                }
                kind
            }
            Expr::List(list) => {
                let items = list.elements.iter().enumerate();
                let items =
                    items.map(|(at, item)| (self.node(item), list.optional_indices.contains(&at)));
                Kind::List(items.collect())
            }
            Expr::Map(map) => {
                let mut entries = Vec::with_capacity(map.entries.len());
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        entries.push((
                            self.node(&entry.key),
                            self.node(&entry.value),
                            entry.optional,
                        ));
                    }
                }
                Kind::Map(entries)
            }
            Expr::Struct(message) => self.refuse(
                span,
                "expr/no-message",
                format!("there is no message type `{}` to make", message.type_name),
                Some("write a map: {'field': value}"),
            ),
            Expr::Comprehension(_) | Expr::Unspecified => self.refuse(
                span,
                "expr/syntax",
                "this is not an expression".to_owned(),
                None,
            ),
        };
        if let Kind::Select(..) | Kind::OptSelect(..) = kind {
            span.end = self.field_end(span.end).max(span.end);
        }
        if let Kind::List(_) | Kind::Map(_) | Kind::Index(_) | Kind::OptIndex(_) = kind {
            span.end = self.closing(span.start).max(span.end);
        }
        let mut node = Node { span, kind };
        let mut whole = span;
        node.children(&mut |child| {
            whole.start = whole.start.min(child.span.start);
            whole.end = whole.end.max(child.span.end);
        });
        node.span = whole;
        node
    }

    fn name(&self, name: &str) -> Kind {
        let plain = name.strip_prefix('.').unwrap_or(name);
        match self.scope.iter().rposition(|local| **local == *plain) {
            Some(slot) if !name.starts_with('.') => Kind::Local(slot),
            _ => Kind::Root(plain.into()),
        }
    }

    pub(crate) fn refuse(
        &mut self,
        span: Span,
        code: &'static str,
        message: String,
        help: Option<&str>,
    ) -> Kind {
        let mut problem = Problem::new(code, message, span.start as usize, span.end as usize);
        if let Some(help) = help {
            problem = problem.help(help);
        }
        self.problems.push(problem);
        Kind::Null
    }

    fn call(&mut self, expr: &IdedExpr, call: &cel::common::ast::CallExpr, span: Span) -> Kind {
        let name = call.func_name.as_str();
        if let Some(kind) = self.operator(expr, name, &call.args) {
            return kind;
        }
        let end = self.closing(span.start).max(span.end);
        let named = Span {
            start: self.name_before(span.start),
            end,
        };
        if let Some(target) = &call.target {
            if let Expr::Ident(space) = &target.expr
                && !self.scope.iter().any(|local| **local == **space)
            {
                if space == "cel" && name == "bind" {
                    return self.bind(named, &call.args);
                }
                let full = format!("{space}.{name}");
                if library::has_global(&full) {
                    return self.function(named, &full, None, &call.args);
                }
            }
            if let Some(kind) = self.form(named, name, target, &call.args) {
                return kind;
            }
            return self.function(named, name, Some(target), &call.args);
        }
        if name == operators::HAS {
            return self.has(named, &call.args);
        }
        let name = name.strip_prefix('.').unwrap_or(name);
        self.function(named, name, None, &call.args)
    }

    fn operator(&mut self, expr: &IdedExpr, name: &str, args: &[IdedExpr]) -> Option<Kind> {
        let binary = match name {
            operators::ADD => Binary::Add,
            operators::SUBSTRACT => Binary::Subtract,
            operators::MULTIPLY => Binary::Multiply,
            operators::DIVIDE => Binary::Divide,
            operators::MODULO => Binary::Modulo,
            operators::EQUALS => Binary::Equal,
            operators::NOT_EQUALS => Binary::NotEqual,
            operators::LESS => Binary::Less,
            operators::LESS_EQUALS => Binary::LessEqual,
            operators::GREATER => Binary::Greater,
            operators::GREATER_EQUALS => Binary::GreaterEqual,
            operators::IN => Binary::In,
            _ => return self.other_operator(expr, name, args),
        };
        let [left, right] = args else { return None };
        let pair = Box::new([self.node(left), self.node(right)]);
        Some(Kind::Binary(binary, pair))
    }

    fn other_operator(&mut self, expr: &IdedExpr, name: &str, args: &[IdedExpr]) -> Option<Kind> {
        Some(match (name, args) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, _) => {
                let mut terms = Vec::new();
                flatten(expr, name, &mut terms);
                let terms = terms.into_iter().map(|term| self.node(term)).collect();
                if name == operators::LOGICAL_AND {
                    Kind::And(terms)
                } else {
                    Kind::Or(terms)
                }
            }
            (operators::LOGICAL_NOT, [operand]) => Kind::Not(Box::new(self.node(operand))),
            (operators::NEGATE, [operand]) => Kind::Negate(Box::new(self.node(operand))),
            (operators::CONDITIONAL, [test, yes, no]) => {
                Kind::Cond(Box::new([self.node(test), self.node(yes), self.node(no)]))
            }
            (operators::INDEX, [target, index]) => {
                Kind::Index(Box::new([self.node(target), self.node(index)]))
            }
            (operators::OPT_INDEX, [target, index]) => {
                Kind::OptIndex(Box::new([self.node(target), self.node(index)]))
            }
            (operators::OPT_SELECT, [target, field]) => {
                let Expr::Literal(LiteralValue::String(field)) = &field.expr else {
                    return None;
                };
                Kind::OptSelect(Box::new(self.node(target)), field.inner().into())
            }
            _ => return None,
        })
    }

    fn function(
        &mut self,
        span: Span,
        name: &str,
        target: Option<&IdedExpr>,
        args: &[IdedExpr],
    ) -> Kind {
        let member = target.is_some();
        let nodes: Vec<Node> = target
            .into_iter()
            .chain(args)
            .map(|arg| self.node(arg))
            .collect();
        let Some(function) = library::find(name, member, nodes.len()) else {
            let (message, help) = unknown_function(name, member, args.len());
            return self.refuse(span, "expr/no-such-function", message, help.as_deref());
        };
        let mut regex = None;
        if let Some(at) = function.pattern
            && let Some(Node {
                kind: Kind::String(pattern),
                span,
            }) = nodes.get(at)
        {
            match library::regex::compile(pattern) {
                Ok(compiled) => regex = Some(Arc::new(compiled)),
                Err(why) => {
                    let span = *span;
                    return self.refuse(
                        span,
                        "expr/regex",
                        format!("this is not a regular expression: {why}"),
                        None,
                    );
                }
            }
        }
        Kind::Call(Box::new(Call {
            function,
            args: nodes,
            regex,
        }))
    }

    /// The offset after the bracket that closes the one at or after `from`.
    fn closing(&self, from: u32) -> u32 {
        let mut lexer = Lexer::new(self.source, from as usize);
        let mut depth = 0_usize;
        while let Ok(Some((token, _, end))) = lexer.next_token() {
            match token {
                Token::Mark(b'(' | b'[' | b'{') => depth += 1,
                Token::Mark(b')' | b']' | b'}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return to_u32(end);
                    }
                }
                _ if depth == 0 => return from,
                _ => {}
            }
        }
        from
    }

    /// The offset where the name before the `(` at `at` begins.
    fn name_before(&self, at: u32) -> u32 {
        let bytes = self.source.as_bytes();
        let mut at = at as usize;
        while at > 0
            && bytes
                .get(at - 1)
                .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        {
            at -= 1;
        }
        to_u32(at)
    }

    /// The offset after the field name that follows the `.` or `.?` ending at `at`.
    fn field_end(&self, at: u32) -> u32 {
        let mut lexer = Lexer::new(self.source, at as usize);
        loop {
            match lexer.next_token() {
                Ok(Some((Token::Mark(b'?' | b'.') | Token::Comment, ..))) => {}
                Ok(Some((Token::Word | Token::Text, _, end))) => return to_u32(end),
                _ => return at,
            }
        }
    }
}

fn to_u32(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn is_operator(name: &str) -> bool {
    name.starts_with(['_', '!', '-', '@'])
}

/// The terms of a balanced tree of one logical operator, left to right.
fn flatten<'e>(expr: &'e IdedExpr, name: &str, terms: &mut Vec<&'e IdedExpr>) {
    match &expr.expr {
        Expr::Call(call) if call.func_name == name => {
            call.args.iter().for_each(|arg| flatten(arg, name, terms));
        }
        _ => terms.push(expr),
    }
}

fn literal_kind(literal: &LiteralValue) -> Kind {
    match literal {
        LiteralValue::Boolean(b) => Kind::Bool(*b.inner()),
        LiteralValue::Bytes(bytes) => Kind::Bytes(bytes.inner().into()),
        LiteralValue::Double(d) => Kind::Double(*d.inner()),
        LiteralValue::Int(i) => Kind::Int(*i.inner()),
        LiteralValue::Null => Kind::Null,
        LiteralValue::String(s) => Kind::String(s.inner().into()),
        LiteralValue::UInt(u) => Kind::UInt(*u.inner()),
    }
}

/// The type that `google.protobuf.…` names.
fn type_named(expr: &IdedExpr) -> Option<&'static str> {
    let Expr::Select(select) = &expr.expr else {
        return None;
    };
    let Expr::Select(package) = &select.operand.expr else {
        return None;
    };
    let Expr::Ident(root) = &package.operand.expr else {
        return None;
    };
    match (root.as_str(), package.field.as_str(), select.field.as_str()) {
        ("google", "protobuf", "Timestamp") => Some("google.protobuf.Timestamp"),
        ("google", "protobuf", "Duration") => Some("google.protobuf.Duration"),
        _ => None,
    }
}

fn unknown_function(name: &str, member: bool, args: usize) -> (String, Option<String>) {
    let arities = library::arities(name, member);
    if !arities.is_empty() {
        let takes: Vec<String> = arities.iter().map(ToString::to_string).collect();
        return (
            format!(
                "`{name}` takes {} arguments, not {args}",
                takes.join(" or ")
            ),
            None,
        );
    }
    let other = library::arities(name, !member);
    if !other.is_empty() {
        let help = if member {
            format!("write {name}(x)")
        } else {
            format!("write x.{name}(…)")
        };
        return (format!("`{name}` is not called this way"), Some(help));
    }
    let help = nearest(name, library::names()).map(|near| format!("did you mean `{near}`?"));
    (format!("there is no function `{name}`"), help)
}
