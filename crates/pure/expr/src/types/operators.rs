//! What do the operators take and give?

use purlin_schema::Schema;
use serde_json::Value as Json;

use super::class::Class;
use super::fit::same;
use super::look::did_you_mean;
use super::{Checker, Ty};
use crate::ast::{Binary, Kind, Node};

/// What an arithmetic operator makes of two kinds of values.
const PAIRS: [(Class, Class, Class); 10] = [
    (Class::INT, Class::INT, Class::INT),
    (Class::UINT, Class::UINT, Class::UINT),
    (Class::DOUBLE, Class::DOUBLE, Class::DOUBLE),
    (Class::DURATION, Class::DURATION, Class::DURATION),
    (Class::TIMESTAMP, Class::DURATION, Class::TIMESTAMP),
    (Class::DURATION, Class::TIMESTAMP, Class::TIMESTAMP),
    (Class::TIMESTAMP, Class::TIMESTAMP, Class::DURATION),
    (Class::STRING, Class::STRING, Class::STRING),
    (Class::BYTES, Class::BYTES, Class::BYTES),
    (Class::LIST, Class::LIST, Class::LIST),
];

impl<'s> Checker<'s, '_> {
    pub(super) fn binary(
        &mut self,
        node: &Node,
        operator: Binary,
        left: &Node,
        right: &Node,
    ) -> Ty<'s> {
        let (a, b) = (self.infer(left), self.infer(right));
        if matches!(a, Ty::Err) || matches!(b, Ty::Err) {
            return match operator {
                Binary::Add
                | Binary::Subtract
                | Binary::Multiply
                | Binary::Divide
                | Binary::Modulo => Ty::Err,
                _ => Ty::Bool,
            };
        }
        let result = match operator {
            Binary::Equal | Binary::NotEqual if self.strict() => same(&a, &b).then_some(Ty::Bool),
            Binary::Equal | Binary::NotEqual => {
                self.comparison(node, operator, (left, &a), (right, &b));
                Some(Ty::Bool)
            }
            Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
                ordered(&a, &b).then_some(Ty::Bool)
            }
            Binary::In => self.contained(node, (left, &a), (right, &b)),
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Modulo => {
                arithmetic(operator, &a, &b, self.strict())
            }
        };
        if let Some(ty) = result {
            return ty;
        }
        let message = format!("`{}` does not take {a} and {b}", operator.sign());
        match help(operator, &a, &b) {
            Some(help) => self.refuse_with(node, message, help),
            None => self.refuse(node, message),
        }
    }

    /// `==` and `!=` take everything; what can never be equal is worth telling.
    fn comparison(
        &mut self,
        node: &Node,
        operator: Binary,
        (left, a): (&Node, &Ty<'s>),
        (right, b): (&Node, &Ty<'s>),
    ) {
        let outcome = if operator == Binary::Equal {
            "false"
        } else {
            "true"
        };
        if !may_equal(a, b) {
            let message = format!("this is always {outcome}: {a} is never equal to {b}");
            let help = match (a, b) {
                (Ty::Optional(_), _) | (_, Ty::Optional(_)) => {
                    Some("an optional is compared after `.orValue(…)`".to_owned())
                }
                _ => None,
            };
            self.always(node.span, message, help);
            return;
        }
        for (ty, literal) in [(a, right), (b, left)] {
            if let (Ty::String(Some(schema)), Kind::String(text)) = (ty, &literal.kind)
                && let Some(help) = never(schema, text)
            {
                let message = format!("this is always {outcome}: the field is never {text:?}");
                self.always(literal.span, message, Some(help));
            }
        }
    }

    fn contained(
        &mut self,
        node: &Node,
        (left, a): (&Node, &Ty<'s>),
        (right, b): (&Node, &Ty<'s>),
    ) -> Option<Ty<'s>> {
        if self.strict() {
            return match b {
                Ty::Dyn | Ty::Map(_) => Some(Ty::Bool),
                Ty::List(of) => same(a, of).then_some(Ty::Bool),
                _ => None,
            };
        }
        if !Class::of(b).meets(Class::LIST | Class::MAP) {
            return None;
        }
        if b.is_map() {
            self.key(left, a);
        }
        if let Some(element) = b.element().filter(|_| b.is_list())
            && !may_equal(a, &element)
        {
            let message = format!("this is always false: {a} is never in a {b}");
            self.always(node.span, message, None);
        } else if let (Ty::String(Some(schema)), Kind::List(items)) = (a, &right.kind) {
            for (item, _) in items {
                if let Kind::String(text) = &item.kind
                    && let Some(help) = never(schema, text)
                {
                    let message = format!("the field is never {text:?}");
                    self.always(item.span, message, Some(help));
                }
            }
        } else if let (Ty::Array(list), Kind::String(text)) = (b, &left.kind)
            && let Some(help) = list.items.as_deref().and_then(|items| never(items, text))
        {
            let message = format!("this is always false: no element is ever {text:?}");
            self.always(left.span, message, Some(help));
        }
        Some(Ty::Bool)
    }
}

/// Why a text of this schema is never the one given: which ones there are.
fn never(schema: &Schema, text: &str) -> Option<String> {
    let allowed = schema.allowed.as_ref()?;
    let allowed: Vec<String> = allowed
        .iter()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect();
    // An empty text stands for a field that is not set, and asking for it does no harm.
    if text.is_empty() || allowed.is_empty() || allowed.iter().any(|one| one == text) {
        return None;
    }
    did_you_mean(text, &allowed).or_else(|| Some(format!("it is one of {}", allowed.join(", "))))
}

/// Whether values of these types may be equal.
pub(super) fn may_equal(a: &Ty<'_>, b: &Ty<'_>) -> bool {
    let any_number = |class: Class| {
        if class.meets(Class::NUMBER) {
            class | Class::NUMBER
        } else {
            class
        }
    };
    // Whether something is null is a fair question to anything.
    if matches!(a, Ty::Null) || matches!(b, Ty::Null) {
        return true;
    }
    if let (Ty::Special(a), Ty::Special(b)) = (a, b) {
        return a == b;
    }
    any_number(Class::of(a)).meets(any_number(Class::of(b)))
}

fn ordered(a: &Ty<'_>, b: &Ty<'_>) -> bool {
    let (a, b) = (Class::of(a), Class::of(b));
    let ordered = Class::BOOL | Class::STRING | Class::BYTES | Class::DURATION | Class::TIMESTAMP;
    a.meets(Class::NUMBER) && b.meets(Class::NUMBER) || !a.and(b).and(ordered).is_empty()
}

fn arithmetic<'s>(operator: Binary, a: &Ty<'s>, b: &Ty<'s>, strict: bool) -> Option<Ty<'s>> {
    let (left, right) = (Class::of(a), Class::of(b));
    let mut gives = Class::of(&Ty::Null).and(Class::INT);
    for (l, r, result) in PAIRS {
        if left.meets(l) && right.meets(r) && allowed(operator, l, r) {
            gives = gives | result;
        }
    }
    let mixes = |a: Class, b: Class| a.meets(Class::INT) && b.meets(Class::DOUBLE);
    if !strict && operator != Binary::Modulo && (mixes(left, right) || mixes(right, left)) {
        gives = gives | Class::DOUBLE;
    }
    Some(match gives {
        gives if gives.is_empty() => return None,
        Class::INT => Ty::Int,
        Class::UINT => Ty::UInt,
        Class::DOUBLE => Ty::Double,
        Class::DURATION => Ty::Duration,
        Class::TIMESTAMP => Ty::Timestamp,
        Class::STRING => Ty::String(None),
        Class::BYTES => Ty::Bytes,
        Class::LIST => match (a, b) {
            (Ty::Dyn, other) | (other, Ty::Dyn) => {
                if strict && other.is_list() {
                    other.clone()
                } else {
                    Ty::list(Ty::Dyn)
                }
            }
            (a, b) if strict => return same(a, b).then(|| a.clone()),
            (a, b) => match (a.element(), b.element()) {
                (Some(a), Some(b)) => Ty::list(a.join(b)),
                _ => Ty::list(Ty::Dyn),
            },
        },
        // Without the types of the other side, what is known of one side says what comes out.
        _ if strict && a.is_known() => a.clone(),
        _ if strict && b.is_known() => b.clone(),
        gives if gives == (Class::INT | Class::DOUBLE) => Ty::Number,
        _ => Ty::Dyn,
    })
}

/// Whether an operator takes this pair.
fn allowed(operator: Binary, left: Class, right: Class) -> bool {
    let number = left.meets(Class::NUMBER);
    match operator {
        Binary::Add => !(left == Class::TIMESTAMP && right == Class::TIMESTAMP),
        Binary::Subtract => {
            number
                || left == Class::TIMESTAMP
                || left == Class::DURATION && right == Class::DURATION
        }
        Binary::Modulo => number && left != Class::DOUBLE,
        _ => number,
    }
}

/// What to write instead.
fn help(operator: Binary, a: &Ty<'_>, b: &Ty<'_>) -> Option<String> {
    if matches!(a, Ty::Optional(_)) || matches!(b, Ty::Optional(_)) {
        return Some("give the optional a default with `.orValue(…)`".to_owned());
    }
    let text = |ty: &Ty<'_>| matches!(ty, Ty::String(_));
    let other = |ty: &Ty<'_>| {
        matches!(
            ty,
            Ty::Int
                | Ty::UInt
                | Ty::Double
                | Ty::Number
                | Ty::Bool
                | Ty::Bytes
                | Ty::Duration
                | Ty::Timestamp
        )
    };
    if operator == Binary::Add && (text(a) && other(b) || other(a) && text(b)) {
        return Some("make a text of it with string(…)".to_owned());
    }
    let number = |ty: &Ty<'_>| Class::of(ty).meets(Class::NUMBER);
    if operator != Binary::Add && (text(a) && number(b) || number(a) && text(b)) {
        return Some("make a number of the text with int(…) or double(…)".to_owned());
    }
    None
}
