#![expect(clippy::needless_pass_by_value, reason = "cases read better so")]

use super::*;
use crate::error::Reason;
use serde_json::json;

/// `expect` is `path Reason` pairs, sorted.
fn check_value(schema: &Value, value: &Value, expect: &[&str]) {
    let schema = Schema::parse(schema).unwrap();
    assert_eq!(told(validate(value, &schema)), expect, "{value}");
}

fn told(errors: Vec<FieldError>) -> Vec<String> {
    let one = |error: FieldError| {
        format!(
            "{} {}",
            error.path,
            error.reason.as_str().replace("FieldValue", "")
        )
    };
    let mut told: Vec<String> = errors.into_iter().map(one).collect();
    told.sort();
    told
}

fn spec(properties: Value) -> Value {
    json!({"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}})
}

#[test]
fn every_mistake_is_told_with_its_path() {
    let schema = spec(
        json!({"o": {"type": "object", "required": ["a", "b"]}, "l": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
        "m": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 3}}, "e": {"type": "string", "enum": ["x"]}, "t": {"type": "string", "maxLength": 2, "minLength": 1}}),
    );
    check_value(
        &schema,
        &json!({"spec": {"o": {}, "l": [1, "2", 1.5], "m": {"a": 2}, "e": 1, "t": "abc"}}),
        &[
            "spec.e NotSupported",
            "spec.e TypeInvalid",
            "spec.l TooMany",
            "spec.l[1] TypeInvalid",
            "spec.l[2] TypeInvalid",
            "spec.m.a Invalid",
            "spec.o.a Required",
            "spec.o.b Required",
            "spec.t TooLong",
        ],
    );
}

#[test]
fn a_failed_combination_belongs_to_the_whole_object() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}}});
    check_value(&schema, &json!({"spec": {"a": 1}}), &[]);
    check_value(
        &schema,
        &json!({"spec": {"a": 1, "b": 1}}),
        &["<nil> Invalid"],
    );
    check_value(
        &schema,
        &json!({"spec": {}}),
        &["<nil> Invalid", "spec.a Required"],
    );
    let schema = spec(
        json!({"a": {"type": "integer", "allOf": [{"minimum": 2}, {"maximum": 5}, {"not": {"enum": [3]}}]}}),
    );
    check_value(&schema, &json!({"spec": {"a": 2}}), &[]);
    check_value(
        &schema,
        &json!({"spec": {"a": 6}}),
        &["<nil> Invalid", "spec.a Invalid"],
    );
    check_value(
        &schema,
        &json!({"spec": {"a": 3}}),
        &["<nil> Invalid", "<nil> Invalid"],
    );
}

#[test]
fn int_or_string_takes_whole_numbers_and_strings() {
    let schema = spec(
        json!({"v": {"x-kubernetes-int-or-string": true}, "w": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}}),
    );
    for good in [json!(1), json!("a"), json!(1.0)] {
        check_value(&schema, &json!({"spec": {"v": good}}), &[]);
    }
    check_value(
        &schema,
        &json!({"spec": {"v": 1.5}}),
        &["spec.v TypeInvalid"],
    );
    check_value(
        &schema,
        &json!({"spec": {"w": []}}),
        &["<nil> Invalid", "spec.w TypeInvalid", "spec.w TypeInvalid"],
    );
}

#[test]
fn numbers_keep_their_bounds_and_formats() {
    let schema = spec(
        json!({"a": {"type": "integer", "format": "int32"}, "c": {"type": "number", "format": "float"},
        "d": {"type": "number", "multipleOf": 0.1}, "e": {"type": "number", "minimum": 0, "exclusiveMinimum": true}}),
    );
    check_value(
        &schema,
        &json!({"spec": {"a": 2_147_483_647, "c": 1.5, "d": 0.3, "e": 0.0001}}),
        &[],
    );
    check_value(
        &schema,
        &json!({"spec": {"a": 2_147_483_648_i64, "c": 3.5e38, "d": 0.35, "e": 0}}),
        &[
            "<nil> Invalid",
            "<nil> Invalid",
            "spec.d Invalid",
            "spec.e Invalid",
        ],
    );
}

