//! Are the CEL rules of a schema right?

use purlin_expr::crd::Rules;
use purlin_schema::{Additional, CheckRules, FieldError, RulePlace, Schema};
use serde_json::Value;

/// Compiles the rules of a schema with the CEL the API server has.
#[derive(Debug, Clone, Copy)]
pub struct Cel;

impl CheckRules for Cel {
    fn check(&self, schema: &Schema, path: &str, _: RulePlace) -> Vec<FieldError> {
        if schema.rules.is_empty() {
            return Vec::new();
        }
        let mut alone = schema.clone();
        let rules = std::mem::take(&mut alone.rules);
        forget_rules(&mut alone);
        alone.rules = rules;
        Rules::compile(&alone, path).1
    }

    fn check_default(&self, _: &Schema, _: &Value, _: &str) -> Vec<FieldError> {
        Vec::new()
    }
}

/// The fields below are checked on their own: their rules would be told twice.
fn forget_rules(schema: &mut Schema) {
    schema.rules.clear();
    schema.properties.values_mut().for_each(forget_rules);
    if let Some(items) = schema.items.as_deref_mut() {
        forget_rules(items);
    }
    if let Some(Additional::Schema(inner)) = &mut schema.additional {
        forget_rules(inner);
    }
}
