//! `purlin up`, as a user runs it: with real kubectl, killed, started again, stopped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A running `purlin up`, killed when it is dropped.
struct Up {
    child: Child,
    kubeconfig: PathBuf,
}

impl Up {
    /// Starts it, and returns when it says that Ctrl-C stops it.
    fn start(folder: &Path, more: &[&str]) -> Self {
        let kubeconfig = folder.join("kubeconfig");
        let mut child = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.join("data"))
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(more)
            .current_dir(root())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "up ended: {all}");
            all.push_str(&line);
            if line.contains("Ctrl-C stops it") {
                break;
            }
        }
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, kubeconfig }
    }

    fn kubectl(&self, words: &[&str]) -> String {
        let output = Command::new("kubectl")
            .env("KUBECONFIG", &self.kubeconfig)
            .args(words)
            .current_dir(root())
            .output()
            .expect("kubectl is installed: scripts/need-kubectl.sh installs it");
        assert!(
            output.status.success(),
            "kubectl {words:?}: {}",
            text(&output)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Everything the engine and the provider wrote, with versions: equal when nobody wrote in between.
    fn versions(&self) -> String {
        let columns = "custom-columns=KIND:.kind,NAME:.metadata.name,UID:.metadata.uid,VERSION:.metadata.resourceVersion";
        self.kubectl(&[
            "get",
            "claim,composite,managed,compositionrevisions",
            "-A",
            "-o",
            columns,
        ])
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &process])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

const PLATFORM: [&str; 8] = [
    "--apply",
    "tests/fixtures/providers",
    "--apply",
    "environments/dev/_claims/namespaces.yaml",
    "--apply",
    "environments/dev/network",
    "--apply",
    "environments/dev/bucket",
];

#[test]
fn without_its_engine_it_is_an_api_server_and_a_provider() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--no-engine", "--apply", "tests/fixtures/providers"];
    let up = Up::start(folder.path(), &more);
    // The kinds of XRDs and Compositions are the other engine's to bring.
    let kinds = up.kubectl(&["api-resources", "-o", "name"]);
    assert!(kinds.contains("vpcs.ec2.aws.upbound.io"), "{kinds}");
    assert!(!kinds.contains("compositions."), "{kinds}");
    let vpc = folder.path().join("vpc.yaml");
    std::fs::write(
        &vpc,
        "apiVersion: ec2.aws.upbound.io/v1beta1\nkind: VPC\nmetadata: {name: main}\n\
         spec: {forProvider: {region: eu-west-1, cidrBlock: 10.0.0.0/16}}\n",
    )
    .unwrap();
    up.kubectl(&["create", "-f", vpc.to_str().unwrap()]);
    up.kubectl(&["wait", "vpc/main", "--for=condition=Ready", "--timeout=30s"]);
}

#[test]
fn a_claim_is_still_there_after_a_kill_and_nothing_is_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut up = Up::start(folder.path(), &PLATFORM);
    let mode = std::fs::metadata(&up.kubeconfig)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    up.kubectl(&[
        "create",
        "-f",
        "environments/dev/_claims/network",
        "-f",
        "environments/dev/_claims/bucket",
    ]);
    let ready = "--for=condition=Ready";
    up.kubectl(&[
        "wait",
        "-n",
        "team-orders",
        "network/orders",
        "buckets.platform.acme.example/invoices",
        ready,
        "--timeout=60s",
    ]);
    let before = up.versions();
    assert!(
        before.contains("VPC") && before.contains("XBucket"),
        "{before}"
    );

    up.signal("-KILL");
    up.child.wait().unwrap();
    let mut up = Up::start(folder.path(), &[]);
    assert_eq!(up.versions(), before);
    up.kubectl(&[
        "delete",
        "-n",
        "team-orders",
        "network/orders",
        "--timeout=60s",
    ]);
    let left = up.kubectl(&[
        "get",
        "vpcs.ec2.aws.upbound.io,subnets.ec2.aws.upbound.io",
        "--ignore-not-found",
    ]);
    assert_eq!(left, "");

    up.signal("-TERM");
    assert_eq!(up.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_applied_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("thing.yaml");
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n---\napiVersion: nowhere.example.org/v1\nkind: Thing\nmetadata: {name: t}\n";
    std::fs::write(&file, manifest).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(["up", "--listen", "127.0.0.1:0", "--kubeconfig"])
        .arg(folder.path().join("kubeconfig"))
        .arg("--apply")
        .arg(&file)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("thing.yaml:7:"), "{said}");
    assert!(said.contains("nothing serves"), "{said}");
}

#[test]
fn another_clusters_kubeconfig_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine");
    std::fs::write(
        &file,
        "apiVersion: v1\nkind: Config\ncurrent-context: prod\n",
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args(["up", "--listen", "127.0.0.1:0", "--kubeconfig"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("another cluster's kubeconfig"));
    assert!(std::fs::read_to_string(&file).unwrap().contains("prod"));
}
