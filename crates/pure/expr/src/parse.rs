//! Is this text an expression?
//!
//! The `cel` crate parses, without macros, so that positions stay true; everything it gives is turned into our own tree
//! at once. Only this file and `bridge` know that crate.

use std::sync::Arc;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, LiteralValue, SourceInfo, operators};
use purlin_diag::nearest;

use crate::Problem;
use crate::ast::{Binary, Bind, Call, Each, Gather, Kind, Node, Span};
use crate::lex::{Lexer, Token};
use crate::{library, limits};

/// Parses `source`.
///
/// # Errors
/// Everything that is wrong with it, as far as it can be told.
pub(crate) fn parse(source: &str) -> Result<Node, Vec<Problem>> {
    limits::check(source).map_err(|problem| vec![problem])?;
    if source.trim().is_empty() {
        return Err(vec![Problem::new(
            "expr/empty",
            "there is no expression here",
            0,
            source.len(),
        )]);
    }
    let parser = cel::Env::default()
        .parser()
        .enable_ident_escape_syntax(true);
    let (tree, places) = match parser.parse_with_source_info(source) {
        Ok(parsed) => parsed,
        Err(errors) => return Err(syntax_problems(source, &errors.errors)),
    };
    let mut lower = Lower {
        source,
        places: &places,
        scope: Vec::new(),
        problems: Vec::new(),
    };
    let node = lower.node(&tree);
    if lower.problems.is_empty() {
        Ok(node)
    } else {
        Err(lower.problems)
    }
}

fn syntax_problems(source: &str, errors: &[cel::ParseError]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let at = offset(source, error.pos).min(source.len());
        let end = source
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(at, |c| at + c.len_utf8());
        let text = error.msg.trim_start_matches("Syntax error: ");
        // What the grammar would have taken instead is a list of token names nobody can read.
        let text = text.split(" expecting {").next().unwrap_or(text);
        let text = if text.contains("'<EOF>'") || text.contains("<EOF>") {
            "the expression ends too early".to_owned()
        } else {
            text.to_owned()
        };
        // After the first mistake the parser often stumbles over its own recovery at the same spot.
        if problems.iter().any(|p| p.start == at) {
            continue;
        }
        problems.push(Problem::new("expr/syntax", text, at, end));
    }
    if problems.is_empty() {
        problems.push(Problem::new(
            "expr/syntax",
            "this is not an expression",
            0,
            source.len(),
        ));
    }
    problems
}

/// The byte of a line and a column, both from 1, the column in characters.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let mut at = 0;
    for (number, text) in source.split_inclusive('\n').enumerate() {
        if number + 1 == line {
            return at
                + text
                    .char_indices()
                    .nth(column - 1)
                    .map_or(text.len(), |(byte, _)| byte);
        }
        at += text.len();
    }
    source.len()
}

/// Turns the crate's tree into ours: macros become forms, names become locals, functions are found.
struct Lower<'a> {
    source: &'a str,
    places: &'a SourceInfo,
    scope: Vec<Arc<str>>,
    problems: Vec<Problem>,
}

