//! Do the texts that are written out stand for what they are used as?

use purlin_schema::{Kind as SchemaKind, Reason, Schema, validate_part};
use serde_json::Value as Json;

use super::look::did_you_mean;
use super::{Checker, Dialect, Ty};
use crate::ast::{Call, Kind, Node};
use crate::library::Asked;
use crate::meter::{Limits, Meter};
use crate::outcome::Raise;
use crate::value::{Text, Val};

/// Functions that read a text of a form of its own.
const READERS: [&str; 10] = [
    "duration",
    "timestamp",
    "quantity",
    "url",
    "ip",
    "cidr",
    "semver",
    "int",
    "uint",
    "double",
];

impl<'s> Checker<'s, '_> {
    /// Texts that a function reads are read now when they are written out.
    pub(super) fn literal_arguments(&mut self, call: &Call) {
        let function = call.function;
        let of_rules = matches!(function.name, "duration" | "timestamp");
        if function.member
            || !READERS.contains(&function.name)
            || self.dialect != Dialect::Full && !of_rules
        {
            return;
        }
        let [
            Node {
                kind: Kind::String(text),
                span,
            },
        ] = call.args.as_slice()
        else {
            return;
        };
        let mut meter = Meter::new(Limits::default());
        let mut asked = Asked {
            meter: &mut meter,
            regex: None,
        };
        let value = Val::String(Text::Borrowed(text));
        if let Err(Raise::Fault(_, why)) = (function.run)(&mut asked, &[value]) {
            self.error("expr/literal", *span, why, None);
        }
    }

    /// A literal against the schema of the field it fills.
    pub(super) fn literal(&mut self, node: &Node, value: &Json, schema: &Schema) -> Ty<'s> {
        let before = self.problems.len();
        let kind_fits = schema.int_or_string || schema.kind.is_none_or(|kind| fits(value, kind));
        let errors = validate_part(value, None, schema, "").into_iter();
        // Of a literal of the wrong type nothing else is worth telling.
        for error in errors.take(if kind_fits { usize::MAX } else { 1 }) {
            let code = match error.reason {
                _ if !kind_fits => "expr/types",
                Reason::NotSupported => "expr/enum",
                _ => "expr/value",
            };
            let allowed: Vec<String> = schema
                .allowed
                .iter()
                .flatten()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect();
            let help = match (error.reason, value.as_str()) {
                (Reason::NotSupported, Some(text)) => did_you_mean(text, &allowed),
                _ if code == "expr/types" => convert(value, schema),
                _ => None,
            };
            self.error(code, node.span, error.message, help);
        }
        if self.problems.len() > before {
            return Ty::Err;
        }
        match value {
            Json::Bool(_) => Ty::Bool,
            Json::Number(number) if number.is_f64() => Ty::Double,
            Json::Number(_) => Ty::Int,
            _ => Ty::String(None),
        }
    }
}

fn fits(value: &Json, kind: SchemaKind) -> bool {
    match kind {
        SchemaKind::Boolean => value.is_boolean(),
        SchemaKind::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        SchemaKind::Number => value.is_number(),
        SchemaKind::String => value.is_string(),
        SchemaKind::Array | SchemaKind::Object => false,
    }
}

/// How a literal of the wrong type is written.
fn convert(value: &Json, schema: &Schema) -> Option<String> {
    match (value, schema.kind?) {
        (Json::Number(number), SchemaKind::String) => Some(format!("write '{number}'")),
        (Json::Bool(value), SchemaKind::String) => Some(format!("write '{value}'")),
        (Json::String(text), SchemaKind::Integer | SchemaKind::Number)
            if text.parse::<f64>().is_ok() =>
        {
            Some(format!("write {text}"))
        }
        (Json::String(text), SchemaKind::Boolean) if text == "true" || text == "false" => {
            Some(format!("write {text}"))
        }
        _ => None,
    }
}
