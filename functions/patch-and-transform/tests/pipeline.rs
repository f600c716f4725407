//! What does the function answer in a pipeline, and what does it say when it cannot?

use purlin_function::protojson::{request_from_json, response_to_json};
use serde_json::{Value, json};

/// Answers a request with these resources in the input, and this observed state.
fn answer(input: &Value, rest: &Value) -> Value {
    let mut request = rest.clone();
    request["input"] = input.clone();
    if request["observed"]["composite"].is_null() {
        request["observed"]["composite"] = json!({"resource": {"apiVersion": "example.org/v1", "kind": "XR", "metadata": {"name": "cool-xr"}}});
    }
    let request = request_from_json(request).expect("a request");
    response_to_json(
        &function_patch_and_transform::hosted()
            .function
            .run(&request),
    )
}

fn messages(response: &Value) -> Vec<&str> {
    let results = response["results"].as_array().into_iter().flatten();
    results
        .filter_map(|result| result["message"].as_str())
        .collect()
}

fn severities(response: &Value) -> Vec<&str> {
    let results = response["results"].as_array().into_iter().flatten();
    results
        .filter_map(|result| result["severity"].as_str())
        .collect()
}

fn base(spec: &Value) -> Value {
    json!({"apiVersion": "example.org/v1", "kind": "CD", "spec": spec})
}

#[test]
fn a_base_is_rendered_and_the_environment_is_created() {
    let input = json!({"resources": [{"name": "r", "base": base(&json!({"widgets": 9001}))}]});
    let rest = json!({"desired": {"resources": {"other": {"resource": {"kind": "Other"}}, "r": {"resource": {"kind": "Old", "watchers": 42}}}}});
    let response = answer(&input, &rest);
    assert_eq!(response["results"], Value::Null);
    let resources = &response["desired"]["resources"];
    assert_eq!(resources["r"]["resource"], base(&json!({"widgets": 9001})));
    assert_eq!(resources["other"]["resource"], json!({"kind": "Other"}));
    assert_eq!(
        response["desired"]["composite"]["resource"],
        json!({"apiVersion": "example.org/v1", "kind": "XR"})
    );
    assert_eq!(
        response["context"]["apiextensions.crossplane.io/environment"],
        json!({"apiVersion": "internal.crossplane.io/v1alpha1", "kind": "Environment"})
    );
    assert_eq!(response["meta"]["ttl"], "60s");
}

#[test]
fn without_a_base_an_earlier_step_must_have_made_the_resource() {
    let input =
        json!({"resources": [{"name": "r", "patches": [{"fromFieldPath": "metadata.name"}]}]});
    let before = json!({"desired": {"resources": {"r": {"resource": {"kind": "CD"}, "ready": "READY_TRUE"}}}});
    let response = answer(&input, &before);
    let resource = &response["desired"]["resources"]["r"];
    assert_eq!(resource["resource"]["metadata"]["name"], "cool-xr");
    assert_eq!(
        resource["ready"],
        Value::Null,
        "readiness of earlier steps is lost"
    );
    let response = answer(&input, &json!({}));
    assert_eq!(severities(&response), ["SEVERITY_FATAL"]);
    assert!(messages(&response)[0].contains("`r` has no base"));
}

#[test]
fn a_required_field_that_is_missing_holds_back_what_is_new_and_keeps_what_exists() {
    let patches = json!([
        {"fromFieldPath": "metadata.name", "toFieldPath": "spec.name"},
        {"fromFieldPath": "spec.missing"},
        {"fromFieldPath": "spec.doesNotExist", "policy": {"fromFieldPath": "Required"}},
    ]);
    let input = json!({"resources": [
        {"name": "new", "base": base(&json!({})), "patches": patches},
        {"name": "old", "base": base(&json!({})), "patches": patches},
    ]});
    let rest = json!({"observed": {"resources": {"old": {"resource": {"metadata": {"name": "cool-42", "namespace": "default"}}}}}});
    let response = answer(&input, &rest);
    assert_eq!(
        severities(&response),
        ["SEVERITY_WARNING", "SEVERITY_WARNING"]
    );
    assert_eq!(
        messages(&response),
        [
            "cannot patch the composed resource `new`: resources[0].patches[2] (FromCompositeFieldPath, spec.doesNotExist to spec.doesNotExist): \
             spec: there is no such field; it is required, so the resource is not made until it has a value",
            "cannot patch the composed resource `old`: resources[1].patches[2] (FromCompositeFieldPath, spec.doesNotExist to spec.doesNotExist): \
             spec: there is no such field; it is required, but the resource exists already, so the patch is left out",
        ]
    );
    assert_eq!(response["desired"]["resources"]["new"], Value::Null);
    let old = &response["desired"]["resources"]["old"]["resource"];
    assert_eq!(old["spec"], json!({"name": "cool-xr"}));
    assert_eq!(
        old["metadata"],
        json!({"name": "cool-42", "namespace": "default"})
    );
    assert_eq!(response["desired"]["composite"]["ready"], "READY_FALSE");
}

