//! One mistake, as serde reports it, with the place it was found at.

use std::fmt;

use serde::de;

#[derive(Debug)]
pub(super) enum Kind {
    UnknownField(String, &'static [&'static str]),
    MissingField(&'static str),
    UnknownVariant(String, &'static [&'static str]),
    /// What was there, what was expected.
    WrongType(String, String),
    Other(String),
}

impl Kind {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::UnknownField(..) => "input/unknown-field",
            Self::MissingField(_) => "input/missing-field",
            Self::UnknownVariant(..) => "input/unknown-word",
            Self::WrongType(..) => "input/wrong-type",
            Self::Other(_) => "input/invalid",
        }
    }
}

#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// Where decoding was; set by the innermost decoder.
    pub(super) at: Option<String>,
    /// Caused by a repair, not by the user.
    pub(super) quiet: bool,
}

impl Fault {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            at: None,
            quiet: false,
        }
    }

    /// The field path of what is wrong.
    pub(super) fn place(&self) -> String {
        let at = self.at.clone().unwrap_or_default();
        match &self.kind {
            Kind::MissingField(field) => member(&at, field),
            Kind::UnknownField(field, _) => member(&at, field),
            Kind::UnknownVariant(..) | Kind::WrongType(..) | Kind::Other(_) => at,
        }
    }
}

/// The path of a member: `a.b`, or `a["b.c"]` when the name has characters that a path gives a meaning.
pub(super) fn member(parent: &str, name: &str) -> String {
    let plain = !name.is_empty() && !name.contains(['.', '[', ']', '"']);
    match (plain, parent.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{parent}.{name}"),
        (false, _) => format!("{parent}[{name:?}]"),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Other(message.to_string()))
    }

    fn invalid_type(got: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Kind::WrongType(words(&got), wanted(expected)))
    }

    fn invalid_value(got: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Kind::WrongType(words(&got), wanted(expected)))
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        let got = format!("{length} elements");
        Self::new(Kind::WrongType(got, wanted(expected)))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::UnknownVariant(word.to_owned(), known))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::UnknownField(field.to_owned(), known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::MissingField(field))
    }
}

fn words(got: &de::Unexpected<'_>) -> String {
    match got {
        de::Unexpected::Map => "an object".to_owned(),
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Unit | de::Unexpected::Option => "null".to_owned(),
        de::Unexpected::Str(text) => format!("the string {text:?}"),
        de::Unexpected::Bool(bit) => format!("the boolean {bit}"),
        de::Unexpected::Signed(number) => format!("the number {number}"),
        de::Unexpected::Unsigned(number) => format!("the number {number}"),
        de::Unexpected::Float(number) => format!("the number {number}"),
        other => other.to_string(),
    }
}

/// What serde expected, in the words of somebody who writes YAML.
fn wanted(expected: &dyn de::Expected) -> String {
    let expected = expected.to_string();
    match expected.as_str() {
        "a map" => "an object".to_owned(),
        "a sequence" => "a list".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" | "u64" | "usize" => "a whole number, not negative".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        _ => expected,
    }
}
