//! For any Blueprint and any run of it: data that is missing removes nothing that is live.
//!
//! A Blueprint is made up from a stream of choices, then run until nothing new is composed, with everything that is desired
//! made live. Then anything that was observed is taken away: fields of resources (what they are as well as what they say),
//! whole resources, connection details, required objects, the environment, the composite's status. What is still live must
//! still be desired, with every field that was desired and is still there.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;

use function_blueprint::Blueprint;
use proptest::prelude::*;
use purlin_function::{Function as _, RunFunctionResponse, Severity, protojson};
use serde_json::{Map, Value, json};

/// A stream of choices.
struct Choices {
    bytes: Vec<u8>,
    at: usize,
}

impl Choices {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    /// One of `count`.
    fn one_of(&mut self, count: usize) -> usize {
        let byte = self.bytes[self.at % self.bytes.len()];
        self.at += 1;
        usize::from(byte) % count
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.one_of(all.len())].clone()
    }
}

/// What there is to be read: resources by what leads to one of them.
struct Readable {
    ones: Vec<String>,
    values: Vec<String>,
}

/// An expression that gives a text, or nothing.
fn scalar(choices: &mut Choices, readable: &Readable) -> String {
    let from = choices.of(&readable.ones);
    let field = choices.of(&["f", "g"]);
    match choices.one_of(9) {
        0 => format!("{from}.status.{field}"),
        1 => format!("{from}.?status.?{field}"),
        2 => format!("{from}.?status.?{field}.orValue(\"none\")"),
        3 => format!("{from}.status.{field} + \"-\" + {from}.status.f"),
        4 => choices.of(&readable.values),
        5 => "environment.e".to_owned(),
        6 => "environment.?e".to_owned(),
        7 => "cm.data.k".to_owned(),
        _ => "cm.?data.?k".to_owned(),
    }
}

/// The value of a field.
fn value(choices: &mut Choices, readable: &Readable, own: &[&str]) -> Value {
    let inner = scalar(choices, readable);
    let other = scalar(choices, readable);
    match choices.one_of(9) {
        0 | 1 => json!(format!("${{{inner}}}")),
        2 => json!({"deep": format!("${{{inner}}}"), "fixed": 1}),
        3 => json!([format!("${{{inner}}}"), "fixed"]),
        4 => json!(format!("${{ {{\"a\": {inner}, \"b\": {other}}} }}")),
        5 => json!(format!("${{ [{inner}, {other}] }}")),
        6 => json!(format!(
            "${{ {{\"a\": 1, ?\"b\": {}.?status.?f}} }}",
            choices.of(&readable.ones)
        )),
        7 => json!([{"x": format!("${{{inner}}}"), "y": 1}]),
        _ if !own.is_empty() => json!(format!("of-${{{}}}", choices.of(own))),
        _ => json!("fixed"),
    }
}

fn when(choices: &mut Choices, readable: &Readable) -> Option<Value> {
    let from = choices.of(&readable.ones);
    let when = match choices.one_of(12) {
        0 => format!("{from}.status.on"),
        1 => format!("has({from}.status.on) && {from}.status.on"),
        2 => format!("{from}.?status.?on.orValue(false)"),
        3 => format!("\"on\" in {from}.status"),
        4 => "environment.?on.orValue(false)".to_owned(),
        5 => "cm.?data.?on.orValue(\"no\") == \"yes\"".to_owned(),
        6 => format!("{from}.status[?\"on\"].orValue(false)"),
        _ => return None,
    };
    Some(json!(format!("${{{when}}}")))
}

fn list(choices: &mut Choices, readable: &Readable) -> Value {
    let from = choices.of(&readable.ones);
    json!(match choices.one_of(5) {
        0 => "${xr.spec.list}".to_owned(),
        1 => format!("${{{from}.status.list}}"),
        2 => format!("${{{from}.?status.?list.orValue([])}}"),
        3 => format!("${{has({from}.status.list) ? {from}.status.list : [\"z\"]}}"),
        _ => "${environment.?list.orValue([\"a\"])}".to_owned(),
    })
}

/// `forEach`, if any, and the variables.
fn each(
    choices: &mut Choices,
    readable: &Readable,
) -> (Option<Value>, Vec<&'static str>, &'static str) {
    match choices.one_of(6) {
        0 | 1 => {
            let list = list(choices, readable);
            (Some(json!({"x": list})), vec!["x"], "[\"a\"]")
        }
        2 => {
            let lists = (list(choices, readable), list(choices, readable));
            (
                Some(json!({"x": lists.0, "w": lists.1})),
                vec!["x", "w"],
                "[\"a\"][\"a\"]",
            )
        }
        _ => (None, Vec::new(), ""),
    }
}

