//! What the engine does when things go well, go wrong, or start again: on the embedded API server, through a real gRPC
//! function server. Waits are for conditions, never for time.

use std::time::Duration;

use purlin_api::conditions;
use purlin_api::meta::{self, Gvk, names};
use purlin_kube::{Client, Propagation};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::server::{Cluster, Setup};

const LONGEST: Duration = Duration::from_secs(20);

/// A cluster with a composite kind, a claim kind and a kind to compose.
pub(crate) struct World {
    cluster: Cluster,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn start(setup: Setup) -> Self {
        let cluster = Cluster::start(setup).await;
        let client = Client::new(cluster.client.clone());
        let world = Self { cluster, client };
        world.apply(bucket_crd()).await;
        world.apply(xrd()).await;
        world
            .until(gvk_xrd(), ("", "xthings.e.org"), |x| {
                conditions::is_true(x, "Offered")
            })
            .await;
        world
    }

    pub(crate) async fn stop(self) {
        self.cluster.stop().await;
    }

    pub(crate) async fn apply(&self, object: Value) {
        let kind = self.client.kind(&Gvk::of(&object).unwrap()).await.unwrap();
        self.client.apply(&kind, &object, "test", "").await.unwrap();
    }

    async fn get(&self, gvk: &Gvk, namespace: &str, name: &str) -> Option<Value> {
        let kind = self.client.kind(gvk).await.ok()?;
        self.client.get(&kind, namespace, name).await.unwrap()
    }

    async fn list(&self, gvk: &Gvk) -> Vec<Value> {
        let kind = self.client.kind(gvk).await.unwrap();
        self.client.list(&kind, "").await.unwrap().items
    }

    async fn delete(&self, gvk: &Gvk, object: &Value) {
        let kind = self.client.kind(gvk).await.unwrap();
        self.client
            .delete(&kind, object, Propagation::Background)
            .await
            .unwrap();
    }

