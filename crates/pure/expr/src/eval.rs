//! What does an expression give for these variables?
//!
//! A walk over the tree. Its depth is bounded when the expression is compiled, its steps and memory by the meter.

use std::rc::Rc;

use crate::ast::{Binary, Call, Kind, Node};
use crate::bindings::{Binding, Bindings};
use crate::key::Key;
use crate::library::{self, Asked, Lazy};
use crate::list::List;
use crate::map::Map;
use crate::meter::Meter;
use crate::missed::{opt_field, optional, place, strict_field};
use crate::ops;
use crate::outcome::{Fault, FaultKind, Outcome, Pending, Raise, Stop};
use crate::raise::{fault, missing, no_field, outside, pending, stop, types, unbound};
use crate::value::{Text, Val};

/// A running evaluation.
pub(crate) struct Machine<'a, 'b> {
    bindings: &'b Bindings<'a>,
    pub(crate) meter: Meter,
    pub(crate) locals: Vec<Val<'a>>,
    /// The first tracked data that the expression did without.
    pub(crate) missed: Option<Pending>,
}

/// What a chain of `+` has come to.
enum Sum<'a> {
    /// A text that still grows.
    Text(String),
    Val(Val<'a>),
}

pub(crate) type Got<'a> = Result<Val<'a>, Stop>;

impl<'a, 'b> Machine<'a, 'b> {
    pub(crate) fn new(bindings: &'b Bindings<'a>, meter: Meter) -> Self {
        Self {
            bindings,
            meter,
            locals: Vec::new(),
            missed: None,
        }
    }

    pub(crate) fn run(&mut self, node: &'a Node) -> Outcome<'a> {
        let value = self.eval(node).and_then(|value| {
            let weighed = self.meter.weigh(&value);
            weighed.map_err(|raise| stop(node.span, raise))?;
            self.present(node, value)
        });
        match value {
            Ok(value) => Outcome::Ok(value),
            Err(Stop::Pending(pending)) => Outcome::Pending(*pending),
            Err(Stop::Fault(fault)) => Outcome::Fault(*fault),
        }
    }

    pub(crate) fn eval(&mut self, node: &'a Node) -> Got<'a> {
        let value = self.step(node)?;
        let handed = self.meter.hand(&value);
        handed.map_err(|raise| stop(node.span, raise))?;
        Ok(value)
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one flat arm per kind of node reads better"
    )]
    fn step(&mut self, node: &'a Node) -> Got<'a> {
        self.meter
            .spend(1)
            .map_err(|raise| stop(node.span, raise))?;
        match &node.kind {
            Kind::Null => Ok(Val::Null),
            Kind::Bool(b) => Ok(Val::Bool(*b)),
            Kind::Int(i) => Ok(Val::Int(*i)),
            Kind::UInt(u) => Ok(Val::UInt(*u)),
            Kind::Double(d) => Ok(Val::Double(*d)),
            Kind::String(text) => Ok(Val::String(Text::Borrowed(text))),
            Kind::Bytes(bytes) => Ok(Val::Bytes(bytes.iter().copied().collect())),
            Kind::TypeName(name) => Ok(Val::Type(name)),
            Kind::Root(name) => self.root(node, name),
            Kind::Local(slot) => Ok(self.locals[*slot].clone()),
            Kind::Select(operand, field) => self.select(node, operand, field),
            Kind::Has(operand, field) => self.has(node, operand, field),
            Kind::OptSelect(operand, field) => self.opt_select(node, operand, field),
            Kind::Index(pair) => self.index(node, &pair[0], &pair[1]),
            Kind::OptIndex(pair) => self.opt_index(node, &pair[0], &pair[1]),
            Kind::List(items) => self.list(node, items),
            Kind::Map(entries) => self.map(node, entries),
            Kind::And(terms) => self.logic(terms, false),
            Kind::Or(terms) => self.logic(terms, true),
            Kind::Not(operand) => self.not(node, operand),
            Kind::Negate(operand) => self.negate(node, operand),
            Kind::Cond(arms) => self.conditional(arms),
            Kind::Binary(Binary::Add, pair) => Ok(match self.sum(node, pair)? {
                Sum::Text(text) => Val::text(text),
                Sum::Val(value) => value,
            }),
            Kind::Binary(operator, pair) => {
                let left = self.operand(&pair[0])?;
                let right = self.operand(&pair[1])?;
                self.note_in(&pair[1], *operator, &left, &right);
                self.binary(node, *operator, &left, &right)
            }
            Kind::Call(call) => self.call(node, call),
            Kind::Each(each) => self.each(node, each),
            Kind::OptMap(bind, flat) => match self.operand(&bind.value)? {
                Val::Optional(None) => Ok(Val::Optional(None)),
                Val::Optional(Some(inner)) => {
                    let value = self.with_local((*inner).clone(), &bind.body)?;
                    match (flat, value) {
                        (false, value) => Ok(Val::Optional(Some(Rc::new(value)))),
                        (true, value @ Val::Optional(_)) => Ok(value),
                        (true, value) => Err(types(
                            bind.body.span,
                            format!(
                                "the body of `optFlatMap` is an optional, not {}",
                                value.type_name()
                            ),
                        )),
                    }
                }
                other => Err(types(
                    node.span,
                    format!(
                        "`optMap` is asked of an optional, not of {}",
                        other.type_name()
                    ),
                )),
            },
            Kind::Bind(bind) => {
                let value = self.eval(&bind.value)?;
                self.with_local(value, &bind.body)
            }
        }
    }

    fn binary(
        &mut self,
        node: &'a Node,
        operator: Binary,
        left: &Val<'a>,
        right: &Val<'a>,
    ) -> Got<'a> {
        ops::binary(&mut self.meter, operator, left, right).map_err(|raise| match raise {
            Raise::Types => types(
                node.span,
                format!(
                    "`{}` does not take {} and {}",
                    operator.sign(),
                    left.type_name(),
                    right.type_name()
                ),
            ),
            raise @ Raise::Fault(..) => stop(node.span, raise),
        })
    }

    /// `a + b + c`: texts grow in one place, instead of one text per `+`.
    fn sum(&mut self, node: &'a Node, [left, right]: &'a [Node; 2]) -> Result<Sum<'a>, Stop> {
        let left = if let Kind::Binary(Binary::Add, pair) = &left.kind {
            self.meter
                .spend(1)
                .map_err(|raise| stop(left.span, raise))?;
            self.sum(left, pair)?
        } else {
            Sum::Val(self.operand(left)?)
        };
        let right = self.operand(right)?;
        let (mut text, more) = match (left, &right) {
            (Sum::Text(text), Val::String(more)) => (text, more),
            (Sum::Val(Val::String(text)), Val::String(more)) => {
                let (text, more_len) = (text.as_str(), more.as_str().len());
                let mut grown = String::with_capacity(text.len() + more_len);
                grown.push_str(text);
                (grown, more)
            }
            (left, right) => {
                let left = match left {
                    Sum::Text(text) => Val::text(text),
                    Sum::Val(value) => value,
                };
                return self.binary(node, Binary::Add, &left, right).map(Sum::Val);
            }
        };
        self.meter
            .make(text.len() + more.as_str().len())
            .map_err(|raise| stop(node.span, raise))?;
        text.push_str(more.as_str());
        Ok(Sum::Text(text))
    }

