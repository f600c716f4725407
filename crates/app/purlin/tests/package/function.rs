//! Function packages.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::{BOTH, bad, build, good, programs};

#[test]
fn the_package_of_our_functions_is_the_same_bytes_each_time() {
    let folder = programs();
    let at = folder.path();
    let first = build(at, &[&["--function", "-o", "one.xpkg"], &BOTH[..]].concat());
    let second = build(at, &[&["--function", "-o", "two.xpkg"], &BOTH[..]].concat());
    assert_eq!(
        first,
        [at.join("one-amd64.xpkg"), at.join("one-arm64.xpkg")]
    );
    for (one, two) in first.iter().zip(&second) {
        assert!(
            fs::read(one).unwrap() == fs::read(two).unwrap(),
            "{}",
            one.display()
        );
    }
    let seen: Value =
        serde_json::from_str(&good(at, &["inspect", "-o", "json", "one-arm64.xpkg"])).unwrap();
    let image = &seen["images"][0];
    assert_eq!(image["platform"], "linux/arm64");
    assert_eq!(image["user"], "2000:2000");
    assert_eq!(
        image["entrypoint"],
        serde_json::json!(["/usr/bin/purlin", "serve"])
    );
    assert_eq!(image["ports"], serde_json::json!(["8080/tcp", "9443/tcp"]));
    let roles: Vec<_> = image["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| &layer["is"])
        .collect();
    assert_eq!(roles, [&Value::Null, &Value::from("base")]);
    assert_eq!(seen["meta"]["name"], "function-purlin");
    let crds: Vec<_> = seen["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert!(crds.contains(&"resources.pt.fn.crossplane.io"), "{crds:?}");
    assert!(
        crds.contains(&"blueprints.blueprint.fn.purlin.dev"),
        "{crds:?}"
    );
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn the_program_of_the_tests_runs() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = programs();
    let path = folder.path().join("amd64");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Command::new(path).status().unwrap().success());
}

#[test]
fn a_program_that_cannot_run_in_the_image_is_refused() {
    let folder = programs();
    let at = folder.path();
    let said = bad(at, &["build", "--function", "--binary", "amd64=arm64"], 2);
    assert!(
        said.contains("it is a program for arm64, not amd64"),
        "{said}"
    );
    let ours = format!("amd64={}", env!("CARGO_BIN_EXE_purlin"));
    let said = bad(at, &["build", "--function", "--binary", &ours], 2);
    assert!(said.contains("it is not static: it needs /lib"), "{said}");
    fs::write(at.join("script"), "#!/bin/sh\n").unwrap();
    let said = bad(
        at,
        &[
            "build",
            "--function",
            "--binary",
            "amd64=script",
            "--binary",
            "arm64=nowhere",
        ],
        2,
    );
    assert!(
        said.contains("no ELF file") && said.contains("no program for arm64 at nowhere"),
        "all of it: {said}"
    );
}

/// A program of the system, which is not static, to look at how a real one is packed.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_program_that_needs_a_loader_is_taken_when_one_insists() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let made = build(
        at,
        &[
            "--function",
            "--allow-dynamic",
            "--binary",
            "amd64=/bin/true",
        ],
    );
    let [made] = made.as_slice() else {
        panic!("{made:?}")
    };
    let name = made.file_name().unwrap().to_string_lossy();
    assert!(
        name.starts_with("function-purlin-") && name.ends_with(".xpkg"),
        "{name}"
    );
    let stream = good(at, &["inspect", "-o", "yaml", &name]);
    assert!(stream.contains("kind: Function"), "{stream}");
}

#[test]
fn a_function_of_somebody_else_brings_its_own_input() {
    let folder = programs();
    let at = folder.path();
    fs::create_dir_all(at.join("package/input")).unwrap();
    fs::write(
        at.join("package/crossplane.yaml"),
        "apiVersion: meta.pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: function-demo}\n",
    )
    .unwrap();
    fs::write(
        at.join("package/input/demo.yaml"),
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: inputs.demo.example}\n",
    )
    .unwrap();
    let arguments = ["--function", "-f", "package", "-o", "demo.xpkg"];
    assert_eq!(build(at, &[&arguments[..], &BOTH[..]].concat()).len(), 2);
    let seen: Value =
        serde_json::from_str(&good(at, &["inspect", "-o", "json", "demo-amd64.xpkg"])).unwrap();
    assert_eq!(
        seen["images"][0]["entrypoint"],
        serde_json::json!(["/usr/bin/function"])
    );
    assert_eq!(seen["objects"][0]["name"], "inputs.demo.example");
    let said = bad(at, &[&["build"], &arguments[..]].concat(), 2);
    assert!(said.contains("a Function needs its program"), "{said}");
    let said = bad(at, &["build", "--configuration", "-f", "package"], 2);
    assert!(
        said.contains("describes a Function, not a Configuration"),
        "{said}"
    );
}
