//! May a value of one type stand where another is wanted?

use purlin_diag::Severity;
use purlin_schema::{Additional, Kind, Schema};
use serde_json::Value as Json;

use super::class::Class;
use super::look::{did_you_mean, field_schema};
use super::{Checker, Ty, Wanted};
use crate::ast::Node;

/// Deepest nesting two schemas are compared to.
const DEEP: usize = 24;

/// Whether two types are the same, as far as they are known.
pub(crate) fn same(a: &Ty<'_>, b: &Ty<'_>) -> bool {
    match (a, b) {
        (Ty::Dyn | Ty::Err, _) | (_, Ty::Dyn | Ty::Err) => true,
        (Ty::List(a), Ty::List(b)) | (Ty::Optional(a), Ty::Optional(b)) => same(a, b),
        (Ty::Map(a), Ty::Map(b)) => same(&a.1, &b.1),
        (Ty::Shaped(a), Ty::Shaped(b)) => {
            std::ptr::eq(*a, *b) || a.fields.keys().eq(b.fields.keys())
        }
        (Ty::Special(a), Ty::Special(b)) => a == b,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// Why a type does not fit a field.
#[derive(Debug)]
struct Misfit {
    severity: Severity,
    /// Below the value, for example `.spec.size`.
    path: String,
    message: String,
    help: Option<String>,
}

impl Misfit {
    fn below(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

impl<'s> Checker<'s, '_> {
    /// Tells when a value of this type has no place where it is wanted.
    pub(super) fn assign(&mut self, node: &Node, ty: Ty<'s>, wanted: &Wanted<'s>) -> Ty<'s> {
        match wanted {
            Wanted::Anything => ty,
            Wanted::Text => self.assign_text(node, ty),
            Wanted::Value(wanted) => {
                if value_fits(&ty, wanted) {
                    return ty;
                }
                let message = format!("this gives {ty}, not {wanted}");
                if matches!(ty, Ty::Optional(_)) && !matches!(wanted, Ty::Optional(_)) {
                    let help = "give it a default with `.orValue(…)`".to_owned();
                    return self.refuse_with(node, message, help);
                }
                self.refuse(node, message)
            }
            Wanted::Field(schema) => self.assign_field(node, ty, schema),
            Wanted::Object(schema) => {
                if Class::of(&ty).meets(Class::MAP | Class::OPTIONAL) {
                    return ty;
                }
                let _ = schema;
                self.refuse(node, format!("this is {ty}, and a whole object is wanted"))
            }
        }
    }

    fn assign_text(&mut self, node: &Node, ty: Ty<'s>) -> Ty<'s> {
        let mut inner = &ty;
        while let Ty::Optional(of) = inner {
            inner = of;
        }
        let none = Class::LIST | Class::MAP | Class::TYPE | Class::NULL;
        let class = Class::of(inner);
        if class.and(none) == class {
            let message = format!("{} has no place inside a text", a(inner));
            let help = match class {
                Class::LIST => Some("join it, for example with `.join(',')`".to_owned()),
                _ => None,
            };
            return self.error("expr/types", node.span, message, help);
        }
        ty
    }

    fn assign_field(&mut self, node: &Node, ty: Ty<'s>, schema: &'s Schema) -> Ty<'s> {
        let Some(misfit) = misfit(&ty, schema, 0) else {
            return ty;
        };
        let message = if misfit.path.is_empty() {
            misfit.message
        } else {
            format!(
                "`{}` of this: {}",
                misfit.path.trim_start_matches('.'),
                misfit.message
            )
        };
        let code = match misfit.severity {
            Severity::Error => "expr/types",
            _ => "expr/extra-field",
        };
        let mut problem = Self::problem(code, node.span, message, misfit.help);
        problem.severity = misfit.severity;
        self.problems.push(problem);
        match misfit.severity {
            Severity::Error => Ty::Err,
            _ => ty,
        }
    }
}

/// With its article.
fn a(ty: &Ty<'_>) -> String {
    match ty {
        Ty::Null => "null".to_owned(),
        Ty::Int
        | Ty::Object(_)
        | Ty::Whole(_)
        | Ty::Shaped(_)
        | Ty::Optional(_)
        | Ty::IntOrString => format!("an {ty}"),
        ty => format!("a {ty}"),
    }
}

/// Whether a value may be used as one of a type.
fn value_fits(ty: &Ty<'_>, wanted: &Ty<'_>) -> bool {
    match (ty, wanted) {
        (Ty::Dyn | Ty::Err, _) | (_, Ty::Dyn | Ty::Err) => true,
        (Ty::Optional(a), Ty::Optional(b)) => value_fits(a, b),
        (Ty::Special(a), Ty::Special(b)) => a == b,
        (a, b) if a.is_list() && b.is_list() => match (a.element(), b.element()) {
            (Some(a), Some(b)) => value_fits(&a, &b),
            _ => true,
        },
        (Ty::Map(a), Ty::Map(b)) => value_fits(&a.0, &b.0) && value_fits(&a.1, &b.1),
        (a, b) => Class::of(a).meets(Class::of(b)),
    }
}

/// Which kinds of values a field of a schema takes, and what they are called.
fn takes(schema: &Schema) -> Option<(Class, &'static str)> {
    let texts = Class::STRING | Class::BYTES | Class::DURATION | Class::TIMESTAMP | Class::SPECIAL;
    if schema.int_or_string {
        return Some((texts | Class::NUMBER, "an integer or a string"));
    }
    Some(match schema.kind? {
        Kind::Boolean => (Class::BOOL, "a boolean"),
        Kind::Integer => (Class::NUMBER, "an integer"),
        Kind::Number => (Class::NUMBER, "a number"),
        Kind::String => (texts, "a string"),
        Kind::Array => (Class::LIST, "a list"),
        Kind::Object => (Class::MAP, "an object"),
    })
}

fn misfit(ty: &Ty<'_>, schema: &Schema, depth: usize) -> Option<Misfit> {
    let mut ty = ty;
    while let Ty::Optional(inner) = ty {
        ty = inner;
    }
    // `null` leaves a field out.
    if depth > DEEP || matches!(ty, Ty::Null | Ty::Dyn | Ty::Err) {
        return None;
    }
    let (class, wants) = takes(schema)?;
    if !Class::of(ty).meets(class) {
        return Some(Misfit {
            severity: Severity::Error,
            path: String::new(),
            message: format!("this is {}, and the field is {wants}", a(ty)),
            help: convert(ty, schema),
        });
    }
    if let (Ty::String(Some(from)), Some(to)) = (ty, &schema.allowed) {
        return disjoint(from, to);
    }
    if ty.is_list() {
        let (item, items) = (ty.element()?, schema.items.as_deref()?);
        return misfit(&item, items, depth + 1).map(|found| found.below("[*]"));
    }
    objects(ty, schema, depth)
}

/// No text that the one field may have may stand in the other.
fn disjoint(from: &Schema, to: &[Json]) -> Option<Misfit> {
    let from = from.allowed.as_ref().filter(|from| !from.is_empty())?;
    if from.iter().any(|one| to.contains(one)) {
        return None;
    }
    let words = |all: &[Json]| {
        let all: Vec<String> = all.iter().map(Json::to_string).collect();
        all.join(", ")
    };
    Some(Misfit {
        severity: Severity::Error,
        path: String::new(),
        message: format!(
            "this is one of {}, and the field is one of {}",
            words(from),
            words(to)
        ),
        help: None,
    })
}

fn objects(ty: &Ty<'_>, schema: &Schema, depth: usize) -> Option<Misfit> {
    let below = |name: &str, ty: &Ty<'_>| -> Option<Misfit> {
        match field_schema(schema, false, name) {
            Ok(to) => misfit(ty, to?, depth + 1).map(|found| found.below(&format!(".{name}"))),
            Err(known) => Some(Misfit {
                severity: Severity::Note,
                path: format!(".{name}"),
                message: "the field it goes to has no such field, and it is dropped there"
                    .to_owned(),
                help: did_you_mean(name, &known),
            }),
        }
    };
    // Mistakes come before what is only worth knowing.
    let first = |found: &mut dyn Iterator<Item = Misfit>| -> Option<Misfit> {
        let mut kept = None;
        for misfit in found {
            if misfit.severity == Severity::Error {
                return Some(misfit);
            }
            kept.get_or_insert(misfit);
        }
        kept
    };
    match ty {
        Ty::Object(from) | Ty::Whole(from) => {
            if std::ptr::eq(*from, schema) {
                return None;
            }
            let own = from.properties.iter();
            let fields = first(&mut own.filter_map(|(name, from)| below(name, &Ty::of(from))));
            if fields.is_some() {
                return fields;
            }
            let (Some(from), Some(to)) = (
                from.additional.as_ref().and_then(Additional::schema),
                schema.additional.as_ref().and_then(Additional::schema),
            ) else {
                return None;
            };
            misfit(&Ty::of(from), to, depth + 1).map(|found| found.below("[*]"))
        }
        Ty::Record(record) => {
            let own = record.fields.iter();
            first(&mut own.filter_map(|(name, ty)| below(name, ty)))
        }
        Ty::Map(pair) if !matches!(pair.0, Ty::Dyn | Ty::String(_)) => Some(Misfit {
            severity: Severity::Error,
            path: String::new(),
            message: format!("its keys are {}, and names of fields are texts", pair.0),
            help: None,
        }),
        Ty::Map(pair) => {
            let to = schema.additional.as_ref().and_then(Additional::schema)?;
            misfit(&pair.1, to, depth + 1).map(|found| found.below("[*]"))
        }
        _ => None,
    }
}

/// How a value is made one of the field's type.
fn convert(ty: &Ty<'_>, schema: &Schema) -> Option<String> {
    let kind = schema.kind.filter(|_| !schema.int_or_string);
    Some(match (ty, kind?) {
        (Ty::Int | Ty::UInt | Ty::Double | Ty::Number | Ty::Bool, Kind::String) => {
            "write string(…)".to_owned()
        }
        (Ty::String(_), Kind::Integer) => "write int(…)".to_owned(),
        (Ty::String(_), Kind::Number) => "write double(…)".to_owned(),
        (Ty::String(_), Kind::Boolean) => "write bool(…)".to_owned(),
        (ty, Kind::String) if ty.is_list() => "join it, for example with `.join(',')`".to_owned(),
        (ty, Kind::Array) if !ty.is_list() && !ty.is_map() => "write […] around it".to_owned(),
        _ => return None,
    })
}
