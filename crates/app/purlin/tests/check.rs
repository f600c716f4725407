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
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--no-cache"]).collect();
    purlin(folder, folder, "check", &arguments)
}

/// Runs a verb with a cache of its own.
fn purlin(folder: &Path, cache: &Path, verb: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_purlin"))
        .arg(verb)
        .args(arguments)
        .env("PURLIN_SCHEMA_CACHE", cache)
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
         21 |   regoin: north\n   |   ^^^^^^\n  help: did you mean `region`?\n"
    );
    assert_eq!(words(&output.stderr), "1 error (2 objects in 1 file)\n");
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
        "::error file=apis/shop.yml,line=21,col=3,endColumn=9,title=check/unknown-field::`spec.regoin` is not a field of XShop; did you mean `region`?\n"
    );
}

#[test]
fn a_path_that_is_not_there_is_misuse() {
    let output = check(&root(), &["nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output.stderr).contains("nowhere"));
    assert_eq!(check(&root(), &[]).status.code(), Some(2));
}

#[test]
fn nothing_to_check_is_misuse() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check(folder.path(), &["."]).status.code(), Some(2));
    std::fs::write(folder.path().join("values.yaml"), "a: {{ b }}\n").unwrap();
    let output = check(folder.path(), &["."]);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output.stderr));
    assert!(words(&output.stdout).is_empty());
    let all = check(&root(), &["nowhere", "neither"]);
    let told = words(&all.stderr);
    assert!(
        told.contains("nowhere") && told.contains("neither"),
        "{told}"
    );
}

#[test]
fn warnings_fail_only_when_they_are_to() {
    let folder = tempfile::tempdir().unwrap();
    let composition = "\
apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: a}
spec:
  compositeTypeRef: {apiVersion: a.example/v1, kind: XA}
  mode: Pipeline
  pipeline:
  - step: a
    functionRef: {name: function-patch-and-transform}
    input:
      apiVersion: pt.fn.crossplane.io/v1beta1
      kind: Resources
      resources:
      - name: a
        base: {apiVersion: b.example/v1, kind: B}
        patches:
        - {type: FromEnvironmentFieldPath, fromFieldPath: a, toFieldPath: spec.a}
";
    std::fs::write(folder.path().join("a.yaml"), composition).unwrap();
    let output = check(folder.path(), &["."]);
    assert_eq!(output.status.code(), Some(0));
    assert!(words(&output.stdout).contains("warning[check/context-unwritten]"));
    assert!(words(&output.stderr).contains("2 kinds without a schema"));
    assert!(!words(&output.stdout).contains("check/no-schema"));
    let output = check(folder.path(), &[".", "-W", "-v"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output.stdout).contains("check/no-schema"));
}

const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.cloud.example}
spec:
  group: cloud.example
  names: {kind: Box, plural: boxes, listKind: BoxList, singular: box}
  scope: Cluster
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: words
        properties:
          spec: {type: object, required: [size], properties: {size: {type: integer}}}
";

const BOX: &str = "apiVersion: cloud.example/v1\nkind: Box\nmetadata: {name: a}\nspec: {size: 1}\n";

#[test]
fn what_is_remembered_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        // What changed only just now is read again in any case: that is not what is tried here.
        let then = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
    };
    write("crd.yaml", CRD);
    write("box.yaml", BOX);
    let run = || {
        let output = purlin(folder.path(), cache.path(), "check", &[".", "-o", "json"]);
        (output.status.code(), words(&output.stdout))
    };
    assert_eq!(run(), (Some(0), "[]\n".to_owned()));
    assert_eq!(run(), (Some(0), "[]\n".to_owned()));
    // Another size: the same path, read again.
    write("box.yaml", &BOX.replace("size: 1", "size: one"));
    let (code, told) = run();
    assert!(
        code == Some(1) && told.contains("check/wrong-type"),
        "{told}"
    );
    assert_eq!(run(), (Some(1), told.clone()));
    // What defines the kind changed: the box is checked again, from what is remembered of nothing else.
    write(
        "crd.yaml",
        &CRD.replace("size: {type: integer}", "size: {type: string}"),
    );
    assert_eq!(run(), (Some(0), "[]\n".to_owned()));
    // A damaged cache is no cache.
    for entry in std::fs::read_dir(cache.path().join("checks")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    write("box.yaml", &BOX.replace("size: 1", "size: 12"));
    let (code, told) = run();
    assert!(
        code == Some(1) && told.contains("check/wrong-type"),
        "{told}"
    );
}

