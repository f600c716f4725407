//! What does a schema fill in?
//!
//! Mirrors defaulting in k8s.io/apiextensions-apiserver (pkg/apiserver/schema/defaulting): an object's own default
//! comes first, then its children's; nothing makes a parent that has no default itself.

use serde_json::Value;

use crate::structural::Schema;

/// Fills in defaults where a field is absent, or is `null` and not nullable.
pub fn apply_defaults(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(map) => {
            for (name, property) in &schema.properties {
                let Some(default) = &property.default else {
                    continue;
                };
                let missing = match map.get(name) {
                    None => true,
                    Some(member) => member.is_null() && !property.nullable,
                };
                if missing {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, member) in map.iter_mut() {
                if let Some(known) = schema.field(name) {
                    replace_null(member, known);
                    apply_defaults(member, known);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.items.as_deref() {
                for member in list {
                    replace_null(member, items);
                    apply_defaults(member, items);
                }
            }
        }
        _ => {}
    }
}

fn replace_null(member: &mut Value, schema: &Schema) {
    if let (true, false, Some(default)) = (member.is_null(), schema.nullable, &schema.default) {
        *member = default.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "cases read better so")]
    fn check(schema: Value, mut value: Value, expect: Value) {
        let schema = Schema::parse(&schema).unwrap();
        apply_defaults(&mut value, &schema);
        assert_eq!(value, expect);
        apply_defaults(&mut value, &schema);
        assert_eq!(value, expect, "doing it twice does nothing");
    }

    #[test]
    fn an_objects_default_comes_before_its_childrens() {
        let schema = json!({"type": "object", "properties": {"p": {"type": "object", "default": {"a": 9}, "properties": {
            "a": {"type": "integer", "default": 2}, "b": {"type": "string", "default": "z"}}}}});
        check(schema.clone(), json!({}), json!({"p": {"a": 9, "b": "z"}}));
        check(
            schema.clone(),
            json!({"p": {}}),
            json!({"p": {"a": 2, "b": "z"}}),
        );
        check(
            schema,
            json!({"p": {"a": null, "b": "q"}}),
            json!({"p": {"a": 2, "b": "q"}}),
        );
    }

    #[test]
    fn maps_and_lists_are_entered_but_parents_are_not_made() {
        let inner =
            json!({"type": "object", "properties": {"a": {"type": "integer", "default": 1}}});
        let schema = json!({"type": "object", "properties": {"m": {"type": "object", "additionalProperties": inner},
            "l": {"type": "array", "items": inner}, "o": inner}});
        check(
            schema,
            json!({"m": {"x": {}, "y": {"a": 2}}, "l": [{}]}),
            json!({"m": {"x": {"a": 1}, "y": {"a": 2}}, "l": [{"a": 1}]}),
        );
    }
}
