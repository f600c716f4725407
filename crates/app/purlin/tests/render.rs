//! `purlin render` as a user types it: stdout, stderr, exit code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const XR: &str = "\
apiVersion: example.org/v1
kind: XApp
metadata:
  name: app
spec:
  region: eu
";

const COMPOSITION: &str = "\
apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata:
  name: app
spec:
  compositeTypeRef:
    apiVersion: example.org/v1
    kind: XApp
  mode: Pipeline
  pipeline:
  - step: resources
    functionRef:
      name: function-patch-and-transform
    input:
      apiVersion: pt.fn.crossplane.io/v1beta1
      kind: Resources
      resources:
      - name: bucket
        base:
          apiVersion: s3.aws.upbound.io/v1beta1
          kind: Bucket
        patches:
        - fromFieldPath: spec.region
          toFieldPath: spec.forProvider.region
        readinessChecks:
        - type: None
";

const RENDERED: &str = "\
---
apiVersion: example.org/v1
kind: XApp
metadata:
  name: app
spec:
  crossplane:
    resourceRefs:
    - apiVersion: s3.aws.upbound.io/v1beta1
      kind: Bucket
      name: app-27f6fed704ca
status:
  conditions:
  - lastTransitionTime: \"2024-01-01T00:00:00Z\"
    reason: WatchCircuitClosed
    status: \"True\"
    type: Responsive
  - lastTransitionTime: \"2024-01-01T00:00:00Z\"
    reason: ReconcileSuccess
    status: \"True\"
    type: Synced
  - lastTransitionTime: \"2024-01-01T00:00:00Z\"
    message: 'Unready resources: bucket'
    reason: Creating
    status: \"False\"
    type: Ready
---
apiVersion: s3.aws.upbound.io/v1beta1
kind: Bucket
metadata:
  annotations:
    crossplane.io/composition-resource-name: bucket
  generateName: app-
  labels:
    crossplane.io/composite: app
  name: app-27f6fed704ca
  ownerReferences:
  - apiVersion: example.org/v1
    blockOwnerDeletion: true
    controller: true
    kind: XApp
    name: app
    uid: 3cd107d0-dda8-5e38-b30a-ffff75c631d4
spec:
  forProvider:
    region: eu
";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn purlin(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
    command.current_dir(folder).arg("render").args(args);
    command
}