fn resources(choices: &mut Choices, readable: &mut Readable, prefix: &str) -> Vec<Value> {
    let mut resources = Vec::new();
    for at in 0..=choices.one_of(4) {
        let name = format!("{prefix}{at}");
        let (for_each, own, way) = each(choices, readable);
        let spec: Map<String, Value> = (0..=choices.one_of(3))
            .map(|field| (format!("s{field}"), value(choices, readable, &own)))
            .collect();
        // Two kinds only, so that kinds do not tell apart what names have to.
        let kind = choices.of(&["Kind", "Other"]);
        let mut resource = json!({"name": name, "manifest": {"apiVersion": "a.example.org/v1", "kind": kind, "spec": spec}});
        let map = resource.as_object_mut().unwrap();
        if let Some(for_each) = for_each {
            map.insert("forEach".to_owned(), for_each);
            if choices.one_of(4) == 0 {
                map.insert(
                    "key".to_owned(),
                    json!(format!("k${{{}}}", own.join(" + "))),
                );
            }
        }
        if let Some(when) = when(choices, readable) {
            map.insert("when".to_owned(), when);
        }
        if choices.one_of(6) == 0 {
            map.insert(
                "external".to_owned(),
                json!({"name": format!("${{{}}}", scalar(choices, readable))}),
            );
        }
        let way = if map.contains_key("key") {
            "[\"kaa\"]"
        } else {
            way
        };
        readable.ones.push(format!("{name}{way}"));
        resources.push(resource);
    }
    resources
}

/// A Blueprint.
fn blueprint(choices: &mut Choices) -> Value {
    let mut inner = Readable {
        ones: vec!["cm".to_owned()],
        values: vec!["p".to_owned(), "q.orValue(\"z\")".to_owned()],
    };
    let module = json!({
        "parameters": {"p": {}, "q": {"required": false}},
        "requires": {"cm": {"apiVersion": "v1", "kind": "ConfigMap", "name": "cm"}},
        "resources": resources(choices, &mut inner, "m"),
        "outputs": {"out": format!("${{{}}}", scalar(choices, &inner))},
    });
    let outer = json!({
        "parameters": {"p": {}},
        "use": [{"name": "deep", "module": "inner", "with": {"p": "${p}"}}],
        "outputs": {"out": "${deep.out}"},
    });
    let mut readable = Readable {
        ones: vec!["cm".to_owned()],
        values: vec![
            "lone".to_owned(),
            "xr.status.s".to_owned(),
            "xr.metadata.name".to_owned(),
        ],
    };
    let mut composed = resources(choices, &mut readable, "r");
    let lone = scalar(
        choices,
        &Readable {
            ones: readable.ones.clone(),
            values: vec!["\"v\"".to_owned()],
        },
    );
    let (for_each, _, way) = each(choices, &readable);
    let mut used = json!({"name": "net", "module": choices.of(&["inner", "outer"]), "with": {"p": format!("${{{}}}", scalar(choices, &readable))}});
    let map = used.as_object_mut().unwrap();
    if let Some(for_each) = for_each {
        map.insert("forEach".to_owned(), for_each);
    }
    if let Some(when) = when(choices, &readable) {
        map.insert("when".to_owned(), when);
    }
    readable.values.push(format!("net{way}.out"));
    readable
        .values
        .push(format!("net{way}.?out.orValue(\"o\")"));
    composed.extend(resources(choices, &mut readable, "t"));
    let texts: Vec<String> = (0..4)
        .map(|_| format!("${{{}}}", scalar(choices, &readable)))
        .collect();
    json!({
        "apiVersion": "blueprint.fn.purlin.dev/v1alpha1", "kind": "Blueprint",
        "let": {"lone": format!("${{{lone}}}")},
        "modules": {"inner": module, "outer": outer},
        "requires": {"cm": {"apiVersion": "v1", "kind": "ConfigMap", "name": "cm", "optional": choices.one_of(2) == 0}},
        "resources": composed,
        "use": [used],
        "usages": {"inferred": choices.one_of(2) == 0},
        "status": {"s": texts[0], "t": {"u": value(choices, &readable, &[])}},
        "connection": {"c": texts[1], "fixed": "x"},
        "conditions": [{"type": "Fine", "status": format!("${{{} != \"\"}}", scalar(choices, &readable)), "message": texts[2]}],
    })
}

