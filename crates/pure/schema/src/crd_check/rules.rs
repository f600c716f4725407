//! Is everything about a CEL rule right but the CEL?

use serde_json::Value;

use crate::error::{FieldError, child, element};
use crate::structural::{Kind, Schema};

const REASONS: [&str; 4] = [
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
];

#[expect(
    clippy::too_many_lines,
    reason = "one check after the other, as the rules are written"
)]
pub(super) fn check(schema: &Schema, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let list = child(path, "x-kubernetes-validations");
    for (index, rule) in schema.rules.iter().enumerate() {
        let at = element(&list, index);
        let blank =
            |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        if rule.rule.trim().is_empty() {
            errors.push(FieldError::required(
                child(&at, "rule"),
                "a rule needs an expression",
            ));
        }
        if blank(&rule.message) {
            let value = Value::from(rule.message.clone());
            errors.push(FieldError::invalid(
                child(&at, "message"),
                &value,
                "must not be blank",
            ));
        }
        if rule
            .message
            .as_ref()
            .is_some_and(|text| text.trim().contains('\n'))
        {
            let value = Value::from(rule.message.clone());
            errors.push(FieldError::invalid(
                child(&at, "message"),
                &value,
                "must be one line",
            ));
        }
        if rule.rule.trim().contains('\n') && rule.message.is_none() {
            errors.push(FieldError::required(
                child(&at, "message"),
                "a rule of several lines needs one",
            ));
        }
        if let Some(reason) = rule
            .reason
            .as_deref()
            .filter(|reason| !REASONS.contains(reason))
        {
            let allowed = REASONS.map(|word| format!("{word:?}"));
            errors.push(FieldError::not_supported(
                child(&at, "reason"),
                &Value::from(reason),
                &allowed,
            ));
        }
        if let Some(field) = rule
            .field_path
            .as_deref()
            .filter(|field| !field.trim().is_empty() && !exists(field, schema))
        {
            let detail =
                "must be the path of a field below the rule, for example .size or .labels['a.b']";
            errors.push(FieldError::invalid(
                child(&at, "fieldPath"),
                &Value::from(field),
                detail,
            ));
        }
    }
    errors
}

/// Whether `.a['b'].c` names a declared field. Lists cannot be entered.
fn exists(path: &str, schema: &Schema) -> bool {
    let mut rest = path;
    let mut node = schema;
    while !rest.is_empty() {
        let (name, after) = if let Some(quoted) = rest.strip_prefix("['") {
            let Some((name, after)) = quoted.split_once("']") else {
                return false;
            };
            (name.to_owned(), after)
        } else if let Some(plain) = rest.strip_prefix('.') {
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            let (name, after) = plain.split_at(end);
            (name.to_owned(), after)
        } else {
            return false;
        };
        if name.is_empty() || node.kind == Some(Kind::Array) {
            return false;
        }
        let Some(field) = node.field(&name) else {
            return false;
        };
        node = field;
        rest = after;
    }
    true
}
