use super::*;
use serde_json::json;

fn crd(schema: &Value) -> Value {
    json!({"metadata": {"name": "shapes.schema.example.com"}, "spec": {"group": "schema.example.com", "scope": "Namespaced",
        "names": {"plural": "shapes", "kind": "Shape"}, "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}})
}

/// `expect` is `path Reason` pairs, sorted; the prefix of the schema's path is left out.
fn check_whole(mut crd: Value, expect: &[&str]) {
    complete_crd(&mut crd).unwrap();
    let mut told: Vec<String> = check_crd(&crd, &())
        .into_iter()
        .map(|error| {
            let path = error.path.replace("spec.validation.openAPIV3Schema", "*");
            format!("{path} {}", error.reason.as_str().replace("FieldValue", ""))
        })
        .collect();
    told.sort();
    assert_eq!(told, expect, "{crd}");
}

fn check_field(field: &Value, expect: &[&str]) {
    let whole: Vec<String> = expect
        .iter()
        .map(|one| one.replace('@', "*.properties[spec].properties[a]"))
        .collect();
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    check_whole(
        crd(
            &json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": field}}}}),
        ),
        &whole,
    );
}

#[test]
fn types_are_needed_and_known() {
    check_field(&json!({}), &["@.type Required"]);
    check_field(&json!({"type": "float"}), &["@.type NotSupported"]);
    check_field(
        &json!({"type": "null"}),
        &["@.type Forbidden", "@.type NotSupported"],
    );
    check_field(&json!({"x-kubernetes-int-or-string": true}), &[]);
    check_field(
        &json!({"x-kubernetes-int-or-string": true, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "^[0-9]+%$"}]}),
        &[],
    );
    check_field(
        &json!({"type": "string", "anyOf": [{"type": "string"}]}),
        &["@.anyOf[0].type Forbidden"],
    );
}

#[test]
fn what_json_schema_has_and_crds_do_not_is_forbidden() {
    check_field(
        &json!({"type": "object", "dependencies": {"x": ["y"]}}),
        &["@.dependencies Forbidden"],
    );
    check_field(
        &json!({"type": "object", "patternProperties": {"^x": {"type": "string"}}}),
        &["@.patternProperties Forbidden"],
    );
    check_field(
        &json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}),
        &["@.uniqueItems Forbidden"],
    );
    check_field(&json!({"type": "string", "$schema": "x"}), &["* Invalid"]);
    check_field(
        &json!({"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": false}),
        &["@.additionalProperties Forbidden"],
    );
    check_field(
        &json!({"type": "object", "additionalProperties": false}),
        &[],
    );
    check_field(
        &json!({"type": "string", "pattern": "("}),
        &["@.pattern Invalid"],
    );
}

#[test]
fn embedded_resources_are_objects_with_content() {
    let flag = "x-kubernetes-embedded-resource";
    check_field(
        &json!({"type": "string", flag: true}),
        &["@.properties Required", "@.type Invalid"],
    );
    check_field(
        &json!({"type": "object", flag: true}),
        &["@.properties Required"],
    );
    check_field(
        &json!({"x-kubernetes-preserve-unknown-fields": true, flag: true}),
        &["@.type Required"],
    );
}

