//! `purlin crd` as a user types it: stdout, stderr, exit code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use purlin_testkit::root;

const WRONG: &str = "\
apiVersion: apiextensions.crossplane.io/v1
kind: CompositeResourceDefinition
metadata: {name: xshops.golden.example}
spec:
  group: golden.example
  names: {kind: XShop, plural: xshops}
  claimNames: {kind: Shop, plural: shops}
  versions:
  - name: v1
    served: true
    referenceable: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations:
            - rule: self.size <
            properties:
              a: {}
";

fn crd(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_purlin"))
        .arg("crd")
        .args(arguments)
        .output()
        .unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn prints_the_composites_and_the_claims_crd() {
    let file = root().join("xrds/network.yaml");
    let output = crd(&[file.to_str().unwrap()]);
    assert_eq!(
        (output.status.code(), words(&output.stderr).as_str()),
        (Some(0), "")
    );
    let (documents, found) = purlin_yaml::load("out", &words(&output.stdout));
    assert!(found.is_empty());
    let names: Vec<&str> = documents
        .iter()
        .map(|one| one.value["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "xnetworks.platform.acme.example",
            "networks.platform.acme.example"
        ]
    );
    let output = crd(&["-o", "json", file.to_str().unwrap()]);
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("xrd.yaml");
    std::fs::write(&file, WRONG).unwrap();
    let output = crd(&[file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(words(&output.stdout), "");
    let told = words(&output.stderr);
    assert!(
        told.contains("xrd.yaml:19:21: error[xrd/invalid-value]"),
        "{told}"
    );
    assert!(
        told.contains("xrd.yaml:21:15: error[xrd/missing-field]"),
        "{told}"
    );
    assert!(told.ends_with("2 errors\n"), "{told}");
}

#[test]
fn a_file_without_a_definition_and_a_missing_file_are_told_apart() {
    let file = root().join("compositions/network.yaml");
    let output = crd(&[file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output.stderr).contains("error[crd/no-xrd]"));
    assert_eq!(crd(&["no-such-file.yaml"]).status.code(), Some(2));
    assert_eq!(crd(&[]).status.code(), Some(2));
}

#[test]
fn every_file_that_cannot_be_read_is_told() {
    let output = crd(&["no-such-file.yaml", "xrds", "nor-this.yaml"]);
    let told = words(&output.stderr);
    for name in ["no-such-file.yaml", "xrds", "nor-this.yaml"] {
        assert!(told.contains(name), "{told}");
    }
    assert_eq!(output.status.code(), Some(2));
}
