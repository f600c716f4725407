//! What went wrong with a request, as the `Status` object Kubernetes clients read.

use serde_json::{Map, Value, json};

/// Why one field was refused, in the vocabulary of `Status.details.causes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Invalid,
    Required,
    NotSupported,
    Forbidden,
    Duplicate,
    TooLong,
    TooMany,
    TypeInvalid,
}

impl Cause {
    /// The machine-readable reason of this cause.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "FieldValueInvalid",
            Self::Required => "FieldValueRequired",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::Duplicate => "FieldValueDuplicate",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::Required => "Required value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::Duplicate => "Duplicate value",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
        }
    }
}

/// One refused field.
#[derive(Debug, Clone)]
pub(crate) struct FieldError {
    pub cause: Cause,
    /// Its path, such as `spec.list[0].name`; empty when the whole object is meant.
    pub field: String,
    /// The message without the path.
    pub message: String,
}

impl FieldError {
    /// An error that shows the refused value.
    pub(crate) fn value(
        cause: Cause,
        field: impl Into<String>,
        value: &Value,
        detail: &str,
    ) -> Self {
        let shown = match value {
            Value::String(text) => format!("{text:?}"),
            other => other.to_string(),
        };
        let colon = if detail.is_empty() { "" } else { ": " };
        Self {
            cause,
            field: field.into(),
            message: format!("{}: {shown}{colon}{detail}", cause.words()),
        }
    }

    /// An error that does not show the value.
    pub(crate) fn plain(cause: Cause, field: impl Into<String>, detail: &str) -> Self {
        let colon = if detail.is_empty() { "" } else { ": " };
        Self {
            cause,
            field: field.into(),
            message: format!("{}{colon}{detail}", cause.words()),
        }
    }

    pub(crate) fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::value(Cause::Invalid, field, value, detail)
    }

    pub(crate) fn required(field: impl Into<String>, detail: &str) -> Self {
        Self::plain(Cause::Required, field, detail)
    }

    pub(crate) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self::plain(Cause::Forbidden, field, detail)
    }

    pub(crate) fn unsupported(field: impl Into<String>, value: &Value, allowed: &[&str]) -> Self {
        let list: Vec<String> = allowed.iter().map(|v| format!("{v:?}")).collect();
        Self::value(
            Cause::NotSupported,
            field,
            value,
            &format!("supported values: {}", list.join(", ")),
        )
    }

    fn path(&self) -> &str {
        if self.field.is_empty() {
            "<nil>"
        } else {
            &self.field
        }
    }

    fn text(&self) -> String {
        format!("{}: {}", self.path(), self.message)
    }
}

/// A refused request. `plain` failures are answered as text, as Kubernetes does for paths it knows nothing about.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Option<Map<String, Value>>,
    pub carry: Option<String>,
    pub plain: bool,
}

/// The result of everything that serves a request.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            carry: None,
            plain: false,
        }
    }

    fn about(mut self, group: &str, kind: &str, name: &str) -> Self {
        let mut details = Map::new();
        for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                details.insert(key.into(), value.into());
            }
        }
        self.details = Some(details);
        self
    }

    pub(crate) fn detail(mut self, key: &str, value: Value) -> Self {
        self.details
            .get_or_insert_default()
            .insert(key.into(), value);
        self
    }

    /// Shows details even though there are none.
    pub(crate) fn with_details(self) -> Self {
        self.about("", "", "")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// A client mistake that upstream answers as a server error without a reason.
    pub(crate) fn unnamed(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new(
            500,
            "InternalError",
            format!("Internal error occurred: {message}"),
        )
        .detail("causes", json!([{"message": message}]))
    }

    pub(crate) fn not_found(group: &str, plural: &str, name: &str) -> Self {
        let text = format!("{} {name:?} not found", qualified(plural, group));
        Self::new(404, "NotFound", text).about(group, plural, name)
    }

    /// No such path: a `Status`.
    pub(crate) fn no_resource() -> Self {
        Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
        .about("", "", "")
    }

    /// No such path: plain text.
    pub(crate) fn no_page() -> Self {
        Self {
            plain: true,
            ..Self::new(404, "NotFound", "404 page not found")
        }
    }

    pub(crate) fn exists(group: &str, plural: &str, name: &str, terminating: bool) -> Self {
        let prefix = if terminating {
            "object is being deleted: "
        } else {
            ""
        };
        let text = format!(
            "{prefix}{} {name:?} already exists",
            qualified(plural, group)
        );
        Self::new(409, "AlreadyExists", text).about(group, plural, name)
    }

    pub(crate) fn conflict(group: &str, plural: &str, name: &str, why: &str) -> Self {
        let text = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            qualified(plural, group)
        );
        Self::new(409, "Conflict", text).about(group, plural, name)
    }

    pub(crate) fn modified(group: &str, plural: &str, name: &str) -> Self {
        Self::conflict(
            group,
            plural,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub(crate) fn forbidden(group: &str, plural: &str, name: &str, why: &str) -> Self {
        let text = format!("{} {name:?} is forbidden: {why}", qualified(plural, group));
        Self::new(403, "Forbidden", text).about(group, plural, name)
    }

    pub(crate) fn method(verb: &str, group: &str, plural: &str) -> Self {
        let text = format!(
            "{verb} is not supported on resources of kind {:?}",
            qualified(plural, group)
        );
        Self::new(405, "MethodNotAllowed", text).about("", "", "")
    }

    pub(crate) fn media_type(accepted: &[&str]) -> Self {
        let text = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        Self::new(415, "UnsupportedMediaType", text)
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(crate) fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        let texts: Vec<String> = errors.iter().map(FieldError::text).collect();
        let all = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let text = format!("{} {name:?} is invalid: {all}", qualified(kind, group));
        let causes: Vec<Value> = errors
            .iter()
            .map(|e| json!({"reason": e.cause.reason(), "message": e.message, "field": e.path()}))
            .collect();
        Self::new(422, "Invalid", text)
            .about(group, kind, name)
            .detail("causes", causes.into())
    }

    /// The `Status` object.
    pub(crate) fn status(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(token) = &self.carry {
            metadata.insert("continue".into(), token.as_str().into());
        }
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata,
            "status": "Failure", "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            status["details"] = Value::Object(details.clone());
        }
        status
    }
}

/// `widgets.example.com`, or `configmaps` in the core group.
pub(crate) fn qualified(plural: &str, group: &str) -> String {
    if group.is_empty() {
        plural.to_owned()
    } else {
        format!("{plural}.{group}")
    }
}
