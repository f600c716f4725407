//! Does an expression give what is wanted? What is wanted goes into literals, arms and bodies, so that a mistake is told
//! at the key or the literal that makes it.

use purlin_diag::nearest;
use purlin_schema::{Additional, Kind as SchemaKind, Schema};
use serde_json::Value as Json;

use super::look::{did_you_mean, field_schema};
use super::{Checker, Ty, Wanted};
use crate::ast::{Binary, Call, Gather, Kind, Node, Span};

impl<'s> Checker<'s, '_> {
    /// Checks a node for what is wanted of it, and gives its type.
    pub(crate) fn expect(&mut self, node: &Node, wanted: &Wanted<'s>) -> Ty<'s> {
        match (&node.kind, wanted) {
            (_, Wanted::Anything) => self.infer(node),
            (Kind::Cond(arms), _) => {
                self.truth(&arms[0]);
                let yes = self.expect(&arms[1], wanted);
                yes.join(self.expect(&arms[2], wanted))
            }
            (Kind::Bind(bind), _) => {
                let value = self.infer(&bind.value);
                self.locals.push(value);
                let body = self.expect(&bind.body, wanted);
                self.locals.pop();
                body
            }
            (_, Wanted::Field(schema)) => self.expect_field(node, schema, false),
            (_, Wanted::Object(schema)) => self.expect_field(node, schema, true),
            (Kind::Call(call), Wanted::Value(_)) if is(call, "orValue", 2) => {
                self.or_value(node, call, wanted)
            }
            _ => {
                let ty = self.infer(node);
                self.assign(node, ty, wanted)
            }
        }
    }

    fn expect_field(&mut self, node: &Node, schema: &'s Schema, whole: bool) -> Ty<'s> {
        let wanted = if whole {
            Wanted::Object(schema)
        } else {
            Wanted::Field(schema)
        };
        let list = schema.kind == Some(SchemaKind::Array) && !schema.int_or_string;
        let object = whole || schema.kind == Some(SchemaKind::Object) && !schema.int_or_string;
        match &node.kind {
            Kind::Bool(value) => self.literal(node, &Json::from(*value), schema),
            Kind::Int(value) => self.literal(node, &Json::from(*value), schema),
            Kind::UInt(value) => self.literal(node, &Json::from(*value), schema),
            Kind::Double(value) => match serde_json::Number::from_f64(*value) {
                Some(number) => self.literal(node, &Json::Number(number), schema),
                None => Ty::Double,
            },
            Kind::String(text) => self.literal(node, &Json::from(&**text), schema),
            Kind::List(items) if list => self.list_literal(node, items, schema),
            Kind::Map(entries) if object => self.map_literal(node, entries, schema, whole),
            Kind::Call(call) if is(call, "orValue", 2) => self.or_value(node, call, &wanted),
            Kind::Call(call) if is(call, "optional.of", 1) => {
                Ty::optional(self.expect(&call.args[0], &wanted))
            }
            Kind::Call(call) if is(call, "or", 2) => {
                let first = self.expect(&call.args[0], &wanted);
                first.join(self.expect(&call.args[1], &wanted))
            }
            Kind::OptMap(bind, flat) => {
                let value = self.optional_value(&bind.value);
                self.locals.push(value);
                let body = self.expect(&bind.body, &wanted);
                self.locals.pop();
                if *flat { body } else { Ty::optional(body) }
            }
            Kind::Each(each) if each.gather == Gather::List && list => {
                let item = element(schema.items.as_deref());
                self.each(node, each, |checker| checker.expect(&each.body, &item))
            }
            Kind::Each(each) if each.gather == Gather::TransformMap && object => {
                let value = element(schema.additional.as_ref().and_then(Additional::schema));
                let ty = self.each(node, each, |checker| checker.expect(&each.body, &value));
                self.assign(node, ty, &wanted)
            }
            Kind::Binary(Binary::Add, pair) if list => {
                let first = self.expect(&pair[0], &wanted);
                first.join(self.expect(&pair[1], &wanted))
            }
            _ => {
                let ty = self.infer(node);
                self.assign(node, ty, &wanted)
            }
        }
    }

    fn or_value(&mut self, node: &Node, call: &Call, wanted: &Wanted<'s>) -> Ty<'s> {
        let before = self.problems.len();
        let target = self.infer(&call.args[0]);
        let other = self.expect(&call.args[1], wanted);
        let ty = self.called(node, call, &[target.clone(), other.clone()]);
        if self.problems.len() > before {
            return ty;
        }
        let inner = self.assign(&call.args[0], target.unwrapped(), wanted);
        inner.join(other)
    }

    fn list_literal(&mut self, node: &Node, items: &[(Node, bool)], schema: &'s Schema) -> Ty<'s> {
        let wanted = element(schema.items.as_deref());
        let types = items.iter().map(|(item, left_out)| {
            if *left_out {
                self.left_out(item, &wanted)
            } else {
                self.expect(item, &wanted)
            }
        });
        let ty = types.collect::<Vec<_>>().into_iter().reduce(Ty::join);
        let certain = items.iter().filter(|(_, left_out)| !left_out).count() as u64;
        if let Some(max) = schema.max_items.filter(|max| certain > *max) {
            let message = format!("this has {certain} elements, and the field has at most {max}");
            return self.error("expr/value", node.span, message, None);
        }
        if let Some(min) = schema.min_items.filter(|min| (items.len() as u64) < *min) {
            let message = format!(
                "this has {} elements, and the field has at least {min}",
                items.len()
            );
            return self.error("expr/value", node.span, message, None);
        }
        Ty::list(ty.unwrap_or(Ty::Dyn))
    }

    /// An element or entry that is left out when its optional is empty.
    fn left_out(&mut self, node: &Node, wanted: &Wanted<'s>) -> Ty<'s> {
        let ty = self.expect(node, wanted);
        if !matches!(ty, Ty::Optional(_) | Ty::Dyn | Ty::Err) {
            let message = format!("`?` marks an optional, and this is {ty}");
            let help = "take the `?` away, or write optional.of(…)".to_owned();
            return self.refuse_with(node, message, help);
        }
        ty.unwrapped()
    }

    fn map_literal(
        &mut self,
        node: &Node,
        entries: &[(Node, Node, bool)],
        schema: &'s Schema,
        whole: bool,
    ) -> Ty<'s> {
        let mut fields = Vec::new();
        let mut named = true;
        let mut seen: Vec<&str> = Vec::new();
        for (key, value, left_out) in entries {
            let wanted = if let Kind::String(name) = &key.kind {
                if seen.contains(&&**name) {
                    let message = format!("the key {name:?} occurs twice in this map");
                    self.error("expr/duplicate-key", key.span, message, None);
                }
                seen.push(name);
                self.entry(key.span, name, schema, whole)
            } else {
                named = false;
                let ty = self.infer(key);
                self.key(key, &ty);
                Wanted::Anything
            };
            let ty = if *left_out {
                self.left_out(value, &wanted)
            } else {
                self.expect(value, &wanted)
            };
            if let Kind::String(name) = &key.kind {
                fields.push((name.to_string(), ty));
            }
        }
        if !named {
            return Ty::map(Ty::Dyn);
        }
        let mistyped: Vec<&str> = seen
            .iter()
            .filter(|name| field_schema(schema, whole, name).is_err())
            .filter_map(|name| nearest(name, schema.properties.keys().map(String::as_str)))
            .collect();
        for name in &schema.required {
            // A key that was probably meant to be this field is told already.
            let told = seen.contains(&name.as_str()) || mistyped.contains(&name.as_str());
            if !told && field_default(schema, name).is_none() {
                let message = format!("the field `{name}` is required here");
                self.error("expr/missing-field", node.span, message, None);
            }
        }
        Ty::record(fields)
    }

    /// What is wanted of the value at a key.
    fn entry(&mut self, span: Span, name: &str, schema: &'s Schema, whole: bool) -> Wanted<'s> {
        match field_schema(schema, whole, name) {
            Ok(Some(field)) if field.embedded => Wanted::Object(field),
            Ok(Some(field)) => Wanted::Field(field),
            Ok(None) => Wanted::Anything,
            Err(known) => {
                let message = format!("there is no field `{name}` here");
                let help = did_you_mean(name, &known);
                self.error("expr/no-such-field", span, message, help);
                Wanted::Anything
            }
        }
    }
}

fn field_default<'s>(schema: &'s Schema, name: &str) -> Option<&'s Json> {
    schema.properties.get(name)?.default.as_ref()
}

fn element(schema: Option<&Schema>) -> Wanted<'_> {
    match schema {
        Some(schema) if schema.embedded => Wanted::Object(schema),
        Some(schema) => Wanted::Field(schema),
        None => Wanted::Anything,
    }
}

fn is(call: &Call, name: &str, args: usize) -> bool {
    call.function.name == name && call.args.len() == args
}