#[test]
fn a_path_that_does_not_fit_says_what_was_found_there() {
    let input = json!({
        "patchSets": [{"name": "set", "patches": [{"fromFieldPath": "metadata.name", "toFieldPath": "spec.widgets[0]"}]}],
        "resources": [{"name": "r", "base": base(&json!({"widgets": "text"})), "patches": [{"type": "PatchSet", "patchSetName": "set"}]}],
    });
    let response = answer(
        &input,
        &json!({"desired": {"resources": {"x": {"resource": {"kind": "X"}}}}}),
    );
    assert_eq!(
        messages(&response),
        [
            "cannot patch the composed resource `r`: patchSets[0].patches[0], used in resources[0].patches[0] \
             (FromCompositeFieldPath, metadata.name to spec.widgets[0]): spec.widgets: is a string, not a list; nothing of \
             another kind can be written there (found the string \"text\")"
        ]
    );
    assert_eq!(
        response["desired"],
        json!({"resources": {"x": {"resource": {"kind": "X"}}}})
    );
}

#[test]
fn every_mistake_of_an_input_is_in_one_result() {
    let input = json!({
        "polcy": {},
        "resources": [
            {"base": {}, "patches": [{"type": "FromComposite", "fromFieldPath": "a"}, {"fromFieldPath": "a..b", "transforms": [
                {"type": "math", "math": {"type": "Multiply"}},
                {"type": "match", "match": {"patterns": [{"type": "regexp", "regexp": "["}]}}]}]},
            {"name": 7, "readinessChecks": [{"type": "MatchString"}], "connectionDetails": [{"name": "c", "type": "wat"}]},
        ],
    });
    let response = answer(&input, &json!({}));
    assert_eq!(severities(&response), ["SEVERITY_FATAL"]);
    for path in [
        "polcy:",
        "resources[0].name:",
        "resources[0].base.kind:",
        "resources[0].patches[0].type:",
        "resources[0].patches[1].fromFieldPath:",
        "resources[0].patches[1].transforms[0].math.multiply:",
        "resources[0].patches[1].transforms[1].match.patterns[0].regexp:",
        "resources[1].name: expected a string",
        "resources[1].readinessChecks[0].matchString:",
        "resources[1].readinessChecks[0].fieldPath:",
        "resources[1].connectionDetails[0].type:",
    ] {
        assert!(
            messages(&response)[0].contains(path),
            "{path} in {}",
            messages(&response)[0]
        );
    }
    assert!(!messages(&response)[0].contains("resources[1].name: is required"));
}

#[test]
fn wildcards_merge_into_every_element_that_is_there() {
    let rules = json!([{"action": "Allow", "allowedGroups": [12_345_678]}, {"allowedGroups": [12_345_678], "destination": "d"}]);
    let input = json!({"resources": [{"name": "r", "base": base(&json!({"rules": rules})), "patches": [{
        "fromFieldPath": "spec.groups", "toFieldPath": "spec.rules[*].allowedGroups",
        "policy": {"toFieldPath": "ForceMergeObjectsAppendArrays"}}]}]});
    let rest = json!({"observed": {"composite": {"resource": {"spec": {"groups": [12_345_678, 7_891_234]}}}}});
    let response = answer(&input, &rest);
    assert_eq!(
        response["desired"]["resources"]["r"]["resource"]["spec"]["rules"],
        json!([
            {"action": "Allow", "allowedGroups": [12_345_678, 7_891_234]},
            {"allowedGroups": [12_345_678, 7_891_234], "destination": "d"},
        ])
    );
}

#[test]
fn the_environment_is_read_and_written_in_order() {
    let input = json!({
        "environment": {"patches": [
            {"type": "FromCompositeFieldPath", "fromFieldPath": "spec.n", "toFieldPath": "widgets",
             "transforms": [{"type": "math", "math": {"type": "Multiply", "multiply": 3}}]},
            {"type": "ToCompositeFieldPath", "fromFieldPath": "widgets", "toFieldPath": "status.watchers",
             "transforms": [{"type": "string", "string": {"type": "Format", "fmt": "%d"}}]},
        ]},
    });
    let rest = json!({"observed": {"composite": {"resource": {"spec": {"n": 10}}}}});
    let response = answer(&input, &rest);
    assert_eq!(
        response["context"]["apiextensions.crossplane.io/environment"]["widgets"],
        30
    );
    let status = &response["desired"]["composite"]["resource"]["status"];
    assert_eq!(
        status["watchers"], "30",
        "a number of the environment is an integer once it was written"
    );
    let input = json!({"environment": {"patches": [{"fromFieldPath": "spec.no", "policy": {"fromFieldPath": "Required"}}]}});
    let response = answer(&input, &rest);
    assert_eq!(severities(&response), ["SEVERITY_FATAL"]);
    assert!(
        messages(&response)[0].starts_with("cannot patch the environment: environment.patches[0]")
    );
}

