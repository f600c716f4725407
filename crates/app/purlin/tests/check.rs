//! `purlin check` as a user types it: stdout, stderr, exit code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use purlin_testkit::root;

const WRONG: &str = "\
apiVersion: apiextensions.crossplane.io/v1
kind: CompositeResourceDefinition
metadata: {name: xshops.acme.example}
spec:
  group: acme.example
  names: {kind: XShop, plural: xshops}
  versions:
  - name: v1
    served: true
    referenceable: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {region: {type: string}}}
---
apiVersion: acme.example/v1
kind: XShop
metadata: {name: corner}
spec:
  regoin: north
";

fn check(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_purlin"))
        .arg("check")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn wrong() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("apis")).unwrap();
    std::fs::write(folder.path().join("apis/shop.yml"), WRONG).unwrap();
    // Not read: hidden, a template, no manifest.
    for (dir, file) in [
        (".git", "a.yaml"),
        ("chart/templates", "a.yaml"),
        ("apis", "a.txt"),
    ] {
        let dir = folder.path().join(dir);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(file), "{{").unwrap();
    }
    std::fs::write(folder.path().join("chart/Chart.yaml"), "name: chart\n").unwrap();
    folder
}

#[test]
fn the_sample_platform_is_clean() {
    let output = check(
        &root(),
        &[
            "xrds",
            "compositions",
            "environments",
            "tests/fixtures",
            "-o",
            "json",
        ],
    );
    assert_eq!(words(&output.stdout), "[]\n");
    assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
}

#[test]
fn a_mistake_is_shown_with_its_line() {
    let output = check(wrong().path(), &["."]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        words(&output.stdout),
        "./apis/shop.yml:21:3: error[check/unknown-field]: `spec.regoin` is not a field of XShop\n\
         21 |   regoin: north\n   |   ^^^^^^\n  help: did you mean `region`?\n1 error\n"
    );
}

#[test]
fn machines_get_their_formats() {
    let folder = wrong();
    let json = check(folder.path(), &["apis", "-o", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(list[0]["file"], "apis/shop.yml");
    assert_eq!(list[0]["line"], 21);
    assert_eq!(list[0]["severity"], "error");
    assert_eq!(list[0]["code"], "check/unknown-field");
    let sarif = check(folder.path(), &["apis", "-o", "sarif"]);
    let log: serde_json::Value = serde_json::from_slice(&sarif.stdout).unwrap();
    let result = &log["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(result["ruleId"], "check/unknown-field");
    assert_eq!(region["startLine"], 21);
    let github = check(folder.path(), &["apis", "-o", "github"]);
    assert_eq!(
        words(&github.stdout),
        "::error file=apis/shop.yml,line=21,col=3,title=check/unknown-field::`spec.regoin` is not a field of XShop; did you mean `region`?\n"
    );
}

#[test]
fn a_path_that_is_not_there_is_misuse() {
    let output = check(&root(), &["nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output.stderr).contains("nowhere"));
    assert_eq!(check(&root(), &[]).status.code(), Some(2));
}
