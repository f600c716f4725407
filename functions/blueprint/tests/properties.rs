//! Nothing that is live is lost when something else cannot be seen, and the order of a list means nothing.

#![expect(clippy::unwrap_used, reason = "a test may, and its tables are long")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use function_blueprint::Blueprint;
use proptest::prelude::*;
use purlin_function::{Function as _, RunFunctionResponse, Severity, protojson};
use serde_json::{Value, json};

static BLUEPRINT: LazyLock<Blueprint> = LazyLock::new(Blueprint::default);

fn input() -> Value {
    json!({
        "apiVersion": "blueprint.fn.purlin.dev/v1alpha1", "kind": "Blueprint",
        "let": {"tags": {"team": "${xr.metadata.name}", "vpc": "${vpc.status.id}"}, "ids": "${zone.map(z, zone[z].status.id)}"},
        "resources": [
            {"name": "vpc", "manifest": {"apiVersion": "a/v1", "kind": "VPC", "spec": {"region": "${xr.spec.region}"}}},
            {"name": "zone", "forEach": {"z": "${xr.spec.zones}"},
             "manifest": {"apiVersion": "a/v1", "kind": "Zone", "metadata": {"labels": "${tags}"},
                          "spec": {"vpc": "${vpc.status.id}", "zone": "${z}", "name": "${vpc.status.name}-${z}",
                                   "rules": [{"from": "${vpc.status.cidr}", "to": "any"}, {"fixed": true}]}}},
            {"name": "per-route", "forEach": {"r": "${vpc.status.routes}"},
             "manifest": {"apiVersion": "a/v1", "kind": "Route", "spec": {"route": "${r}"}}},
            {"name": "group", "when": "${vpc.status.routes.size() > 0}",
             "manifest": {"apiVersion": "a/v1", "kind": "Group", "spec": {"zones": "${ids}", "all": "${vpc.status.cidr}"}},
             "ready": "${self.status.id != \"\"}"},
            {"name": "whole", "manifest": "${ {\"apiVersion\": \"a/v1\", \"kind\": \"Whole\", \"spec\": {\"id\": group.status.id}} }"},
        ],
        "status": {"vpc": "${vpc.status.id}", "ids": "${ids}", "deep": {"group": "${group.status.id}"}},
        "connection": {"user": "${vpc.connection.user}"},
    })
}

fn composed(kind: &str, spec: &Value) -> Value {
    json!({"apiVersion": "a/v1", "kind": kind, "metadata": {"name": "n", "uid": "u", "labels": {"team": "net", "vpc": "id-VPC"}}, "spec": spec,
           "status": {"id": format!("id-{kind}"), "name": "main", "cidr": "10/8", "routes": ["r1", "r2"],
                      "conditions": [{"type": "Ready", "status": "True"}]}})
}

/// Everything exists, as the Blueprint wants it.
fn observed() -> BTreeMap<String, Value> {
    let zone = |z: &str| {
        composed(
            "Zone",
            &json!({"vpc": "id-VPC", "zone": z, "name": format!("main-{z}"), "extra": 1,
                                 "rules": [{"from": "10/8", "to": "any"}, {"fixed": true}]}),
        )
    };
    BTreeMap::from([
        ("vpc".to_owned(), composed("VPC", &json!({"region": "eu"}))),
        ("zone-a".to_owned(), zone("a")),
        ("zone-b".to_owned(), zone("b")),
        (
            "per-route-r1".to_owned(),
            composed("Route", &json!({"route": "r1"})),
        ),
        (
            "per-route-r2".to_owned(),
            composed("Route", &json!({"route": "r2"})),
        ),
        (
            "group".to_owned(),
            composed(
                "Group",
                &json!({"zones": ["id-Zone", "id-Zone"], "all": "10/8"}),
            ),
        ),
        (
            "whole".to_owned(),
            composed("Whole", &json!({"id": "id-Group"})),
        ),
    ])
}

fn run(observed: &BTreeMap<String, Value>, zones: &Value) -> RunFunctionResponse {
    let resources: serde_json::Map<String, Value> = observed
        .iter()
        .map(|(name, resource)| {
            (
                name.clone(),
                json!({"resource": resource, "connectionDetails": {"user": "YQ=="}}),
            )
        })
        .collect();
    let request = json!({
        "input": input(),
        "observed": {"composite": {"resource": {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "net"},
                                                "spec": {"region": "eu", "zones": zones},
                                                "status": {"vpc": "id-VPC", "ids": ["id-Zone", "id-Zone"], "deep": {"group": "id-Group"}}},
                                   "connectionDetails": {"user": "YQ=="}},
                     "resources": resources},
    });
    let request = protojson::request_from_json(request).unwrap();
    let response = BLUEPRINT.run(&request);
    if let Some(short) = BLUEPRINT.run_short(&request) {
        assert_eq!(short, response, "in a hurry");
    }
    response
}