#[test]
fn sets_and_keyed_lists_have_no_duplicates() {
    let schema = spec(
        json!({"s": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "i": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"},
        "l": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "n"], "items": {"type": "object"}}}),
    );
    check_value(
        &schema,
        &json!({"spec": {"i": [1, 2, 1.0], "l": [{"k": "a", "n": 1}, {"k": "a", "n": 2}]}}),
        &[],
    );
    check_value(
        &schema,
        &json!({"spec": {"s": ["a", "a", "a", "b", "b"], "l": [{"k": "a", "n": 1}, {"k": "a", "n": 1.0}]}}),
        &[
            "spec.l[1] Duplicate",
            "spec.s[1] Duplicate",
            "spec.s[4] Duplicate",
        ],
    );
}

#[test]
fn embedded_resources_say_what_they_are() {
    let resource = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-embedded-resource": true});
    let schema = spec(json!({"t": resource}));
    check_value(
        &schema,
        &json!({"spec": {"t": {"kind": "Pod"}}}),
        &["spec.t.apiVersion Required"],
    );
    check_value(
        &schema,
        &json!({"spec": {"t": {"apiVersion": "a/b/c", "kind": "Pod"}}}),
        &["spec.t.apiVersion Invalid"],
    );
    check_value(
        &schema,
        &json!({"spec": {"t": {"apiVersion": "v1", "kind": "Bad Kind"}}}),
        &["spec.t.kind Invalid"],
    );
    let schema = Schema::parse(&schema).unwrap();
    let mut object = json!({"metadata": {"name": "a", "bogus": 1}, "spec": {"t": {"metadata": {"labels": {"a": "b"}, "extra": 1}}}});
    assert_eq!(
        crate::coerce_metadata(&mut object, &schema),
        Ok(vec![
            "metadata.bogus".to_owned(),
            "spec.t.metadata.extra".to_owned()
        ])
    );
    let mut object = json!({"spec": {"t": {"metadata": {"labels": {"a": 1}}}}});
    assert!(crate::coerce_metadata(&mut object, &schema).is_err());
}

#[test]
fn what_did_not_change_is_tolerated() {
    let schema = Schema::parse(&spec(json!({"a": {"type": "string", "maxLength": 2}, "b": {"type": "string"},
        "l": {"type": "array", "items": {"type": "integer", "minimum": 5}}, "s": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "k": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": {"type": "object", "properties": {"n": {"type": "string"}, "v": {"type": "integer", "maximum": 1}}}}})))
    .unwrap();
    let old =
        json!({"spec": {"a": "long", "l": [1, 9], "s": ["a", "a"], "k": [{"n": "x", "v": 9}]}});
    let update = |new: Value| told(validate_update(&new, &old, &schema));
    assert!(update(json!({"spec": {"a": "long", "b": "2", "l": [1, 9], "s": ["a", "a", "b"], "k": [{"n": "y"}, {"n": "x", "v": 9}]}})).is_empty());
    assert_eq!(
        update(json!({"spec": {"a": "longer", "l": [9, 1]}})),
        ["spec.a TooLong", "spec.l[1] Invalid"]
    );
}

#[test]
fn null_in_a_list_is_a_type_error_and_null_never_is_in_an_enum() {
    let schema = spec(
        json!({"l": {"type": "array", "items": {"type": "integer"}}, "e": {"type": "string", "nullable": true, "enum": ["a", null]}, "n": {"type": "string", "nullable": true}}),
    );
    check_value(
        &schema,
        &json!({"spec": {"l": [null], "e": null, "n": null}}),
        &["spec.e NotSupported", "spec.l[0] TypeInvalid"],
    );
    assert_eq!(Reason::TooLong.as_str(), "FieldValueTooLong");
}
