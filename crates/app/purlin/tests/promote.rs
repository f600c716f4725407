//! `purlin promote` on real repositories, made and checked with the `git` program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

struct Scratch {
    dir: tempfile::TempDir,
}

const XRD: &str = "\
apiVersion: apiextensions.crossplane.io/v1
kind: CompositeResourceDefinition
metadata:
  name: xnets.example.org
spec:
  group: example.org
  names: {kind: XNet, plural: xnets}
  claimNames: {kind: Net, plural: nets}
  versions:
  - name: v1
    served: true
    referenceable: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              region: {type: string}
              size: {type: integer}
";

fn composition(region: &str) -> String {
    format!(
        "\
apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata:
  name: net
spec:
  compositeTypeRef: {{apiVersion: example.org/v1, kind: XNet}}
  mode: Pipeline
  pipeline:
  - step: compose
    functionRef: {{name: function-patch-and-transform}}
    input:
      apiVersion: pt.fn.crossplane.io/v1beta1
      kind: Resources
      resources:
      - name: vpc
        base:
          apiVersion: ec2.aws.upbound.io/v1beta1
          kind: VPC
          spec: {{forProvider: {{region: {region}}}}}
        patches:
        - fromFieldPath: spec.size
          toFieldPath: spec.forProvider.size
"
    )
}

impl Scratch {
    /// A repository in which dev is one change ahead of staging.
    fn platform() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let scratch = Self { dir };
        scratch.git("work", &["init", "-q", "-b", "main", "."]);
        scratch.identity("work");
        scratch.write("environments/dev/net/xrd.yaml", XRD);
        scratch.write(
            "environments/dev/net/composition.yaml",
            &composition("eu-west-1"),
        );
        scratch.write("environments/staging/net/xrd.yaml", XRD);
        scratch.write(
            "environments/staging/net/composition.yaml",
            &composition("eu-west-1"),
        );
        scratch.write("environments/prod/README.md", "nothing yet\n");
        scratch.commit("the platform");
        scratch.write(
            "environments/dev/net/composition.yaml",
            &composition("eu-north-1"),
        );
        scratch.commit("net: move to the north");
        scratch
    }

    fn identity(&self, repo: &str) {
        self.git(repo, &["config", "user.name", "Ada"]);
        self.git(repo, &["config", "user.email", "ada@example.org"]);
        self.git(repo, &["config", "commit.gpgSign", "false"]);
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
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

    fn commit(&self, message: &str) {
        self.git("work", &["add", "-A"]);
        self.git("work", &["commit", "-q", "-m", message]);
    }

    fn script(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Two clones of one bare repository, so that pushes can meet.
    fn hub(&self) {
        self.git(".", &["clone", "-q", "--bare", "work", "hub.git"]);
        for clone in ["ours", "theirs"] {
            self.git(".", &["clone", "-q", "hub.git", clone]);
            self.identity(clone);
        }
    }

    fn purlin(&self, repo: &str, line: &str) -> Ran {
        Ran::of(self.command(repo, line).output().unwrap())
    }

    fn command(&self, repo: &str, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
        command
            .arg("promote")
            .args(line.split(' '))
            .arg("--repo")
            .arg(self.path(repo));
        command
    }

    fn head(&self, repo: &str) -> String {
        self.git(repo, &["rev-parse", "main"])
    }

    fn trailer(&self, repo: &str, name: &str) -> String {
        let format = format!("--format=%(trailers:key={name},valueonly)");
        self.git(repo, &["log", "-1", &format, "main"])
    }

    fn tree(&self, repo: &str, path: &str) -> String {
        self.git(repo, &["rev-parse", &format!("main:{path}")])
    }
}

#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn expect(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for word in words {
            assert!(
                self.out.contains(word) || self.err.contains(word),
                "no {word:?} in {self:#?}"
            );
        }
        self
    }
}

const RUN: &str = "run net --from dev --to staging";

