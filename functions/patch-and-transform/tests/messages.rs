//! Does every message say which patch of which resource, which path, what was found there and what to do?

use purlin_function::protojson::{request_from_json, response_to_json};
use serde_json::{Value, json};

/// The messages for these patches of the resource `db`, whose base has a text at `spec.text`.
fn messages(patches: &Value, composite: &Value) -> Vec<String> {
    let request = json!({
        "input": {"resources": [{"name": "db", "base": {"kind": "Db", "spec": {"text": "t", "password": "hunter2"}}, "patches": patches}]},
        "observed": {"composite": {"resource": composite}, "resources": {"db": {"resource": {"kind": "Db"}}}},
    });
    let response = function_patch_and_transform::hosted()
        .function
        .run(&request_from_json(request).expect("a request"));
    let response = response_to_json(&response);
    let results = response["results"].as_array().into_iter().flatten();
    results
        .map(|result| result["message"].as_str().expect("a message").to_owned())
        .collect()
}

fn composite() -> Value {
    json!({"kind": "XDb", "metadata": {"name": "x"}, "spec": {
        "size": "enormous", "count": 3, "list": ["a", "b"], "map": {"a": 1}, "none": null, "flag": true,
        "adminPassword": "hunter2", "long": "0123456789".repeat(9),
    }})
}

#[track_caller]
fn says(patch: &Value, rest: &str) {
    let found = messages(
        &json!([{"fromFieldPath": "metadata.name"}, patch]),
        &composite(),
    );
    let expected =
        format!("cannot patch the composed resource `db`: resources[0].patches[1] {rest}");
    assert_eq!(found, [expected]);
}

/// A patch from `spec.<from>` to `spec.out` with a transform.
fn patch(from: &str, transform: &Value) -> Value {
    json!({"fromFieldPath": format!("spec.{from}"), "toFieldPath": "spec.out", "transforms": [transform]})
}

#[test]
fn transforms_say_what_they_were_given() {
    let map = json!({"type": "map", "map": {"small": 1}});
    says(
        &patch("size", &map),
        "(FromCompositeFieldPath, spec.size to spec.out): transforms[0]: map has no such key; add it, or use match, which has a \
         fallback (found the string \"enormous\")",
    );
    says(
        &patch("count", &map),
        "(FromCompositeFieldPath, spec.count to spec.out): transforms[0]: map looks up strings; convert the value to a string \
         first (found the number 3)",
    );
    says(
        &patch(
            "list",
            &json!({"type": "math", "math": {"type": "Multiply", "multiply": 2}}),
        ),
        "(FromCompositeFieldPath, spec.list to spec.out): transforms[0]: math needs a number; convert the value to int64 or \
         float64 first (found a list of 2 elements)",
    );
    says(
        &patch(
            "size",
            &json!({"type": "convert", "convert": {"toType": "int64"}}),
        ),
        "(FromCompositeFieldPath, spec.size to spec.out): transforms[0]: the string is not a whole number (found the string \
         \"enormous\")",
    );
    says(
        &patch(
            "map",
            &json!({"type": "convert", "convert": {"toType": "string"}}),
        ),
        "(FromCompositeFieldPath, spec.map to spec.out): transforms[0]: convert takes a string, a number or a boolean; to make a \
         list or an object a string, use a string transform (found an object with a)",
    );
    says(
        &patch(
            "flag",
            &json!({"type": "match", "match": {"patterns": [{"type": "literal", "literal": "x", "result": 1}]}}),
        ),
        "(FromCompositeFieldPath, spec.flag to spec.out): transforms[0]: match compares strings; convert the value to a string \
         first (found the boolean true)",
    );
    says(
        &patch(
            "long",
            &json!({"type": "string", "string": {"type": "Regexp", "regexp": {"match": "[a-z]+"}}}),
        ),
        "(FromCompositeFieldPath, spec.long to spec.out): transforms[0]: the regular expression `[a-z]+` does not match (found \
         the string \"0123456789012345678901234567890123456789\"…)",
    );
}

#[test]
fn paths_say_what_is_in_their_way() {
    says(
        &json!({"fromFieldPath": "spec.size.x"}),
        "(FromCompositeFieldPath, spec.size.x to spec.size.x): spec.size: is a string, not an object; the path does not fit \
         what is there, correct the path (found the string \"enormous\")",
    );
    says(
        &json!({"fromFieldPath": "spec.map[0]", "toFieldPath": "spec.out"}),
        "(FromCompositeFieldPath, spec.map[0] to spec.out): spec.map: is an object, not a list; the path does not fit what is \
         there, correct the path (found an object with a)",
    );
    says(
        &json!({"fromFieldPath": "spec.size", "toFieldPath": "spec.text.x"}),
        "(FromCompositeFieldPath, spec.size to spec.text.x): spec.text: is a string, not an object; nothing of another kind \
         can be written there (found the string \"t\")",
    );
    says(
        &json!({"fromFieldPath": "spec.size", "toFieldPath": "spec.list[1025]"}),
        "(FromCompositeFieldPath, spec.size to spec.list[1025]): spec.list[1025]: index 1025 is larger than the largest that \
         may be written, 1024; use a smaller index",
    );
    says(
        &json!({"fromFieldPath": "spec.size", "toFieldPath": "spec.no[*].x"}),
        "(FromCompositeFieldPath, spec.size to spec.no[*].x): spec.no[*].x: the wildcards find nothing to write to; they only \
         find fields that are there",
    );
}

#[test]
fn values_that_may_be_secret_are_not_shown() {
    let number = json!({"type": "convert", "convert": {"toType": "int64"}});
    for patches in [
        json!([patch("adminPassword", &number)]),
        json!([{"fromFieldPath": "spec.size", "toFieldPath": "spec.password.x"}]),
    ] {
        let found = messages(&patches, &composite());
        assert!(
            found[0].contains("(found a value that is not shown here)"),
            "{found:?}"
        );
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
    let secret = json!({"kind": "Secret", "spec": {"host": "hunter2"}});
    let found = messages(&json!([patch("host", &number)]), &secret);
    assert!(!found[0].contains("hunter2"), "{found:?}");
}