#[test]
fn connection_details_of_a_v2_composite_become_a_secret() {
    let input = json!({
        "writeConnectionSecretToRef": {"name": "cool-conn-secret"},
        "resources": [{"name": "r", "base": base(&json!({})), "connectionDetails": [
            {"name": "very", "type": "FromConnectionSecretKey", "fromConnectionSecretKey": "very"},
            {"name": "gone", "type": "FromConnectionSecretKey", "fromConnectionSecretKey": "gone"},
            {"name": "port", "type": "FromFieldPath", "fromFieldPath": "status.port"},
        ], "readinessChecks": [{"type": "MatchCondition"}]}],
    });
    let rest = |spec: &Value| {
        json!({
            "observed": {
                "composite": {"resource": {"metadata": {"name": "xr"}, "spec": spec}},
                "resources": {"r": {"resource": {"status": {"port": 5432, "conditions": [{"type": "Ready", "status": "True"}]}},
                    "connectionDetails": {"very": "c2VjcmV0"}}}},
            "desired": {"composite": {"connectionDetails": {"existing": "b2xk"}}},
        })
    };
    let details = json!({"existing": "b2xk", "very": "c2VjcmV0", "port": "NTQzMg=="});
    let response = answer(&input, &rest(&json!({})));
    assert_eq!(
        response["desired"]["composite"]["connectionDetails"],
        details
    );
    assert_eq!(response["desired"]["resources"]["r"]["ready"], "READY_TRUE");
    assert_eq!(
        response["desired"]["resources"]["xr-connection-secret"],
        Value::Null
    );
    let response = answer(&input, &rest(&json!({"crossplane": {}})));
    let secret = &response["desired"]["resources"]["xr-connection-secret"];
    assert_eq!(secret["ready"], "READY_TRUE");
    assert_eq!(
        secret["resource"]["metadata"],
        json!({"name": "cool-conn-secret"})
    );
    assert_eq!(secret["resource"]["data"], details);
}

#[test]
fn a_malformed_path_is_a_mistake_only_when_the_patch_comes_to_it() {
    let patches = |from: &str, to: &str| json!({"resources": [{"name": "r", "base": base(&json!({})), "patches": [{"fromFieldPath": from, "toFieldPath": to}]}]});
    for (from, to, fatal) in [
        ("spec.missing", "spec..x", None),
        ("metadata.name", "spec..x", Some("spec..x")),
        ("metadata..name", "spec.x", Some("metadata..name")),
    ] {
        let input = patches(from, to);
        let response = answer(&input, &json!({}));
        match fatal {
            None => assert_eq!(response["results"], Value::Null),
            Some(path) => {
                assert_eq!(severities(&response), ["SEVERITY_FATAL"]);
                assert!(messages(&response)[0].contains(&format!("`{path}` is no field path")));
            }
        }
        let input = purlin_object::Object::from_json(input).expect("an object");
        let found = function_patch_and_transform::hosted()
            .function
            .check(&input);
        assert_eq!(found.iter().count(), 1, "a check finds it in any case");
    }
    let combined = json!({"resources": [{"name": "r", "base": base(&json!({})), "patches": [{
        "type": "CombineFromComposite", "toFieldPath": "spec.x", "combine": {"strategy": "string", "string": {"fmt": "%s%s"},
        "variables": [{"fromFieldPath": "spec.missing"}, {"fromFieldPath": "a["}]}}]}]});
    assert_eq!(answer(&combined, &json!({}))["results"], Value::Null);
}

#[test]
fn readiness_of_the_composite_that_an_earlier_step_set_is_lost() {
    let input = json!({"resources": [{"name": "r", "base": base(&json!({}))}]});
    let rest = json!({"desired": {"composite": {"ready": "READY_TRUE"}}});
    let response = answer(&input, &rest);
    assert_eq!(response["desired"]["composite"]["ready"], Value::Null);
}

#[test]
fn a_policy_of_a_combining_patch_is_read_when_it_writes() {
    let combined = |from: &str| {
        json!({"resources": [{"name": "r", "base": base(&json!({})), "patches": [{
            "type": "CombineFromComposite", "toFieldPath": "spec.x", "policy": {"toFieldPath": "Merge"},
            "combine": {"strategy": "string", "string": {"fmt": "%s"}, "variables": [{"fromFieldPath": from}]}}]}]})
    };
    assert_eq!(
        answer(&combined("spec.missing"), &json!({}))["results"],
        Value::Null
    );
    let response = answer(&combined("metadata.name"), &json!({}));
    assert_eq!(severities(&response), ["SEVERITY_FATAL"]);
    assert!(messages(&response)[0].contains("`Merge` is no policy.toFieldPath"));
}
