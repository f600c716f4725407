//! Which keywords may a schema hold, and of which JSON type is each?
//!
//! Mirrors the fields of `JSONSchemaProps` in k8s.io/apiextensions-apiserver (v1): reading a schema into it and writing
//! it again drops unknown keywords and zero values, and that is what a server stores and what a generated CRD holds.

use serde_json::{Map, Value};

use crate::error::{FieldError, child, element};

/// The deepest schema that is read. Real ones stay under 40.
pub const MAX_DEPTH: usize = 96;

#[derive(Clone, Copy)]
enum Shape {
    Text,
    /// A pointer to a string: kept even when it is empty.
    TextPointer,
    Flag,
    /// A pointer to a bool: kept even when it is false.
    FlagPointer,
    Number,
    Integer,
    Any,
    AnyList,
    TextList,
    Schema,
    SchemaList,
    SchemaMap,
    SchemaOrFlag,
    SchemaOrList,
    /// Property to a schema or to a list of names.
    Dependencies,
    Rules,
    Docs,
}

static KEYWORDS: &[(&str, Shape)] = &[
    ("$ref", Shape::TextPointer),
    ("$schema", Shape::Text),
    ("additionalItems", Shape::SchemaOrFlag),
    ("additionalProperties", Shape::SchemaOrFlag),
    ("allOf", Shape::SchemaList),
    ("anyOf", Shape::SchemaList),
    ("default", Shape::Any),
    ("definitions", Shape::SchemaMap),
    ("dependencies", Shape::Dependencies),
    ("description", Shape::Text),
    ("enum", Shape::AnyList),
    ("example", Shape::Any),
    ("exclusiveMaximum", Shape::Flag),
    ("exclusiveMinimum", Shape::Flag),
    ("externalDocs", Shape::Docs),
    ("format", Shape::Text),
    ("id", Shape::Text),
    ("items", Shape::SchemaOrList),
    ("maxItems", Shape::Integer),
    ("maxLength", Shape::Integer),
    ("maxProperties", Shape::Integer),
    ("maximum", Shape::Number),
    ("minItems", Shape::Integer),
    ("minLength", Shape::Integer),
    ("minProperties", Shape::Integer),
    ("minimum", Shape::Number),
    ("multipleOf", Shape::Number),
    ("not", Shape::Schema),
    ("nullable", Shape::Flag),
    ("oneOf", Shape::SchemaList),
    ("pattern", Shape::Text),
    ("patternProperties", Shape::SchemaMap),
    ("properties", Shape::SchemaMap),
    ("required", Shape::TextList),
    ("title", Shape::Text),
    ("type", Shape::Text),
    ("uniqueItems", Shape::Flag),
    ("x-kubernetes-embedded-resource", Shape::Flag),
    ("x-kubernetes-int-or-string", Shape::Flag),
    ("x-kubernetes-list-map-keys", Shape::TextList),
    ("x-kubernetes-list-type", Shape::TextPointer),
    ("x-kubernetes-map-type", Shape::TextPointer),
    ("x-kubernetes-preserve-unknown-fields", Shape::FlagPointer),
    ("x-kubernetes-validations", Shape::Rules),
];

/// Reads a schema as a server does: unknown keywords and zero values are dropped, the rest is as it was.
///
/// # Errors
/// All keywords whose value has the wrong JSON type, by path below `path`.
pub fn normalize(schema: &Value, path: &str) -> Result<Value, Vec<FieldError>> {
    let mut errors = Vec::new();
    let read = read(schema, path, 0, &mut errors);
    if errors.is_empty() {
        Ok(read.unwrap_or_else(|| Value::Object(Map::new())))
    } else {
        Err(errors)
    }
}

fn read(schema: &Value, path: &str, depth: usize, errors: &mut Vec<FieldError>) -> Option<Value> {
    if depth > MAX_DEPTH {
        let detail = format!("is nested deeper than {MAX_DEPTH} schemas");
        errors.push(FieldError::invalid(path, &Value::Null, &detail));
        return None;
    }
    let Value::Object(map) = schema else {
        if !schema.is_null() {
            errors.push(wrong(path, schema, "a schema (an object)"));
        }
        return None;
    };
    let mut out = Map::new();
    for (keyword, value) in map {
        let Ok(found) = KEYWORDS.binary_search_by(|(name, _)| (*name).cmp(keyword.as_str())) else {
            continue;
        };
        if value.is_null() {
            continue;
        }
        let at = child(path, keyword);
        if let Some(kept) = one(KEYWORDS[found].1, value, &at, depth, errors) {
            out.insert(keyword.clone(), kept);
        }
    }
    Some(Value::Object(out))
}

