//! What does this Go template say about this data?
//!
//! The language of Go's `text/template` with the functions of Sprig: [`Template::parse`] makes a tree in which every
//! part has its place, [`Template::execute`] runs it over [`Value`]s. Nothing is read from the environment, a clock or a
//! file; what a template prints, how deep it calls itself and how long it runs is bounded by [`Limits`]. Functions of
//! the host come in through a [`Library`].
//!
//! ```
//! use purlin_template::{Library, Limits, Template, Value};
//!
//! let template = Template::parse("hello", "{{ range .names }}Hello {{ . | title }}! {{ end }}", &Library::sprig())?;
//! let data = Value::map([("names", Value::list(vec!["ada".into(), "grace".into()]))]);
//! let text = template.execute(&data, &Limits::default())?;
//! assert_eq!(text, b"Hello Ada! Hello Grace! ");
//! # Ok::<(), purlin_template::Error>(())
//! ```

/// Adds formatted text to a `String`.
macro_rules! push {
    ($out:expr, $($text:tt)*) => {
        {
            use std::fmt::Write as _;
            $out.write_fmt(format_args!($($text)*)).expect("a String takes any text");
        }
    };
}

mod ast;
mod builtin;
mod error;
mod exec;
pub mod gofmt;
pub mod json;
mod lex;
mod library;
mod parse;
mod reads;
pub mod regexp;
mod sprig;
mod template;
mod value;

#[cfg(test)]
mod tests;

pub use error::{Error, Limits};
pub use library::{Call, Function, Library, Param};
pub use reads::{Reading, Step};
pub use sprig::{decode_base64, parse_time, time_value};
pub use template::{Delimiters, MissingKey, Template};
pub use value::{Elements, List, Map, Members, Native, Text, Value, Whole};
