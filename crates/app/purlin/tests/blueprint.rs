//! `purlin blueprint inline` as a user types it, and what it prints, rendered.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

const COMPOSITION: &str = "\
apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: shop}
spec:
  compositeTypeRef: {apiVersion: example.org/v1, kind: XShop}
  mode: Pipeline
  pipeline:
  - step: compose
    functionRef: {name: function-blueprint}
    input:
      apiVersion: blueprint.fn.purlin.dev/v1alpha1
      kind: Blueprint
      use:
      - {name: net, module: network, with: {cidr: '${xr.spec.cidr}'}}
";

const NETWORK: &str = "\
apiVersion: blueprint.fn.purlin.dev/v1alpha1
kind: Module
metadata: {name: network}
parameters: {cidr: {type: string}}
use:
- {name: part, with: {cidr: '${cidr}'}}
";

const PART: &str = "\
apiVersion: blueprint.fn.purlin.dev/v1alpha1
kind: Module
metadata: {name: part}
parameters: {cidr: {type: string}}
resources:
- name: vpc
  manifest: {apiVersion: example.org/v1, kind: VPC, spec: {cidr: '${cidr}'}}
";

const XR: &str = "\
apiVersion: example.org/v1
kind: XShop
metadata: {name: shop}
spec: {cidr: 10.0.0.0/16}
";

fn purlin(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn modules_in_files_are_written_in_and_then_it_renders() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("composition.yaml", COMPOSITION),
        ("network.yaml", NETWORK),
        ("part.yaml", PART),
        ("xr.yaml", XR),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let inline = ["blueprint", "inline", "composition.yaml", "network.yaml"];
    let missing = purlin(folder.path(), &inline);
    let told = words(&missing.stderr);
    assert_eq!(missing.status.code(), Some(1), "{told}");
    assert!(told.contains("there is no module part"), "{told}");

    let whole = purlin(folder.path(), &[&inline[..], &["part.yaml"]].concat());
    assert_eq!(whole.status.code(), Some(0), "{}", words(&whole.stderr));
    std::fs::write(folder.path().join("whole.yaml"), &whole.stdout).unwrap();
    let rendered = purlin(folder.path(), &["render", "xr.yaml", "whole.yaml"]);
    let (printed, told) = (words(&rendered.stdout), words(&rendered.stderr));
    assert_eq!(rendered.status.code(), Some(0), "{told}");
    assert!(
        printed.contains("net-part-vpc") && printed.contains("10.0.0.0/16"),
        "{printed}"
    );
}
