//! What was acknowledged is there again: after a restart, and after the process was killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use purlin_apiserver::{Options, Server};
use serde_json::json;

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).expect("a config map")
}

fn options(directory: &Path) -> Options {
    Options {
        data_dir: Some(directory.to_owned()),
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_revisions_go_on_after_a_restart() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let server = Server::start(options(directory.path()))
        .await
        .expect("the server starts");
    let token = server.token().to_owned();
    let api: Api<ConfigMap> = Api::default_namespaced(server.client("default"));
    let first = api
        .create(&PostParams::default(), &config_map("one"))
        .await
        .expect("created");
    server.shutdown().await;
    drop(api);

    let server = Server::start(options(directory.path()))
        .await
        .expect("the server starts again");
    assert_eq!(server.token(), token);
    let api: Api<ConfigMap> = Api::default_namespaced(server.client("default"));
    let kept = api.get("one").await.expect("it is there");
    assert_eq!(kept, first);
    let second = api
        .create(&PostParams::default(), &config_map("two"))
        .await
        .expect("created");
    let number = |object: &ConfigMap| -> u64 {
        let text = object.metadata.resource_version.clone().unwrap_or_default();
        text.parse().expect("a number")
    };
    assert!(number(&second) > number(&first));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_does_not_open_the_same_directory() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let server = Server::start(options(directory.path()))
        .await
        .expect("the server starts");
    let second = Server::start(options(directory.path())).await;
    let text = second.expect_err("the directory is taken").to_string();
    assert!(text.contains("another server"), "{text}");
    server.shutdown().await;
}

/// The example binary, which cargo builds beside the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("tests are two folders below the target's profile");
    folder.join("examples/apiserver")
}

fn spawn(home: &Path) -> Child {
    let kubeconfig = home.join("kubeconfig");
    if kubeconfig.exists() {
        std::fs::remove_file(&kubeconfig).expect("the old kubeconfig goes");
    }
    Command::new(example())
        .arg(&kubeconfig)
        .arg(home.join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("cargo builds the example `apiserver` with the tests")
}

async fn connect(home: &Path) -> Client {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let text = std::fs::read_to_string(home.join("kubeconfig")).unwrap_or_default();
        if let Ok(kubeconfig) = Kubeconfig::from_yaml(&text)
            && let Ok(config) =
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await
            && let Ok(client) = Client::try_from(config)
            && client.apiserver_version().await.is_ok()
        {
            return client;
        }
        assert!(Instant::now() < deadline, "the server does not come up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_acknowledged_survives_a_kill() {
    let home = tempfile::tempdir().expect("a scratch directory");
    let mut child = spawn(home.path());
    let api: Api<ConfigMap> = Api::default_namespaced(connect(home.path()).await);
    for i in 0..20 {
        let name = format!("kept-{i}");
        api.create(&PostParams::default(), &config_map(&name))
            .await
            .expect("created");
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let mut child = spawn(home.path());
    let api: Api<ConfigMap> = Api::default_namespaced(connect(home.path()).await);
    let list = api.list(&ListParams::default()).await.expect("a list");
    assert_eq!(list.items.len(), 20);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}