    /// Waits until an object is as it should be.
    pub(crate) async fn until(
        &self,
        gvk: Gvk,
        at: (&str, &str),
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let (namespace, name) = at;
        let end = Instant::now() + LONGEST;
        loop {
            let held = self.get(&gvk, namespace, name).await;
            if let Some(held) = held.as_ref().filter(|held| is(held)) {
                return held.clone();
            }
            assert!(
                Instant::now() < end,
                "{gvk} never came to be as it should: {held:#?}"
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn until_buckets(&self, wanted: &[&str]) -> Vec<Value> {
        let end = Instant::now() + LONGEST;
        loop {
            let mut all = self.list(&gvk_bucket()).await;
            all.sort_by_key(|b| meta::annotation(b, names::ANNOTATION_RESOURCE_NAME).to_owned());
            let keys: Vec<&str> = all
                .iter()
                .map(|b| meta::annotation(b, names::ANNOTATION_RESOURCE_NAME))
                .collect();
            if keys == wanted {
                return all;
            }
            assert!(
                Instant::now() < end,
                "buckets stay {keys:?} instead of {wanted:?}"
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn claim(&self, is: impl Fn(&Value) -> bool) -> Value {
        self.until(gvk_claim(), ("default", "c"), is).await
    }

    pub(crate) async fn patch_claim(&self, spec: Value) {
        let kind = self.client.kind(&gvk_claim()).await.unwrap();
        let claim = json!({"metadata": {"name": "c", "namespace": "default"}});
        let patch = json!({"spec": spec});
        self.client
            .patch(&kind, &claim, &patch, "test")
            .await
            .unwrap();
    }

    /// The composite of the claim, once it is as it should be.
    pub(crate) async fn composite(&self, is: impl Fn(&Value) -> bool) -> Value {
        let claim = self
            .claim(|c| !meta::text(c, &["spec", "resourceRef", "name"]).is_empty())
            .await;
        let name = meta::text(&claim, &["spec", "resourceRef", "name"]).to_owned();
        self.until(gvk_composite(), ("", &name), is).await
    }
}

fn gvk_xrd() -> Gvk {
    Gvk::new(
        "apiextensions.crossplane.io/v1",
        "CompositeResourceDefinition",
    )
}
fn gvk_claim() -> Gvk {
    Gvk::new("e.org/v1", "Thing")
}
fn gvk_composite() -> Gvk {
    Gvk::new("e.org/v1", "XThing")
}
fn gvk_bucket() -> Gvk {
    Gvk::new("i.org/v1", "Bucket")
}

fn bucket_crd() -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "buckets.i.org"}, "spec": {"group": "i.org", "scope": "Cluster",
        "names": {"kind": "Bucket", "plural": "buckets"},
        "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}}}]}})
}

fn xrd() -> Value {
    json!({"apiVersion": "apiextensions.crossplane.io/v1", "kind": "CompositeResourceDefinition",
        "metadata": {"name": "xthings.e.org"}, "spec": {"group": "e.org",
        "names": {"kind": "XThing", "plural": "xthings"}, "claimNames": {"kind": "Thing", "plural": "things"},
        "versions": [{"name": "v1", "served": true, "referenceable": true, "schema": {"openAPIV3Schema":
            {"type": "object", "properties": {"spec": {"type": "object", "properties": {"n": {"type": "integer"}}}}}}}]}})
}

/// A Composition with one scripted step.
#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with json! in place"
)]
fn composition(script: Value) -> Value {
    let mut input = json!({"apiVersion": "test.golden.example/v1", "kind": "Script"});
    input
        .as_object_mut()
        .unwrap()
        .extend(script.as_object().unwrap().clone());
    pipeline(json!([{"step": "s", "functionRef": {"name": "function-script"}, "input": input}]))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with json! in place"
)]
pub(crate) fn pipeline(steps: Value) -> Value {
    json!({"apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition", "metadata": {"name": "c"},
        "spec": {"compositeTypeRef": {"apiVersion": "e.org/v1", "kind": "XThing"}, "mode": "Pipeline", "pipeline": steps}})
}

pub(crate) fn buckets(keys: &[&str]) -> Value {
    let bucket = json!({"resource": {"apiVersion": "i.org/v1", "kind": "Bucket", "spec": {"n": "$(spec.n)"}}, "ready": "True"});
    let all = keys.iter().map(|key| ((*key).to_owned(), bucket.clone()));
    json!({"resources": Value::Object(all.collect())})
}

pub(crate) fn claim(n: i64) -> Value {
    json!({"apiVersion": "e.org/v1", "kind": "Thing", "metadata": {"name": "c", "namespace": "default"}, "spec": {"n": n}})
}

pub(crate) fn ready(object: &Value) -> bool {
    conditions::is_true(object, conditions::READY)
}

pub(crate) fn says(object: &Value, condition: &str, words: &str) -> bool {
    conditions::get(object, condition).is_some_and(|c| meta::text(c, &["message"]).contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_becomes_resources_changes_and_goes() {
    let world = World::start(Setup::default()).await;
    world.apply(composition(buckets(&["a", "b"]))).await;
    world.apply(claim(1)).await;
    world.claim(ready).await;
    let made = world.until_buckets(&["a", "b"]).await;
    assert_eq!(made[0]["spec"]["n"], 1);
    world.apply(claim(2)).await;
    let name = meta::name(&made[0]).to_owned();
    world
        .until(gvk_bucket(), ("", &name), |b| b["spec"]["n"] == 2)
        .await;
    world.apply(composition(buckets(&["b", "c"]))).await;
    let now = world.until_buckets(&["b", "c"]).await;
    assert_eq!(
        meta::uid(&now[0]),
        meta::uid(&made[1]),
        "what both desire is the same object"
    );
    let claim = world.claim(ready).await;
    world.delete(&gvk_claim(), &claim).await;
    world.until_buckets(&[]).await;
    assert!(world.list(&gvk_claim()).await.is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_live_is_removed_whatever_goes_wrong() {
    let world = World::start(Setup {
        function_timeout: Duration::from_millis(300),
        ..Setup::default()
    })
    .await;
    world.apply(composition(buckets(&["a"]))).await;
    world.apply(claim(1)).await;
    world.claim(ready).await;
    let before = world.until_buckets(&["a"]).await;
    let fatal = json!({"results": [{"severity": "FATAL", "message": "no more"}]});
    let step = |function: &str| pipeline(json!([{"step": "s", "functionRef": {"name": function}}]));
    let silent = pipeline(json!([{"step": "s", "functionRef": {"name": "function-silent"}}]));
    for (wrong, words) in [
        (composition(fatal), "no more"),
        (
            step("function-nobody-has"),
            "cannot find an active FunctionRevision",
        ),
        (step("function-unreachable"), "function-unreachable"),
        (silent, "did not answer within"),
    ] {
        world.apply(wrong).await;
        let composite = world.composite(|x| says(x, "Synced", words)).await;
        assert!(ready(&composite), "Ready stays what it was");
        let now = world.until_buckets(&["a"]).await;
        assert_eq!(
            meta::resource_version(&now[0]),
            meta::resource_version(&before[0])
        );
        assert_eq!(
            meta::at(&composite, &["spec", "resourceRefs"])
                .unwrap()
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
    world.apply(composition(buckets(&["a"]))).await;
    world.composite(|x| conditions::is_true(x, "Synced")).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_composition_of_an_unknown_kind_harms_nobody() {
    let world = World::start(Setup::default()).await;
    let mut stray = composition(buckets(&["z"]));
    stray["metadata"]["name"] = "stray".into();
    stray["spec"]["compositeTypeRef"] = json!({"apiVersion": "nowhere.org/v1", "kind": "XNothing"});
    world.apply(stray).await;
    world.apply(composition(buckets(&["a"]))).await;
    world.apply(claim(1)).await;
    let composite = world.composite(ready).await;
    assert_eq!(
        meta::text(&composite, &["spec", "compositionRef", "name"]),
        "c"
    );
    let mut lost = claim(1);
    lost["metadata"]["name"] = "lost".into();
    lost["spec"]["compositionRef"] = json!({"name": "stray"});
    world.apply(lost).await;
    let waits = |c: &Value| says(c, "Ready", "not compatible");
    world.until(gvk_claim(), ("default", "lost"), waits).await;
    world.until_buckets(&["a"]).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steady_state_and_a_restarted_engine_write_nothing() {
    let world = World::start(Setup::default()).await;
    let steps = json!([
        {"step": "make", "functionRef": {"name": "function-patch-and-transform"}, "input": {
            "apiVersion": "pt.fn.crossplane.io/v1beta1", "kind": "Resources", "resources": [{"name": "a",
                "base": {"apiVersion": "i.org/v1", "kind": "Bucket", "spec": {"list": [1, {"x": 2.5}], "empty": {}}},
                "patches": [{"type": "FromCompositeFieldPath", "fromFieldPath": "spec.n", "toFieldPath": "spec.n"}],
                "readinessChecks": [{"type": "None"}]}]}},
        {"step": "ready", "functionRef": {"name": "function-auto-ready"}},
    ]);
    world.apply(pipeline(steps)).await;
    world.apply(claim(1)).await;
    world.claim(ready).await;
    let settled = world.settled().await;
    let world = World {
        cluster: world.cluster.restart_engine().await,
        client: world.client,
    };
    // The restarted engine has looked at everything once a change of the claim got through.
    assert_eq!(
        world.settled().await,
        settled,
        "the restart wrote something"
    );
    world.apply(claim(2)).await;
    let name = meta::name(&world.until_buckets(&["a"]).await[0]).to_owned();
    world
        .until(gvk_bucket(), ("", &name), |b| b["spec"]["n"] == 2)
        .await;
    world.stop().await;
}

impl World {
    /// Every object's version, once that does not change any more.
    async fn settled(&self) -> Vec<String> {
        let quiet = Duration::from_millis(700);
        let (mut last, mut since) = (Vec::new(), Instant::now());
        loop {
            let mut now = Vec::new();
            for gvk in [gvk_xrd(), gvk_claim(), gvk_composite(), gvk_bucket()] {
                let all = self.list(&gvk).await;
                now.extend(
                    all.iter()
                        .map(|o| format!("{gvk} {} {}", meta::name(o), meta::resource_version(o))),
                );
            }
            if now != last {
                (last, since) = (now, Instant::now());
            }
            if since.elapsed() > quiet {
                return last;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_held_by_one_and_given_up_on_stop() {
    use purlin_engine::{Lease, LeaseOptions};
    use tokio_util::sync::CancellationToken;

    let world = World::start(Setup::default()).await;
    let options = |holder: &str| LeaseOptions {
        namespace: "crossplane-system".into(),
        name: "purlin-engine".into(),
        holder: holder.into(),
        duration: Duration::from_secs(3),
    };
    let (stop, lost) = (CancellationToken::new(), CancellationToken::new());
    let first = Lease::acquire(world.client.clone(), options("one"), &stop)
        .await
        .unwrap()
        .unwrap();
    let keeping = tokio::spawn(first.keep(stop.clone(), lost.clone()));
    let other = CancellationToken::new();
    let second = tokio::spawn({
        let (client, options, other) = (world.client.clone(), options("two"), other.clone());
        async move { Lease::acquire(client, options, &other).await }
    });
    let lease = Gvk::new("coordination.k8s.io/v1", "Lease");
    let at = ("crossplane-system", "purlin-engine");
    let held_by =
        |name: &'static str| move |l: &Value| meta::text(l, &["spec", "holderIdentity"]) == name;
    let made = world.until(lease.clone(), at, held_by("one")).await;
    let renewed =
        move |l: &Value| held_by("one")(l) && l["spec"]["renewTime"] != made["spec"]["renewTime"];
    world.until(lease.clone(), at, renewed).await;
    assert!(!second.is_finished() && !lost.is_cancelled());
    stop.cancel();
    keeping.await.unwrap();
    assert!(second.await.unwrap().unwrap().is_some());
    world.until(lease, at, held_by("two")).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_pins_a_revision_and_follows_again() {
    let world = World::start(Setup::default()).await;
    let revision =
        |object: &Value| meta::text(object, &["spec", "compositionRevisionRef", "name"]).to_owned();
    world.apply(composition(buckets(&["a"]))).await;
    let mut manual = claim(1);
    manual["spec"]["compositionUpdatePolicy"] = "Manual".into();
    world.apply(manual).await;
    let first = revision(&world.composite(ready).await);
    world.apply(composition(buckets(&["a", "b"]))).await;
    world
        .patch_claim(json!({"compositionUpdatePolicy": "Automatic"}))
        .await;
    world.until_buckets(&["a", "b"]).await;
    let pin =
        json!({"compositionUpdatePolicy": "Manual", "compositionRevisionRef": {"name": first}});
    world.patch_claim(pin).await;
    world.until_buckets(&["a"]).await;
    world.composite(|x| revision(x) == first).await;
    world.apply(composition(buckets(&["a", "b", "c"]))).await;
    world
        .patch_claim(json!({"compositionUpdatePolicy": "Automatic"}))
        .await;
    world.until_buckets(&["a", "b", "c"]).await;
    let newest = revision(&world.composite(|x| revision(x) != first).await);
    world
        .claim(|c| conditions::is_true(c, "Synced") && ready(c) && revision(c) == newest)
        .await;
    world.stop().await;
}