    fn with_local(&mut self, value: Val<'a>, body: &'a Node) -> Got<'a> {
        self.locals.push(value);
        let result = self.eval(body);
        self.locals.pop();
        result
    }

    /// A value that something is done with: it has to be there as a whole.
    pub(crate) fn operand(&mut self, node: &'a Node) -> Got<'a> {
        let value = self.eval(node)?;
        self.present(node, value)
    }

    #[expect(clippy::unused_self, reason = "reads like the other steps")]
    fn present(&self, node: &Node, value: Val<'a>) -> Got<'a> {
        match value {
            Val::Map(Map::Absent(root) | Map::Off(root)) => Err(pending(node, root, None)),
            value => Ok(value),
        }
    }

    fn root(&mut self, node: &'a Node, name: &'a str) -> Got<'a> {
        match self.bindings.get(name) {
            Some(Binding::Val(value)) => Ok(value.clone()),
            Some(Binding::Without(value, pending)) => {
                self.missed.get_or_insert_with(|| pending.clone());
                Ok(value.clone())
            }
            Some(Binding::Pending(pending)) => Err(Stop::Pending(Box::new(pending.clone()))),
            Some(Binding::Fault(fault)) => Err(Stop::Fault(Box::new(Fault {
                message: format!("`{name}` has no value: {}", fault.message),
                start: node.span.start as usize,
                end: node.span.end as usize,
                ..fault.clone()
            }))),
            None => match library::type_called(name) {
                Some(known) => Ok(Val::Type(known)),
                None => Err(unbound(node, name, self.bindings)),
            },
        }
    }

    fn select(&mut self, node: &'a Node, operand: &'a Node, field: &str) -> Got<'a> {
        if let Kind::Root(name) = &operand.kind
            && let Some(known) = library::type_in(name, field)
            && self.bindings.get(name).is_none()
        {
            return Ok(Val::Type(known));
        }
        match self.eval(operand)? {
            Val::Map(map) => match map.field(field) {
                Some(value) => Ok(value),
                None => Err(missing(node, &map, field)),
            },
            Val::Optional(inner) => {
                self.note_optional(node, inner.as_deref(), field);
                strict_field(node, inner.as_deref(), field)
            }
            other => Err(no_field(node, &other, field)),
        }
    }

    fn has(&mut self, node: &'a Node, operand: &'a Node, field: &str) -> Got<'a> {
        match self.eval(operand)? {
            Val::Map(map) => {
                let found = map.field(field).is_some();
                if !found {
                    self.note(node, map.hopes());
                }
                Ok(Val::Bool(found))
            }
            Val::Optional(inner) => {
                self.note_optional(node, inner.as_deref(), field);
                let found = strict_field(node, inner.as_deref(), field)?;
                Ok(Val::Bool(matches!(found, Val::Optional(Some(_)))))
            }
            other => Err(no_field(node, &other, field)),
        }
    }

    fn opt_select(&mut self, node: &'a Node, operand: &'a Node, field: &str) -> Got<'a> {
        match self.eval(operand)? {
            Val::Map(map) => {
                let found = map.field(field);
                if found.is_none() {
                    self.note(node, map.hopes());
                }
                Ok(optional(found))
            }
            Val::Optional(inner) => {
                self.note_optional(node, inner.as_deref(), field);
                Ok(opt_field(inner.as_deref(), field))
            }
            _ => Ok(Val::Optional(None)),
        }
    }

    fn index(&mut self, node: &'a Node, operand: &'a Node, index: &'a Node) -> Got<'a> {
        let target = self.eval(operand)?;
        if let Val::Optional(None) = target {
            return Ok(target);
        }
        let index = self.operand(index)?;
        match &target {
            Val::List(list) => match place(&index) {
                Some(at) => at
                    .and_then(|at| list.get(at))
                    .ok_or_else(|| outside(node, list, &index)),
                None => Err(types(
                    node.span,
                    format!(
                        "a list is indexed by a whole number, not by {}",
                        index.type_name()
                    ),
                )),
            },
            Val::Map(map) => match Key::from_val(&index) {
                Some(key) => map.get(&key).ok_or_else(|| match &key {
                    Key::String(text) => missing(node, map, text.as_str()),
                    other => missing(node, map, &other.to_val().show()),
                }),
                None => Err(types(
                    node.span,
                    format!("{} is not the key of a map", index.type_name()),
                )),
            },
            Val::Optional(inner) => Ok(self.opt_at(node, inner.as_deref(), &index)),
            other => Err(types(
                node.span,
                format!("{} has no elements", other.type_name()),
            )),
        }
    }

    fn opt_index(&mut self, node: &'a Node, operand: &'a Node, index: &'a Node) -> Got<'a> {
        let target = self.eval(operand)?;
        if let Val::Optional(None) = target {
            return Ok(target);
        }
        let index = self.operand(index)?;
        match &target {
            Val::Optional(inner) => Ok(self.opt_at(node, inner.as_deref(), &index)),
            other => Ok(self.opt_at(node, Some(other), &index)),
        }
    }

    fn list(&mut self, node: &'a Node, items: &'a [(Node, bool)]) -> Got<'a> {
        self.meter
            .values(items.len())
            .map_err(|raise| stop(node.span, raise))?;
        let mut list = Vec::with_capacity(items.len());
        for (item, left_out) in items {
            match (left_out, self.eval(item)?) {
                (false, value) => list.push(value),
                (true, Val::Optional(inner)) => list.extend(inner.map(|inner| (*inner).clone())),
                (true, other) => {
                    return Err(types(
                        item.span,
                        format!(
                            "`?` marks an optional element, and this is {}",
                            other.type_name()
                        ),
                    ));
                }
            }
        }
        Ok(Val::List(List::owned(list)))
    }

    fn map(&mut self, node: &'a Node, entries: &'a [(Node, Node, bool)]) -> Got<'a> {
        self.meter
            .values(entries.len() * 2)
            .map_err(|raise| stop(node.span, raise))?;
        let mut map = Vec::with_capacity(entries.len());
        for (key_node, value_node, left_out) in entries {
            let key = self.operand(key_node)?;
            let Some(key) = Key::from_val(&key) else {
                return Err(types(
                    key_node.span,
                    format!("{} is not the key of a map", key.type_name()),
                ));
            };
            let value = self.eval(value_node)?;
            match (left_out, value) {
                (false, value) => map.push((key, value)),
                (true, Val::Optional(inner)) => {
                    map.extend(inner.map(|inner| (key, (*inner).clone())));
                }
                (true, other) => {
                    return Err(types(
                        value_node.span,
                        format!(
                            "`?` marks an optional entry, and this is {}",
                            other.type_name()
                        ),
                    ));
                }
            }
        }
        let entries = map.len();
        let map = Map::owned(map);
        if map.len() != Some(entries) {
            return Err(fault(
                node.span,
                FaultKind::Argument,
                "a key occurs twice in this map".to_owned(),
            ));
        }
        Ok(Val::Map(map))
    }

    /// `&&` and `||`: whichever term decides wins over terms that failed, but not over running out or waiting.
    fn logic(&mut self, terms: &'a [Node], decisive: bool) -> Got<'a> {
        let mut failed = None;
        for term in terms {
            match self.operand(term) {
                Ok(Val::Bool(b)) if b == decisive => return Ok(Val::Bool(decisive)),
                Ok(Val::Bool(_)) => {}
                Ok(other) => {
                    let sign = if decisive { "||" } else { "&&" };
                    let wrong = types(
                        term.span,
                        format!("`{sign}` takes bool, not {}", other.type_name()),
                    );
                    failed.get_or_insert(wrong);
                }
                Err(Stop::Fault(fault)) if fault.kind.is_absorbed() => {
                    failed.get_or_insert(Stop::Fault(fault));
                }
                Err(stop) => return Err(stop),
            }
        }
        failed.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn not(&mut self, node: &'a Node, operand: &'a Node) -> Got<'a> {
        match self.operand(operand)? {
            Val::Bool(b) => Ok(Val::Bool(!b)),
            other => Err(types(
                node.span,
                format!("`!` takes bool, not {}", other.type_name()),
            )),
        }
    }

    fn negate(&mut self, node: &'a Node, operand: &'a Node) -> Got<'a> {
        match self.operand(operand)? {
            Val::Int(i) => i.checked_neg().map(Val::Int).ok_or_else(|| {
                fault(
                    node.span,
                    FaultKind::Arithmetic,
                    "the result is beyond 64 bits".to_owned(),
                )
            }),
            Val::Double(d) => Ok(Val::Double(-d)),
            other => Err(types(
                node.span,
                format!("`-` takes a number with a sign, not {}", other.type_name()),
            )),
        }
    }

    fn conditional(&mut self, arms: &'a [Node; 3]) -> Got<'a> {
        let [test, yes, no] = arms;
        match self.operand(test)? {
            Val::Bool(true) => self.eval(yes),
            Val::Bool(false) => self.eval(no),
            other => Err(types(
                test.span,
                format!("the condition of `? :` is bool, not {}", other.type_name()),
            )),
        }
    }

    fn call(&mut self, node: &'a Node, call: &'a Call) -> Got<'a> {
        if let (Some(lazy), [target, other]) = (call.function.lazy, call.args.as_slice()) {
            return match (self.operand(target)?, lazy) {
                (Val::Optional(Some(inner)), Lazy::OrValue) => Ok((*inner).clone()),
                (Val::Optional(None), Lazy::OrValue) => self.eval(other),
                (value @ Val::Optional(Some(_)), Lazy::Or) => Ok(value),
                (Val::Optional(None), Lazy::Or) => match self.eval(other)? {
                    value @ Val::Optional(_) => Ok(value),
                    other => Err(types(
                        node.span,
                        format!("`or` takes an optional, not {}", other.type_name()),
                    )),
                },
                (other, _) => Err(types(
                    node.span,
                    format!(
                        "`{}` is asked of an optional, not of {}",
                        call.function.name,
                        other.type_name()
                    ),
                )),
            };
        }
        // Most calls have one or two arguments, and need no room of their own.
        match call.args.as_slice() {
            [one] => {
                let args = [self.operand(one)?];
                self.apply(node, call, &args)
            }
            [one, two] => {
                let args = [self.operand(one)?, self.operand(two)?];
                self.apply(node, call, &args)
            }
            many => {
                let mut args = Vec::with_capacity(many.len());
                for arg in many {
                    args.push(self.operand(arg)?);
                }
                self.apply(node, call, &args)
            }
        }
    }

    fn apply(&mut self, node: &'a Node, call: &'a Call, args: &[Val<'a>]) -> Got<'a> {
        let mut asked = Asked {
            meter: &mut self.meter,
            regex: call.regex.as_deref(),
        };
        (call.function.run)(&mut asked, args).map_err(|raise| match raise {
            Raise::Types => {
                let given: Vec<&str> = args.iter().map(Val::type_name).collect();
                types(
                    node.span,
                    format!(
                        "`{}` does not take ({})",
                        call.function.name,
                        given.join(", ")
                    ),
                )
            }
            raise @ Raise::Fault(..) => stop(node.span, raise),
        })
    }
}
