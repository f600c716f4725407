//! Replays what a real API server answered, and compares.
//!
//! The cases and how they are written are described in `tests/golden/README.md`; each file has a list of cases known to
//! fail, with the reason, that may only shrink.

mod normal;
mod project;
mod run;

use futures::StreamExt as _;
use purlin_apiserver::{Options, Server};
use purlin_testkit::{Outcome, cases, check_known};
use serde_json::Value;

async fn replay(area: &str) {
    let server = Server::start(Options::default())
        .await
        .expect("the server starts");
    let cases = cases(&format!("api/{area}.jsonl"));
    let runs = cases.iter().map(|case| {
        let client = server.client("default");
        async move {
            Outcome {
                name: case["name"].as_str().unwrap_or_default().to_owned(),
                failure: check(case, client).await,
            }
        }
    });
    let outcomes: Vec<Outcome> = futures::stream::iter(runs).buffered(16).collect().await;
    server.shutdown().await;
    check_known(area, &format!("api/{area}.known.txt"), &outcomes);
}

async fn check(case: &Value, client: kube::Client) -> Option<String> {
    let mut run = run::Run::new(client);
    let mut got = Vec::new();
    for step in case["setup"].as_array().into_iter().flatten() {
        let answer = run.fixture(step).await;
        let code = answer["status"].as_u64().unwrap_or_default();
        let fine = code < 300
            || step["ok"]
                .as_array()
                .is_some_and(|ok| ok.contains(&answer["status"]));
        if !fine {
            return Some(format!(
                "setup {} {}: {answer}",
                step["method"], step["path"]
            ));
        }
    }
    for step in case["steps"].as_array().into_iter().flatten() {
        got.push(run.step(step).await);
    }
    for step in case["teardown"].as_array().into_iter().flatten() {
        run.fixture(step).await;
    }
    if !run.normal.problems.is_empty() {
        return Some(run.normal.problems.join("\n"));
    }
    let got = normal::renumber(&Value::Array(got));
    let want = normal::renumber(&case["expect"]);
    let (got, want) = (got.as_array()?, want.as_array()?);
    let mut text = Vec::new();
    for (i, want) in want.iter().enumerate() {
        let got = got.get(i).unwrap_or(&Value::Null);
        if !project::same(got, want) {
            let path = &case["steps"][i]["path"];
            text.push(format!("step {i} {path}\n  want {want}\n  got  {got}\n"));
        }
    }
    (!text.is_empty()).then(|| text.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_created_read_changed_and_deleted_as_recorded() {
    replay("crud").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_side_apply_is_as_recorded() {
    replay("ssa").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_and_their_schemas_are_as_recorded() {
    replay("crd-schema").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_are_as_recorded() {
    replay("watch").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_is_as_recorded() {
    replay("discovery").await;
}
