//! The simulated provider at work on an API server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use purlin_api::conditions::{self, READY, SYNCED};
use purlin_api::meta::{self, Gvk};
use purlin_apiserver::{Running, Server};
use purlin_kube::{Change, Client, Informers, Propagation};
use purlin_simulator::Options;
use purlin_testkit::root;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(1);

struct World {
    server: Running,
    client: Client,
    informers: Informers,
    changes: UnboundedReceiver<Change>,
    stop: CancellationToken,
}

impl World {
    /// A server with the sample platform's CRDs, and the provider on it.
    async fn new() -> Self {
        let server = Server::start(purlin_apiserver::Options::default())
            .await
            .unwrap();
        let client = Client::new(server.client("default"));
        let (informers, changes) = Informers::new(client.clone());
        let stop = CancellationToken::new();
        let world = Self {
            server,
            client,
            informers,
            changes,
            stop,
        };
        world
            .make(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keys"}}))
            .await;
        for file in ["ec2", "rds", "s3"] {
            let path = root().join(format!("tests/fixtures/providers/{file}.yaml"));
            let (documents, found) =
                purlin_yaml::load(file, &std::fs::read_to_string(path).unwrap());
            assert!(found.is_empty());
            for crd in documents {
                world.make(&crd.value).await;
            }
        }
        let options = Options {
            delay: Duration::from_millis(50),
            ..Options::default()
        };
        tokio::spawn(purlin_simulator::run(
            world.client.clone(),
            options,
            world.stop.clone(),
        ));
        world
    }

    async fn make(&self, object: &Value) -> Value {
        let gvk = Gvk::of(object).unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            // A CRD is served a moment after it was made.
            match self.client.kind(&gvk).await {
                Ok(kind) => return self.client.create(&kind, object, "test").await.unwrap(),
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until an object of a kind is as wanted.
    async fn until(&mut self, gvk: &Gvk, name: &str, wanted: impl Fn(Option<&Value>) -> bool) {
        let store = self.informers.synced(gvk).await.unwrap();
        let waiting = async {
            while !wanted(
                store
                    .get("", name)
                    .or_else(|| store.get("keys", name))
                    .as_deref(),
            ) {
                self.changes.recv().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{gvk} {name}: {:?}", store.get("", name));
    }

    async fn stop(self) {
        self.stop.cancel();
        drop(self.informers);
        self.server.shutdown().await;
    }
}

fn bucket(name: &str, annotations: &Value) -> Value {
    json!({"apiVersion": "s3.aws.upbound.io/v1beta1", "kind": "Bucket", "metadata": {"name": name, "annotations": annotations},
        "spec": {"forProvider": {"region": "eu-west-1", "tags": {"team": "a"}}}})
}

fn buckets() -> Gvk {
    Gvk::new("s3.aws.upbound.io/v1beta1", "Bucket")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_becomes_ready_follows_its_spec_and_goes() {
    let mut world = World::new().await;
    world.make(&bucket("one", &json!({}))).await;
    world
        .until(&buckets(), "one", |one| {
            one.is_some_and(|one| conditions::is_true(one, READY))
        })
        .await;
    let one = world
        .informers
        .known(&buckets())
        .unwrap()
        .get("", "one")
        .unwrap();
    assert_eq!(one["status"]["atProvider"]["arn"], "arn:aws:s3:::one");
    assert_eq!(one["status"]["atProvider"]["tagsAll"], json!({"team": "a"}));
    assert_eq!(meta::annotation(&one, "crossplane.io/external-name"), "one");
    let kind = world.client.kind(&buckets()).await.unwrap();
    let patch = json!({"spec": {"forProvider": {"tags": {"team": "b"}}}});
    world
        .client
        .patch(&kind, &one, &patch, "test")
        .await
        .unwrap();
    let tag = |one: &Value| one["status"]["atProvider"]["tags"]["team"] == "b";
    world
        .until(&buckets(), "one", |one| one.is_some_and(tag))
        .await;
    assert!(
        world
            .client
            .delete(&kind, &one, Propagation::Background)
            .await
            .unwrap()
    );
    world.until(&buckets(), "one", |one| one.is_none()).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn annotations_make_a_resource_fail_and_a_secret_is_written_where_it_is_asked_for() {
    let mut world = World::new().await;
    world
        .make(&bucket(
            "bad",
            &json!({"simulator.purlin.dev/behavior": "failing"}),
        ))
        .await;
    let failed = |one: &Value| {
        conditions::get(one, SYNCED).is_some_and(|synced| synced["reason"] == "ReconcileError")
    };
    world
        .until(&buckets(), "bad", |one| one.is_some_and(failed))
        .await;
    let instances = Gvk::new("rds.aws.upbound.io/v1beta1", "Instance");
    world
        .make(&json!({"apiVersion": "rds.aws.upbound.io/v1beta1", "kind": "Instance", "metadata": {"name": "db"}, "spec": {
            "forProvider": {"region": "eu-west-1", "engine": "postgres", "username": "master"}, "writeConnectionSecretToRef": {"namespace": "keys", "name": "db"}}}))
        .await;
    world
        .until(&instances, "db", |one| {
            one.is_some_and(|one| conditions::is_true(one, READY))
        })
        .await;
    let secrets = Gvk::new("v1", "Secret");
    let has = |secret: &Value| {
        ["endpoint", "port", "username", "password"]
            .iter()
            .all(|key| secret["data"][key].is_string())
    };
    world
        .until(&secrets, "db", |one| one.is_some_and(has))
        .await;
    world.stop().await;
}

/// `PURLIN_OBJECTS` says how many; the time is printed.
#[tokio::test(flavor = "multi_thread")]
async fn many_resources_become_ready_together() {
    let count: usize = std::env::var("PURLIN_OBJECTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100);
    let mut world = World::new().await;
    for index in 0..count {
        world.make(&bucket(&format!("b{index}"), &json!({}))).await;
    }
    let start = Instant::now();
    let store = world.informers.synced(&buckets()).await.unwrap();
    let ready = || {
        store
            .list()
            .iter()
            .filter(|one| conditions::is_true(one, READY))
            .count()
    };
    let waiting = async {
        while ready() < count {
            world.changes.recv().await;
            while world.changes.try_recv().is_ok() {}
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{} of {count} are ready", ready());
    println!(
        "{count} resources are ready {:?} after the last was made",
        start.elapsed()
    );
    world.stop().await;
}