#[test]
fn a_promotion_is_one_commit_and_a_second_does_nothing() {
    let s = Scratch::platform();
    s.purlin("work", "status")
        .expect(0, &["STAGING", "behind dev", "missing"]);
    s.purlin("work", "plan net --from dev --to staging").expect(
        1,
        &[
            "net  dev -> staging",
            "~ composition.yaml  +1 -1",
            "\"eu-west-1\" -> \"eu-north-1\"",
            "ready",
        ],
    );
    let before = s.head("work");
    s.purlin("work", RUN)
        .expect(0, &["promoted net from dev to staging", "on main"]);
    assert_eq!(s.git("work", &["rev-parse", "main^"]), before);
    assert_eq!(
        s.tree("work", "environments/staging/net"),
        s.tree("work", "environments/dev/net")
    );
    assert_eq!(s.git("work", &["status", "--porcelain"]), "");
    assert_eq!(
        s.git("work", &["diff", "--name-only", "HEAD^", "HEAD"]),
        "environments/staging/net/composition.yaml"
    );
    assert_eq!(s.trailer("work", "Purlin-Unit"), "net");
    assert_eq!(s.trailer("work", "Purlin-From"), "dev");
    assert_eq!(s.trailer("work", "Purlin-To"), "staging");
    assert_eq!(
        s.trailer("work", "Purlin-Tree"),
        s.tree("work", "environments/dev/net")
    );
    assert_eq!(s.trailer("work", "Purlin-Source-Commit"), before);

    let head = s.head("work");
    s.purlin("work", RUN).expect(0, &["nothing to do"]);
    s.purlin("work", "plan net --to staging")
        .expect(0, &["nothing to do"]);
    assert_eq!(s.head("work"), head);
    let status = s.purlin("work", "status -o json").expect(0, &[]);
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["units"][0]["cells"][1]["state"], "same");
    assert_eq!(
        status["units"][0]["cells"][1]["lastPromotion"]["unit"],
        "net"
    );
    s.git("work", &["fsck", "--strict"]);
}

#[test]
fn a_bare_repository_is_promoted_without_any_files() {
    let s = Scratch::platform();
    s.git(".", &["clone", "-q", "--bare", "work", "bare.git"]);
    s.git("bare.git", &["remote", "remove", "origin"]);
    s.identity("bare.git");
    s.purlin("bare.git", RUN).expect(0, &["promoted"]);
    assert_eq!(
        s.tree("bare.git", "environments/staging/net"),
        s.tree("bare.git", "environments/dev/net")
    );
    s.purlin("bare.git", "run net --to prod")
        .expect(0, &["from staging to prod"]);
    s.purlin("bare.git", "status -o markdown")
        .expect(0, &["| UNIT |", "= staging"]);
}

#[test]
fn uncommitted_changes_in_the_way_stop_it_and_others_stay() {
    let s = Scratch::platform();
    s.write("environments/staging/net/xrd.yaml", "mine");
    let head = s.head("work");
    s.purlin("work", RUN)
        .expect(3, &["environments/staging/net/xrd.yaml", "commit or stash"]);
    assert_eq!(s.head("work"), head);
    s.git("work", &["checkout", "-q", "."]);
    s.write("environments/prod/README.md", "mine\n");
    s.write(
        "environments/dev/net/composition.yaml",
        &composition("mars-1"),
    );
    s.purlin("work", RUN).expect(
        0,
        &["not committed, so not promoted: environments/dev/net/composition.yaml"],
    );
    let left = s.git("work", &["diff", "--name-only"]);
    assert_eq!(
        left,
        "environments/dev/net/composition.yaml\nenvironments/prod/README.md"
    );
}

