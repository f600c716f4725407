//! Configuration packages.

use std::fs;

use purlin_testkit::root;
use tempfile::TempDir;

use crate::{bad, build, good, package, stderr};

/// The sample platform as a Configuration.
fn platform() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for part in ["xrds", "compositions"] {
        fs::create_dir(at.join(part)).unwrap();
        for file in ["bucket.yaml", "network.yaml"] {
            fs::copy(root().join(part).join(file), at.join(part).join(file)).unwrap();
        }
    }
    fs::create_dir(at.join("examples")).unwrap();
    let claim = root().join("environments/dev/_claims/network/orders.yaml");
    fs::copy(claim, at.join("examples/network.yaml")).unwrap();
    fs::write(
        at.join("crossplane.yaml"),
        "apiVersion: meta.pkg.crossplane.io/v1
kind: Configuration
metadata:
  name: platform
spec:
  crossplane:
    version: \">=v1.14.0-0\"
  dependsOn:
  - apiVersion: pkg.crossplane.io/v1
    kind: Function
    package: registry.example.org/acme/function-purlin
    version: \">=v0.1.0\"
",
    )
    .unwrap();
    folder
}

#[test]
fn a_configuration_is_its_files() {
    let folder = platform();
    let at = folder.path();
    let made = build(
        at,
        &[
            "--configuration",
            "--check",
            "strict",
            "-o",
            "platform.xpkg",
        ],
    );
    let first = fs::read(&made[0]).unwrap();
    build(at, &["-o", "platform.xpkg"]);
    assert!(
        fs::read(&made[0]).unwrap() == first,
        "the same bytes each time"
    );
    let shown = good(at, &["inspect", "platform.xpkg"]);
    for wanted in [
        "Configuration platform",
        "needs Crossplane >=v1.14.0-0",
        "examples",
        "registry.example.org/acme/function-purlin",
        "xnetworks.platform.acme.example",
    ] {
        assert!(shown.contains(wanted), "{wanted} is not in\n{shown}");
    }
    build(at, &["--ignore", "**/bucket.yaml", "-o", "less.xpkg"]);
    assert!(!good(at, &["inspect", "less.xpkg"]).contains("bucket"));
}

#[test]
fn every_mistake_in_a_configuration_is_told_with_its_place() {
    let folder = platform();
    let at = folder.path();
    let meta = fs::read_to_string(at.join("crossplane.yaml")).unwrap();
    fs::write(at.join("crossplane.yaml"), meta.replace(">=v0.1.0", ">>1")).unwrap();
    fs::write(
        at.join("stray.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    )
    .unwrap();
    let said = bad(at, &["build", "-o", "no.xpkg"], 1);
    assert!(
        said.contains("crossplane.yaml:12:") && said.contains("package/constraint"),
        "{said}"
    );
    assert!(
        said.contains("stray.yaml:2:7") && said.contains("package/unknown-kind"),
        "{said}"
    );
    assert!(!at.join("no.xpkg").exists());
}

#[test]
fn what_the_static_check_finds_is_told_and_stops_a_strict_build() {
    let folder = platform();
    let at = folder.path();
    let file = at.join("compositions/network.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let wrong = text.replacen("xr.spec.region", "xr.spec.regoin", 1);
    assert_ne!(text, wrong);
    fs::write(&file, wrong).unwrap();
    let output = package(at, &["build", "-o", "a.xpkg"]);
    assert!(
        output.status.success() && stderr(&output).contains("regoin"),
        "{}",
        stderr(&output)
    );
    assert!(bad(at, &["build", "--check", "strict", "-o", "b.xpkg"], 1).contains("regoin"));
    assert!(
        !package(at, &["build", "--check", "off", "-o", "c.xpkg"])
            .stderr
            .windows(6)
            .any(|part| part == b"regoin")
    );
}
