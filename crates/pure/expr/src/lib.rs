//! What does this expression read, give and cost?
//!
//! CEL over borrowed data: [`Program::compile`] parses and checks the form, [`Program::reads`] says what it depends on,
//! [`Program::check`] says which type it has and what is wrong with it for variables of known types, and
//! [`Program::eval`] gives a value, says what it waits for, or says why and where it failed. [`Embedded`] finds the
//! expressions inside texts.

mod ast;
mod bindings;
mod bridge;
mod convert;
pub mod crd;
mod deps;
mod each;
mod embed;
mod eval;
mod forms;
mod key;
mod lex;
mod library;
mod limits;
mod list;
mod lower;
mod map;
mod meter;
mod missed;
mod ops;
mod outcome;
mod parse;
mod problem;
mod program;
mod raise;
mod shape;
mod special;
mod time;
mod types;
mod value;

pub use bindings::{Binding, Bindings};
pub use deps::{Read, Step};
pub use embed::{Embedded, Hole, Part};
pub use key::Key;
pub use library::is_type_name;
pub use list::List;
pub use map::Map;
pub use meter::Limits;
pub use outcome::{Evaluation, Fault, FaultKind, Outcome, Pending};
pub use problem::Problem;
pub use program::Program;
pub use shape::Shape;
pub use special::Special;
pub use types::{Checked, Env, Record, Ty, Wanted, check_text};
pub use value::{NotData, Text, Val};
