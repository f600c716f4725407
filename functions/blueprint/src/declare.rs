//! Does a value that somebody else gives have the type it was declared with?

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_expr::Val;
use purlin_object::{Value, ValueRef};

use crate::input::{Declaration, Form};
use crate::names::is_identifier;
use crate::template::member;

/// A declared value.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) default: Option<Value>,
    /// Whether somebody has to give it.
    pub(crate) required: bool,
    pub(crate) one_of: Vec<Value>,
    pub(crate) secret: bool,
}

impl Declared {
    /// Reads declarations, and finds those that contradict themselves. `at` is the field they stand in.
    pub(crate) fn all(
        declarations: &BTreeMap<String, Declaration>,
        at: &str,
        mistakes: &mut Diagnostics,
    ) -> Vec<Self> {
        let one = |(name, given): (&String, &Declaration)| {
            let field = member(at, name);
            let declared = Self {
                name: name.clone(),
                form: given.form,
                default: given.default.clone(),
                required: given.required.unwrap_or(given.default.is_none()),
                one_of: given.one_of.clone(),
                secret: given.secret,
            };
            declared.check(&field, mistakes);
            declared
        };
        declarations.iter().map(one).collect()
    }

    fn check(&self, field: &str, mistakes: &mut Diagnostics) {
        let mut wrong = |name: &str, message: String| {
            let diagnostic = Diagnostic::error("blueprint/declaration", message);
            mistakes.push(diagnostic.path(format!("{field}.{name}")));
        };
        for (at, value) in self.one_of.iter().enumerate() {
            if let Some(why) = unfit(self.form, value.as_ref()) {
                wrong(&format!("enum[{at}]"), why);
            }
        }
        if let Some(default) = &self.default {
            if let Some(why) = self.misfit(default.as_ref()) {
                wrong("default", why);
            }
            if self.required {
                let message = "what is required needs no default".to_owned();
                wrong("required", message);
            }
        }
    }

    /// Why data is not what was declared.
    pub(crate) fn misfit(&self, value: ValueRef<'_>) -> Option<String> {
        if let Some(why) = unfit(self.form, value) {
            return Some(why);
        }
        if self.one_of.is_empty() || self.one_of.iter().any(|one| one.as_ref() == value) {
            return None;
        }
        let allowed: Vec<String> = self.one_of.iter().map(|one| show(one.as_ref())).collect();
        let allowed = allowed.join(", ");
        Some(if self.secret {
            format!("this is none of {allowed}")
        } else {
            format!("{} is none of {allowed}", show(value))
        })
    }

    /// Why a value of an expression is not what was declared.
    pub(crate) fn misfit_val(&self, value: &Val<'_>) -> Option<String> {
        let fits = match self.form {
            Form::Any => true,
            Form::String => matches!(
                value,
                Val::String(_)
                    | Val::Bytes(_)
                    | Val::Duration(_)
                    | Val::Timestamp(_)
                    | Val::Special(_)
            ),
            Form::Integer => match value {
                Val::Int(_) | Val::UInt(_) => true,
                Val::Double(d) => d.fract() == 0.0,
                _ => false,
            },
            Form::Number => matches!(value, Val::Int(_) | Val::UInt(_) | Val::Double(_)),
            Form::Boolean => matches!(value, Val::Bool(_)),
            Form::Array => matches!(value, Val::List(_)),
            Form::Object => matches!(value, Val::Map(_)),
        };
        if !fits {
            return Some(format!(
                "this is {}, and {} is wanted",
                value.type_name(),
                self.form.words()
            ));
        }
        if self.one_of.is_empty() {
            return None;
        }
        // What is no data is told where it is used.
        value
            .to_data()
            .ok()
            .and_then(|data| self.misfit(data.as_ref()))
    }
}

impl Form {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::String => "a string",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

/// Why data is not of a type.
fn unfit(form: Form, value: ValueRef<'_>) -> Option<String> {
    let fits = match form {
        Form::Any => true,
        Form::String => matches!(value, ValueRef::String(_)),
        Form::Integer => value.as_i64().is_some(),
        Form::Number => value.as_f64().is_some(),
        Form::Boolean => matches!(value, ValueRef::Bool(_)),
        Form::Array => matches!(value, ValueRef::List(_)),
        Form::Object => matches!(value, ValueRef::Object(_)),
    };
    (!fits).then(|| format!("this is {}, and {} is wanted", value.kind(), form.words()))
}

fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::String(text) => text.to_owned(),
        other => other.to_json().to_string(),
    }
}

/// The names of declared values are spelled in expressions.
pub(crate) fn check_names<'n>(
    names: impl Iterator<Item = &'n String>,
    at: &str,
    mistakes: &mut Diagnostics,
) {
    for name in names.filter(|name| !is_identifier(name)) {
        let message = format!("no expression can spell the name {name}");
        mistakes.push(
            Diagnostic::error("blueprint/bad-name", message)
                .path(member(at, name))
                .help("begin with a letter and use letters, digits and `_`"),
        );
    }
}
