//! What the crate does to real repositories, made and checked with the `git` program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use purlin_git::{EntryKind, Error, Limits, Repo};

struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let scratch = Self { dir };
        scratch.git("work", &["init", "-q", "-b", "main", "."]);
        scratch.identity("work");
        scratch
    }

    fn identity(&self, repo: &str) {
        self.git(repo, &["config", "user.name", "Ada"]);
        self.git(repo, &["config", "user.email", "ada@example.org"]);
        self.git(repo, &["config", "commit.gpgSign", "false"]);
    }

    fn path(&self, repo: &str) -> PathBuf {
        self.dir.path().join(repo)
    }

    fn git(&self, repo: &str, args: &[&str]) -> String {
        let at = self.path(repo);
        fs::create_dir_all(&at).unwrap();
        let out = Command::new("git")
            .arg("-C")
            .arg(at)
            .args(args)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "git {args:?}: {text}");
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path("work").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path("work").join(path)).unwrap()
    }

    fn commit(&self, message: &str) {
        self.git("work", &["add", "-A"]);
        self.git("work", &["commit", "-q", "-m", message]);
    }

    fn platform(&self) {
        self.write("README.md", "hello\n");
        self.write("environments/dev/net/xrd.yaml", "v: 2\n");
        self.write("environments/dev/net/deep/er/file.yaml", "x\n");
        self.write("environments/staging/net/xrd.yaml", "v: 1\n");
        self.write("environments/staging/net/gone.yaml", "old\n");
        self.write("environments/staging/netting/xrd.yaml", "n: 1\n");
        self.commit("platform");
    }

    fn open(&self, repo: &str) -> Repo {
        Repo::open(&self.path(repo)).unwrap()
    }
}

/// Swaps staging/net for dev/net and commits it, without moving any ref.
fn promote(repo: &Repo) -> (purlin_git::Id, purlin_git::Id) {
    let tip = repo.tip("main").unwrap().unwrap();
    let root = repo.root(tip).unwrap();
    let source = repo.folder(root, "environments/dev/net").unwrap().unwrap();
    let new = repo.swap(root, "environments/staging/net", source).unwrap();
    let commit = repo
        .commit(new, &[tip], "net: promote\n\nPurlin-Unit: net\n")
        .unwrap();
    (tip, commit)
}

#[test]
fn a_swap_gives_the_tree_that_copying_the_folder_gives_and_writes_only_the_way_there() {
    let s = Scratch::new();
    s.platform();
    let repo = s.open("work");
    let count = || -> usize {
        let said = s.git("work", &["count-objects"]);
        said.split(' ').next().unwrap().parse().unwrap()
    };
    let before = count();
    let (tip, commit) = promote(&repo);
    // The root, environments and staging, and the commit.
    assert_eq!(count() - before, 4);

    fs::remove_dir_all(s.path("work").join("environments/staging/net")).unwrap();
    s.write("environments/staging/net/xrd.yaml", "v: 2\n");
    s.write("environments/staging/net/deep/er/file.yaml", "x\n");
    s.git("work", &["add", "-A"]);
    assert_eq!(
        repo.root(commit).unwrap().to_string(),
        s.git("work", &["write-tree"])
    );
    // Until a ref moves, nobody sees it.
    assert_eq!(repo.tip("main").unwrap(), Some(tip));
    s.git("work", &["fsck", "--strict"]);
}

