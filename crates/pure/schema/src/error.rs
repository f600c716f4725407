//! What is wrong with one field, in the vocabulary of a Kubernetes `Status` cause.

use std::fmt;

use serde_json::Value;

/// The path Kubernetes prints when an error belongs to the whole object.
pub const WHOLE: &str = "<nil>";

/// The reason of a cause, as Kubernetes spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The field must be set.
    Required,
    /// The value breaks a rule.
    Invalid,
    /// The value is none of the allowed ones.
    NotSupported,
    /// The value is there twice.
    Duplicate,
    /// The value has the wrong JSON type, or is not of its format.
    TypeInvalid,
    /// The string is too long.
    TooLong,
    /// The list or map has too many members.
    TooMany,
    /// The field may not be set here.
    Forbidden,
}

impl Reason {
    /// The spelling used in `details.causes[].reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Duplicate => "FieldValueDuplicate",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Forbidden => "FieldValueForbidden",
        }
    }
}

/// One thing that is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field, for example `spec.parts[0].size`; [`WHOLE`] when it is the object as a whole.
    pub path: String,
    /// Which kind of mistake it is.
    pub reason: Reason,
    /// The text after the path: a short name of the reason, the value where it helps, and what is expected.
    pub message: String,
}

impl FieldError {
    /// A field that must be set.
    pub fn required(path: impl Into<String>, detail: &str) -> Self {
        Self::new(path, Reason::Required, "Required value", detail)
    }

    /// A value that breaks a rule.
    pub fn invalid(path: impl Into<String>, value: &Value, detail: &str) -> Self {
        let head = format!("Invalid value: {}", shown(value));
        Self::new(path, Reason::Invalid, &head, detail)
    }

    /// A value of the wrong type or format.
    pub fn type_invalid(path: impl Into<String>, value: &Value, detail: &str) -> Self {
        let head = format!("Invalid value: {}", shown(value));
        Self::new(path, Reason::TypeInvalid, &head, detail)
    }

    /// A value that is none of `allowed`.
    pub fn not_supported(path: impl Into<String>, value: &Value, allowed: &[String]) -> Self {
        let head = format!("Unsupported value: {}", shown(value));
        let detail = format!("supported values: {}", allowed.join(", "));
        Self::new(path, Reason::NotSupported, &head, &detail)
    }

    /// A value that is there twice.
    pub fn duplicate(path: impl Into<String>, value: &Value) -> Self {
        let head = format!("Duplicate value: {}", shown(value));
        Self::new(path, Reason::Duplicate, &head, "")
    }

    /// A field that may not be set here.
    pub fn forbidden(path: impl Into<String>, detail: &str) -> Self {
        Self::new(path, Reason::Forbidden, "Forbidden", detail)
    }

    /// A string over its bound.
    pub fn too_long(path: impl Into<String>, max: u64) -> Self {
        let detail = format!("may not be more than {max} characters");
        Self::new(path, Reason::TooLong, "Too long", &detail)
    }

    /// A list or map over its bound.
    pub fn too_many(path: impl Into<String>, count: usize, max: u64) -> Self {
        let detail = format!("must have at most {max} members");
        Self::new(
            path,
            Reason::TooMany,
            &format!("Too many: {count}"),
            &detail,
        )
    }

    fn new(path: impl Into<String>, reason: Reason, head: &str, detail: &str) -> Self {
        let message = if detail.is_empty() {
            head.to_owned()
        } else {
            format!("{head}: {detail}")
        };
        Self {
            path: path.into(),
            reason,
            message,
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The value as an error shows it: scalars as JSON, cut when long; lists and maps by their kind.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 120;
    match value {
        Value::Array(_) => "\"array\"".to_owned(),
        Value::Object(_) => "\"object\"".to_owned(),
        scalar => {
            let text = scalar.to_string();
            if text.chars().count() <= LONGEST {
                text
            } else {
                text.chars().take(LONGEST).chain("...".chars()).collect()
            }
        }
    }
}

/// `parent.name`, or `name` at the root.
pub(crate) fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

/// `parent[index]`.
pub(crate) fn element(parent: &str, index: impl fmt::Display) -> String {
    format!("{parent}[{index}]")
}