#[test]
fn a_proposal_is_a_branch_and_proposing_again_finds_it() {
    let s = Scratch::platform();
    s.hub();
    let head = s.head("ours");
    s.purlin("ours", &format!("{RUN} --branch")).expect(
        0,
        &[
            "promote/staging/net",
            "pushed to origin/promote/staging/net",
        ],
    );
    assert_eq!(
        (s.head("ours"), s.head("hub.git")),
        (head.clone(), head.clone())
    );
    assert_eq!(
        s.git("hub.git", &["rev-parse", "promote/staging/net^"]),
        head
    );
    s.purlin("ours", &format!("{RUN} --branch"))
        .expect(0, &["already proposed"]);
    s.purlin("theirs", &format!("{RUN} --branch"))
        .expect(0, &["already proposed"]);
    s.git("ours", &["push", "-q", "origin", "main:taken"]);
    s.purlin("ours", &format!("{RUN} --branch taken"))
        .expect(6, &["taken"]);
    s.purlin("ours", &format!("{RUN} --branch local --no-push"))
        .expect(0, &[" on local"]);
    assert!(!s.git("hub.git", &["branch", "--list"]).contains("local"));
}

#[test]
fn what_others_push_meanwhile_is_built_upon() {
    let s = Scratch::platform();
    s.hub();
    // Somebody pushes right when we do, once.
    s.script(
        "ours/.git/hooks/pre-push",
        "#!/bin/sh\nunset GIT_DIR; cd ../theirs || exit 1\n[ -e done ] && exit 0\ntouch done\ngit commit -q --allow-empty -m faster && git push -q\n",
    );
    s.purlin("ours", RUN)
        .expect(0, &["promoted", "pushed to origin/main"]);
    assert_eq!(s.head("ours"), s.head("hub.git"));
    assert_eq!(
        s.git("ours", &["log", "-1", "--format=%s", "main^"]),
        "faster"
    );
    assert_eq!(s.git("ours", &["status", "--porcelain"]), "");
}

#[test]
fn the_same_unit_changed_meanwhile_is_a_conflict() {
    let s = Scratch::platform();
    s.hub();
    s.script(
        "ours/.git/hooks/pre-push",
        "#!/bin/sh\nunset GIT_DIR; cd ../theirs || exit 1\n[ -e done ] && exit 0\ntouch done\necho x > environments/staging/net/new.txt\ngit add environments && git commit -q -m hotfix && git push -q\n",
    );
    let head = s.head("ours");
    s.purlin("ours", RUN)
        .expect(6, &["net changed in staging", "look at the plan again"]);
    assert_eq!(s.head("ours"), head);
    assert_eq!(
        s.git("hub.git", &["log", "-1", "--format=%s", "main"]),
        "hotfix"
    );
}

#[test]
fn diverged_branches_are_a_conflict_and_an_unreachable_remote_is_not() {
    let s = Scratch::platform();
    s.hub();
    s.git("theirs", &["commit", "-q", "--allow-empty", "-m", "theirs"]);
    s.git("theirs", &["push", "-q"]);
    s.git("ours", &["commit", "-q", "--allow-empty", "-m", "ours"]);
    s.purlin("ours", RUN).expect(6, &["diverged", "git pull"]);
    fs::remove_dir_all(s.path("hub.git")).unwrap();
    s.purlin("ours", RUN).expect(3, &["cannot"]);
    s.purlin("ours", &format!("{RUN} --no-push"))
        .expect(0, &["promoted"]);
}

