//! Performing a plan leaves nothing to plan, whatever the folders hold.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use proptest::prelude::*;
use purlin_function::Functions;
use purlin_promoter::{Done, Order, Promoter, Subject};
use purlin_promotion::{Request, Verdict, Way};

fn git(at: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .arg("-C")
        .arg(at)
        .args(args)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn write(at: &Path, files: &BTreeMap<String, String>) {
    for (path, text) in files {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Folders of small files; names that are prefixes of each other are what Git orders in its own way.
fn any_folder() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = "(a|a-b|ab|a\\.b)\\.(yaml|txt)";
    let folder = "(|a/|a-b/|sub/deep/)";
    let text = prop_oneof![
        "# [a-z]{0,6}\n",
        "[a-c]".prop_map(|n| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {n}}}\n")),
    ];
    prop::collection::btree_map(
        (folder, name).prop_map(|(f, n)| format!("{f}{n}")),
        text,
        1..6,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn applying_a_plan_and_planning_again_is_empty(source in any_folder(), target in any_folder(), new in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        git(at, &["init", "-q", "-b", "main", "."]);
        git(at, &["config", "user.name", "Ada"]);
        git(at, &["config", "user.email", "ada@example.org"]);
        git(at, &["config", "commit.gpgSign", "false"]);
        write(&at.join("environments/dev/unit"), &source);
        write(&at.join("environments/dev/unit-b"), &target);
        write(&at.join("environments/staging/other"), &target);
        if !new {
            write(&at.join("environments/staging/unit"), &target);
        }
        git(at, &["add", "-A"]);
        git(at, &["commit", "-q", "-m", "start"]);

        let promoter = Promoter::open(at, None, Arc::new(Functions::new([]))).unwrap();
        let order = Order {
            subject: Subject { unit: "unit".to_owned(), from: None, to: "staging".to_owned() },
            request: Request { way: Way::Direct, ..Request::default() },
            ..Order::default()
        };
        let Ok(first) = promoter.run(&order) else {
            // Two files with the same object are refused, and then nothing moves.
            prop_assert_eq!(git(at, &["rev-list", "--count", "main"]), "1");
            return Ok(());
        };
        let differs = new || source != target;
        let promoted = matches!(first.done, Done::Promoted { .. });
        if first.planned.decision.verdict == Verdict::Blocked {
            prop_assert!(!promoted);
            return Ok(());
        }
        prop_assert_eq!(promoted, differs);
        let second = promoter.run(&order).unwrap();
        let nothing = Done::Nothing { caught_up: false, proposal: None };
        prop_assert_eq!(second.done, nothing);
        prop_assert!(second.planned.plan.files.is_empty() && second.planned.plan.objects.is_empty());
        prop_assert_eq!(second.planned.decision.verdict, Verdict::Same);
        // The other folders are untouched, the files on disk are those of the commit.
        prop_assert_eq!(git(at, &["status", "--porcelain"]), "");
        let changed = git(at, &["diff", "--name-only", "main@{0}", &format!("main~{}", usize::from(promoted))]);
        prop_assert!(changed.lines().all(|path| path.starts_with("environments/staging/unit/")), "{}", changed);
        git(at, &["fsck", "--strict"]);
    }
}