#[test]
fn a_swap_creates_missing_folders_and_refuses_bad_paths() {
    let s = Scratch::new();
    s.platform();
    let repo = s.open("work");
    let root = repo.root(repo.resolve("main").unwrap()).unwrap();
    let source = repo.folder(root, "environments/dev/net").unwrap().unwrap();
    let new = repo.swap(root, "environments/prod/eu/net", source).unwrap();
    assert_eq!(
        repo.folder(new, "environments/prod/eu/net").unwrap(),
        Some(source)
    );
    for bad in ["", "a//b", "../x", "a/.git/b", "a/./b", "README.md/x"] {
        assert!(
            matches!(repo.swap(root, bad, source), Err(Error::Path { .. })),
            "{bad}"
        );
    }
    let deep = vec!["a"; 40].join("/");
    assert!(matches!(
        repo.swap(root, &deep, source),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn a_ref_moves_only_from_where_it_was_seen() {
    let s = Scratch::new();
    s.platform();
    s.git(".", &["clone", "-q", "--bare", "work", "bare.git"]);
    s.identity("bare.git");
    let repo = s.open("bare.git");
    assert!(repo.work_dir().is_none());
    let (tip, commit) = promote(&repo);
    repo.advance("main", Some(tip), commit, "promote").unwrap();
    assert_eq!(
        s.git("bare.git", &["rev-parse", "main"]),
        commit.to_string()
    );
    assert_eq!(
        s.git(
            "bare.git",
            &[
                "log",
                "-1",
                "--format=%an <%ae>|%(trailers:key=Purlin-Unit,valueonly)"
            ]
        ),
        "Ada <ada@example.org>|net"
    );

    let late = repo.advance("main", Some(tip), tip, "late").unwrap_err();
    assert!(late.is_conflict(), "{late}");
    assert!(
        repo.advance("main", None, tip, "new")
            .unwrap_err()
            .is_conflict()
    );
    repo.advance("promote/staging/net", None, commit, "branch")
        .unwrap();
    assert!(
        repo.advance("promote/staging/net", None, tip, "again")
            .unwrap_err()
            .is_conflict()
    );
    assert_eq!(repo.tip("main").unwrap(), Some(commit));
    assert!(repo.advance("bad..name", None, commit, "x").is_err());
}

#[test]
fn checked_out_files_follow_the_branch_and_other_changes_stay() {
    let s = Scratch::new();
    s.platform();
    s.write("README.md", "hello, changed\n");
    let repo = s.open("work");
    assert!(repo.is_checked_out("main").unwrap());
    let (tip, commit) = promote(&repo);
    repo.check_clean("environments/staging/net").unwrap();
    repo.check_follow(tip, commit).unwrap();
    repo.advance("main", Some(tip), commit, "promote").unwrap();
    repo.follow(tip, commit).unwrap();
    assert_eq!(s.read("environments/staging/net/xrd.yaml"), "v: 2\n");
    assert!(
        !s.path("work")
            .join("environments/staging/net/gone.yaml")
            .exists()
    );
    assert_eq!(s.git("work", &["status", "--porcelain"]), "M README.md");
}

#[test]
fn uncommitted_changes_in_the_way_are_named_and_nothing_is_touched() {
    let s = Scratch::new();
    s.platform();
    s.write("environments/staging/net/xrd.yaml", "mine\n");
    s.write("environments/staging/net/new.yaml", "mine too\n");
    let repo = s.open("work");
    let error = repo.check_clean("environments/staging/net").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("environments/staging/net/new.yaml") && text.contains("xrd.yaml"),
        "{text}"
    );
    let (tip, commit) = promote(&repo);
    assert!(repo.check_follow(tip, commit).is_err());
    assert_eq!(s.read("environments/staging/net/xrd.yaml"), "mine\n");
    repo.check_clean("environments/staging/netting").unwrap();
}

#[test]
fn a_run_killed_between_the_ref_and_the_files_is_finished_by_the_next() {
    let s = Scratch::new();
    s.platform();
    let repo = s.open("work");
    let (tip, commit) = promote(&repo);
    repo.advance("main", Some(tip), commit, "promote").unwrap();
    // Killed here.
    let repo = s.open("work");
    assert!(repo.catch_up(commit, "environments/staging/net").unwrap());
    assert_eq!(s.git("work", &["status", "--porcelain"]), "");
    assert!(!repo.catch_up(commit, "environments/staging/net").unwrap());
    // A change somebody made by hand is not taken for one.
    s.write("environments/staging/net/xrd.yaml", "mine\n");
    s.git("work", &["add", "-A"]);
    assert!(!repo.catch_up(commit, "environments/staging/net").unwrap());
}

#[test]
fn a_push_lands_only_when_nobody_was_faster() {
    let s = Scratch::new();
    s.platform();
    s.git(".", &["clone", "-q", "--bare", "work", "hub.git"]);
    for clone in ["ours", "theirs"] {
        s.git(".", &["clone", "-q", "hub.git", clone]);
        s.identity(clone);
    }
    let repo = s.open("ours");
    let upstream = repo.upstream("main").unwrap();
    assert_eq!(upstream.to_string(), "origin/main");
    let seen = repo.fetch(&upstream).unwrap();
    let (tip, commit) = promote(&repo);
    assert_eq!(seen, Some(tip));

    s.git("theirs", &["commit", "-q", "--allow-empty", "-m", "faster"]);
    s.git("theirs", &["push", "-q"]);
    let theirs = s.git("theirs", &["rev-parse", "HEAD"]);
    let error = repo.push(&upstream, seen, commit).unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert_eq!(s.git("hub.git", &["rev-parse", "main"]), theirs);

    // Looked at again, it works on top of theirs.
    let seen = repo.fetch(&upstream).unwrap().unwrap();
    assert_eq!(seen.to_string(), theirs);
    assert!(repo.is_ancestor(tip, seen).unwrap() && !repo.is_ancestor(seen, tip).unwrap());
    let tree = repo.root(commit).unwrap();
    let again = repo.commit(tree, &[seen], "promote again").unwrap();
    repo.push(&upstream, Some(seen), again).unwrap();
    repo.push(&upstream, Some(seen), again).unwrap();
    assert_eq!(s.git("hub.git", &["rev-parse", "main"]), again.to_string());
    s.git("hub.git", &["remote", "remove", "origin"]);
    assert!(s.open("hub.git").upstream("main").is_none());
}

#[test]
fn links_and_submodules_are_seen_and_sizes_are_bounded() {
    let s = Scratch::new();
    s.write("unit/big.yaml", &"x".repeat(2000));
    s.commit("one");
    let commit = s.git("work", &["rev-parse", "HEAD"]);
    let info = format!("160000,{commit},unit/sub");
    s.git("work", &["update-index", "--add", "--cacheinfo", &info]);
    std::os::unix::fs::symlink("big.yaml", s.path("work").join("unit/link")).unwrap();
    s.git("work", &["add", "unit/link"]);
    s.git("work", &["commit", "-q", "-m", "two"]);
    let repo = s.open("work");
    let root = repo.root(repo.resolve("HEAD").unwrap()).unwrap();
    let files = repo.files(root, Limits::default()).unwrap();
    let seen: Vec<_> = files.iter().map(|f| (f.path.as_str(), f.kind)).collect();
    assert_eq!(
        seen,
        [
            ("unit/big.yaml", EntryKind::File),
            ("unit/link", EntryKind::Link),
            ("unit/sub", EntryKind::Submodule)
        ]
    );
    assert!(matches!(
        repo.bytes(files[0].id, 1999),
        Err(Error::TooLarge { .. })
    ));
    assert_eq!(repo.bytes(files[0].id, 2000).unwrap().len(), 2000);
    let few = Limits {
        files: 2,
        ..Limits::default()
    };
    assert!(matches!(repo.files(root, few), Err(Error::TooLarge { .. })));
    s.write("a/b/c/d/e", "x");
    s.commit("deep");
    let root = repo.root(repo.resolve("HEAD").unwrap()).unwrap();
    let flat = Limits {
        depth: 3,
        ..Limits::default()
    };
    assert!(matches!(
        repo.files(root, flat),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn a_branch_shown_by_another_work_tree_is_refused() {
    let s = Scratch::new();
    s.platform();
    s.git("work", &["worktree", "add", "-q", "-b", "side", "../side"]);
    assert!(matches!(
        s.open("work").is_checked_out("side"),
        Err(Error::CheckedOutElsewhere { .. })
    ));
    assert!(s.open("side").is_checked_out("side").unwrap());
    assert!(matches!(
        s.open("side").is_checked_out("main"),
        Err(Error::CheckedOutElsewhere { .. })
    ));
}

#[test]
fn a_folder_without_a_repository_and_a_repository_without_a_commit_say_so() {
    let s = Scratch::new();
    assert!(matches!(
        Repo::open(Path::new("/")),
        Err(Error::Open { .. })
    ));
    let repo = s.open("work");
    assert_eq!(repo.tip("main").unwrap(), None);
    assert_eq!(repo.head_branch().unwrap().as_deref(), Some("main"));
    assert!(repo.resolve("HEAD").is_err());
}