#[test]
fn commits_that_are_not_pushed_are_not_pushed_along() {
    let s = Scratch::platform();
    s.hub();
    for message in ["first", "second"] {
        s.git("ours", &["commit", "-q", "--allow-empty", "-m", message]);
    }
    let (ours, hub) = (s.head("ours"), s.head("hub.git"));
    s.purlin("ours", RUN).expect(
        6,
        &["2 commits on main are not pushed to origin/main; push them, or use `--no-push` or `--branch NAME`"],
    );
    assert_eq!(
        (s.head("ours"), s.head("hub.git")),
        (ours.clone(), hub.clone())
    );
    // A proposal leaves them out.
    s.purlin("ours", &format!("{RUN} --branch"))
        .expect(0, &["pushed to origin/promote/staging/net"]);
    assert_eq!(
        s.git("hub.git", &["rev-parse", "promote/staging/net^"]),
        hub
    );
    assert_eq!(s.head("ours"), ours);
    s.purlin("ours", &format!("{RUN} --no-push"))
        .expect(0, &["promoted"]);
    assert_eq!(s.head("hub.git"), hub);
    // Not even a proposal can leave out what changes the unit.
    s.purlin("ours", &format!("{RUN} --branch other")).expect(
        6,
        &["net was changed by commits on main", "push them first"],
    );
    s.git("ours", &["push", "-q"]);
    s.purlin("ours", "run net --to prod")
        .expect(0, &["promoted", "pushed to origin/main"]);
    // A branch the remote has never seen.
    s.git("ours", &["checkout", "-q", "-b", "fresh"]);
    s.git("ours", &["commit", "-q", "--allow-empty", "-m", "third"]);
    s.git("ours", &["rm", "-rq", "environments/prod/net"]);
    s.git("ours", &["commit", "-q", "-m", "fourth"]);
    s.purlin("ours", "run net --to prod")
        .expect(6, &["2 commits on fresh are not pushed"]);
    assert!(!s.git("hub.git", &["branch", "--list"]).contains("fresh"));
}

