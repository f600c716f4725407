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

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const XRD: &str = "\
apiVersion: apiextensions.crossplane.io/v1
kind: CompositeResourceDefinition
metadata: {name: xshops.example.org}
spec:
  group: example.org
  names: {kind: XShop, plural: xshops}
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
            properties:
              cidr: {type: string}
";

#[test]
fn render_takes_modules_from_their_files() {
    let folder = folder(&[
        ("composition.yaml", COMPOSITION),
        ("modules/network.yaml", NETWORK),
        ("modules/part.yaml", PART),
        ("xr.yaml", XR),
    ]);
    let render = ["render", "xr.yaml", "composition.yaml", "--modules"];
    let rendered = purlin(folder.path(), &[&render[..], &["modules"]].concat());
    let (printed, told) = (words(&rendered.stdout), words(&rendered.stderr));
    assert_eq!(rendered.status.code(), Some(0), "{told}");
    assert!(printed.contains("net-part-vpc"), "{printed}");
    let half = purlin(
        folder.path(),
        &[&render[..], &["modules/network.yaml"]].concat(),
    );
    let told = words(&half.stderr);
    assert_eq!(half.status.code(), Some(1), "{told}");
    assert!(
        told.contains("modules/network.yaml:6") && told.contains("there is no module part"),
        "{told}"
    );
}

#[test]
fn check_looks_into_modules_and_tells_their_own_lines() {
    let wrong = NETWORK.replace("'${cidr}'", "'${cider}'");
    let folder = folder(&[
        ("xrd.yaml", XRD),
        ("compositions/shop.yaml", COMPOSITION),
        ("modules/network.yaml", &wrong),
        ("modules/part.yaml", PART),
    ]);
    let checked = purlin(folder.path(), &["check", ".", "-o", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    let found = found.as_array().unwrap();
    assert_eq!(checked.status.code(), Some(1), "{found:?}");
    assert!(
        found
            .iter()
            .all(|one| one["file"] == "./modules/network.yaml" && one["line"] == 6),
        "{found:?}"
    );
    std::fs::write(folder.path().join("modules/network.yaml"), NETWORK).unwrap();
    let checked = purlin(folder.path(), &["check", ".", "-o", "json"]);
    assert_eq!(checked.status.code(), Some(0), "{}", words(&checked.stdout));
}

#[test]
fn a_package_holds_compositions_with_their_modules() {
    let meta =
        "apiVersion: meta.pkg.crossplane.io/v1\nkind: Configuration\nmetadata: {name: shop}\n";
    let folder = folder(&[
        ("crossplane.yaml", meta),
        ("xrd.yaml", XRD),
        ("composition.yaml", COMPOSITION),
        ("network.yaml", NETWORK),
        ("part.yaml", PART),
    ]);
    let build = ["package", "build", "--configuration", "-o", "shop.xpkg"];
    let built = purlin(folder.path(), &build);
    assert_eq!(built.status.code(), Some(0), "{}", words(&built.stderr));
    let held = purlin(
        folder.path(),
        &["package", "inspect", "shop.xpkg", "-o", "yaml"],
    );
    let held = words(&held.stdout);
    assert!(
        held.contains("kind: VPC") && !held.contains("kind: Module"),
        "{held}"
    );
    std::fs::remove_file(folder.path().join("part.yaml")).unwrap();
    let half = purlin(folder.path(), &build);
    let told = words(&half.stderr);
    assert_eq!(half.status.code(), Some(1), "{told}");
    assert!(
        told.contains("there is no module part") && told.contains("network.yaml:6"),
        "{told}"
    );
}

#[test]
fn modules_in_files_are_written_in_and_then_it_renders() {
    let folder = folder(&[
        ("composition.yaml", COMPOSITION),
        ("network.yaml", NETWORK),
        ("part.yaml", PART),
        ("xr.yaml", XR),
    ]);
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
