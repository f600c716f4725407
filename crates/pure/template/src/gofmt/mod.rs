//! How does Go print this value?
//!
//! The packages `fmt` and `strconv` for the values templates, patches and transforms hold.

mod arg;
mod float;
mod printf;
mod quote;
mod scalar;
mod text;

pub use arg::{Arg, Mapping, Sequence};
pub use float::{Precision, format as format_float, parse as parse_float};
pub use printf::{TooLong, default_text, sprintf};
pub use quote::{quote, runes};
pub use text::TextCase;
pub use text::{change_case, json_number, json_string, json_text, replace_invalid};
