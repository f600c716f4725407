//! `purlin package` as a user types it, against a real registry.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use purlin_testkit::{Registry, root};
use serde_json::Value;
use tempfile::TempDir;

fn package(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_purlin"))
        .arg("package")
        .args(arguments)
        .current_dir(folder)
        .env("DOCKER_CONFIG", folder)
        .env("COSIGN_PASSWORD", "a password")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What is printed by a call that goes well.
fn good(folder: &Path, arguments: &[&str]) -> String {
    let output = package(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}\n{}{}",
        stdout(&output),
        stderr(&output)
    );
    stdout(&output)
}

/// What is said by a call that ends with this code.
fn bad(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = package(folder, arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{}{}",
        stdout(&output),
        stderr(&output)
    );
    stderr(&output)
}

/// A whole static program that ends at once with 0: its ELF header, one segment, and the machine's code for it.
fn program(architecture: &str) -> Vec<u8> {
    let (machine, code): (u16, &[u8]) = match architecture {
        // mov eax, 60; xor edi, edi; syscall
        "amd64" => (62, &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]),
        // mov x8, #93; mov x0, #0; svc #0
        _ => (
            183,
            &[0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 1, 0, 0, 0xd4],
        ),
    };
    let base: u64 = 0x40_0000;
    let size = 120 + code.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend(2u16.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    for number in [base + 120, 64, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    for number in [64u16, 56, 1, 0, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(5u32.to_le_bytes());
    for number in [0, base, base, size, size, 0x1000] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(code);
    bytes
}

/// A folder with static programs for both architectures, called like them.
fn programs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for architecture in ["amd64", "arm64"] {
        fs::write(folder.path().join(architecture), program(architecture)).unwrap();
    }
    folder
}

const BOTH: [&str; 4] = ["--binary", "amd64=amd64", "--binary", "arm64=arm64"];

fn build(folder: &Path, arguments: &[&str]) -> Vec<PathBuf> {
    let printed = good(folder, &[&["build"], arguments].concat());
    printed.lines().map(|line| folder.join(line)).collect()
}

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
    let copied = good(at, &["push", &copy, "-f", "all.tar", "-a", annotation]);
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