/// The world as a request sees it.
#[derive(Clone)]
struct World {
    input: Value,
    second: bool,
    observed: BTreeMap<String, Value>,
    status: Value,
    details: Map<String, Value>,
    environment: Value,
    required: Map<String, Value>,
}

impl World {
    fn run(&self, function: &Blueprint) -> RunFunctionResponse {
        let spec = if self.second {
            json!({"list": ["a", "b"], "crossplane": {}})
        } else {
            json!({"list": ["a", "b"]})
        };
        let composite = json!({"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "net"}, "spec": spec, "status": self.status});
        let request = json!({
            "input": self.input,
            "observed": {"composite": {"resource": composite, "connectionDetails": self.details}, "resources": self.observed},
            "context": {"apiextensions.crossplane.io/environment": self.environment},
            "requiredResources": self.required,
        });
        let request = protojson::request_from_json(request).unwrap();
        let response = function.run(&request);
        if let Some(short) = function.run_short(&request) {
            assert_eq!(short, response, "in a hurry");
        }
        response
    }
}

fn fatal(response: &RunFunctionResponse) -> Option<&str> {
    let mut results = response.results.iter();
    let fatal = results.find(|result| result.severity() == Severity::Fatal)?;
    Some(&fatal.message)
}

fn desired(response: &RunFunctionResponse) -> BTreeMap<String, Value> {
    let state = response.desired.as_ref().unwrap();
    let objects = state.resources.iter();
    objects
        .map(|(name, one)| (name.clone(), one.resource.as_ref().unwrap().to_json()))
        .collect()
}

/// Runs until nothing new is composed, and makes live what is desired.
fn settle(function: &Blueprint, input: Value, second: bool) -> Option<World> {
    let config = json!({"items": [{"resource": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"k": "v", "on": "yes"}, "status": state()}}]});
    let mut world = World {
        input,
        second,
        observed: BTreeMap::new(),
        status: json!({"s": "s"}),
        details: Map::new(),
        environment: json!({"e": "env", "on": true, "list": ["a", "b"]}),
        required: Map::from_iter([("cm".to_owned(), config.clone())]),
    };
    let mut before = None;
    for _ in 0..12 {
        let response = world.run(function);
        if fatal(&response).is_some() {
            // Two names that are the same, or a type that does not fit: no world to speak of.
            return None;
        }
        for name in response
            .requirements
            .iter()
            .flat_map(|all| all.resources.keys())
        {
            world.required.insert(name.clone(), config.clone());
        }
        let wanted = (desired(&response), response.desired.clone());
        if before.as_ref() == Some(&wanted) {
            break;
        }
        for (name, object) in &wanted.0 {
            let mut object = object.clone();
            let map = object.as_object_mut().unwrap();
            let metadata = map.entry("metadata").or_insert_with(|| json!({}));
            metadata["name"] = metadata
                .get("name")
                .cloned()
                .unwrap_or_else(|| json!(format!("net-{name}")));
            metadata["uid"] = json!("u");
            map.insert("status".to_owned(), state());
            world.observed.insert(
                name.clone(),
                json!({"resource": object, "connectionDetails": {"user": "YQ=="}}),
            );
        }
        let composite = response.desired.as_ref().unwrap().composite.as_ref();
        if let Some(object) = composite.and_then(|composite| composite.resource.as_ref()) {
            world.status = object.to_json()["status"].clone();
        }
        let details = composite.map(|composite| composite.connection_details.keys());
        for key in details.into_iter().flatten() {
            world.details.insert(key.clone(), json!("YQ=="));
        }
        world.status["conditions"] = json!([{"type": "Fine", "status": "True", "reason": "Fine"}]);
        before = Some(wanted);
    }
    Some(world)
}

fn state() -> Value {
    json!({"f": "ff", "g": "gg", "on": true, "list": ["a", "b"]})
}

/// Takes away members; lists are taken away as a whole: one with fewer elements says something else, not less.
fn prune(value: &mut Value, choices: &mut Choices, rate: usize) {
    if let Value::Object(map) = value {
        map.retain(|_, _| choices.one_of(rate) != 0);
        for value in map.values_mut() {
            prune(value, choices, rate);
        }
    }
}

