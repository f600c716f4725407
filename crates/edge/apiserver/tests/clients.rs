//! kube-rs works on the server: over TLS, and in process.

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Config};
use purlin_apiserver::{Options, Running, Server};
use serde_json::json;

async fn start() -> Running {
    Server::start(Options::default())
        .await
        .expect("the server starts")
}

async fn over_tls(server: &Running) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig()).expect("the kubeconfig is one");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("the kubeconfig can be used");
    Client::try_from(config).expect("a client")
}

fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"a": value}}))
        .expect("a config map")
}

async fn check_writes(client: Client) {
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    let made = api
        .create(&PostParams::default(), &config_map("one", "1"))
        .await
        .expect("created");
    assert!(made.metadata.uid.is_some());
    let again = api
        .create(&PostParams::default(), &config_map("one", "1"))
        .await;
    assert!(matches!(again, Err(kube::Error::Api(status)) if status.code == 409));
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"b": "2"}});
    let apply = PatchParams::apply("test");
    let applied = api
        .patch("one", &apply, &Patch::Apply(&body))
        .await
        .expect("applied");
    assert_eq!(
        applied.data.as_ref().map(std::collections::BTreeMap::len),
        Some(2)
    );
    let same = api
        .patch("one", &apply, &Patch::Apply(&body))
        .await
        .expect("applied");
    assert_eq!(
        same.metadata.resource_version,
        applied.metadata.resource_version
    );
    let stolen = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "x"}});
    let conflict = api.patch("one", &apply, &Patch::Apply(&stolen)).await;
    assert!(matches!(conflict, Err(kube::Error::Api(status)) if status.code == 409));
    assert_eq!(
        api.list(&ListParams::default())
            .await
            .expect("a list")
            .items
            .len(),
        1
    );
    api.delete("one", &DeleteParams::default())
        .await
        .expect("deleted");
    assert!(api.get_opt("one").await.expect("an answer").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_work_over_tls_and_in_process() {
    let server = start().await;
    check_writes(over_tls(&server).await).await;
    check_writes(server.client("default")).await;
    server.shutdown().await;
}

async fn check_watch(client: Client, config: watcher::Config) {
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    api.create(&PostParams::default(), &config_map("before", "1"))
        .await
        .expect("created");
    let mut events = watcher::watcher(api.clone(), config).boxed();
    let mut seen = Vec::new();
    loop {
        let event = events
            .next()
            .await
            .expect("events go on")
            .expect("no error");
        match event {
            Event::Init => {}
            Event::InitApply(object) => {
                seen.push(format!("init {}", object.metadata.name.unwrap_or_default()));
            }
            Event::InitDone => {
                api.create(&PostParams::default(), &config_map("later", "1"))
                    .await
                    .expect("created");
            }
            Event::Apply(object) => {
                seen.push(format!(
                    "apply {}",
                    object.metadata.name.unwrap_or_default()
                ));
                api.delete("later", &DeleteParams::default())
                    .await
                    .expect("deleted");
            }
            Event::Delete(object) => {
                seen.push(format!(
                    "delete {}",
                    object.metadata.name.unwrap_or_default()
                ));
                break;
            }
        }
    }
    assert_eq!(seen, ["init before", "apply later", "delete later"]);
    api.delete("before", &DeleteParams::default())
        .await
        .expect("deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_see_what_is_and_what_comes() {
    let server = start().await;
    let client = over_tls(&server).await;
    check_watch(client.clone(), watcher::Config::default()).await;
    check_watch(client, watcher::Config::default().streaming_lists()).await;
    check_watch(server.client("default"), watcher::Config::default()).await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused() {
    let server = start().await;
    let text = server.kubeconfig().replace(server.token(), "guess");
    let kubeconfig = Kubeconfig::from_yaml(&text).expect("the kubeconfig is one");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("the kubeconfig can be used");
    let api: Api<ConfigMap> = Api::default_namespaced(Client::try_from(config).expect("a client"));
    let refused = api.list(&ListParams::default()).await;
    assert!(matches!(refused, Err(kube::Error::Api(status)) if status.code == 401));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dependents_go_with_their_owner() {
    let server = start().await;
    let api: Api<ConfigMap> = Api::default_namespaced(server.client("default"));
    let owner = api
        .create(&PostParams::default(), &config_map("owner", "1"))
        .await
        .expect("created");
    let reference = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
        "uid": owner.metadata.uid, "blockOwnerDeletion": true,
    });
    let dependent: ConfigMap = serde_json::from_value(json!({
        "metadata": {"name": "dependent", "ownerReferences": [reference]},
    }))
    .expect("a config map");
    api.create(&PostParams::default(), &dependent)
        .await
        .expect("created");
    let config = watcher::Config::default();
    let mut events = watcher::watcher(api.clone(), config).boxed();
    let mut gone = Vec::new();
    while gone.len() < 2 {
        match events
            .next()
            .await
            .expect("events go on")
            .expect("no error")
        {
            Event::InitDone => {
                api.delete("owner", &DeleteParams::foreground())
                    .await
                    .expect("deleted");
            }
            Event::Delete(object) => gone.push(object.metadata.name.unwrap_or_default()),
            _ => {}
        }
    }
    assert_eq!(gone, ["dependent", "owner"]);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_events_are_found_by_what_they_are_about() {
    use k8s_openapi::api::core::v1::Event as CoreEvent;
    use kube::runtime::events::{Event as Note, EventType, Recorder, Reporter};
    use kube::{Resource as _, ResourceExt as _};

    let server = start().await;
    let client = server.client("default");
    let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let object = api
        .create(&PostParams::default(), &config_map("about", "1"))
        .await
        .expect("created");
    let reporter = Reporter {
        controller: "purlin.dev/test".into(),
        instance: Some("one".into()),
    };
    let recorder = Recorder::new(client.clone(), reporter);
    let note = Note {
        type_: EventType::Normal,
        reason: "Synced".into(),
        note: Some("all is well".into()),
        action: "Sync".into(),
        secondary: None,
    };
    let about = object.object_ref(&());
    recorder
        .publish(&note, &about)
        .await
        .expect("the first is created");
    recorder
        .publish(&note, &about)
        .await
        .expect("the second is counted");
    let events: Api<CoreEvent> = Api::default_namespaced(client);
    let uid = object.uid().expect("it has one");
    let selector = format!("involvedObject.name=about,involvedObject.uid={uid}");
    let found = events
        .list(&ListParams::default().fields(&selector))
        .await
        .expect("a list");
    assert_eq!(found.items.len(), 1);
    let event = found.items.first().expect("there is one");
    assert_eq!(event.message.as_deref(), Some("all is well"));
    assert_eq!(event.series.as_ref().and_then(|s| s.count), Some(2));
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_from_a_revision_of_the_future_is_refused() {
    let server = start().await;
    let path = "/api/v1/configmaps?watch=true&resourceVersion=99999999999";
    let request = http::Request::get(path)
        .body(Vec::new())
        .expect("a request");
    let client = server.client("default");
    let events = client
        .request_events::<ConfigMap>(request)
        .await
        .expect("a watch");
    let first = std::pin::pin!(events).next().await;
    let Some(Ok(WatchEvent::Error(status))) = first else {
        unreachable!("it is refused: {first:?}");
    };
    assert_eq!((status.code, status.reason.as_str()), (504, "Timeout"));
    assert!(
        status
            .message
            .contains("Too large resource version: 99999999999, current: "),
        "{}",
        status.message
    );
    let details = status.details.as_ref().expect("details");
    assert_eq!(details.causes[0].reason, "ResourceVersionTooLarge");
    server.shutdown().await;
}
