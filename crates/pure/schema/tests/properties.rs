//! Whatever a schema and an object say: nothing panics or hangs, and doing it twice does nothing.

use proptest::prelude::*;
use purlin_schema::{
    Schema, apply_defaults, check_crd, complete_crd, crds_of, drop_nulls, normalize, prune,
    unknown_formats, validate, validate_update,
};
use serde_json::{Map, Value, json};

const KEYWORDS: [&str; 24] = [
    "type",
    "properties",
    "items",
    "additionalProperties",
    "required",
    "enum",
    "default",
    "nullable",
    "pattern",
    "format",
    "minimum",
    "maxLength",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
    "$ref",
    "colour",
];
const WORDS: [&str; 12] = [
    "object", "array", "string", "integer", "number", "map", "set", "a", "b", "date", "(",
    "metadata",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..40).prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!(u64::MAX)),
        prop::sample::select(&WORDS[..]).prop_map(Value::from),
    ]
}

fn nested(keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    scalar().prop_recursive(6, 60, 5, move |inner| {
        let fields = prop::collection::vec((prop::sample::select(keys), inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(fields.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// A schema that is mostly right: an object at the root with fields that are anything.
fn schema() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[ab]", nested(&KEYWORDS), 0..3)
        .prop_map(|fields| json!({"type": "object", "properties": fields}))
}

proptest! {
    #[test]
    fn objects_are_read_the_same_twice(schema in schema(), object in nested(&WORDS), old in nested(&WORDS)) {
        let Ok(schema) = Schema::parse(&schema) else {
            return Ok(());
        };
        let mut read = object;
        prune(&mut read, &schema);
        drop_nulls(&mut read, &schema);
        let pruned = read.clone();
        prop_assert!(prune(&mut read, &schema).is_empty());
        prop_assert_eq!(&read, &pruned);
        apply_defaults(&mut read, &schema);
        validate(&read, &schema);
        validate_update(&read, &old, &schema);
        prop_assert!(validate_update(&read, &read, &schema).iter().all(|error| error.path != "a" && error.path != "b"));
    }

    #[test]
    fn reading_a_schema_twice_changes_nothing(schema in nested(&KEYWORDS)) {
        if let Ok(once) = normalize(&schema, "") {
            prop_assert_eq!(normalize(&once, ""), Ok(once.clone()));
        }
    }

    #[test]
    fn definitions_of_any_shape_are_only_refused(schema in schema(), odd in nested(&KEYWORDS)) {
        let names = json!({"kind": "X", "plural": "xs"});
        for schema in [&schema, &odd] {
            let versions = json!([{"name": "v1", "served": true, "storage": true, "referenceable": true, "schema": {"openAPIV3Schema": schema}}]);
            let spec = json!({"group": "a.b", "names": names, "scope": "Cluster", "versions": versions});
            let mut crd = json!({"metadata": {"name": "xs.a.b"}, "spec": spec});
            if complete_crd(&mut crd).is_ok() {
                check_crd(&crd, &());
                unknown_formats(&crd);
                purlin_schema::compat::compare(&crd, &crd);
            }
            let (crds, found) = crds_of(&json!({"apiVersion": "apiextensions.crossplane.io/v2", "metadata": {"name": "xs.a.b"}, "spec": spec}), &());
            prop_assert!(!crds.is_empty() || found.has_errors());
        }
        let (_, _) = (crds_of(&odd, &()), purlin_schema::compat::compare(&odd, &schema));
    }
}