#[test]
fn keyed_lists_have_keys_that_are_always_there() {
    let list = |items: Value, keys: Value| json!({"type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys});
    let object = |k: Value, required: Value| json!({"type": "object", "properties": {"k": k}, "required": required});
    let text = json!({"type": "string"});
    check_field(&list(object(text.clone(), json!(["k"])), json!(["k"])), &[]);
    check_field(
        &list(text.clone(), json!([])),
        &[
            "@.items.type Invalid",
            "@.x-kubernetes-list-map-keys Required",
        ],
    );
    check_field(
        &list(object(text.clone(), json!([])), json!(["z"])),
        &["@.x-kubernetes-list-map-keys Invalid"],
    );
    check_field(
        &list(object(text.clone(), json!(["k"])), json!(["k", "k"])),
        &["@.x-kubernetes-list-map-keys Invalid"],
    );
    check_field(
        &list(object(text.clone(), json!([])), json!(["k"])),
        &["@.items.properties[k].default Required"],
    );
    check_field(
        &list(
            object(json!({"type": "object"}), json!(["k"])),
            json!(["k"]),
        ),
        &["@.items.properties[k].type Invalid"],
    );
    check_field(
        &json!({"type": "string", "x-kubernetes-list-type": "set"}),
        &["@.type Invalid"],
    );
    check_field(
        &json!({"type": "array", "items": text, "x-kubernetes-list-type": "bag"}),
        &["@.x-kubernetes-list-type NotSupported"],
    );
    check_field(
        &json!({"type": "object", "x-kubernetes-map-type": "weird"}),
        &["@.x-kubernetes-map-type NotSupported"],
    );
}

#[test]
fn defaults_fit_and_are_pruned() {
    check_field(
        &json!({"type": "integer", "default": "three"}),
        &["@.default TypeInvalid"],
    );
    check_field(
        &json!({"type": "object", "default": {"z": 1}, "properties": {"a": {"type": "integer"}}}),
        &["@.default Invalid"],
    );
    check_field(
        &json!({"type": "object", "default": {"z": 1}, "x-kubernetes-preserve-unknown-fields": true}),
        &[],
    );
}

#[test]
fn the_root_is_an_object_and_leaves_metadata_alone() {
    let root = |properties: Value| crd(&json!({"type": "object", "properties": properties}));
    check_whole(crd(&json!({"type": "string"})), &["*.type Invalid"]);
    check_whole(crd(&json!({})), &["*.type Required"]);
    check_whole(
        crd(&json!({"type": "object", "nullable": true})),
        &["*.nullable Forbidden"],
    );
    check_whole(
        crd(&json!({"type": "object", "default": {}})),
        &["*.default.apiVersion Required", "*.default.kind Required"],
    );
    check_whole(
        root(json!({"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}})),
        &["*.properties[metadata] Forbidden"],
    );
    check_whole(
        root(
            json!({"metadata": {"type": "object", "properties": {"name": {"type": "string", "pattern": "^a"}}}}),
        ),
        &[],
    );
    check_whole(
        root(json!({"metadata": {"type": "object", "default": {}}})),
        &["*.properties[metadata].default Forbidden"],
    );
    check_whole(
        root(json!({"kind": {"type": "object"}})),
        &["*.properties[kind].type Invalid"],
    );
}

#[test]
fn rules_have_an_expression_a_known_reason_and_a_field_that_exists() {
    let spec = |rule: Value| {
        json!({"type": "object", "properties": {"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "object", "properties": {"q": {"type": "integer"}}}},
        "m": {"type": "object", "additionalProperties": {"type": "object", "properties": {"q": {"type": "integer"}}}}}, "x-kubernetes-validations": [rule]})
    };
    let check = |rule: Value, expect: &[&str]| {
        let expect: Vec<String> = expect
            .iter()
            .map(|one| format!("*.properties[spec].x-kubernetes-validations[0].{one}"))
            .collect();
        let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
        check_whole(
            crd(&json!({"type": "object", "properties": {"spec": spec(rule)}})),
            &expect,
        );
    };
    check(json!({"rule": "  "}), &["rule Required"]);
    check(
        json!({"rule": "true", "reason": "Nope"}),
        &["reason NotSupported"],
    );
    for good in [".a", ".m.k.q", ".m['k'].q", ""] {
        check(json!({"rule": "true", "fieldPath": good}), &[]);
    }
    for bad in [".zz", "a", ".l[0]", ".l[0].q"] {
        check(
            json!({"rule": "true", "fieldPath": bad}),
            &["fieldPath Invalid"],
        );
    }
}

#[test]
fn names_group_versions_and_conversion_are_checked() {
    let object = json!({"type": "object"});
    let with = |pointer: &str, value: Value| {
        let mut crd = crd(&object);
        *crd.pointer_mut(pointer).unwrap() = value;
        crd
    };
    check_whole(
        with("/spec/group", json!("nodot")),
        &["metadata.name Invalid", "spec.group Invalid"],
    );
    check_whole(with("/spec/group", json!("")), &["metadata.name Invalid"]);
    check_whole(
        with(
            "/spec/names",
            json!({"plural": "shapes", "kind": "lower_case"}),
        ),
        &[
            "spec.names.kind Invalid",
            "spec.names.listKind Invalid",
            "spec.names.singular Invalid",
        ],
    );
    check_whole(
        with(
            "/spec/names",
            json!({"plural": "shapes", "kind": "Shape", "listKind": "Shape"}),
        ),
        &["spec.names.listKind Invalid"],
    );
    check_whole(
        with("/spec/versions", json!([])),
        &["spec.versions Invalid", "status.storedVersions Invalid"],
    );
    check_whole(
        with("/spec/versions/0/name", json!("V1")),
        &["spec.version Invalid", "spec.versions[0].name Invalid"],
    );
    check_whole(
        with("/spec/versions/0/schema", json!(null)),
        &["spec.versions[0].schema.openAPIV3Schema Required"],
    );
    let conversion = |value: Value| {
        let mut crd = crd(&object);
        crd["spec"]["conversion"] = value;
        crd
    };
    check_whole(
        conversion(json!({})),
        &["spec.conversion.strategy Required"],
    );
    check_whole(
        conversion(json!({"strategy": "Webhook"})),
        &[
            "spec.conversion.conversionReviewVersions Required",
            "spec.conversion.webhookClientConfig Required",
        ],
    );
}

#[test]
fn group_and_plural_never_change_and_scope_not_once_it_is_established() {
    let old = crd(&json!({"type": "object"}));
    let mut new = old.clone();
    new["spec"]["scope"] = json!("Cluster");
    let paths = |new: &Value, old: &Value| -> Vec<String> {
        let mut new = new.clone();
        complete_crd(&mut new).unwrap();
        check_crd_update(&new, old, &())
            .into_iter()
            .map(|error| error.path)
            .collect()
    };
    assert!(paths(&new, &old).is_empty());
    let mut established = old.clone();
    established["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
    assert_eq!(paths(&new, &established), ["spec.scope"]);
}
