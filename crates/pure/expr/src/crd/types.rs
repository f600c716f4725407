//! Do the types of an expression fit its variables?
//!
//! Finds what an API server refuses in a rule, and a function that has CEL without extensions in an expression: unknown variables, fields and functions, operators on types they do not take, rules
//! that are not bool. Where a type is not known it stays silent.

use std::collections::BTreeMap;
use std::rc::Rc;

use purlin_diag::nearest;

use crate::Problem;
use crate::ast::{Binary, Call, Each, Gather, Kind, Node};
use crate::library::{self, Gives, Where};
use crate::shape::{Form, Shape};

use super::takes::{class, receiver};

/// A type.
#[derive(Debug, Clone)]
pub(super) enum Ty<'s> {
    Dyn,
    Null,
    Bool,
    Int,
    UInt,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    Type,
    List(Rc<Ty<'s>>),
    Map(Rc<Ty<'s>>),
    Optional(Rc<Ty<'s>>),
    Object(&'s Shape),
    Special(&'static str),
}

/// Everything that is wrong with an expression of the core language over these variables, and with what it gives.
pub(crate) fn check_core(
    node: &Node,
    variables: &BTreeMap<String, Shape>,
    wanted: &Shape,
) -> Vec<Problem> {
    let variables = variables.iter();
    let variables = variables.map(|(name, shape)| (name.as_str(), of_shape(shape)));
    let mut checker = Checker {
        variables: variables.collect(),
        language: Language::Core,
        locals: Vec::new(),
        problems: Vec::new(),
    };
    let given = checker.infer(node);
    let wanted = of_shape(wanted);
    // What may be anything is not good enough: it has to be said what it is.
    let certain = !matches!(given, Ty::Dyn) || matches!(wanted, Ty::Dyn);
    if checker.problems.is_empty() && !(certain && fits(&given, &wanted)) {
        checker.problems.push(problem(
            node,
            format!("this gives {}, not {}", name(&given), name(&wanted)),
        ));
    }
    checker.problems
}

/// Everything that is wrong with an expression over `self` and `oldSelf` of this shape.
pub(super) fn check(
    node: &Node,
    shape: &Shape,
    optional_old: bool,
    wanted: &Ty<'_>,
) -> Vec<Problem> {
    let own = of_shape(shape);
    let old = if optional_old {
        Ty::Optional(Rc::new(own.clone()))
    } else {
        own.clone()
    };
    let mut checker = Checker {
        variables: BTreeMap::from([("self", own), ("oldSelf", old)]),
        language: Language::Rules,
        locals: Vec::new(),
        problems: Vec::new(),
    };
    let given = checker.infer(node);
    if checker.problems.is_empty() && !fits(&given, wanted) {
        checker.problems.push(problem(
            node,
            format!("this gives {}, not {}", name(&given), name(wanted)),
        ));
    }
    checker.problems
}

fn of_shape(shape: &Shape) -> Ty<'_> {
    match shape.form {
        Form::Any => Ty::Dyn,
        Form::Bool => Ty::Bool,
        Form::Int => Ty::Int,
        Form::Double => Ty::Double,
        Form::String => Ty::String,
        Form::Bytes => Ty::Bytes,
        Form::Timestamp => Ty::Timestamp,
        Form::Duration => Ty::Duration,
        Form::List => Ty::List(Rc::new(of_shape(shape.item()))),
        Form::Map => Ty::Map(Rc::new(of_shape(shape.item()))),
        Form::Object => Ty::Object(shape),
    }
}

fn name(ty: &Ty<'_>) -> String {
    match ty {
        Ty::Dyn => "any type".to_owned(),
        Ty::Null => "null".to_owned(),
        Ty::Bool => "bool".to_owned(),
        Ty::Int => "int".to_owned(),
        Ty::UInt => "uint".to_owned(),
        Ty::Double => "double".to_owned(),
        Ty::String => "string".to_owned(),
        Ty::Bytes => "bytes".to_owned(),
        Ty::Duration => "duration".to_owned(),
        Ty::Timestamp => "timestamp".to_owned(),
        Ty::Type => "type".to_owned(),
        Ty::List(of) => format!("list of {}", name(of)),
        Ty::Map(of) => format!("map to {}", name(of)),
        Ty::Optional(of) => format!("optional {}", name(of)),
        Ty::Object(_) => "object".to_owned(),
        Ty::Special(name) => (*name).to_owned(),
    }
}

/// Whether a value of one type can be one of the other.
fn fits(a: &Ty<'_>, b: &Ty<'_>) -> bool {
    match (a, b) {
        (Ty::Dyn, _) | (_, Ty::Dyn) => true,
        (Ty::List(a), Ty::List(b))
        | (Ty::Map(a), Ty::Map(b))
        | (Ty::Optional(a), Ty::Optional(b)) => fits(a, b),
        (Ty::Object(a), Ty::Object(b)) => {
            std::ptr::eq(*a, *b) || a.fields.keys().eq(b.fields.keys())
        }
        (Ty::Special(a), Ty::Special(b)) => a == b,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

fn is_number(ty: &Ty<'_>) -> bool {
    matches!(ty, Ty::Int | Ty::UInt | Ty::Double | Ty::Dyn)
}

fn problem(node: &Node, message: String) -> Problem {
    Problem::new(
        "expr/types",
        message,
        node.span.start as usize,
        node.span.end as usize,
    )
}

/// Which functions and forms there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// Those of the rules of custom resource definitions.
    Rules,
    /// Those that the language itself defines, without any extension.
    Core,
}

struct Checker<'s> {
    variables: BTreeMap<&'s str, Ty<'s>>,
    language: Language,
    locals: Vec<Ty<'s>>,
    problems: Vec<Problem>,
}

impl<'s> Checker<'s> {
    fn refuse(&mut self, node: &Node, message: String) -> Ty<'s> {
        self.problems.push(problem(node, message));
        Ty::Dyn
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one flat arm per kind of node reads better"
    )]
    fn infer(&mut self, node: &Node) -> Ty<'s> {
        match &node.kind {
            Kind::Null => Ty::Null,
            Kind::Bool(_) => Ty::Bool,
            Kind::Int(_) => Ty::Int,
            Kind::UInt(_) => Ty::UInt,
            Kind::Double(_) => Ty::Double,
            Kind::String(_) => Ty::String,
            Kind::Bytes(_) => Ty::Bytes,
            Kind::TypeName(_) => Ty::Type,
            Kind::Root(name) => match self.variables.get(&**name) {
                Some(ty) => ty.clone(),
                None if library::is_type_name(name) => Ty::Type,
                None => {
                    let have: Vec<String> =
                        self.variables.keys().map(|v| format!("`{v}`")).collect();
                    self.refuse(
                        node,
                        format!("there is no variable `{name}`, only {}", have.join(", ")),
                    )
                }
            },
            Kind::Local(slot) => self.locals.get(*slot).cloned().unwrap_or(Ty::Dyn),
            Kind::Select(operand, field) => {
                let operand = self.infer(operand);
                self.field(node, operand, field)
            }
            Kind::Has(operand, field) => {
                let operand = self.infer(operand);
                self.field(node, operand, field);
                Ty::Bool
            }
            Kind::OptSelect(..) | Kind::OptIndex(_) | Kind::OptMap(..)
                if self.language == Language::Core =>
            {
                self.refuse(node, "there are no optional values here".to_owned())
            }
            Kind::OptSelect(operand, field) => {
                let operand = self.infer(operand);
                optional(self.field(node, operand, field))
            }
            Kind::Index(pair) => self.index(node, &pair[0], &pair[1]),
            Kind::OptIndex(pair) => optional(self.index(node, &pair[0], &pair[1])),
            Kind::List(items) => {
                let items = items.iter().map(|(item, left_out)| {
                    let ty = self.infer(item);
                    if *left_out { unwrapped(ty) } else { ty }
                });
                let items: Vec<Ty<'s>> = items.collect();
                Ty::List(Rc::new(self.common(node, items)))
            }
            Kind::Map(entries) => {
                let mut values = Vec::new();
                for (key, value, left_out) in entries {
                    self.infer(key);
                    let ty = self.infer(value);
                    values.push(if *left_out { unwrapped(ty) } else { ty });
                }
                Ty::Map(Rc::new(self.common(node, values)))
            }
            Kind::And(terms) | Kind::Or(terms) => {
                for term in terms {
                    self.want(term, &Ty::Bool);
                }
                Ty::Bool
            }
            Kind::Not(operand) => {
                self.want(operand, &Ty::Bool);
                Ty::Bool
            }
            Kind::Negate(operand) => match self.infer(operand) {
                ty @ (Ty::Int | Ty::Double | Ty::Dyn) => ty,
                ty => self.refuse(node, format!("`-` does not take {}", name(&ty))),
            },
            Kind::Cond(arms) => {
                self.want(&arms[0], &Ty::Bool);
                let (yes, no) = (self.infer(&arms[1]), self.infer(&arms[2]));
                if self.language == Language::Core
                    && (matches!(yes, Ty::Dyn) || matches!(no, Ty::Dyn))
                {
                    return Ty::Dyn;
                }
                if fits(&yes, &no) {
                    return if matches!(yes, Ty::Dyn) { no } else { yes };
                }
                self.refuse(
                    node,
                    format!(
                        "the two sides of `? :` are {} and {}",
                        name(&yes),
                        name(&no)
                    ),
                )
            }
            Kind::Binary(operator, pair) => self.binary(node, *operator, &pair[0], &pair[1]),
            Kind::Call(call) => self.call(node, call),
            Kind::Each(each) => self.each(node, each),
            Kind::OptMap(bind, flat) => {
                let value = unwrapped(self.infer(&bind.value));
                self.locals.push(value);
                let body = self.infer(&bind.body);
                self.locals.pop();
                if *flat { body } else { optional(body) }
            }
            Kind::Bind(_) => self.refuse(node, "there is no `cel.bind` here".to_owned()),
        }
    }

    fn want(&mut self, node: &Node, wanted: &Ty<'_>) {
        let given = self.infer(node);
        if !fits(&given, wanted) {
            self.refuse(
                node,
                format!("this is {}, and {} is wanted", name(&given), name(wanted)),
            );
        }
    }

    /// The type that all of these have.
    fn common(&mut self, node: &Node, types: Vec<Ty<'s>>) -> Ty<'s> {
        let mut common = Ty::Dyn;
        for ty in types {
            if !fits(&common, &ty) {
                let message = format!(
                    "a list or map literal holds one type, not {} and {}",
                    name(&common),
                    name(&ty)
                );
                return self.refuse(node, message);
            }
            if matches!(common, Ty::Dyn) {
                common = ty;
            }
        }
        common
    }

    fn field(&mut self, node: &Node, operand: Ty<'s>, field: &str) -> Ty<'s> {
        match operand {
            Ty::Dyn => Ty::Dyn,
            Ty::Map(value) => value.as_ref().clone(),
            Ty::Optional(inner) => optional(self.field(node, inner.as_ref().clone(), field)),
            Ty::Object(shape) => {
                if let Some(known) = shape.fields.get(field) {
                    return of_shape(&known.shape);
                }
                let near = nearest(field, shape.fields.keys().map(String::as_str));
                let help = near
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                self.refuse(
                    node,
                    format!("the schema has no field `{field}` that an expression can see{help}"),
                )
            }
            other => self.refuse(node, format!("{} has no field `{field}`", name(&other))),
        }
    }

    fn index(&mut self, node: &Node, operand: &Node, index: &Node) -> Ty<'s> {
        let target = self.infer(operand);
        let at = self.infer(index);
        let mut inside = &target;
        if let Ty::Optional(inner) = &target {
            inside = inner;
        }
        let element = match inside {
            Ty::Dyn => Ty::Dyn,
            Ty::List(of) if is_number(&at) => of.as_ref().clone(),
            Ty::Map(of) if fits(&at, &Ty::String) => of.as_ref().clone(),
            // Keys of maps that a rule makes itself may be of other types.
            Ty::Map(of) if matches!(operand.kind, Kind::Map(_) | Kind::Local(_)) => {
                of.as_ref().clone()
            }
            other => {
                let message = format!("{} cannot be indexed by {}", name(other), name(&at));
                return self.refuse(node, message);
            }
        };
        if matches!(target, Ty::Optional(_)) {
            optional(element)
        } else {
            element
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one flat arm per operator reads better"
    )]
    fn binary(&mut self, node: &Node, operator: Binary, left: &Node, right: &Node) -> Ty<'s> {
        let (a, b) = (self.infer(left), self.infer(right));
        let result = match operator {
            Binary::Equal | Binary::NotEqual => fits(&a, &b).then_some(Ty::Bool),
            Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
                let ordered = |ty: &Ty<'_>| {
                    matches!(
                        ty,
                        Ty::Bool | Ty::String | Ty::Bytes | Ty::Duration | Ty::Timestamp | Ty::Dyn
                    )
                };
                (is_number(&a) && is_number(&b) || ordered(&a) && ordered(&b) && fits(&a, &b))
                    .then_some(Ty::Bool)
            }
            Binary::In => match &b {
                Ty::Dyn | Ty::Map(_) => Some(Ty::Bool),
                Ty::List(of) => fits(&a, of).then_some(Ty::Bool),
                _ => None,
            },
            Binary::Add => match (&a, &b) {
                (Ty::Dyn, other) | (other, Ty::Dyn) => Some(other.clone()),
                (Ty::Timestamp, Ty::Duration) | (Ty::Duration, Ty::Timestamp) => {
                    Some(Ty::Timestamp)
                }
                (
                    Ty::Int
                    | Ty::UInt
                    | Ty::Double
                    | Ty::String
                    | Ty::Bytes
                    | Ty::Duration
                    | Ty::List(_),
                    _,
                ) => fits(&a, &b).then(|| a.clone()),
                _ => None,
            },
            Binary::Subtract => match (&a, &b) {
                (Ty::Dyn, other) | (other, Ty::Dyn) => Some(other.clone()),
                (Ty::Timestamp, Ty::Duration) => Some(Ty::Timestamp),
                (Ty::Timestamp, Ty::Timestamp) => Some(Ty::Duration),
                (Ty::Int | Ty::UInt | Ty::Double | Ty::Duration, _) => {
                    fits(&a, &b).then(|| a.clone())
                }
                _ => None,
            },
            Binary::Multiply | Binary::Divide | Binary::Modulo => match (&a, &b) {
                (Ty::Double, Ty::Double) if operator == Binary::Modulo => None,
                _ if is_number(&a) && fits(&a, &b) => Some(if matches!(a, Ty::Dyn) {
                    b.clone()
                } else {
                    a.clone()
                }),
                _ => None,
            },
        };
        match result {
            Some(ty) => ty,
            None => self.refuse(
                node,
                format!(
                    "`{}` does not take {} and {}",
                    operator.sign(),
                    name(&a),
                    name(&b)
                ),
            ),
        }
    }

    fn call(&mut self, node: &Node, call: &Call) -> Ty<'s> {
        let function = call.function;
        let args: Vec<Ty<'s>> = call.args.iter().map(|arg| self.infer(arg)).collect();
        if self.language == Language::Core && !library::is_core(function) {
            return self.refuse(
                node,
                format!(
                    "there is no function `{}` here: only those of the language itself",
                    function.name
                ),
            );
        }
        if function.usable == Where::NotInRules
            || function.name == "reverse" && matches!(args[0], Ty::String)
        {
            return self.refuse(
                node,
                format!("there is no function `{}` in rules", function.name),
            );
        }
        if let (Some(takes), Some(given)) = (receiver(function.name, function.member), args.first())
            && !matches!(given, Ty::Dyn)
            && !takes.iter().any(|takes| takes == &class(given))
        {
            return self.refuse(
                node,
                format!("`{}` does not take {}", function.name, name(given)),
            );
        }
        match (function.name, args.as_slice()) {
            ("dyn", _) => Ty::Dyn,
            ("type", _) => Ty::Type,
            ("optional.of" | "optional.ofNonZeroValue", [of]) => optional(of.clone()),
            ("value", [of]) => unwrapped(of.clone()),
            ("orValue", [of, other]) => {
                let of = unwrapped(of.clone());
                if fits(&of, other) {
                    return if matches!(of, Ty::Dyn) {
                        other.clone()
                    } else {
                        of
                    };
                }
                self.refuse(
                    node,
                    format!("`orValue` gives {} or {}", name(&of), name(other)),
                )
            }
            ("or", [of, _]) => of.clone(),
            ("sum" | "min" | "max", [Ty::List(of)]) => of.as_ref().clone(),
            ("slice" | "distinct" | "sort" | "reverse", [list, ..]) => list.clone(),
            ("split" | "findAll", _) => Ty::List(Rc::new(Ty::String)),
            ("lists.range", _) => Ty::List(Rc::new(Ty::Int)),
            _ => given(function.gives),
        }
    }

    fn each(&mut self, node: &Node, each: &Each) -> Ty<'s> {
        let own = matches!(
            each.gather,
            Gather::All | Gather::Exists | Gather::ExistsOne | Gather::List | Gather::Filter
        );
        if self.language == Language::Core && !(own && each.names.len() == 1) {
            return self.refuse(
                node,
                "this form is not part of the language itself".to_owned(),
            );
        }
        let range = self.infer(&each.range);
        let (key, element) = match &range {
            Ty::Dyn => (Ty::Dyn, Ty::Dyn),
            Ty::List(of) => (Ty::Int, of.as_ref().clone()),
            Ty::Map(of) => (Ty::String, of.as_ref().clone()),
            other => {
                let message = format!("only lists and maps have elements, not {}", name(other));
                return self.refuse(&each.range, message);
            }
        };
        let before = self.locals.len();
        if each.names.len() == 2 {
            self.locals.extend([key, element.clone()]);
        } else {
            self.locals.push(if matches!(range, Ty::Map(_)) {
                key
            } else {
                element.clone()
            });
        }
        if let Some(only) = &each.only {
            self.want(only, &Ty::Bool);
        }
        let body = match each.gather {
            Gather::All | Gather::Exists | Gather::ExistsOne | Gather::Filter => {
                self.want(&each.body, &Ty::Bool);
                Ty::Bool
            }
            Gather::List | Gather::TransformMap | Gather::TransformMapEntry | Gather::SortBy => {
                self.infer(&each.body)
            }
        };
        self.locals.truncate(before);
        match each.gather {
            Gather::All | Gather::Exists | Gather::ExistsOne => Ty::Bool,
            Gather::Filter if matches!(range, Ty::Map(_)) => Ty::List(Rc::new(Ty::String)),
            Gather::Filter | Gather::SortBy => Ty::List(Rc::new(element)),
            Gather::List => Ty::List(Rc::new(body)),
            Gather::TransformMap => Ty::Map(Rc::new(body)),
            Gather::TransformMapEntry => body,
        }
    }
}

fn optional(ty: Ty<'_>) -> Ty<'_> {
    match ty {
        Ty::Optional(_) => ty,
        ty => Ty::Optional(Rc::new(ty)),
    }
}

fn unwrapped(ty: Ty<'_>) -> Ty<'_> {
    match ty {
        Ty::Optional(inner) => inner.as_ref().clone(),
        ty => ty,
    }
}

fn given<'s>(gives: Gives) -> Ty<'s> {
    match gives {
        Gives::Any => Ty::Dyn,
        Gives::Bool => Ty::Bool,
        Gives::Int => Ty::Int,
        Gives::UInt => Ty::UInt,
        Gives::Double => Ty::Double,
        Gives::String => Ty::String,
        Gives::Bytes => Ty::Bytes,
        Gives::Duration => Ty::Duration,
        Gives::Timestamp => Ty::Timestamp,
        Gives::List => Ty::List(Rc::new(Ty::Dyn)),
        Gives::Map => Ty::Map(Rc::new(Ty::Dyn)),
        Gives::Optional => Ty::Optional(Rc::new(Ty::Dyn)),
        Gives::Special(name) => Ty::Special(name),
    }
}