fn one(
    shape: Shape,
    value: &Value,
    path: &str,
    depth: usize,
    errors: &mut Vec<FieldError>,
) -> Option<Value> {
    let mut expect = |right: bool, kept: bool, what: &str| {
        if !right {
            errors.push(wrong(path, value, what));
        }
        (right && kept).then(|| value.clone())
    };
    match shape {
        Shape::Text => expect(
            value.is_string(),
            value.as_str().is_some_and(|text| !text.is_empty()),
            "a string",
        ),
        Shape::TextPointer => expect(value.is_string(), true, "a string"),
        Shape::Flag => expect(value.is_boolean(), value == &Value::Bool(true), "a boolean"),
        Shape::FlagPointer => expect(value.is_boolean(), true, "a boolean"),
        Shape::Number => expect(value.is_number(), true, "a number"),
        Shape::Integer => expect(value.is_i64(), true, "an integer"),
        Shape::Any => Some(value.clone()),
        Shape::AnyList => expect(
            value.is_array(),
            value.as_array().is_some_and(|list| !list.is_empty()),
            "a list",
        ),
        Shape::TextList => expect(
            value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string)),
            value.as_array().is_some_and(|list| !list.is_empty()),
            "a list of strings",
        ),
        Shape::SchemaList => list(value, path, depth, errors),
        Shape::SchemaMap => map(value, path, errors, |value, path, errors| {
            read(value, path, depth + 1, errors)
        }),
        Shape::SchemaOrFlag if value.is_boolean() => Some(value.clone()),
        Shape::SchemaOrList if value.is_array() => list(value, path, depth, errors),
        Shape::Schema | Shape::SchemaOrFlag | Shape::SchemaOrList => {
            read(value, path, depth + 1, errors)
        }
        Shape::Dependencies => map(value, path, errors, |value, path, errors| {
            if value.is_array() {
                one(Shape::TextList, value, path, depth, errors)
            } else {
                read(value, path, depth + 1, errors)
            }
        }),
        Shape::Rules => rules(value, path, errors),
        Shape::Docs => fields(value, path, errors, DOCS),
    }
}

fn list(value: &Value, path: &str, depth: usize, errors: &mut Vec<FieldError>) -> Option<Value> {
    let Some(members) = value.as_array() else {
        errors.push(wrong(path, value, "a list of schemas"));
        return None;
    };
    let read: Vec<Value> = members
        .iter()
        .enumerate()
        .map(|(index, member)| {
            read(member, &element(path, index), depth + 1, errors)
                .unwrap_or_else(|| Value::Object(Map::new()))
        })
        .collect();
    (!read.is_empty()).then_some(Value::Array(read))
}

fn map(
    value: &Value,
    path: &str,
    errors: &mut Vec<FieldError>,
    mut read: impl FnMut(&Value, &str, &mut Vec<FieldError>) -> Option<Value>,
) -> Option<Value> {
    let Some(members) = value.as_object() else {
        errors.push(wrong(path, value, "a map"));
        return None;
    };
    let mut out = Map::new();
    for (name, member) in members {
        let kept = read(member, &element(path, name), errors);
        out.insert(
            name.clone(),
            kept.unwrap_or_else(|| Value::Object(Map::new())),
        );
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

static RULE: &[(&str, Shape)] = &[
    ("fieldPath", Shape::Text),
    ("message", Shape::Text),
    ("messageExpression", Shape::Text),
    ("optionalOldSelf", Shape::FlagPointer),
    ("reason", Shape::TextPointer),
    // `rule` has no omitempty upstream: an empty one stays, and is then refused as missing.
    ("rule", Shape::TextPointer),
];
static DOCS: &[(&str, Shape)] = &[("description", Shape::Text), ("url", Shape::Text)];

fn rules(value: &Value, path: &str, errors: &mut Vec<FieldError>) -> Option<Value> {
    let Some(members) = value.as_array() else {
        errors.push(wrong(path, value, "a list of rules"));
        return None;
    };
    let read: Vec<Value> = members
        .iter()
        .enumerate()
        .filter_map(|(index, rule)| fields(rule, &element(path, index), errors, RULE))
        .collect();
    (!read.is_empty()).then_some(Value::Array(read))
}

fn fields(
    value: &Value,
    path: &str,
    errors: &mut Vec<FieldError>,
    known: &[(&str, Shape)],
) -> Option<Value> {
    let Some(members) = value.as_object() else {
        errors.push(wrong(path, value, "an object"));
        return None;
    };
    let mut out = Map::new();
    for (name, shape) in known {
        let Some(member) = members.get(*name).filter(|member| !member.is_null()) else {
            continue;
        };
        if let Some(kept) = one(*shape, member, &child(path, name), 0, errors) {
            out.insert((*name).to_owned(), kept);
        }
    }
    Some(Value::Object(out))
}

fn wrong(path: &str, value: &Value, what: &str) -> FieldError {
    FieldError::type_invalid(path, value, &format!("must be {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(KEYWORDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn unknown_keywords_and_zero_values_are_dropped() {
        let read = normalize(
            &json!({"type": "array", "uniqueItems": false, "nullable": false, "colour": 1, "required": [], "description": "",
                "items": {"type": "string", "x-kubernetes-preserve-unknown-fields": false, "default": null}}),
            "s",
        );
        assert_eq!(
            read,
            Ok(
                json!({"type": "array", "items": {"type": "string", "x-kubernetes-preserve-unknown-fields": false}})
            )
        );
    }

    #[test]
    fn every_wrong_type_is_reported_with_its_path() {
        let errors = normalize(
            &json!({"type": 7, "properties": {"a": {"maxLength": "x"}, "b": 1}}),
            "s",
        )
        .unwrap_err();
        let paths: Vec<&str> = errors.iter().map(|e| e.path.as_str()).collect();
        assert_eq!(
            paths,
            ["s.properties[a].maxLength", "s.properties[b]", "s.type"]
        );
    }

    #[test]
    fn a_schema_that_nests_without_end_is_refused() {
        let mut deep = json!({});
        for _ in 0..200 {
            deep = json!({"not": deep});
        }
        assert!(normalize(&deep, "s").is_err());
    }
}
