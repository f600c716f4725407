//! `purlin new function` as a stranger uses it: the project builds, its tests pass, and it answers `purlin render`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn purlin(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn cargo(project: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    // The registry's crates are those of this workspace, which are here already: nothing is fetched.
    command
        .args(args)
        .arg("--offline")
        .current_dir(project)
        .env(
            "CARGO_TARGET_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/new"),
        );
    command
}

fn passed(output: &Output) -> &Output {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{said}",
        String::from_utf8_lossy(&output.stdout)
    );
    output
}

struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_new_function_builds_passes_its_tests_and_answers_render() {
    let folder = tempfile::tempdir().unwrap();
    passed(&purlin(folder.path(), &["new", "function", "greet-all"]));
    let project = folder.path().join("function-greet-all");
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../Cargo.lock");
    std::fs::copy(lock, project.join("Cargo.lock")).unwrap();

    let tested = cargo(&project, &["test"]).output().unwrap();
    let told = String::from_utf8_lossy(&passed(&tested).stdout).into_owned();
    assert!(told.contains("3 passed"), "{told}");

    let mut served = cargo(&project, &["run", "--quiet"])
        .args([
            "--",
            "--insecure",
            "--address",
            "127.0.0.1:0",
            "--metrics-address=",
        ])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(served.stderr.take().unwrap());
    let _served = Stopped(served);
    let mut first = String::new();
    log.read_line(&mut first).unwrap();
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    let functions = project.join("example/functions.yaml");
    let text = std::fs::read_to_string(&functions).unwrap();
    let text = text.replace("127.0.0.1:9443", first["address"].as_str().unwrap());
    std::fs::write(&functions, text).unwrap();
    let args = ["xr", "composition", "functions"].map(|file| format!("example/{file}.yaml"));
    let rendered = purlin(&project, &["render", &args[0], &args[1], &args[2]]);
    let rendered = String::from_utf8_lossy(&passed(&rendered).stdout).into_owned();
    assert!(rendered.contains("greeting: Hello, grace!"), "{rendered}");
    assert!(rendered.contains("greeted: 2"), "{rendered}");
}

#[test]
fn what_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let check = |args: &[&str], expected: &str| {
        let output = purlin(folder.path(), args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    };
    check(
        &["new", "function", "Bad_Name"],
        "cannot be the name of a function",
    );
    std::fs::write(folder.path().join("taken"), "").unwrap();
    check(
        &["new", "function", "x", "--path", "."],
        "is there already and not empty",
    );
    check(
        &["new", "function", "x", "--sdk", "."],
        "is no checkout of Purlin",
    );
    check(&["new", "sdk"], "there is no copy of the function kit");
}
