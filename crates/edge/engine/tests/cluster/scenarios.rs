//! The recorded scenarios of Crossplane's core, run against this engine on the embedded API server.
//!
//! Each scenario gets a server of its own; several run at a time. Where this engine is better on purpose, the scenario is
//! in `scenarios.known.txt` with its reason.

use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt as _, stream};
use purlin_testkit::{Outcome, cases, check_known};
use serde_json::Value;

use crate::api;
use crate::normal;
use crate::server::{Cluster, Setup};
use crate::world::{World, same_result};

/// How often a snapshot that differs is taken.
const LOOKS: usize = 4;
/// How many scenarios run at a time.
const AT_A_TIME: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn recorded_scenarios_end_as_they_did() {
    let all = cases("engine/scenarios.jsonl");
    let only = std::env::var("PURLIN_SCENARIO").unwrap_or_default();
    let (fixtures, scenarios) = all
        .split_first()
        .expect("the first line holds the fixtures");
    let fixtures = Arc::new(fixtures["steps"].as_array().cloned().unwrap_or_default());
    // Scenarios that need parts that are not there (the webhook of usages) are cases known to fail.
    let wanted: Vec<Value> = scenarios
        .iter()
        .filter(|s| only.is_empty() || s["name"] == only.as_str())
        .cloned()
        .collect();
    let runs = wanted.into_iter().map(|scenario| {
        let fixtures = Arc::clone(&fixtures);
        async move {
            let name = scenario["name"].as_str().unwrap_or_default().to_owned();
            let needs = scenario["needs"].as_str().map(str::to_owned);
            let task = tokio::spawn(async move { run(&scenario, &fixtures).await });
            let failure = match (needs, task.await) {
                (Some(needs), _) => Some(format!("needs {needs}")),
                (None, Ok(differences)) if differences.is_empty() => None,
                (None, Ok(differences)) => Some(differences.join("\n")),
                (None, Err(error)) => Some(error.to_string()),
            };
            Outcome { name, failure }
        }
    });
    let mut outcomes: Vec<Outcome> = stream::iter(runs)
        .buffer_unordered(AT_A_TIME)
        .collect()
        .await;
    outcomes.sort_by(|a, b| a.name.cmp(&b.name));
    if only.is_empty() {
        check_known("engine scenarios", "engine/scenarios.known.txt", &outcomes);
    } else {
        for outcome in outcomes {
            assert_eq!(outcome.failure, None, "{}", outcome.name);
        }
    }
}

async fn run(scenario: &Value, fixtures: &[Value]) -> Vec<String> {
    if scenario.get("needs").is_some_and(|needs| !needs.is_null()) {
        return Vec::new();
    }
    let started = Instant::now();
    let cluster = Cluster::start(Setup::default()).await;
    let mut world = World::new(api::Api::new(cluster.client.clone()));
    let mut differences = world.fixtures(fixtures).await;
    let steps = scenario["steps"].as_array().map_or(&[][..], Vec::as_slice);
    for (index, step) in steps.iter().enumerate() {
        if !differences.is_empty() {
            break;
        }
        if let Some(want) = step.get("expect") {
            let unstable = step["unstable"].as_array().map_or(&[][..], Vec::as_slice);
            let mut wrong = Vec::new();
            // On a busy machine quiet may come before the end; what is wrong for good stays wrong.
            for _ in 0..LOOKS {
                let got = world.snapshot(step["xrds"] == true).await;
                wrong = normal::differences(want, &got, unstable);
                if wrong.is_empty() {
                    break;
                }
            }
            differences.extend(
                wrong
                    .into_iter()
                    .map(|line| format!("step {index}: {line}")),
            );
        } else {
            let got = world.step(step).await;
            let want = step.get("result").cloned().unwrap_or_else(|| "ok".into());
            if !same_result(&want, &got) {
                differences.push(format!("step {index}: result recorded {want}, now {got}"));
            }
        }
    }
    cluster.stop().await;
    let name = scenario["name"].as_str().unwrap_or_default();
    println!(
        "{:4} {name} {:.1} s",
        if differences.is_empty() {
            "pass"
        } else {
            "FAIL"
        },
        started.elapsed().as_secs_f32()
    );
    differences
}