/// What of `full` is still in `live` and no longer in `now`.
fn lost(full: &Value, live: &Value, now: &Value, at: &str) -> Option<String> {
    match (full, live) {
        (Value::Object(full), Value::Object(live)) => full.iter().find_map(|(key, full)| {
            let at = format!("{at}.{key}");
            lost(full, live.get(key)?, &now[key], &at)
        }),
        (Value::Array(full), Value::Array(live)) => {
            let count = full.len().min(live.len());
            let now = now.as_array().map_or(0, Vec::len);
            (now < count).then(|| format!("{at}: {now} instead of {count}"))
        }
        _ => now.is_null().then(|| at.to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, max_global_rejects: 20_000, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_missing_removes_nothing(made in prop::collection::vec(any::<u8>(), 160), gone in prop::collection::vec(any::<u8>(), 200), rate in 2..12_usize) {
        let function = Blueprint::default();
        let mut choices = Choices::new(made);
        let input = blueprint(&mut choices);
        let world = settle(&function, input, choices.one_of(2) == 0);
        prop_assume!(world.is_some());
        let world = world.unwrap();
        let full = world.run(&function);
        // What is seen only when everything is there: a key that no element has, two names that are the same.
        prop_assume!(fatal(&full).is_none());
        let mut less = world.clone();
        let mut choices = Choices::new(gone);
        less.observed.retain(|_, _| choices.one_of(rate) != 0);
        for one in less.observed.values_mut() {
            prune(&mut one["resource"], &mut choices, rate);
            if choices.one_of(rate) == 0 {
                one["connectionDetails"] = json!({});
            }
        }
        prune(&mut less.status, &mut choices, rate);
        prune(&mut less.environment, &mut choices, rate);
        less.details.retain(|_, _| choices.one_of(rate) != 0);
        less.required.retain(|_, _| choices.one_of(rate) != 0);
        for found in less.required.values_mut() {
            match choices.one_of(rate) {
                0 => found["items"] = json!([]),
                _ => prune(&mut found["items"][0]["resource"], &mut choices, rate),
            }
        }
        let now = less.run(&function);
        prop_assert_eq!(fatal(&now), None, "{}", world.input);
        let (before, after) = (desired(&full), desired(&now));
        for (name, live) in &less.observed {
            let Some(wanted) = before.get(name) else { continue };
            let Some(kept) = after.get(name) else {
                prop_assert!(false, "{name} is lost: {}", world.input);
                continue;
            };
            let lost = lost(wanted, &live["resource"], kept, name);
            prop_assert_eq!(&lost, &None, "{} of {}", kept, world.input);
        }
        let composite = |response: &RunFunctionResponse| response.desired.clone().unwrap().composite.unwrap_or_default();
        let status = |response: &RunFunctionResponse| composite(response).resource.map_or(Value::Null, |one| one.to_json()["status"].clone());
        prop_assert_eq!(lost(&status(&full), &less.status, &status(&now), "status"), None);
        for key in composite(&full).connection_details.keys() {
            let there = less.details.contains_key(key);
            prop_assert!(!there || composite(&now).connection_details.contains_key(key), "{key} is lost");
        }
        let kinds = |response: &RunFunctionResponse| response.conditions.iter().map(|one| one.r#type.clone()).collect::<Vec<_>>();
        prop_assert_eq!(kinds(&full), kinds(&now));
    }
}

/// Puts junk in some places.
fn spoil(value: &mut Value, junk: &Value, choices: &mut Choices) {
    if choices.one_of(40) == 0 {
        *value = junk.clone();
        return;
    }
    match value {
        Value::Object(map) => map
            .values_mut()
            .for_each(|value| spoil(value, junk, choices)),
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, junk, choices)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_is_answered(made in prop::collection::vec(any::<u8>(), 160), bad in prop::collection::vec(any::<u8>(), 200), junk in prop::sample::select(vec![
        json!(null), json!(1), json!([]), json!({}), json!("${"), json!("${r0.status.f}"), json!("${[xr, self]}"), json!(""), json!("inner")])) {
        let mut input = blueprint(&mut Choices::new(made));
        let mut choices = Choices::new(bad);
        for value in input.as_object_mut().unwrap().values_mut() {
            spoil(value, &junk, &mut choices);
        }
        let request = json!({"input": input, "observed": {"composite": {"resource": {"spec": {"list": ["a"]}}}}, "desired": {"resources": {"r0": {"resource": {"kind": "Earlier"}}}}});
        let request = protojson::request_from_json(request).unwrap();
        let response = Blueprint::default().run(&request);
        // A mistake stops the pipeline and changes nothing.
        if fatal(&response).is_some() {
            prop_assert_eq!(response.desired, request.desired);
        }
    }
}
