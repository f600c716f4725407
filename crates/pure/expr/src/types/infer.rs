//! Which type does a node have, from its parts?

use std::sync::Arc;

use super::class::Class;
use super::fit::same;
use super::look::{Found, did_you_mean};
use super::{Checker, Dialect, Ty};
use crate::ast::{Each, Gather, Kind, Node};
use crate::library;

impl<'s> Checker<'s, '_> {
    #[expect(
        clippy::too_many_lines,
        reason = "one flat arm per kind of node reads better"
    )]
    pub(super) fn infer(&mut self, node: &Node) -> Ty<'s> {
        match &node.kind {
            Kind::Null => Ty::Null,
            Kind::Bool(_) => Ty::Bool,
            Kind::Int(_) => Ty::Int,
            Kind::UInt(_) => Ty::UInt,
            Kind::Double(_) => Ty::Double,
            Kind::String(_) => Ty::String(None),
            Kind::Bytes(_) => Ty::Bytes,
            Kind::TypeName(_) => Ty::Type,
            Kind::Root(name) => self.root(node, name),
            Kind::Local(slot) => self.locals.get(*slot).cloned().unwrap_or(Ty::Dyn),
            Kind::Select(operand, field) => {
                if let Kind::Root(name) = &operand.kind
                    && library::type_in(name, field).is_some()
                    && self.env.get(name).is_none()
                {
                    return Ty::Type;
                }
                let ty = self.infer(operand);
                self.field(node, operand, &ty, field)
            }
            Kind::Has(operand, field) => {
                let ty = self.infer(operand);
                self.maybe_field(node, operand, &ty, field);
                Ty::Bool
            }
            Kind::OptSelect(..) | Kind::OptIndex(_) | Kind::OptMap(..)
                if self.dialect == Dialect::Core =>
            {
                self.refuse(node, "there are no optional values here".to_owned())
            }
            Kind::OptSelect(operand, field) => {
                let ty = self.infer(operand);
                // What has no fields has none of this name either.
                if self.dialect == Dialect::Full && !(ty.is_map() || matches!(ty, Ty::Optional(_)))
                {
                    return match ty {
                        Ty::Err => Ty::Err,
                        _ => Ty::optional(Ty::Dyn),
                    };
                }
                Ty::optional(self.maybe_field(node, operand, &ty, field))
            }
            Kind::Index(pair) => self.index(node, &pair[0], &pair[1]),
            Kind::OptIndex(pair) => Ty::optional(self.index(node, &pair[0], &pair[1])),
            Kind::List(items) => {
                let items = items.iter().map(|(item, left_out)| {
                    let ty = self.infer(item);
                    if *left_out { ty.unwrapped() } else { ty }
                });
                let items: Vec<Ty<'s>> = items.collect();
                Ty::list(self.common(node, items))
            }
            Kind::Map(entries) => self.map(node, entries),
            Kind::And(terms) | Kind::Or(terms) => {
                for term in terms {
                    self.truth(term);
                }
                Ty::Bool
            }
            Kind::Not(operand) => {
                self.truth(operand);
                Ty::Bool
            }
            Kind::Negate(operand) => {
                let ty = self.infer(operand);
                match &ty {
                    Ty::Int | Ty::Double | Ty::Number | Ty::Dyn | Ty::Err => ty,
                    Ty::IntOrString if !self.strict() => Ty::Int,
                    other => self.refuse(node, format!("`-` does not take {other}")),
                }
            }
            Kind::Cond(arms) => {
                self.truth(&arms[0]);
                let (yes, no) = (self.infer(&arms[1]), self.infer(&arms[2]));
                self.either(node, yes, no)
            }
            Kind::Binary(operator, pair) => self.binary(node, *operator, &pair[0], &pair[1]),
            Kind::Call(call) => self.call(node, call),
            Kind::Each(each) => self.each(node, each, |checker| checker.infer(&each.body)),
            Kind::OptMap(bind, flat) => {
                let value = self.optional_value(&bind.value);
                self.locals.push(value);
                let body = self.infer(&bind.body);
                self.locals.pop();
                if *flat { body } else { Ty::optional(body) }
            }
            Kind::Bind(_) if self.strict() => {
                self.refuse(node, "there is no `cel.bind` here".to_owned())
            }
            Kind::Bind(bind) => {
                let value = self.infer(&bind.value);
                self.locals.push(value);
                let body = self.infer(&bind.body);
                self.locals.pop();
                body
            }
        }
    }

    fn root(&mut self, node: &Node, name: &str) -> Ty<'s> {
        if let Some(ty) = self.env.get(name) {
            return ty.clone();
        }
        if library::is_type_name(name) {
            return Ty::Type;
        }
        let mut names: Vec<String> = self.env.names().into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        let help = did_you_mean(name, &names);
        let message = format!("there is no variable `{name}`");
        self.error("expr/no-such-variable", node.span, message, help)
    }

    /// The two sides of a condition.
    pub(super) fn either(&mut self, node: &Node, yes: Ty<'s>, no: Ty<'s>) -> Ty<'s> {
        if !self.strict() {
            return yes.join(no);
        }
        if self.dialect == Dialect::Core && (matches!(yes, Ty::Dyn) || matches!(no, Ty::Dyn)) {
            return Ty::Dyn;
        }
        if same(&yes, &no) {
            return if matches!(yes, Ty::Dyn) { no } else { yes };
        }
        self.refuse(node, format!("the two sides of `? :` are {yes} and {no}"))
    }

    /// A node that is true or false.
    pub(super) fn truth(&mut self, node: &Node) {
        let given = self.infer(node);
        if !Class::of(&given).meets(Class::BOOL) {
            let message = format!("this is {given}, and bool is wanted");
            if let Ty::Optional(_) = given {
                let help = "ask with `.hasValue()`, or give a default with `.orValue(false)`";
                self.refuse_with(node, message, help.to_owned());
            } else {
                self.refuse(node, message);
            }
        }
    }

    /// What an optional holds; what is no optional is told.
    pub(super) fn optional_value(&mut self, node: &Node) -> Ty<'s> {
        let ty = self.infer(node);
        if self.dialect == Dialect::Full && !Class::of(&ty).meets(Class::OPTIONAL) {
            let message = format!("this is {ty}, and an optional is wanted");
            let help = "`.?field` and `[?key]` give optionals, and so does `optional.of(…)`";
            return self.refuse_with(node, message, help.to_owned());
        }
        ty.unwrapped()
    }

    /// The type that all of these have.
    fn common(&mut self, node: &Node, types: Vec<Ty<'s>>) -> Ty<'s> {
        if !self.strict() {
            return types.into_iter().reduce(Ty::join).unwrap_or(Ty::Dyn);
        }
        let mut common = Ty::Dyn;
        for ty in types {
            if !same(&common, &ty) {
                let message =
                    format!("a list or map literal holds one type, not {common} and {ty}");
                return self.refuse(node, message);
            }
            if matches!(common, Ty::Dyn) {
                common = ty;
            }
        }
        common
    }

    fn map(&mut self, node: &Node, entries: &[(Node, Node, bool)]) -> Ty<'s> {
        let mut fields = Vec::new();
        let mut named = true;
        let mut keys = Ty::Null;
        for (key, value, left_out) in entries {
            let key_ty = self.infer(key);
            self.key(key, &key_ty);
            keys = keys.join(key_ty);
            let ty = self.infer(value);
            let ty = if *left_out { ty.unwrapped() } else { ty };
            let name = if let Kind::String(name) = &key.kind {
                name.to_string()
            } else {
                named = false;
                String::new()
            };
            fields.push((name, ty));
        }
        if self.strict() {
            let values = fields.into_iter().map(|(_, ty)| ty).collect();
            return Ty::map(self.common(node, values));
        }
        if named && !fields.is_empty() {
            return Ty::record(fields);
        }
        let keys = if fields.is_empty() { Ty::Dyn } else { keys };
        let values = fields.into_iter().map(|(_, ty)| ty);
        Ty::Map(Arc::new((keys, values.reduce(Ty::join).unwrap_or(Ty::Dyn))))
    }

    /// Only truth values, whole numbers and texts are keys.
    pub(super) fn key(&mut self, node: &Node, ty: &Ty<'s>) {
        let keys = Class::BOOL | Class::NUMBER | Class::STRING;
        if self.dialect == Dialect::Full && !Class::of(ty).meets(keys) {
            self.refuse(node, format!("{ty} is not the key of a map"));
        }
    }

    /// A field that the expression itself says may be missing: it may in a map that an expression made.
    fn maybe_field(&mut self, node: &Node, operand: &Node, ty: &Ty<'s>, field: &str) -> Ty<'s> {
        let mut made = ty;
        while let Ty::Optional(inner) = made {
            made = inner;
        }
        if matches!(made, Ty::Record(_)) && matches!(made.field(field), Found::Unknown(_)) {
            return Ty::Dyn;
        }
        self.field(node, operand, ty, field)
    }

    pub(super) fn field(
        &mut self,
        node: &Node,
        operand: &Node,
        ty: &Ty<'s>,
        field: &str,
    ) -> Ty<'s> {
        if let Ty::Optional(inner) = ty {
            return Ty::optional(self.field(node, operand, inner, field));
        }
        match ty.field(field) {
            Found::Field(ty) => ty,
            Found::Unknown(known) => {
                let message = if self.dialect == Dialect::Rules {
                    format!("the schema has no field `{field}` that an expression can see")
                } else {
                    match self.text(operand) {
                        Some(text) => format!("there is no field `{field}` in `{text}`"),
                        None => format!("there is no field `{field}` here"),
                    }
                };
                let help = did_you_mean(field, &known);
                self.error("expr/no-such-field", node.span, message, help)
            }
            Found::NotFields => self.refuse(node, format!("{ty} has no field `{field}`")),
        }
    }

    fn index(&mut self, node: &Node, operand: &Node, index: &Node) -> Ty<'s> {
        let target = self.infer(operand);
        let at = self.infer(index);
        let optional = matches!(target, Ty::Optional(_));
        let inside = target.unwrapped();
        let numbered = Class::of(&at).meets(Class::NUMBER);
        let named = same(&at, &Ty::String(None)) || Class::of(&at).meets(Class::STRING);
        let element = match &inside {
            Ty::Dyn | Ty::Err => inside.clone(),
            ty if ty.is_list() && numbered => ty.element().unwrap_or(Ty::Dyn),
            ty if ty.is_map() && !self.strict() => {
                if let Kind::String(name) = &index.kind {
                    self.field(node, operand, &inside, name)
                } else {
                    self.key(index, &at);
                    ty.element().unwrap_or(Ty::Dyn)
                }
            }
            Ty::Map(pair) if named => pair.1.clone(),
            // Keys of maps that a rule makes itself may be of other types.
            Ty::Map(pair) if matches!(operand.kind, Kind::Map(_) | Kind::Local(_)) => {
                pair.1.clone()
            }
            // What an optional holds may have no elements: then it has none here either.
            _ if !self.strict() && (optional || matches!(node.kind, Kind::OptIndex(_))) => Ty::Dyn,
            other => {
                let message = format!("{other} cannot be indexed by {at}");
                return self.refuse(node, message);
            }
        };
        if optional {
            Ty::optional(element)
        } else {
            element
        }
    }

    /// A comprehension; `body` looks at its body, whose variables are there.
    pub(super) fn each(
        &mut self,
        node: &Node,
        each: &Each,
        body: impl FnOnce(&mut Self) -> Ty<'s>,
    ) -> Ty<'s> {
        let own = matches!(
            each.gather,
            Gather::All | Gather::Exists | Gather::ExistsOne | Gather::List | Gather::Filter
        );
        if self.dialect == Dialect::Core && !(own && each.names.len() == 1) {
            return self.refuse(
                node,
                "this form is not part of the language itself".to_owned(),
            );
        }
        let range = self.infer(&each.range);
        let Some((key, element)) = self.elements(each, &range) else {
            return Ty::Err;
        };
        let before = self.locals.len();
        if each.names.len() == 2 {
            self.locals.extend([key, element.clone()]);
        } else {
            self.locals.push(if range.is_map() {
                key.clone()
            } else {
                element.clone()
            });
        }
        let first = self.locals[before].clone();
        if let Some(only) = &each.only {
            self.truth(only);
        }
        let body = match each.gather {
            Gather::All | Gather::Exists | Gather::ExistsOne | Gather::Filter => {
                self.truth(&each.body);
                Ty::Bool
            }
            Gather::List | Gather::TransformMap | Gather::TransformMapEntry | Gather::SortBy => {
                body(self)
            }
        };
        self.locals.truncate(before);
        match each.gather {
            Gather::All | Gather::Exists | Gather::ExistsOne => Ty::Bool,
            Gather::Filter if range.is_map() => Ty::list(first),
            Gather::Filter | Gather::SortBy => Ty::list(element),
            Gather::List => Ty::list(body),
            Gather::TransformMap => {
                let key = if each.names.len() == 2 {
                    first
                } else {
                    Ty::Dyn
                };
                Ty::Map(Arc::new((key, body)))
            }
            Gather::TransformMapEntry if self.strict() => body,
            Gather::TransformMapEntry => {
                Ty::Map(Arc::new((Ty::Dyn, body.element().unwrap_or(Ty::Dyn))))
            }
        }
    }

    /// What a comprehension goes over: indexes or keys, and elements or values.
    fn elements(&mut self, each: &Each, range: &Ty<'s>) -> Option<(Ty<'s>, Ty<'s>)> {
        let maps = self.strict() || each.gather != Gather::SortBy;
        Some(match range {
            Ty::Dyn | Ty::Err => (Ty::Dyn, Ty::Dyn),
            ty if ty.is_list() => (Ty::Int, ty.element().unwrap_or(Ty::Dyn)),
            Ty::Map(pair) if maps => {
                let key = if self.strict() {
                    Ty::String(None)
                } else {
                    pair.0.clone()
                };
                (key, pair.1.clone())
            }
            ty if maps && ty.is_map() && !self.strict() => {
                (Ty::String(None), ty.element().unwrap_or(Ty::Dyn))
            }
            other => {
                let message = format!("only lists and maps have elements, not {other}");
                if let Ty::Optional(_) = other {
                    let help = "give a default with `.orValue([])`".to_owned();
                    self.refuse_with(&each.range, message, help);
                } else {
                    self.refuse(&each.range, message);
                }
                return None;
            }
        })
    }
}
