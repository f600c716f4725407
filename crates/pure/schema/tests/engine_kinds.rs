//! The CRDs of the engine's own kinds: a server takes them, and they say the same as the functions here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use purlin_schema::{Schema, apply_defaults, check_crd, complete_crd, validate};
use purlin_testkit::cases;
use serde_json::{Value, json};

fn schema(name: &str, version: &str) -> Schema {
    let crds = purlin_api::crds();
    let crd = crds
        .iter()
        .find(|crd| crd["metadata"]["name"] == name)
        .unwrap();
    let versions = crd["spec"]["versions"].as_array().unwrap();
    let found = versions.iter().find(|one| one["name"] == version).unwrap();
    Schema::parse(&found["schema"]["openAPIV3Schema"]).unwrap()
}

#[test]
fn a_server_takes_every_crd_as_it_is() {
    for mut crd in purlin_api::crds() {
        let before = crd["spec"]["versions"].clone();
        complete_crd(&mut crd).unwrap();
        assert_eq!(
            crd["spec"]["versions"], before,
            "{}",
            crd["metadata"]["name"]
        );
        assert_eq!(check_crd(&crd, &()), [], "{}", crd["metadata"]["name"]);
    }
}

#[test]
fn the_xrd_crd_knows_every_field_of_the_recorded_xrds() {
    for case in cases("engine/xrd-crds.jsonl") {
        let version = case["xrd"]["apiVersion"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        let schema = schema(
            "compositeresourcedefinitions.apiextensions.crossplane.io",
            version,
        );
        assert_eq!(
            purlin_schema::unknown_fields(&case["xrd"], &schema),
            Vec::<String>::new(),
            "{}",
            case["name"]
        );
        let mut xrd = case["xrd"].clone();
        apply_defaults(&mut xrd, &schema);
        assert_eq!(
            xrd["spec"]["scope"].as_str(),
            case["defaulted_spec_scope"]
                .as_str()
                .or(xrd["spec"]["scope"].as_str())
        );
        let by_schema: Vec<Value> = validate(&xrd, &schema)
            .iter()
            .map(|error| json!(error.path))
            .collect();
        let recorded = case["reason"]["causes"].as_array().into_iter().flatten();
        let not_cel = recorded
            .filter(|cause| cause["reason"] == "FieldValueNotSupported")
            .map(|cause| cause["field"].clone());
        assert_eq!(by_schema, not_cel.collect::<Vec<_>>(), "{}", case["name"]);
    }
}

#[test]
fn steps_of_a_pipeline_have_different_names() {
    let step = json!({"step": "same", "functionRef": {"name": "f"}});
    let composition = json!({"apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition", "metadata": {"name": "dup"},
        "spec": {"compositeTypeRef": {"apiVersion": "a.b/v1", "kind": "X"}, "mode": "Pipeline", "pipeline": [step, step]}});
    let errors = validate(
        &composition,
        &schema("compositions.apiextensions.crossplane.io", "v1"),
    );
    let told: Vec<_> = errors
        .iter()
        .map(|error| (error.path.as_str(), error.reason.as_str()))
        .collect();
    assert_eq!(told, [("spec.pipeline[1]", "FieldValueDuplicate")]);
}