fn desired(response: &RunFunctionResponse) -> BTreeMap<String, Value> {
    assert!(
        response
            .results
            .iter()
            .all(|result| result.severity() != Severity::Fatal),
        "{:?}",
        response.results
    );
    let resources = &response.desired.as_ref().unwrap().resources;
    let composed = resources
        .iter()
        .map(|(name, resource)| (name.clone(), resource.resource.as_ref().unwrap().to_json()));
    let mut desired: BTreeMap<String, Value> = composed.collect();
    let composite = response
        .desired
        .as_ref()
        .unwrap()
        .composite
        .as_ref()
        .unwrap();
    desired.insert(
        "(status)".to_owned(),
        composite.resource.as_ref().unwrap().to_json(),
    );
    assert!(composite.connection_details.contains_key("user"));
    desired
}

/// Every path of `want` is in `have`, with its value.
fn holds(have: &Value, want: &Value) -> bool {
    match want {
        Value::Object(want) => want
            .iter()
            .all(|(key, want)| have.get(key).is_some_and(|have| holds(have, want))),
        want => have == want,
    }
}

/// Takes out the `n`th removable thing below the status: a field, an element.
fn prune(value: &mut Value, picks: &mut impl FnMut() -> bool) {
    match value {
        Value::Object(map) => {
            map.retain(|_, _| !picks());
            map.values_mut().for_each(|value| prune(value, picks));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| prune(item, picks)),
        _ => {}
    }
}

/// Puts junk in some places.
fn spoil(value: &mut Value, junk: &Value, picks: &mut impl FnMut() -> bool) {
    if picks() {
        *value = junk.clone();
        return;
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| spoil(value, junk, picks)),
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, junk, picks)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn data_that_is_missing_removes_nothing(holes in prop::collection::vec(0..12_u8, 200)) {
        let zones = json!(["a", "b"]);
        let full = desired(&run(&observed(), &zones));
        let mut holes = holes.into_iter().cycle();
        let mut less = observed();
        for resource in less.values_mut() {
            if let Some(status) = resource.get_mut("status") {
                prune(status, &mut || holes.next() == Some(0));
            }
            if holes.next() == Some(0) {
                resource.as_object_mut().unwrap().remove("status");
            }
        }
        // The list of routes itself is data: with fewer routes there are fewer of them, so it is kept whole or lost whole.
        let now = desired(&run(&less, &zones));
        for (name, want) in &full {
            let have = now.get(name).unwrap_or_else(|| panic!("{name} is lost"));
            prop_assert!(holds(have, want), "{name}: {have} lacks some of {want}");
        }
    }

    #[test]
    fn a_resource_that_vanishes_takes_no_other_with_it(gone in prop::collection::vec(any::<bool>(), 7)) {
        let zones = json!(["a", "b"]);
        let full = desired(&run(&observed(), &zones));
        let mut less = observed();
        let mut gone = gone.into_iter();
        less.retain(|_, _| !gone.next().unwrap_or(false));
        let now = desired(&run(&less, &zones));
        for name in less.keys() {
            let have = now.get(name).unwrap_or_else(|| panic!("{name} is lost"));
            prop_assert!(holds(have, &full[name]), "{name}: {have} lacks some of {}", full[name]);
        }
    }

    #[test]
    fn a_spoilt_input_is_answered(picks in prop::collection::vec(0..14_u8, 120), junk in prop::sample::select(vec![
        json!(null), json!(1), json!([]), json!({}), json!("${"), json!("${vpc.status.id}"), json!("${[xr, self]}"), json!("")])) {
        let mut picks = picks.into_iter().cycle();
        let mut input = input();
        // The input itself is an object: the wire holds nothing else there.
        for value in input.as_object_mut().unwrap().values_mut() {
            spoil(value, &junk, &mut || picks.next() == Some(0));
        }
        let request = json!({"input": input, "observed": {"composite": {"resource": {"spec": {"zones": ["a"]}}}}});
        let request = protojson::request_from_json(request).unwrap();
        let response = BLUEPRINT.run(&request);
        // A mistake stops the pipeline and changes nothing.
        if response.results.iter().any(|result| result.severity() == Severity::Fatal) {
            prop_assert_eq!(response.desired, request.desired);
        }
    }

    #[test]
    fn the_order_of_a_list_means_nothing(order in Just(vec!["a", "b", "c", "d"]).prop_shuffle()) {
        let (sorted, shuffled) = (json!(["a", "b", "c", "d"]), json!(order));
        let resources = |zones: &Value| {
            let mut desired = desired(&run(&observed(), zones));
            // These are lists of their own, in the order of the list.
            desired.remove("(status)");
            desired.remove("group");
            desired
        };
        prop_assert_eq!(resources(&sorted), resources(&shuffled));
    }
}
