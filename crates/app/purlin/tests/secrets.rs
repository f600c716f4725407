//! Does anything secret come out where it should not: in results, conditions, statuses or logs, whatever is asked?
//!
//! The real binary at the highest level of its log, and recorded requests of every function with a canary wherever a secret
//! may be, whole and damaged.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use prost::Message as _;
use purlin_function::protojson::request_from_json;
use purlin_object::Object;
use purlin_proto::v1::function_runner_service_client::FunctionRunnerServiceClient;
use purlin_proto::v1::{
    CredentialData, Credentials, Resource, Resources, RunFunctionRequest, RunFunctionResponse,
    credentials,
};
use purlin_testkit::cases;
use serde_json::{Value, json};

/// In plain text, and as it is in the data of a Secret.
const CANARIES: [&str; 2] = ["canary-hunter2", "Y2FuYXJ5LWh1bnRlcjI="];

const FUNCTIONS: [&str; 9] = [
    "auto-ready",
    "cel-filter",
    "environment-configs",
    "extra-resources",
    "go-templating",
    "patch-and-transform",
    "sequencer",
    "status-transformer",
    "tag-manager",
];

/// Puts secrets wherever a request may have them.
fn plant(request: &mut RunFunctionRequest) {
    let data = || {
        let value = CANARIES[0].as_bytes().to_vec().into();
        [("password".to_owned(), value)].into_iter().collect()
    };
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "s", "namespace": "n"},
        "data": {"password": CANARIES[1]}, "stringData": {"password": CANARIES[0]}});
    let secret = || Resource {
        resource: Some(Object::from_json(secret.clone()).unwrap()),
        connection_details: data(),
        ..Resource::default()
    };
    for state in [&mut request.observed, &mut request.desired] {
        let state = state.get_or_insert_default();
        let composite = state.composite.get_or_insert_default();
        composite.connection_details = data();
        for resource in state.resources.values_mut() {
            resource.connection_details = data();
        }
        state.resources.insert("a-secret".to_owned(), secret());
    }
    for required in [
        &mut request.required_resources,
        &mut request.extra_resources,
    ] {
        let items = vec![secret()];
        required.insert("secrets".to_owned(), Resources { items });
    }
    let source = credentials::Source::CredentialData(CredentialData { data: data() });
    let given = Credentials {
        source: Some(source),
    };
    request.credentials.insert("given".to_owned(), given);
}

/// What people get to see of an answer.
fn words(answer: &RunFunctionResponse) -> Vec<String> {
    let results = answer.results.iter().map(|it| format!("{it:?}"));
    let conditions = answer.conditions.iter().map(|it| format!("{it:?}"));
    results.chain(conditions).collect()
}

/// Inputs that take something secret and do with it what cannot be done.
fn spiteful() -> Vec<Value> {
    let patch = |transform: &Value| {
        let patch = |path: &str| {
            json!({"type": "ToCompositeFieldPath", "fromFieldPath": path, "toFieldPath": "status.p",
                "transforms": [transform]})
        };
        json!({"apiVersion": "pt.fn.crossplane.io/v1beta1", "kind": "Resources", "resources": [{
            "name": "a-secret", "base": {"apiVersion": "v1", "kind": "Secret"},
            "patches": [patch("data.password"), patch("stringData.password")]}]})
    };
    let mut inputs: Vec<Value> = [
        json!({"type": "convert", "convert": {"toType": "int64"}}),
        json!({"type": "convert", "convert": {"toType": "bool"}}),
        json!({"type": "convert", "convert": {"toType": "float64", "format": "quantity"}}),
        json!({"type": "convert", "convert": {"toType": "object", "format": "json"}}),
        json!({"type": "math", "math": {"type": "Multiply", "multiply": 2}}),
        json!({"type": "map", "map": {"other": "x"}}),
        json!({"type": "match", "match": {"patterns": [{"type": "literal", "literal": "x", "result": 1}]}}),
        json!({"type": "string", "string": {"type": "Regexp", "regexp": {"match": "^x$"}}}),
        json!({"type": "string", "string": {"type": "Convert", "convert": "FromBase64"}}),
    ]
    .iter()
    .map(patch)
    .collect();
    let blueprint = |expression: &str| {
        json!({"apiVersion": "blueprint.fn.purlin.dev/v1alpha1", "kind": "Blueprint",
            "resources": [{"name": "a-secret", "manifest": {"apiVersion": "v1", "kind": "Secret"}}],
            "status": {"x": expression}})
    };
    inputs.push(blueprint("${int(a-secret.data.password)}"));
    inputs.push(blueprint("${a-secret.data.password + 1}"));
    inputs
}

/// Recorded requests and spiteful ones, each with its secrets.
fn requests() -> Vec<RunFunctionRequest> {
    let mut all = Vec::new();
    for name in FUNCTIONS {
        for case in cases(&format!("fn/{name}.jsonl")).into_iter().step_by(9) {
            let call = case["calls"]
                .get(0)
                .map_or(&case["request"], |call| &call["request"]);
            all.extend(request_from_json(call.clone()));
        }
    }
    for input in spiteful() {
        all.push(RunFunctionRequest {
            input: Some(Object::from_json(input).unwrap()),
            ..RunFunctionRequest::default()
        });
    }
    all.iter_mut().for_each(plant);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_comes_out() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_purlin"))
        .args([
            "serve",
            "--insecure",
            "--address=127.0.0.1:0",
            "--metrics-address=",
        ])
        .env("PURLIN_LOG", "trace")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let address = loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended");
        if let Ok(Value::Object(line)) = serde_json::from_str(&line)
            && line["message"] == "serving functions"
        {
            break line["address"].as_str().unwrap().to_owned();
        }
    };
    let logged = std::thread::spawn(move || {
        let mut rest = Vec::new();
        log.read_to_end(&mut rest).unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    });
    let client = FunctionRunnerServiceClient::connect(format!("http://{address}")).await;
    let mut client = client.unwrap();
    let mut shown = Vec::new();
    for (number, request) in requests().into_iter().enumerate() {
        // Whole, and with a byte in its middle changed.
        let mut bytes = request.encode_to_vec();
        let at = number * 7919 % bytes.len();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = byte.wrapping_add(3);
        }
        let damaged = RunFunctionRequest::decode(bytes.as_slice());
        shown.extend(damaged.as_ref().err().map(ToString::to_string));
        for request in [Some(request), damaged.ok()].into_iter().flatten() {
            match client.run_function(request).await {
                Ok(answer) => shown.extend(words(answer.get_ref())),
                Err(status) => shown.push(format!("{status:?}")),
            }
        }
    }
    let signal = Command::new("kill").arg(child.id().to_string()).status();
    assert!(signal.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let log = logged.join().unwrap();
    assert!(
        log.contains("\"TRACE\"") && shown.len() > 100,
        "{}",
        shown.len()
    );
    for canary in CANARIES {
        for words in &shown {
            assert!(!words.contains(canary), "{words}");
        }
        let leak = log.lines().find(|line| line.contains(canary));
        assert_eq!(leak, None);
    }
}
