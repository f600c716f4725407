//! What is an expression made of, once it is parsed and its macros are forms of their own?

use std::sync::Arc;

use regex::Regex;

use crate::library::Function;

/// The bytes of the source a node is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A node of the tree.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a node does.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Double(f64),
    String(Arc<str>),
    Bytes(Arc<[u8]>),
    /// A variable of the bindings, or the name of a type when nothing is bound to it.
    Root(Arc<str>),
    /// A variable of an enclosing comprehension: its place on the stack of locals.
    Local(usize),
    /// A type named in full, for example `google.protobuf.Duration`.
    TypeName(&'static str),
    Select(Box<Node>, Arc<str>),
    /// `has(a.b)`
    Has(Box<Node>, Arc<str>),
    /// `a.?b`
    OptSelect(Box<Node>, Arc<str>),
    Index(Box<[Node; 2]>),
    /// `a[?b]`
    OptIndex(Box<[Node; 2]>),
    /// The flag marks an element that is left out when its optional is empty.
    List(Vec<(Node, bool)>),
    Map(Vec<(Node, Node, bool)>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Cond(Box<[Node; 3]>),
    Binary(Binary, Box<[Node; 2]>),
    Call(Box<Call>),
    Each(Box<Each>),
    /// `o.optMap(x, body)`; the flag marks `optFlatMap`, whose body gives an optional itself.
    OptMap(Box<Bind>, bool),
    /// `cel.bind(x, value, body)`
    Bind(Box<Bind>),
}

/// Operators of two operands that need both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

impl Binary {
    /// How the operator is written.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
        }
    }
}

/// A call of a library function. A member's target is the first argument.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) args: Vec<Node>,
    /// The pattern of a regular expression function when it is a literal: compiled once.
    pub(crate) regex: Option<Arc<Regex>>,
}

/// What a comprehension gathers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gather {
    All,
    Exists,
    ExistsOne,
    /// `map` and `transformList`
    List,
    Filter,
    TransformMap,
    TransformMapEntry,
    SortBy,
}

/// A comprehension over a list or a map.
#[derive(Debug, Clone)]
pub(crate) struct Each {
    pub(crate) gather: Gather,
    pub(crate) range: Node,
    /// One name, or two (index or key, and value).
    pub(crate) names: Vec<Arc<str>>,
    /// The filter of the forms that have one besides their body.
    pub(crate) only: Option<Node>,
    pub(crate) body: Node,
}

/// One variable around a body.
#[derive(Debug, Clone)]
pub(crate) struct Bind {
    pub(crate) value: Node,
    pub(crate) body: Node,
}

impl Node {
    /// Calls `visit` for each direct child.
    pub(crate) fn children<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        match &self.kind {
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::UInt(_)
            | Kind::Double(_)
            | Kind::String(_)
            | Kind::Bytes(_)
            | Kind::Root(_)
            | Kind::Local(_)
            | Kind::TypeName(_) => {}
            Kind::Select(node, _)
            | Kind::Has(node, _)
            | Kind::OptSelect(node, _)
            | Kind::Not(node)
            | Kind::Negate(node) => visit(node),
            Kind::Index(pair) | Kind::OptIndex(pair) | Kind::Binary(_, pair) => {
                pair.iter().for_each(visit);
            }
            Kind::List(items) => items.iter().for_each(|(node, _)| visit(node)),
            Kind::Map(entries) => {
                for (key, value, _) in entries {
                    visit(key);
                    visit(value);
                }
            }
            Kind::And(terms) | Kind::Or(terms) => terms.iter().for_each(visit),
            Kind::Cond(arms) => arms.iter().for_each(visit),
            Kind::Call(call) => call.args.iter().for_each(visit),
            Kind::Each(each) => {
                visit(&each.range);
                if let Some(only) = &each.only {
                    visit(only);
                }
                visit(&each.body);
            }
            Kind::OptMap(bind, _) | Kind::Bind(bind) => {
                visit(&bind.value);
                visit(&bind.body);
            }
        }
    }
}
