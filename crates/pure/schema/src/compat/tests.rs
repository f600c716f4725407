#![expect(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "a table of cases reads better so"
)]

use super::*;
use serde_json::json;

fn crd(spec: &Value) -> Value {
    json!({"spec": {"group": "a.b", "scope": "Namespaced", "names": {"kind": "X", "plural": "xs", "shortNames": ["x"]}, "versions": [{"name": "v1", "served": true, "storage": true,
        "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"f": spec}}}}}}]}})
}

/// Both ways: the schemas of one field, and the worst verdict of each direction.
fn check(one: Value, other: Value, forward: Verdict, back: Verdict) {
    let worst = |old: &Value, new: &Value| {
        compare(&crd(old), &crd(new))
            .into_iter()
            .map(|change| change.verdict)
            .max()
    };
    assert_eq!(worst(&one, &other), Some(forward), "{one} -> {other}");
    assert_eq!(worst(&other, &one), Some(back), "{other} -> {one}");
    assert_eq!(worst(&one, &one), None);
}

#[test]
fn each_class_of_change_has_its_verdict() {
    use Verdict::{Breaking, Conditional, Safe, Warning};
    let object = |fields: Value, required: Value| json!({"type": "object", "properties": fields, "required": required});
    let text = json!({"type": "string"});
    let default = json!({"type": "string", "default": "x"});
    check(
        object(json!({"a": text}), json!([])),
        object(json!({"a": text, "b": text}), json!([])),
        Safe,
        Breaking,
    );
    check(
        object(json!({"a": text}), json!([])),
        object(json!({"a": text, "b": text}), json!(["b"])),
        Breaking,
        Breaking,
    );
    check(
        object(json!({"a": text}), json!([])),
        object(json!({"a": text, "b": default}), json!(["b"])),
        Warning,
        Breaking,
    );
    check(
        object(json!({"a": text}), json!([])),
        object(json!({"a": text}), json!(["a"])),
        Conditional,
        Safe,
    );
    check(text.clone(), json!({"type": "object"}), Breaking, Breaking);
    check(
        json!({"type": "integer"}),
        json!({"type": "number"}),
        Warning,
        Conditional,
    );
    check(
        text.clone(),
        json!({"x-kubernetes-int-or-string": true}),
        Warning,
        Conditional,
    );
    check(
        text.clone(),
        json!({"type": "string", "enum": ["a"]}),
        Conditional,
        Warning,
    );
    check(
        json!({"type": "string", "enum": ["a"]}),
        json!({"type": "string", "enum": ["a", "b"]}),
        Warning,
        Conditional,
    );
    check(text.clone(), default.clone(), Warning, Conditional);
    check(
        default,
        json!({"type": "string", "default": "y"}),
        Warning,
        Warning,
    );
    check(
        text.clone(),
        json!({"type": "string", "maxLength": 3}),
        Conditional,
        Safe,
    );
    check(
        json!({"type": "string", "maxLength": 5}),
        json!({"type": "string", "maxLength": 3}),
        Conditional,
        Safe,
    );
    check(
        text.clone(),
        json!({"type": "string", "pattern": "^a"}),
        Conditional,
        Safe,
    );
    check(
        text.clone(),
        json!({"type": "string", "nullable": true}),
        Warning,
        Conditional,
    );
    check(
        json!({"type": "object"}),
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        Warning,
        Breaking,
    );
    check(
        json!({"type": "object", "additionalProperties": text}),
        object(json!({"a": text}), json!([])),
        Conditional,
        Warning,
    );
    let list = |word: &str| json!({"type": "array", "items": text, "x-kubernetes-list-type": word});
    check(list("atomic"), list("set"), Conditional, Warning);
    let rule = |rule: &str| json!({"type": "string", "x-kubernetes-validations": [{"rule": rule}]});
    check(text.clone(), rule("self != ''"), Conditional, Safe);
    check(text.clone(), rule("self == oldSelf"), Warning, Warning);
    check(
        text,
        json!({"type": "string", "description": "d"}),
        Safe,
        Safe,
    );
}

#[test]
fn nested_fields_have_paths_people_know() {
    let schema = |leaf: Value| json!({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a.b": leaf}}}});
    let changes = compare(
        &crd(&schema(json!({"type": "string"}))),
        &crd(&schema(json!({"type": "integer"}))),
    );
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].version.as_str(), changes[0].path.as_str()),
        ("v1", "spec.f[][*][a.b]")
    );
    assert!(changes[0].verdict.is_breaking());
}

#[test]
fn a_field_that_moved_is_told_as_a_rename() {
    let object = |name: &str| json!({"type": "object", "properties": {name: {"type": "integer", "minimum": 7}}});
    let changes = compare(&crd(&object("size")), &crd(&object("storage")));
    assert!(
        changes
            .iter()
            .any(|change| change.kind == ChangeKind::Removed
                && change.why.contains("renamed to `storage`"))
    );
}

#[test]
fn names_scope_versions_and_subresources_count_too() {
    let old = crd(&json!({"type": "string"}));
    let with = |pointer: &str, value: Value| {
        let mut new = old.clone();
        *new.pointer_mut(pointer).unwrap() = value;
        compare(&old, &new)
            .into_iter()
            .map(|change| change.verdict)
            .max()
    };
    assert_eq!(
        with("/spec/scope", json!("Cluster")),
        Some(Verdict::Impossible)
    );
    assert_eq!(
        with("/spec/names/shortNames", json!([])),
        Some(Verdict::Warning)
    );
    assert_eq!(
        with("/spec/versions/0/served", json!(false)),
        Some(Verdict::Breaking)
    );
    assert_eq!(
        with("/spec/versions/0/name", json!("v2")),
        Some(Verdict::Breaking)
    );
    assert_eq!(
        with("/spec/versions/0/subresources", json!({})),
        Some(Verdict::Breaking)
    );
    let mut more = old.clone();
    let mut version = old["spec"]["versions"][0].clone();
    version["name"] = json!("v2");
    version["storage"] = json!(false);
    more["spec"]["versions"]
        .as_array_mut()
        .unwrap()
        .push(version);
    let changes = compare(&old, &more);
    assert_eq!((changes.len(), changes[0].verdict), (1, Verdict::Safe));
    more["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] =
        json!({});
    assert_eq!(compare(&old, &more)[0].verdict, Verdict::Breaking);
}