#[test]
fn a_damaged_pack_is_read_from_the_files_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
    };
    write("crd.yaml", CRD);
    write("box.yaml", BOX);
    let run = || {
        purlin(folder.path(), cache.path(), "check", &["."])
            .status
            .code()
    };
    assert_eq!(run(), Some(0));
    for entry in std::fs::read_dir(cache.path().join("checks")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "pack") {
            let mut bytes = std::fs::read(&path).unwrap();
            let last = bytes.len() - 5;
            bytes[last] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }
    }
    write("box.yaml", &BOX.replace("size: 1", "size: two"));
    assert_eq!(run(), Some(1));
}

#[test]
fn pulled_schemas_serve_every_project() {
    let project = tempfile::tempdir().unwrap();
    let provider = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    std::fs::write(provider.path().join("crd.yaml"), CRD).unwrap();
    std::fs::write(project.path().join("box.yaml"), BOX.replace("size", "sise")).unwrap();
    let run =
        |verb: &str, arguments: &[&str]| purlin(project.path(), cache.path(), verb, arguments);
    assert_eq!(run("check", &["."]).status.code(), Some(0));
    let source = provider.path().to_str().unwrap();
    let pulled = run("schema", &["pull", source, "nowhere"]);
    assert_eq!(pulled.status.code(), Some(3));
    let told = words(&pulled.stderr);
    assert!(
        told.contains("1 kinds kept") && told.contains("nowhere"),
        "{told}"
    );
    let listed = run("schema", &["list", "-o", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(list[0]["kind"], "Box");
    assert_eq!(list[0]["versions"], serde_json::json!(["v1"]));
    let output = run("check", &["."]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output.stdout).contains("did you mean `size`?"));
    let without = check(project.path(), &["."]);
    assert_eq!(without.status.code(), Some(0), "{}", words(&without.stdout));
    assert_eq!(run("schema", &["clean"]).status.code(), Some(0));
    assert_eq!(run("check", &["."]).status.code(), Some(0));
}

#[test]
fn a_finding_for_machines_has_these_fields_in_this_order() {
    let folder = wrong();
    let json = words(&check(folder.path(), &["apis", "-o", "json"]).stdout);
    let fields: Vec<&str> = json
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
        .collect();
    let whole = [
        "file", "line", "column", "severity", "code", "message", "help",
    ];
    assert_eq!(fields, whole, "{json}");
}

#[test]
fn what_is_no_manifest_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write(
        "right.yaml",
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    );
    write(
        "latin.yaml",
        b"apiVersion: v1\nkind: ConfigMap\ndata: {a: \"\xe9\"}\n",
    );
    write("binary.yaml", b"apiVersion: v1\nkind: A\n\x00\x01{{{");
    write("utf16.yaml", b"\xff\xfea\x00p\x00i\x00");
    write("empty.yaml", b"");
    write("package.json", b"{\"name\": \"a\",}");
    write(
        "helm.yaml",
        b"{{- if .x }}\napiVersion: v1\nkind: A\nname: {{ .y }}\n{{- end }}\n",
    );
    write(
        "ytt.yaml",
        b"#@ if x:\napiVersion: v1\nkind: A\na: 1\n#@ else:\na: 2\n",
    );
    write("patch.json", b"[{\"op\": \"add\", \"path\": \"/a\"}]");
    write(
        "tasks.yml",
        b"- k8s:\n    definition:\n      apiVersion: v1\n      kind: A\n  k8s: {}\n",
    );
    #[cfg(unix)]
    for (link, to) in [
        ("loop", "."),
        ("self.yaml", "self.yaml"),
        ("gone.yaml", "nowhere"),
    ] {
        std::os::unix::fs::symlink(to, folder.path().join(link)).unwrap();
    }
    let output = check(folder.path(), &[".", "-W"]);
    let told = words(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(told.matches(": note[").count(), 1, "{told}");
    assert!(
        told.contains("latin.yaml:1:1: note[check/unreadable]"),
        "{told}"
    );
}
