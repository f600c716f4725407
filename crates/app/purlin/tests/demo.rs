//! `make demo` works from beginning to end, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

fn demo(path: &str, temporary: &Path) -> (Option<i32>, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let output = Command::new("bash")
        .arg(root.join("scripts/demo.sh"))
        .env("PURLIN", env!("CARGO_BIN_EXE_purlin"))
        .env("TMPDIR", temporary)
        .env("PATH", path)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn the_demo_shows_it_all_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let (code, text) = demo(&std::env::var("PATH").unwrap(), temporary.path());
    assert_eq!(code, Some(0), "{text}");
    for words in [
        "network.platform.acme.example/orders condition met",
        "└─ XNetwork/orders-",
        "├─ Subnet/orders-",
        "No resources found",
        "behind dev",
        "safe        spec.backupRetentionDays",
        "spec.forProvider.applyImmediately: false -> true",
        "Purlin-Unit: database",
        "nothing to do",
        "Nothing is left behind",
    ] {
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn what_is_missing_is_said_before_anything_happens() {
    // Only what the script itself is made of is on this path.
    let temporary = tempfile::tempdir().unwrap();
    let tools = tempfile::tempdir().unwrap();
    for tool in ["bash", "dirname", "git"] {
        let found = Command::new("sh")
            .arg("-c")
            .arg(format!("command -v {tool}"))
            .output()
            .unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        std::os::unix::fs::symlink(found.trim(), tools.path().join(tool)).unwrap();
    }
    let bash = tools.path().join("bash");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let output = Command::new(bash)
        .arg(root.join("scripts/demo.sh"))
        .env("PATH", tools.path())
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("kubectl  1.32") && text.contains("cargo") && !text.contains("git-scm"),
        "{text}"
    );
}
