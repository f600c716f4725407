//! The real kubectl works on the server.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use purlin_apiserver::{Options, Running, Server};

const CRD: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: buckets.shop.example.com}
spec:
  group: shop.example.com
  scope: Namespaced
  names: {plural: buckets, kind: Bucket, shortNames: [bk], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What the bucket should be.
            required: [region]
            properties:
              region: {type: string, enum: [north, south], description: Where it lives.}
              size: {type: integer, default: 3, minimum: 1}
          status:
            type: object
            properties:
              ready: {type: boolean}
              conditions:
                type: array
                items: {type: object, properties: {type: {type: string}, status: {type: string}}}
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Region, type: string, jsonPath: .spec.region}
    - {name: Size, type: integer, jsonPath: .spec.size}
";

struct Shell<'a> {
    home: &'a Path,
}

impl Shell<'_> {
    fn run(&self, line: &str, input: &str) -> (bool, String) {
        let args = line.split_whitespace();
        let mut child = Command::new("kubectl")
            .args(args)
            .env("KUBECONFIG", self.home.join("kubeconfig"))
            .env("HOME", self.home)
            .env("KUBE_EDITOR", self.home.join("editor"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect(
                "kubectl is not on the PATH; install it (https://kubernetes.io/docs/tasks/tools/)",
            );
        let mut stdin = child.stdin.take().expect("the input is piped");
        stdin
            .write_all(input.as_bytes())
            .expect("kubectl reads its input");
        drop(stdin);
        let output = child.wait_with_output().expect("kubectl ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    /// Runs a command that must succeed and say something.
    fn ok(&self, line: &str, input: &str, says: &str) -> String {
        let (success, text) = self.run(line, input);
        assert!(success, "kubectl {line}\n{text}");
        assert!(
            text.contains(says),
            "kubectl {line} does not say {says:?}:\n{text}"
        );
        text
    }

    /// Runs a command that must fail and say why.
    fn fails(&self, line: &str, input: &str, says: &str) {
        let (success, text) = self.run(line, input);
        assert!(!success, "kubectl {line} succeeds\n{text}");
        assert!(
            text.contains(says),
            "kubectl {line} does not say {says:?}:\n{text}"
        );
    }
}

async fn with_shell(test: impl FnOnce(&Shell<'_>) + Send + 'static) {
    let home = tempfile::tempdir().expect("a scratch directory");
    let server: Running = Server::start(Options::default())
        .await
        .expect("the server starts");
    std::fs::write(home.path().join("kubeconfig"), server.kubeconfig()).expect("the kubeconfig");
    let path = home.path().to_owned();
    tokio::task::spawn_blocking(move || test(&Shell { home: &path }))
        .await
        .expect("the commands run");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_works_on_built_in_kinds() {
    with_shell(|shell| {
        shell.ok("version", "", "Server Version: v1.");
        shell.ok("create namespace shop", "", "namespace/shop created");
        shell.ok("create configmap settings -n shop --from-literal=colour=red", "", "created");
        shell.ok("create secret generic door -n shop --from-literal=key=abc", "", "created");
        shell.ok("get configmaps,secrets -n shop", "", "configmap/settings   1");
        shell.ok("get secret door -n shop -o yaml", "", "key: YWJj");
        shell.ok("describe configmap settings -n shop", "", "colour:");
        shell.ok(
            "patch configmap settings -n shop -p {\"data\":{\"colour\":\"blue\"}}",
            "",
            "patched",
        );
        shell.ok("label configmap settings -n shop team=a", "", "labeled");
        shell.ok("get configmap -n shop -l team=a -o name", "", "configmap/settings");
        let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied, namespace: shop}\ndata: {a: one}\n";
        shell.ok("apply -f -", manifest, "created");
        shell.ok("apply -f -", manifest, "unchanged");
        shell.ok("apply -f -", &manifest.replace("one", "two"), "configured");
        shell.ok("apply --server-side -f -", &manifest.replace("one", "two"), "serverside-applied");
        shell.ok("auth can-i create configmaps", "", "yes");
        shell.ok("api-resources", "", "customresourcedefinitions");
        shell.ok("explain configmap.data", "", "map[string]string");
        shell.ok("delete namespace shop", "", "deleted");
        shell.fails("get configmap settings -n shop", "", "NotFound");
        let unknown = "apiVersion: ex.org/v1\nkind: Nope\nmetadata: {name: one}\n";
        let no_matches = "no matches for kind \"Nope\" in version \"ex.org/v1\"";
        shell.fails("create -f -", unknown, no_matches);
        shell.fails("apply -f -", unknown, no_matches);
        shell.ok("get --raw /openapi/v2", "", "\"swagger\":\"2.0\"");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_works_on_custom_resources() {
    with_shell(|shell| {
        shell.ok("create -f -", CRD, "created");
        shell.ok("wait --for=condition=Established crd/buckets.shop.example.com --timeout=10s", "", "condition met");
        let bucket = "apiVersion: shop.example.com/v1\nkind: Bucket\nmetadata: {name: one}\nspec: {region: north}\n";
        shell.ok("create -f -", bucket, "bucket.shop.example.com/one created");
        shell.ok("get bk", "", "one    north    3");
        shell.ok("get all", "", "one    north    3");
        shell.ok("apply -f -", &bucket.replace("north", "south"), "configured");
        shell.fails("apply -f -", &bucket.replace("north", "west"), "Unsupported value: \"west\"");
        shell.fails("create -f -", &bucket.replace("region: north", "zone: x"), "unknown field \"spec.zone\"");
        shell.ok("patch bucket one --type=merge -p {\"spec\":{\"size\":5}}", "", "patched");
        shell.ok(
            "patch bucket one --subresource=status --type=merge -p {\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
            "",
            "patched",
        );
        shell.ok("wait --for=condition=Ready bucket/one --timeout=10s", "", "condition met");
        shell.ok("explain bucket.spec.region", "", "Where it lives.");
        shell.ok("describe bucket one", "", "Region:  south");
        let editor = shell.home.join("editor");
        std::fs::write(&editor, "#!/bin/sh\nsed -i 's/size: 5/size: 7/' \"$1\"\n").expect("an editor");
        make_executable(&editor);
        shell.ok("edit bucket one", "", "edited");
        shell.ok("get bucket one -o jsonpath={.spec.size}", "", "7");
        shell.ok("get bucket one -w --request-timeout=2s", "", "one");
        shell.ok("delete bucket one --timeout=10s", "", "deleted");
        shell.ok("delete crd buckets.shop.example.com --timeout=10s", "", "deleted");
        shell.fails("get buckets", "", "the server could not find");
    })
    .await;
}

#[cfg(unix)]
fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a permission");
}
