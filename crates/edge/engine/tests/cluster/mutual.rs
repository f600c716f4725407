//! Functions elsewhere over mutual TLS: what is live stays as it is while the two sides do not trust each other.

use purlin_api::{conditions, meta};
use purlin_testkit::certificates::{Authority, Flaw, put};
use serde_json::{Value, json};

use crate::behaviour::{World, buckets, claim, pipeline, ready, says};
use crate::server::{Setup, register, scripted_with};

const FUNCTION: &str = "function-mutual";

/// A Composition whose only step is the function that is called over mutual TLS.
fn composition() -> Value {
    let mut input = json!({"apiVersion": "test.golden.example/v1", "kind": "Script"});
    let script = buckets(&["a", "b"]);
    input
        .as_object_mut()
        .unwrap()
        .extend(script.as_object().unwrap().clone());
    pipeline(json!([{"step": "s", "functionRef": {"name": FUNCTION}, "input": input}]))
}

fn synced(object: &Value) -> bool {
    conditions::is_true(object, "Synced")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_called_over_mutual_tls_and_distrust_removes_nothing() {
    let (authority, stranger) = (Authority::default(), Authority::new("a stranger"));
    let (server, client) = (authority.issue(Flaw::None), authority.issue(Flaw::None));
    let world = World::start(Setup {
        certificates: Some(client.path().to_owned()),
        ..Setup::default()
    })
    .await;
    let function = scripted_with(server.path()).await;
    register(&world.client, FUNCTION, &function.address().to_string()).await;
    world.apply(composition()).await;
    world.apply(claim(1)).await;
    world.composite(|x| ready(x) && synced(x)).await;
    let made = world.until_buckets(&["a", "b"]).await;

    // The function does not let the engine in, then the engine does not believe the function.
    let folder = client.path();
    let refused = folder.join("tls.crt").display().to_string();
    let distrusted = "was not signed by the authority";
    let untrusting = || {
        authority.issue_into(folder, Flaw::None);
        put(folder, "ca.crt", stranger.pem());
    };
    let foreign = || {
        stranger.issue_into(folder, Flaw::None);
        put(folder, "ca.crt", authority.pem());
    };
    let expired = || authority.issue_into(folder, Flaw::Expired);
    let flaws: [(&dyn Fn(), &str); 3] = [
        (&foreign, &refused),
        (&expired, &refused),
        (&untrusting, distrusted),
    ];
    for (n, (spoil, words)) in (2..).zip(flaws) {
        spoil();
        world.patch_claim(json!({"n": n})).await;
        let told = world
            .composite(|x| !synced(x) && says(x, "Synced", words))
            .await;
        assert!(says(&told, "Synced", FUNCTION), "{told:#}");
        let now = world.until_buckets(&["a", "b"]).await;
        let uids = |all: &[Value]| -> Vec<String> {
            all.iter().map(|b| meta::uid(b).to_owned()).collect()
        };
        assert_eq!(uids(&now), uids(&made));
        assert!(
            now.iter()
                .all(|b| b["metadata"]["deletionTimestamp"].is_null())
        );
        // With the right files it goes on, without a restart.
        authority.issue_into(folder, Flaw::None);
        world.patch_claim(json!({"n": n * 100})).await;
        world
            .composite(|x| synced(x) && x["spec"]["n"] == n * 100)
            .await;
    }
    world.stop().await;
    function.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_is_only_for_this_machine_and_only_when_that_was_said() {
    // Certificates are there, so plain text was not allowed; the function's server knows nothing else.
    let client = Authority::default().issue(Flaw::None);
    let world = World::start(Setup {
        certificates: Some(client.path().to_owned()),
        ..Setup::default()
    })
    .await;
    let plain = json!([{"step": "s", "functionRef": {"name": "function-script"},
        "input": {"apiVersion": "test.golden.example/v1", "kind": "Script"}}]);
    world.apply(pipeline(plain)).await;
    world.apply(claim(1)).await;
    world
        .composite(|x| !synced(x) && says(x, "Synced", "function-script"))
        .await;
    world.until_buckets(&[]).await;
    world.stop().await;
}
