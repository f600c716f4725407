//! Which functions can a template call?

use std::collections::BTreeMap;

use crate::value::Value;

/// The type a parameter has in Go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// `interface {}`.
    Any,
    /// `reflect.Value`: nothing and nil differ.
    Raw,
    /// `string`.
    Text,
    /// `int`.
    Int,
    /// `int64`.
    Int64,
    /// `uint32`.
    Uint32,
    /// `float64`.
    Float,
    /// `bool`.
    Bool,
    /// `[]interface {}`.
    List,
    /// `map[string]interface {}`.
    Map,
}

impl Param {
    /// The name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Raw => "reflect.Value",
            Self::Text => "string",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float => "float64",
            Self::Bool => "bool",
            Self::List => "[]interface {}",
            Self::Map => "map[string]interface {}",
        }
    }
}

/// What a function may ask of the execution that calls it.
pub trait Call {
    /// Runs a named template over `data`; answers what it prints.
    fn render(&mut self, name: &str, data: Value) -> Result<Vec<u8>, String>;
    /// The time in nanoseconds since 1970, if the execution has one.
    fn now(&self) -> Option<i128>;
    /// A random number.
    fn random(&mut self) -> u64;
}

/// A function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// The type of any further arguments.
    pub rest: Option<Param>,
    /// What it does. Arguments have been checked against the parameters.
    pub call: fn(&mut dyn Call, &[Value]) -> Result<Value, String>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A set of functions.
#[derive(Debug, Clone, Default)]
pub struct Library(BTreeMap<&'static str, &'static Function>);

impl Library {
    /// Those of `text/template` itself.
    pub fn builtin() -> Self {
        Self::default().with(crate::builtin::FUNCTIONS)
    }

    /// Those of `text/template` and of Sprig, without what reads the environment or the network.
    pub fn sprig() -> Self {
        crate::sprig::TABLES
            .iter()
            .fold(Self::builtin(), |library, table| library.with(table))
    }

    /// With more functions; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, functions: &'static [Function]) -> Self {
        self.0.extend(functions.iter().map(|f| (f.name, f)));
        self
    }

    /// The names of the functions, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.keys().copied()
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&'static Function> {
        self.0.get(name).copied()
    }
}