#[test]
fn a_run_killed_before_the_files_followed_is_finished_by_the_next() {
    let s = Scratch::platform();
    // A `git` that dies when the files are to be updated, which is after the branch has moved.
    s.script(
        "bin/git",
        "#!/bin/sh\ncase \"$*\" in *'read-tree -m -u -n'*) ;; *read-tree*) exit 1 ;; esac\nPATH=${PATH#*:} exec git \"$@\"\n",
    );
    let path = format!(
        "{}:{}",
        s.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let killed = s.command("work", RUN).env("PATH", path).output().unwrap();
    Ran::of(killed).expect(3, &["checked-out files"]);
    assert_ne!(s.git("work", &["status", "--porcelain"]), "");
    s.purlin("work", RUN)
        .expect(0, &["finished an interrupted promotion", "nothing to do"]);
    assert_eq!(s.git("work", &["status", "--porcelain"]), "");
}

#[test]
fn a_run_killed_right_after_it_pushed_is_finished_by_the_next() {
    let s = Scratch::platform();
    s.hub();
    // A `git` that pushes and then kills who asked for it.
    s.script(
        "bin/git",
        "#!/bin/sh\ncase \"$*\" in *' push '*) PATH=${PATH#*:} git \"$@\"; kill -9 $PPID; exit ;; esac\nPATH=${PATH#*:} exec git \"$@\"\n",
    );
    let path = format!(
        "{}:{}",
        s.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let before = s.head("ours");
    let killed = s.command("ours", RUN).env("PATH", path).output().unwrap();
    assert_eq!(killed.status.code(), None, "{killed:?}");
    assert_eq!(s.head("ours"), before);
    assert_eq!(s.git("hub.git", &["rev-parse", "main^"]), before);
    s.purlin("ours", RUN)
        .expect(0, &["finished an interrupted promotion", "nothing to do"]);
    assert_eq!(s.head("ours"), s.head("hub.git"));
    assert_eq!(s.git("ours", &["status", "--porcelain"]), "");
    assert_eq!(
        s.git(
            "hub.git",
            &["rev-list", "--count", &format!("{before}..main")]
        ),
        "1"
    );
}

#[test]
fn mistakes_in_the_files_are_shown_with_their_places() {
    let s = Scratch::platform();
    s.write(
        "environments/dev/net/xrd.yaml",
        "kind: X\nspec:\n\tbad: 1\n",
    );
    s.write(
        "environments/dev/net/composition.yaml",
        &composition("x").replace("mode: Pipeline", "mode: Pipelin"),
    );
    s.commit("broken");
    let ran = s.purlin("work", RUN).expect(
        1,
        &[
            "environments/dev/net/xrd.yaml:3:1: error[yaml/",
            "environments/dev/net/composition.yaml:",
        ],
    );
    assert_eq!(ran.out, "");
    // What is broken in the target is not known to be safe to replace, but it can be.
    let s = Scratch::platform();
    s.write("environments/staging/net/xrd.yaml", "a: [1\n");
    s.commit("broken");
    s.purlin("work", RUN).expect(
        4,
        &["environments/staging/net/xrd.yaml:", "--skip-gate readable"],
    );
    s.purlin("work", &format!("{RUN} --skip-gate readable"))
        .expect(0, &["promoted"]);
    assert_eq!(s.trailer("work", "Purlin-Overridden"), "readable");
}

#[test]
fn what_is_no_object_or_cannot_be_read_is_not_promoted() {
    let s = Scratch::platform();
    let net = "environments/dev/net";
    fs::write(
        s.path(&format!("work/{net}/latin.yaml")),
        b"kind: X\na: \xe9\n",
    )
    .unwrap();
    s.write(&format!("{net}/list.yaml"), "---\n- a\n- b\n");
    s.write(
        &format!("{net}/object.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nkind: ConfigMap\nmetadata:\n  labels: {a: b}\n",
    );
    s.write(&format!("{net}/big.txt"), &"x".repeat((4 << 20) + 1));
    s.write(&format!("{net}/.lint.yaml"), "rules: {}\n");
    s.commit("broken");
    let head = s.head("work");
    for line in [RUN, "plan net --to staging"] {
        let ran = s.purlin("work", line).expect(
            1,
            &[
                "environments/dev/net/latin.yaml:2:4: error[promotion/encoding]",
                "environments/dev/net/list.yaml:2:1: error[promotion/object]",
                "a manifest must be a mapping",
                "environments/dev/net/object.yaml:5:1: error[promotion/object]",
                "no usable apiVersion and no metadata.name",
                "environments/dev/net/big.txt:1:1: error[promotion/too-large]",
                "4 MiB",
                "keep it outside",
            ],
        );
        assert!(!ran.err.contains(".lint.yaml"), "{ran:#?}");
    }
    assert_eq!(s.head("work"), head);
    // The same in the target can be replaced, once somebody has looked.
    let s = Scratch::platform();
    s.write("environments/staging/net/list.yaml", "- a\n");
    s.write(
        "environments/staging/net/big.txt",
        &"x".repeat((4 << 20) + 1),
    );
    s.commit("broken");
    s.purlin("work", RUN).expect(
        4,
        &[
            "staging/net/list.yaml:1:1",
            "staging/net/big.txt:1:1",
            "--skip-gate readable",
        ],
    );
    s.purlin("work", &format!("{RUN} --skip-gate readable"))
        .expect(0, &["promoted", "- big.txt"]);
    // Where a tool makes the manifests, its inputs are its own.
    let s = Scratch::platform();
    s.write(
        &format!("{net}/kustomization.yaml"),
        "resources: [xrd.yaml]\n",
    );
    s.write(&format!("{net}/patch.yaml"), "- {op: remove, path: /a}\n");
    s.commit("kustomize");
    s.purlin("work", RUN).expect(0, &["promoted"]);
}

#[test]
fn breaking_changes_need_a_word_and_impossible_ones_never_go() {
    let s = Scratch::platform();
    s.write(
        "environments/dev/net/xrd.yaml",
        &XRD.replace("name: v1\n", "name: v2\n"),
    );
    s.commit("another version");
    let head = s.head("work");
    s.purlin("work", RUN)
        .expect(5, &["BREAKING", "the version is gone", "--allow-breaking"]);
    s.purlin("work", "plan net --to staging")
        .expect(5, &["BREAKING"]);
    assert_eq!(s.head("work"), head);
    s.purlin("work", &format!("{RUN} --allow-breaking -m asked-for"))
        .expect(0, &["promoted"]);
    assert_eq!(s.trailer("work", "Purlin-Overridden"), "schema");
    assert!(
        s.git("work", &["log", "-1", "--format=%b"])
            .starts_with("asked-for")
    );
    s.write(
        "environments/dev/net/xrd.yaml",
        &XRD.replace("kind: XNet,", "kind: XNetwork,"),
    );
    s.commit("another name");
    s.purlin("work", &format!("{RUN} --allow-breaking"))
        .expect(4, &["IMPOSSIBLE"]);
}

#[test]
fn changes_of_the_generated_definitions_have_a_verdict_each() {
    let s = Scratch::platform();
    s.write(
        "environments/dev/net/xrd.yaml",
        &XRD.replace(
            "size: {type: integer}",
            "zones: {type: array, items: {type: string}}",
        ),
    );
    s.commit("zones instead of a size");
    s.purlin("work", "plan net --to staging").expect(
        5,
        &[
            "safe        spec.zones",
            "BREAKING    spec.size",
            "xnets, nets",
        ],
    );
    let plan = s.purlin("work", "plan net --to staging -o json");
    let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(plan["decision"]["verdict"], "breaking");
    assert_eq!(plan["plan"]["apis"][0]["changes"][0]["version"], "v1");
    s.purlin("work", "plan net --to staging -o markdown")
        .expect(5, &["| BREAKING |", "`spec.size`"]);
}

const CLAIMS: &str = "\
apiVersion: example.org/v1
kind: Net
metadata: {name: shop, namespace: team-a}
spec: {region: eu, size: 3}
---
apiVersion: example.org/v1
kind: XNet
metadata: {name: shared}
spec: {size: 5}
---
apiVersion: v1
kind: Namespace
metadata: {name: team-a}
";

const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: vpcs.ec2.aws.upbound.io}
spec:
  group: ec2.aws.upbound.io
  names: {kind: VPC, plural: vpcs}
  versions:
  - name: v1beta1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              forProvider:
                properties:
                  region: {type: string, x-kubernetes-validations: [{rule: self == oldSelf}]}
";

#[test]
fn the_claims_of_the_target_are_rendered_with_both_versions() {
    let s = Scratch::platform();
    s.write("environments/staging/_claims/net/claims.yaml", CLAIMS);
    s.write(
        "environments/dev/_claims/net/claims.yaml",
        "apiVersion: example.org/v1\nkind: Net\nmetadata: {name: other}\n",
    );
    s.write("crds/vpc.yaml", CRD);
    s.commit("claims");
    let ran = s.purlin("work", "plan net --to staging").expect(
        1,
        &[
            "Claims in staging",
            "~ Net team-a/shop  (environments/staging/_claims/net/claims.yaml)",
            "~ XNet shared",
            "~ VPC/shop-",
            "spec.forProvider.region: \"eu-west-1\" -> \"eu-north-1\"  (cannot change",
            "2 with a field that cannot change, in 2 of 2 claims",
        ],
    );
    assert!(
        !ran.out.contains("Net other") && !ran.out.contains("Namespace"),
        "{}",
        ran.out
    );
    s.purlin("work", RUN).expect(0, &["promoted"]);
    // The claims stay what they are.
    assert_eq!(
        s.git("work", &["diff", "--name-only", "HEAD^", "HEAD"]),
        "environments/staging/net/composition.yaml"
    );
    assert!(
        s.git("work", &["log", "-1", "--format=%b"])
            .contains("in 2 of 2 claims")
    );

    // Another resource, one less, and one that only changed its name.
    let more = composition("eu-north-1");
    let vpc = more.split_once("      - name: vpc\n").unwrap().1.to_owned();
    let more = format!(
        "{more}      - name: second\n{}",
        vpc.replace("kind: VPC", "kind: Subnet")
    );
    s.write("environments/dev/net/composition.yaml", &more);
    s.commit("a subnet");
    s.purlin("work", "plan net --to staging").expect(
        1,
        &["+ Subnet/shop-", "2 to create, 0 to change, 0 to delete"],
    );
    s.write(
        "environments/dev/net/composition.yaml",
        &more.replace("name: vpc", "name: main"),
    );
    s.commit("another name");
    s.purlin("work", "plan net --to staging").expect(
        1,
        &[
            "! VPC/",
            "was `vpc` in the Composition",
            "4 to create, 0 to change, 2 to delete",
        ],
    );
}

#[test]
fn a_claim_that_stops_working_blocks_and_one_that_never_did_does_not() {
    let s = Scratch::platform();
    s.write("environments/staging/_claims/net/claims.yaml", CLAIMS);
    s.write(
        "environments/dev/net/xrd.yaml",
        &XRD.replace("size: {type: integer}", "size: {type: integer, maximum: 4}"),
    );
    s.commit("a bound");
    s.purlin("work", &format!("{RUN} --allow-breaking")).expect(
        4,
        &["x XNet shared", "fails", "spec.size", "Stopped by render"],
    );
    s.purlin(
        "work",
        &format!("{RUN} --allow-breaking --skip-gate render"),
    )
    .expect(0, &["promoted"]);
    assert_eq!(s.trailer("work", "Purlin-Overridden"), "render, schema");
    s.write(
        "environments/dev/net/composition.yaml",
        &composition("eu-south-1"),
    );
    s.commit("south");
    s.purlin("work", RUN).expect(
        0,
        &[
            "x XNet shared",
            "still fails",
            "~ Net team-a/shop",
            "promoted",
        ],
    );
}

#[test]
fn a_claim_that_cannot_be_read_blocks() {
    let s = Scratch::platform();
    s.write(
        "environments/staging/_claims/net/claims.yaml",
        "apiVersion: example.org/v1\nkind: Net\nmetadata: {name: shop\n",
    );
    s.commit("a broken claim");
    let head = s.head("work");
    for line in [RUN, "plan net --to staging"] {
        s.purlin("work", line).expect(
            4,
            &[
                "Stopped by render",
                "a claim in staging cannot be checked",
                "environments/staging/_claims/net/claims.yaml:",
                "--skip-gate render",
            ],
        );
    }
    assert_eq!(s.head("work"), head);
    s.purlin("work", &format!("{RUN} --skip-gate render"))
        .expect(0, &["promoted"]);
    assert_eq!(s.trailer("work", "Purlin-Overridden"), "render");
}

#[test]
fn a_budget_for_live_resources_is_kept() {
    let s = Scratch::platform();
    s.write("environments/staging/_claims/net/claims.yaml", CLAIMS);
    s.write(
        ".purlin/promotion.yaml",
        "version: 1\nenvs:\n  dev: {}\n  staging: {from: [dev], gates: [{blast: {update: 1, delete: 0}}]}\n",
    );
    s.commit("a budget");
    s.purlin("work", RUN).expect(
        4,
        &["2 resources would be changed; staging accepts 1 at once"],
    );
    s.purlin("work", &format!("{RUN} --skip-gate blast"))
        .expect(0, &["promoted"]);
}

#[test]
fn a_described_pipeline_is_followed() {
    let s = Scratch::platform();
    s.write(
        ".purlin/promotion.yaml",
        "version: 1\nenvs:\n  dev: {}\n  staging: {from: [dev], mode: pr}\n  prod: {from: [staging], gates: [{soak: 24h}]}\n",
    );
    s.commit("pipeline");
    s.purlin("work", RUN).expect(4, &["reviewed", "--branch"]);
    s.purlin("work", "run net --from dev --to prod")
        .expect(4, &["come from staging", "--skip-gate soak"]);
    s.purlin(
        "work",
        "run net --from dev --to prod --skip-gate soak --skip-gate order",
    )
    .expect(0, &["promoted"]);
    assert_eq!(s.trailer("work", "Purlin-Overridden"), "order, soak");
    s.write(
        ".purlin/promotion.yaml",
        "version: 1\nenvs:\n  dev: {}\n  staging: {form: [dev]}\n",
    );
    s.commit("typo");
    s.purlin("work", "status").expect(
        1,
        &[
            ".purlin/promotion.yaml:4:13: error[promotion/pipeline]",
            "did you mean `from`?",
        ],
    );
}

#[test]
fn misuse_and_the_world_have_their_exit_codes() {
    let s = Scratch::platform();
    s.purlin("work", "plan net --from dev --to stagin")
        .expect(2, &["did you mean `staging`?"]);
    s.purlin("work", "plan nets --from dev --to staging")
        .expect(2, &["did you mean `net`?"]);
    s.purlin("work", "plan net --from dev --to dev")
        .expect(2, &["itself"]);
    s.purlin("work", "plan net").expect(2, &["--to"]);
    s.purlin("work", "status --on nowhere")
        .expect(2, &["nowhere"]);
    fs::create_dir_all(s.path("empty")).unwrap();
    s.purlin("empty", "status")
        .expect(3, &["not in a Git repository"]);
    s.git("fresh", &["init", "-q", "-b", "main", "."]);
    s.purlin("fresh", "status").expect(2, &["has no commit"]);
}

#[test]
fn a_unit_that_moves_takes_its_deletions_along() {
    let s = Scratch::platform();
    s.write(
        "environments/staging/net/old.yaml",
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: old}\n",
    );
    s.commit("leftover");
    s.purlin("work", "plan net --to staging -o json")
        .expect(1, &["\"removed\"", "old.yaml"]);
    s.purlin("work", RUN).expect(0, &["- old.yaml"]);
    assert!(!s.path("work/environments/staging/net/old.yaml").exists());
}

#[test]
fn a_unit_that_is_only_in_the_target_is_said_to_be() {
    let s = Scratch::platform();
    s.git("work", &["rm", "-rq", "environments/dev/net"]);
    s.write("environments/dev/other/a.txt", "a\n");
    s.commit("no more nets");
    for line in [RUN, "plan net --to staging"] {
        s.purlin("work", line).expect(
            2,
            &[
                "dev has no unit `net`, only staging has it",
                "git rm -r environments/staging/net",
            ],
        );
    }
}

#[test]
fn every_unit_of_the_sample_platform_moves_and_its_claims_keep_working() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let dir = tempfile::tempdir().unwrap();
    let s = Scratch { dir };
    s.git("work", &["init", "-q", "-b", "main", "."]);
    s.identity("work");
    for (from, to) in [
        ("environments", "environments"),
        ("tests/fixtures/providers", "crds"),
    ] {
        let copied = Command::new("cp")
            .arg("-R")
            .arg(root.join(from))
            .arg(s.path("work").join(to))
            .status();
        assert!(copied.unwrap().success(), "{from}");
    }
    s.commit("the platform");
    let status = s.purlin("work", "status -o json").expect(0, &[]);
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    let units = status["units"].as_array().unwrap();
    assert!(units.len() >= 3, "{status}");
    for unit in units {
        let name = unit["unit"].as_str().unwrap();
        // Something for every claim to notice: the unit is new in staging.
        s.git(
            "work",
            &["rm", "-rq", &format!("environments/staging/{name}")],
        );
        s.commit("begin again");
        let plan = s
            .purlin("work", &format!("plan {name} --to staging -o json"))
            .expect(1, &[]);
        let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
        let claims = plan["plan"]["claims"].as_array().unwrap();
        assert!(!claims.is_empty(), "{name} has no claim in staging");
        for claim in claims {
            assert_eq!(claim["outcome"], "rendered", "{claim:#}");
            assert!(claim["changes"].as_array().unwrap().len() >= 2, "{claim:#}");
        }
        s.purlin(
            "work",
            &format!("run {name} --from dev --to staging --quiet"),
        )
        .expect(0, &["promoted"]);
        s.purlin(
            "work",
            &format!("run {name} --to prod --allow-breaking --quiet"),
        )
        .expect(0, &[]);
    }
    s.purlin("work", "status")
        .expect(0, &["= dev", "= staging"]);
}
