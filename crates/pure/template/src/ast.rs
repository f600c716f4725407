//! What does a template consist of?

use crate::library::Function;
use crate::value::Text;

/// Where something stands, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text(Text),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template {
        span: Span,
        name: String,
        pipe: Option<Pipe>,
    },
    Break,
    Continue,
}

#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) then: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Debug, Clone)]
pub(crate) struct Pipe {
    pub(crate) span: Span,
    /// Whether variables are assigned instead of declared.
    pub(crate) assigns: bool,
    pub(crate) variables: Vec<String>,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) args: Vec<Expr>,
}

#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) span: Span,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    /// A `complex128` without a real part.
    Imaginary(f64),
    Text(Text),
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Function(&'static Function),
    Chain(Box<Expr>, Vec<String>),
    Pipe(Pipe),
}

/// A number as written: a literal fits whatever type wants it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    pub(crate) int: Option<i64>,
    pub(crate) float: Option<f64>,
    /// Whether it is a `float64` where nothing else is wanted.
    pub(crate) is_float: bool,
}