impl Lower<'_> {
    fn node(&mut self, expr: &IdedExpr) -> Node {
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

    fn refuse(
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

    fn has(&mut self, span: Span, args: &[IdedExpr]) -> Kind {
        if let [argument] = args {
            match &argument.expr {
                Expr::Select(select) => {
                    return Kind::Has(
                        Box::new(self.node(&select.operand)),
                        select.field.as_str().into(),
                    );
                }
                // `has(a.?b.c)` asks like `has(a.b)` does; anything else has no field to ask for.
                Expr::Call(call) if call.func_name == operators::OPT_SELECT => {
                    if let [target, field] = call.args.as_slice()
                        && let Expr::Literal(LiteralValue::String(field)) = &field.expr
                    {
                        return Kind::Has(Box::new(self.node(target)), field.inner().into());
                    }
                }
                _ => {}
            }
        }
        self.refuse(
            span,
            "expr/macro",
            "`has` takes one field selection".to_owned(),
            Some("write has(a.b); for a key use `'k' in a`"),
        )
    }

    fn bind(&mut self, span: Span, args: &[IdedExpr]) -> Kind {
        let [name, value, body] = args else {
            return self.refuse(
                span,
                "expr/macro",
                "`cel.bind` takes a name, a value and a body".to_owned(),
                None,
            );
        };
        let value = self.node(value);
        match self.scoped(&[name], body, None) {
            Some((_, _, body)) => Kind::Bind(Box::new(Bind { value, body })),
            None => self.refuse(
                span,
                "expr/macro",
                "the first argument of `cel.bind` is a name".to_owned(),
                None,
            ),
        }
    }

    /// The forms that look like member calls but bring a variable of their own.
    fn form(
        &mut self,
        span: Span,
        name: &str,
        target: &IdedExpr,
        args: &[IdedExpr],
    ) -> Option<Kind> {
        if let "optMap" | "optFlatMap" = name {
            let [variable, body] = args else { return None };
            let value = self.node(target);
            return Some(match self.scoped(&[variable], body, None) {
                Some((_, _, body)) => {
                    Kind::OptMap(Box::new(Bind { value, body }), name == "optFlatMap")
                }
                None => self.bad_variable(span, name),
            });
        }
        let (gather, variables, only, body): (Gather, &[IdedExpr], Option<&IdedExpr>, &IdedExpr) =
            match (name, args) {
                ("all", [v @ .., body]) if !v.is_empty() && v.len() < 3 => {
                    (Gather::All, v, None, body)
                }
                ("exists", [v @ .., body]) if !v.is_empty() && v.len() < 3 => {
                    (Gather::Exists, v, None, body)
                }
                ("exists_one" | "existsOne", [v @ .., body]) if !v.is_empty() && v.len() < 3 => {
                    (Gather::ExistsOne, v, None, body)
                }
                ("map", [_, body]) => (Gather::List, &args[..1], None, body),
                ("map", [_, only, body]) => (Gather::List, &args[..1], Some(only), body),
                ("filter", [_, body]) => (Gather::Filter, &args[..1], None, body),
                ("sortBy", [_, body]) => (Gather::SortBy, &args[..1], None, body),
                ("transformList", [_, _, body]) => (Gather::List, &args[..2], None, body),
                ("transformList", [_, _, only, body]) => {
                    (Gather::List, &args[..2], Some(only), body)
                }
                ("transformMap", [_, _, body]) => (Gather::TransformMap, &args[..2], None, body),
                ("transformMap", [_, _, only, body]) => {
                    (Gather::TransformMap, &args[..2], Some(only), body)
                }
                ("transformMapEntry", [_, _, body]) => {
                    (Gather::TransformMapEntry, &args[..2], None, body)
                }
                ("transformMapEntry", [_, _, only, body]) => {
                    (Gather::TransformMapEntry, &args[..2], Some(only), body)
                }
                (
                    "all" | "exists" | "exists_one" | "existsOne" | "map" | "filter"
                    | "transformList" | "transformMap" | "transformMapEntry" | "sortBy",
                    _,
                ) => {
                    return Some(self.refuse(
                        span,
                        "expr/macro",
                        format!("`{name}` takes a variable name and an expression"),
                        Some("for example xs.map(x, x + 1)"),
                    ));
                }
                _ => return None,
            };
        // The range is read before the variables exist, so `vpcs.filter(vpcs, …)` still reads `vpcs`.
        let range = self.node(target);
        let variables: Vec<&IdedExpr> = variables.iter().collect();
        Some(match self.scoped(&variables, body, only) {
            Some((names, only, body)) => Kind::Each(Box::new(Each {
                gather,
                range,
                names,
                only,
                body,
            })),
            None => self.bad_variable(span, name),
        })
    }

    fn bad_variable(&mut self, span: Span, name: &str) -> Kind {
        self.refuse(
            span,
            "expr/macro",
            format!("the first argument of `{name}` is the name of a variable"),
            Some("for example xs.map(x, x + 1)"),
        )
    }

    fn scoped(
        &mut self,
        variables: &[&IdedExpr],
        body: &IdedExpr,
        only: Option<&IdedExpr>,
    ) -> Option<(Vec<Arc<str>>, Option<Node>, Node)> {
        let names: Option<Vec<Arc<str>>> = variables
            .iter()
            .map(|variable| match &variable.expr {
                Expr::Ident(name) if !name.starts_with('.') => Some(Arc::from(name.as_str())),
                _ => None,
            })
            .collect();
        let names = names?;
        self.scope.extend(names.iter().cloned());
        let only = only.map(|only| self.node(only));
        let body = self.node(body);
        self.scope.truncate(self.scope.len() - names.len());
        Some((names, only, body))
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
            call.args.iter().for_each(|arg| flatten(arg, name, terms))
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
