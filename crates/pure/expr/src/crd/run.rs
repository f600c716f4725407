//! Runs compiled rules over an object.

use purlin_schema::{FieldError, ListType, WHOLE};
use serde_json::Value as Json;

use super::{Compiled, LIMITS, Node, Violation};
use crate::bindings::Bindings;
use crate::meter::Limits;
use crate::outcome::Outcome;
use crate::value::Val;

/// Longest text a `messageExpression` may give, in bytes.
const MESSAGE: usize = 5 * 1024;

pub(super) struct Run {
    budget: u64,
    pub(super) violations: Vec<Violation>,
}

impl Run {
    pub(super) fn new(budget: u64) -> Self {
        Self {
            budget,
            violations: Vec::new(),
        }
    }

    /// Runs the rules of `node` and below. Its depth is that of the schema.
    pub(super) fn node(&mut self, node: &Node, path: &str, value: &Json, old: Option<&Json>) {
        if value.is_null() {
            return;
        }
        for rule in &node.rules {
            self.rule(node, rule, path, value, old);
        }
        match value {
            Json::Object(map) => {
                let before = old.and_then(Json::as_object);
                for (name, below) in &node.fields {
                    if let Some(value) = map.get(name) {
                        let path = if path.is_empty() {
                            name.clone()
                        } else {
                            format!("{path}.{name}")
                        };
                        self.node(below, &path, value, before.and_then(|old| old.get(name)));
                    }
                }
                let Some(each) = node.each.as_deref() else {
                    return;
                };
                for (key, value) in map
                    .iter()
                    .filter(|(key, _)| !node.fields.iter().any(|(name, _)| name == *key))
                {
                    self.node(
                        each,
                        &format!("{path}[{key}]"),
                        value,
                        before.and_then(|old| old.get(key)),
                    );
                }
            }
            Json::Array(items) => {
                let Some(each) = node.each.as_deref() else {
                    return;
                };
                let before = old
                    .and_then(Json::as_array)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                for (index, item) in items.iter().enumerate() {
                    self.node(
                        each,
                        &format!("{path}[{index}]"),
                        item,
                        correlated(node, item, before),
                    );
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the value and where it stands")]
    fn rule(&mut self, node: &Node, rule: &Compiled, path: &str, value: &Json, old: Option<&Json>) {
        let optional = rule.rule.optional_old_self == Some(true);
        let old = old.filter(|old| !old.is_null());
        if rule.transition && !optional && old.is_none() || self.budget == 0 {
            return;
        }
        let mut bindings = Bindings::new();
        bindings.val("self", node.shape.view(value));
        let before = old.map(|old| node.shape.view(old));
        if optional {
            bindings.val("oldSelf", Val::Optional(before.map(std::rc::Rc::new)));
        } else if let Some(before) = before {
            bindings.val("oldSelf", before);
        }
        let limits = Limits {
            fuel: LIMITS.fuel.min(self.budget),
            ..LIMITS
        };
        let (outcome, used) = rule.program.eval_within(&bindings, limits);
        self.budget = self.budget.saturating_sub(used);
        let detail = match outcome {
            Outcome::Ok(Val::Bool(true)) => return,
            Outcome::Ok(Val::Bool(false)) => self.message(rule, &bindings),
            Outcome::Ok(other) => format!(
                "the rule gives {}, not bool: {}",
                other.type_name(),
                rule.rule.rule
            ),
            Outcome::Pending(pending) => format!("{pending} is missing: {}", rule.rule.rule),
            Outcome::Fault(_) if self.budget == 0 => {
                "the rules of this object together need too many steps; no further ones are run"
                    .to_owned()
            }
            Outcome::Fault(fault) => format!("{fault} in the rule: {}", rule.rule.rule),
        };
        let mut path = format!("{path}{}", rule.field);
        if path.is_empty() {
            WHOLE.clone_into(&mut path);
        } else if let Some(plain) = path.strip_prefix('.') {
            path = String::from(plain);
        }
        let error = match rule.rule.reason.as_deref() {
            Some("FieldValueForbidden") => FieldError::forbidden(path, &detail),
            Some("FieldValueRequired") => FieldError::required(path, &detail),
            Some("FieldValueDuplicate") => FieldError::duplicate(path, value),
            _ => FieldError::invalid(path, value, &detail),
        };
        let ratcheted = !rule.transition && old.is_some_and(|old| same(old, value));
        self.violations.push(Violation { error, ratcheted });
    }

    /// What to say: the expression's text if it gives a fitting one, the fixed text, or the rule itself.
    fn message(&mut self, rule: &Compiled, bindings: &Bindings<'_>) -> String {
        let limits = Limits {
            fuel: LIMITS.fuel.min(self.budget),
            ..LIMITS
        };
        if let Some(program) = &rule.message {
            let (outcome, used) = program.eval_within(bindings, limits);
            self.budget = self.budget.saturating_sub(used);
            if let Outcome::Ok(Val::String(text)) = outcome {
                let text = text.as_str().trim();
                if !text.is_empty() && text.len() <= MESSAGE && !text.contains('\n') {
                    return text.to_owned();
                }
            }
        }
        match &rule.rule.message {
            Some(message) => message.trim().to_owned(),
            None => format!("failed rule: {}", rule.rule.rule.trim()),
        }
    }
}

/// The element that an element of a list was before, where the schema says what makes them the same.
fn correlated<'o>(node: &Node, item: &Json, before: &'o [Json]) -> Option<&'o Json> {
    match node.list_type {
        ListType::Map => before.iter().find(|old| {
            node.list_map_keys
                .iter()
                .all(|key| old.get(key) == item.get(key))
        }),
        // No rule may compare these, but what did not change may stay as wrong as it is.
        ListType::Set | ListType::Atomic => before.iter().find(|old| same(old, item)),
    }
}

/// Equality of JSON in which 1 and 1.0 are the same.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            a == b || a.as_f64() == b.as_f64() && !(a.is_i64() && b.is_i64())
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