fn run(folder: &TempDir, args: &[&str]) -> (Option<i32>, String, String) {
    texts(&purlin(folder.path(), args).output().unwrap())
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_composite_is_rendered_to_stdout() {
    let folder = folder(&[("xr.yaml", XR), ("composition.yaml", COMPOSITION)]);
    let got = run(&folder, &["xr.yaml", "composition.yaml"]);
    assert_eq!(got, (Some(0), RENDERED.to_owned(), String::new()));
}

#[test]
fn the_composite_may_come_from_standard_input_and_as_json() {
    let json = "{\"apiVersion\": \"example.org/v1\", \"kind\": \"XApp\", \"metadata\": {\"name\": \"app\"}, \"spec\": {\"region\": \"eu\"}}";
    let folder = folder(&[("composition.yaml", COMPOSITION)]);
    let mut child = purlin(folder.path(), &["-", "composition.yaml"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(json.as_bytes())
        .unwrap();
    let got = texts(&child.wait_with_output().unwrap());
    assert_eq!(got, (Some(0), RENDERED.to_owned(), String::new()));
}

#[test]
fn flags_add_the_whole_composite_results_and_context() {
    let functions = "apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: function-patch-and-transform}\nspec: {package: x/y:v1}\n";
    let observed = "apiVersion: s3.aws.upbound.io/v1beta1\nkind: Bucket\nmetadata:\n  name: live\n  annotations: {crossplane.io/composition-resource-name: bucket}\n";
    let gone = observed
        .replace("resource-name: bucket", "resource-name: gone")
        .replace("live", "old");
    let folder = folder(&[
        ("xr.yaml", XR),
        ("composition.yaml", COMPOSITION),
        ("functions/f.yaml", functions),
        ("functions/notes.txt", "not read"),
        ("observed/a.yaml", observed),
        ("observed/b.yml", &gone),
        ("team.yaml", "name: a\n"),
    ]);
    let args = [
        "xr.yaml",
        "composition.yaml",
        "functions",
        "-o",
        "observed",
        "-x",
        "-r",
        "-c",
        "--context-files",
        "team=team.yaml",
        "--context-files",
        "k=team.yaml",
        "--context-values",
        "k=[1]",
        "--timeout",
        "10s",
        "--crossplane-version",
        "v2.0.0",
    ];
    let (code, stdout, stderr) = run(&folder, &args);
    assert_eq!(code, Some(0), "{stderr}");
    let documents: Vec<&str> = stdout.split("---\n").skip(1).collect();
    assert_eq!(documents.len(), 4, "{stdout}");
    assert!(
        documents[0].contains("  region: eu\n") && documents[0].contains("name: live\n"),
        "{stdout}"
    );
    assert!(documents[1].contains("  name: live\n"), "{stdout}");
    assert_eq!(
        documents[2],
        "apiVersion: render.crossplane.io/v1beta1\nkind: Result\nmessage: 'Successfully selected composition: app'\nreason: SelectComposition\nseverity: Normal\n"
    );
    // The value wins over the file; the function's own entry is there too.
    assert!(
        documents[3].starts_with("apiVersion: render.crossplane.io/v1beta1\nfields:\n")
            && documents[3].ends_with("  k:\n  - 1\n  team:\n    name: a\nkind: Context\n"),
        "{stdout}"
    );
    assert_eq!(
        stderr,
        "note: --crossplane-version is ignored: the engine is this program\n\
         note: gone (Bucket old) is observed and no longer desired: the engine would delete it\n"
    );
}

#[test]
fn every_mistake_is_shown_with_its_line() {
    let folder = folder(&[
        (
            "xr.yaml",
            "apiVersion: example.org/v1\nkind: XApp\nmetadata:\n\tname: app\n",
        ),
        (
            "composition.yaml",
            &COMPOSITION
                .replace("compositeTypeRef", "compositeTypeReff")
                .replace("      name: function", "      nam: function"),
        ),
    ]);
    let (code, stdout, stderr) = run(&folder, &["xr.yaml", "composition.yaml"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert_eq!(
        stderr,
        "\
composition.yaml:6:3: error[composition/shape]: `spec.compositeTypeRef` is missing
6 |   compositeTypeReff:
  |   ^^^^^^^^^^^^^^^^^
  help: did you mean it by `compositeTypeReff`?
composition.yaml:6:3: warning[composition/shape]: `spec.compositeTypeReff` is not a known field and is ignored
6 |   compositeTypeReff:
  |   ^^^^^^^^^^^^^^^^^
  help: did you mean `compositeTypeRef`?
composition.yaml:13:7: error[composition/shape]: `spec.pipeline[0].functionRef.name` is missing
13 |       nam: function-patch-and-transform
   |       ^^^
  help: did you mean it by `nam`?
xr.yaml:4:1: error[yaml/tab]: a tab cannot indent YAML
4 | \tname: app
  | ^
  help: use spaces
3 errors, 1 warning
"
    );
}

#[test]
fn a_composition_of_another_kind_is_refused() {
    let folder = folder(&[
        ("xr.yaml", &XR.replace("XApp", "XDatabase")),
        ("composition.yaml", COMPOSITION),
    ]);
    let (code, stdout, stderr) = run(&folder, &["xr.yaml", "composition.yaml"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.starts_with("composition.yaml:7:5: error[render/other-kind]: the Composition \"app\" composes example.org/v1 XApp, and the composite resource is a example.org/v1 XDatabase\n"), "{stderr}");
}

#[test]
fn mistakes_in_the_inputs_of_functions_have_their_places() {
    let bad = COMPOSITION
        .replace("type: None", "type: MatchString")
        .replace("fromFieldPath: spec.region", "fromFieldPath: spec..region")
        + "  - step: blueprint
    functionRef:
      name: function-blueprint
    input:
      apiVersion: blueprint.fn.purlin.dev/v1alpha1
      kind: Blueprint
      resources:
      - name: note
        manifest:
          apiVersion: v1
          kind: ConfigMap
          data:
            text: |
              the region is
              ${xr.spec.region + }
";
    let folder = folder(&[("xr.yaml", XR), ("composition.yaml", &bad)]);
    let (code, stdout, stderr) = run(&folder, &["xr.yaml", "composition.yaml"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("composition.yaml"))
        .collect();
    let places = [
        (
            "composition.yaml:23:26: error[input/field-path]: ",
            "spec..region",
        ),
        (
            "composition.yaml:26:11: error[input/required]: ",
            "matchString",
        ),
        (
            "composition.yaml:26:11: error[input/required]: ",
            "fieldPath",
        ),
        (
            "composition.yaml:41:34: error[expr/syntax]: ",
            "ends too early",
        ),
    ];
    assert_eq!(lines.len(), places.len(), "{stderr}");
    for (place, words) in places {
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(place) && line.contains(words)),
            "{place} {words}: {stderr}"
        );
    }
}

#[test]
fn what_a_function_meets_while_it_runs_has_its_place_too() {
    let blueprint = COMPOSITION
        .replace("function-patch-and-transform", "function-blueprint")
        .split("    input:")
        .next()
        .unwrap()
        .to_owned()
        + "    input:
      apiVersion: blueprint.fn.purlin.dev/v1alpha1
      kind: Blueprint
      resources:
      - name: note
        manifest:
          apiVersion: v1
          kind: ConfigMap
          data:
            region: ${xr.spec.regoin}
            size: ${xr.spec.size}
";
    let folder = folder(&[("xr.yaml", XR), ("composition.yaml", &blueprint)]);
    let (code, stdout, stderr) = run(&folder, &["xr.yaml", "composition.yaml"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.contains("composition.yaml:23:21: error[render/fatal]: there is no `regoin`"),
        "{stderr}"
    );
    assert!(
        stderr.contains("composition.yaml:24:19: error[render/fatal]: there is no `size`"),
        "{stderr}"
    );
}

#[test]
fn an_unknown_function_is_named_with_what_to_do() {
    let folder = folder(&[
        ("xr.yaml", XR),
        (
            "composition.yaml",
            &COMPOSITION
                .replace("function-patch-and-transform", "mine")
                .replace("kind: Resources", "kind: Mine"),
        ),
    ]);
    let (code, _, stderr) = run(&folder, &["xr.yaml", "composition.yaml"]);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("composition.yaml:13:13: error[render/unknown-function]: the function \"mine\" of step \"resources\""), "{stderr}");
    assert!(
        stderr.contains("render.crossplane.io/runtime-development-target"),
        "{stderr}"
    );
}

#[test]
fn a_function_that_never_answers_times_out() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let functions = format!(
        "apiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata:\n  name: mine\n  annotations:\n    \
         render.crossplane.io/runtime: Development\n    render.crossplane.io/runtime-development-target: {}\n",
        silent.local_addr().unwrap()
    );
    let folder = folder(&[
        ("xr.yaml", XR),
        (
            "composition.yaml",
            &COMPOSITION
                .replace("function-patch-and-transform", "mine")
                .replace("kind: Resources", "kind: Mine"),
        ),
        ("functions.yaml", &functions),
    ]);
    let (code, stdout, stderr) = run(
        &folder,
        &[
            "xr.yaml",
            "composition.yaml",
            "functions.yaml",
            "--timeout",
            "300ms",
        ],
    );
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.contains("mine") && stderr.contains("did not answer"),
        "{stderr}"
    );
}

#[test]
fn misuse_and_missing_files_have_their_own_codes() {
    let folder = folder(&[("xr.yaml", XR), ("composition.yaml", COMPOSITION)]);
    let check = |args: &[&str], code: i32, words: &str| {
        let (got, stdout, stderr) = run(&folder, args);
        assert_eq!((got, stdout.as_str()), (Some(code), ""), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    };
    check(&["xr.yaml"], 2, "<COMPOSITION>");
    check(&["xr.yaml", "composition.yaml", "--nope"], 2, "--nope");
    check(
        &["xr.yaml", "composition.yaml", "--timeout", "soon"],
        2,
        "expected a duration such as 30s",
    );
    check(
        &["xr.yaml", "composition.yaml", "--context-values", "k"],
        2,
        "expected KEY=VALUE",
    );
    check(
        &["gone.yaml", "composition.yaml"],
        2,
        "cannot read gone.yaml",
    );
    check(&[".", "composition.yaml"], 2, "is a folder");
}

#[test]
fn mistakes_of_form_and_of_inputs_are_told_at_once() {
    let composition = COMPOSITION
        .replace("mode: Pipeline", "mod: Pipeline\n  pipelin: 3")
        .replace("  name: app\nspec", "  nam: app\nspec")
        .replace(
            "        - fromFieldPath: spec.region\n",
            "        - type: FromCompositFieldPath\n          fromFieldPath: spec..region\n          \
             transforms: [{type: mth}]\n",
        );
    let folder = folder(&[("xr.yaml", XR), ("composition.yaml", &composition)]);
    let (code, _, told) = run(&folder, &["xr.yaml", "composition.yaml"]);
    assert_eq!(code, Some(1));
    for word in [
        "metadata.name",
        "FromCompositeFieldPath",
        "unexpected `.`",
        "`mth` is unknown",
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[test]
fn every_file_that_cannot_be_read_is_told() {
    let folder = folder(&[("bad.yaml", "")]);
    fs::write(folder.path().join("bad.yaml"), [0xff, 0xfe]).unwrap();
    let (code, _, told) = run(&folder, &["none.yaml", "nor.yaml"]);
    assert!(
        told.contains("none.yaml") && told.contains("nor.yaml"),
        "{told}"
    );
    assert_eq!(code, Some(2));
    let (code, _, told) = run(&folder, &["none.yaml", "bad.yaml"]);
    assert!(
        told.contains("none.yaml") && told.contains("bad.yaml"),
        "{told}"
    );
    assert_eq!(code, Some(3));
}
