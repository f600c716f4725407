//! Which calls are forms of their own: `has`, and those that bring a variable?

use std::sync::Arc;

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use crate::ast::{Bind, Each, Gather, Kind, Node, Span};
use crate::lower::Lower;

impl Lower<'_> {
    pub(crate) fn has(&mut self, span: Span, args: &[IdedExpr]) -> Kind {
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

    pub(crate) fn bind(&mut self, span: Span, args: &[IdedExpr]) -> Kind {
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
    #[expect(clippy::too_many_lines, reason = "the table of forms is one match")]
    pub(crate) fn form(
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
}
