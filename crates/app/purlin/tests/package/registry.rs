//! Packages in a real registry.

use std::fs;
use std::path::Path;
use std::process::Command;

use purlin_testkit::Registry;
use serde_json::Value;

use crate::{BOTH, bad, build, good, package, programs, stderr, stdout};

/// The package is signed with a key of its own, and with no other.
fn is_signed(at: &Path, reference: &str, pushed: &str) {
    good(at, &["keygen"]);
    good(at, &["keygen", "--output-key-prefix", "other"]);
    assert!(bad(at, &["keygen"], 2).contains("cosign.key is there already"));
    assert!(bad(at, &["verify", reference, "--key", "cosign.pub"], 1).contains("has no signature"));
    good(at, &["sign", reference, "--key", "cosign.key"]);
    assert_eq!(
        good(at, &["verify", reference, "--key", "cosign.pub"]),
        pushed
    );
    let bundled = package(at, &["sign", reference, "--key", "cosign.key", "--bundle"]);
    assert!(stderr(&bundled).contains("and a bundle"), "{bundled:?}");
    let verified = package(at, &["verify", reference, "--key", "cosign.pub"]);
    assert!(stderr(&verified).contains("2 signatures"), "{verified:?}");
    assert!(bad(at, &["verify", reference, "--key", "other.pub"], 1).contains("another key"));
    assert!(
        bad(at, &["verify", reference, "--key", "cosign.key"], 3)
            .contains("a public key is expected")
    );
}

#[test]
fn checks_know_the_kinds_of_a_package_in_a_registry() {
    let folder = programs();
    let at = folder.path();
    let registry = Registry::start(at);
    let reference = format!("{}/acme/function-purlin:v1", registry.address());
    build(at, &[&["--function", "-o", "f.xpkg"], &BOTH[..]].concat());
    good(at, &["push", &reference, "-f", "f-amd64.xpkg,f-arm64.xpkg"]);
    let schema = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .arg("schema")
            .args(arguments)
            .env("PURLIN_SCHEMA_CACHE", at.join("cache"))
            .env("DOCKER_CONFIG", at)
            .output()
            .unwrap();
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let (code, _, said) = schema(&["pull", &reference]);
    assert_eq!(code, Some(0), "{said}");
    let (_, kinds, _) = schema(&["list"]);
    assert!(kinds.contains("pt.fn.crossplane.io"), "{kinds}");
    let nothing = format!("{}/acme/nothing:v1", registry.address());
    let (code, _, said) = schema(&["pull", &nothing]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(&nothing), "{said}");
}

#[test]
fn a_package_goes_to_a_registry_is_signed_and_comes_back() {
    let folder = programs();
    let at = folder.path();
    let registry = Registry::start(at);
    let reference = format!("{}/acme/function-purlin:v1", registry.address());
    build(at, &[&["--function", "-o", "f.xpkg"], &BOTH[..]].concat());
    let annotation = "org.opencontainers.image.version=v1";
    let pushed = good(
        at,
        &[
            "push",
            &reference,
            "-f",
            "f-amd64.xpkg,f-arm64.xpkg",
            "-a",
            annotation,
        ],
    );
    let digest = pushed.trim().rsplit_once('@').unwrap().1.to_owned();

    let seen: Value =
        serde_json::from_str(&good(at, &["inspect", "-o", "json", &reference])).unwrap();
    assert_eq!(seen["digest"], digest.as_str());
    assert_eq!(seen["images"].as_array().unwrap().len(), 2);
    assert_eq!(seen["meta"]["kind"], "Function");

    good(at, &["pull", &reference, "-o", "back.xpkg"]);
    assert!(
        fs::read(at.join("back.xpkg")).unwrap() == fs::read(at.join("f-amd64.xpkg")).unwrap(),
        "byte for byte"
    );
    good(
        at,
        &[
            "pull",
            &reference,
            "--platform",
            "linux/arm64",
            "-o",
            "back.xpkg",
        ],
    );
    assert!(fs::read(at.join("back.xpkg")).unwrap() == fs::read(at.join("f-arm64.xpkg")).unwrap());
    good(at, &["pull", &reference, "--all", "-o", "all.tar"]);
    let copy = format!("{}/acme/copy:v1", registry.address());
    let copied = good(at, &["push", &copy, "-f", "all.tar"]);
    assert!(
        copied.trim().ends_with(&digest),
        "the copy is the same: {copied}"
    );

    is_signed(at, &reference, &pushed);
}

#[test]
fn a_wrong_reference_is_explained() {
    let folder = programs();
    let said = bad(
        folder.path(),
        &["push", "acme/network:v1", "-f", "amd64"],
        2,
    );
    assert!(
        said.contains("the registry's host must come first"),
        "{said}"
    );
    let said = bad(folder.path(), &["inspect", "nothing.xpkg"], 2);
    assert!(said.contains("there is no file nothing.xpkg"), "{said}");
    let said = bad(folder.path(), &["inspect", "amd64"], 3);
    assert!(said.contains("it is not a package"), "{said}");
    let said = bad(folder.path(), &["push", "registry.example.org/a/b:v1"], 2);
    assert!(said.contains("there is no .xpkg in this folder"), "{said}");
}
