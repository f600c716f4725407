//! Are requests of real callers answered as they were when real callers were satisfied? See `tests/fixtures/callers`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use purlin_function::recorded::Recorded;
use purlin_function::{Capability, RequestView as _, RunFunctionRequest, RunFunctionResponse};
use purlin_proto::v1::Requirements;
use purlin_proto::v1beta1::function_runner_service_client::FunctionRunnerServiceClient as V1Beta1;
use purlin_runner::{Grpc, GrpcOptions, Plaintext, Runner as _, Tls};
use purlin_testkit::root;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;

/// How often a core calls a function at most: once, and five times more when it asks for more.
const MOST_CALLS: usize = 6;

struct Call {
    file: PathBuf,
    recorded: Recorded,
    request: RunFunctionRequest,
}

/// The recorded calls of each caller, in their order.
fn callers() -> BTreeMap<String, Vec<Call>> {
    let folder = root().join("tests/fixtures/callers");
    let mut callers = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            callers.insert(name, calls(&entry.path()));
        }
    }
    callers
}

fn calls(folder: &Path) -> Vec<Call> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        let recorded: Recorded = serde_json::from_str(&text).unwrap();
        let request = recorded.request().unwrap();
        Call {
            file,
            recorded,
            request,
        }
    };
    files.into_iter().map(read).collect()
}

/// `purlin serve`, stopped when this is dropped.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(how: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .args(["serve", "--address=127.0.0.1:0", "--metrics-address="])
            .args(how)
            .env_remove("TLS_SERVER_CERTS_DIR")
            .env_remove("PURLIN_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        // What else is logged is read and left, so that the server never waits for us.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let line: Value = serde_json::from_str(&line).unwrap();
        let address = line["address"].as_str().unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Certificates as a core makes them: an authority, one for the function, one for the core.
fn certificates(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    for who in ["server", "client"] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let folder = folder.join(who);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("tls.crt"), certificate.pem()).unwrap();
        std::fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
        std::fs::write(folder.join("ca.crt"), &authority).unwrap();
    }
}

fn client(served: &Served, tls: Option<&Path>) -> Grpc {
    let options = match tls {
        Some(folder) => GrpcOptions {
            tls: Some(Tls {
                folder: folder.to_owned(),
            }),
            ..GrpcOptions::default()
        },
        None => GrpcOptions {
            plaintext: Plaintext::Loopback,
            ..GrpcOptions::default()
        },
    };
    let client = Grpc::new(GrpcOptions {
        timeout: Duration::from_secs(30),
        ..options
    });
    client.set_endpoint("f", &format!("dns:///{}", served.address));
    client
}

/// The call with another answer, with hidden what is hidden in records.
fn with(call: &Call, answer: &RunFunctionResponse) -> Recorded {
    let was = &call.recorded;
    let request = &call.request;
    Recorded::new(&was.purlin, &was.protocol, &was.function, request, answer)
}

/// The answer, with hidden what is hidden in records.
fn shown(call: &Call, answer: &RunFunctionResponse) -> Value {
    with(call, answer).response_json().clone()
}

/// Without the messages of results and conditions: their words belong to the functions, and are tested there.
fn without_messages(mut answer: Value) -> Value {
    for list in ["results", "conditions"] {
        let items = answer.get_mut(list).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            item.as_object_mut().unwrap().remove("message");
        }
    }
    answer
}

fn assert_as_recorded(call: &Call, answer: &RunFunctionResponse) {
    let expected = without_messages(call.recorded.response_json().clone());
    let got = without_messages(shown(call, answer));
    let changes = purlin_diff::fields(&expected, &got);
    assert!(changes.is_empty(), "{}: {changes:#?}", call.file.display());
}

#[test]
fn there_are_records_of_each_caller_and_nothing_secret_in_them() {
    let callers = callers();
    assert!(callers.len() >= 2, "{:?}", callers.keys());
    let (mut functions, mut protocols) = (BTreeSet::new(), BTreeSet::new());
    for call in callers.values().flatten() {
        functions.insert(call.recorded.function.clone());
        protocols.insert(call.recorded.protocol.as_str());
        let hidden = with(call, &call.recorded.response().unwrap());
        assert_eq!(hidden, call.recorded, "{}", call.file.display());
    }
    assert!(functions.len() >= 6, "{functions:?}");
    assert_eq!(protocols, BTreeSet::from(["v1", "v1beta1"]));
}

#[tokio::test]
async fn every_request_is_answered_as_recorded_over_mutual_tls() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let server = folder.path().join("server");
    let served = Served::start(&["--tls-certs-dir", server.to_str().unwrap()]);
    let client = client(&served, Some(&folder.path().join("client")));
    for call in callers().values().flatten() {
        let answer = client.run("f", call.request.clone()).await.unwrap();
        if std::env::var_os("PURLIN_BLESS").is_some() {
            let text = serde_json::to_string_pretty(&with(call, &answer)).unwrap();
            std::fs::write(&call.file, text + "\n").unwrap();
            continue;
        }
        assert_as_recorded(call, &answer);
        let meta = answer.meta.unwrap();
        assert_eq!(meta.tag, call.request.tag(), "{}", call.file.display());
        let ttl = meta.ttl.map(|ttl| (ttl.seconds, ttl.nanos));
        assert_eq!(ttl, Some((60, 0)), "{}", call.file.display());
    }
}

#[tokio::test]
async fn the_older_protocol_gives_the_same_answers() {
    let served = Served::start(&["--insecure"]);
    let mut client = V1Beta1::connect(format!("http://{}", served.address))
        .await
        .unwrap();
    for call in callers().values().flatten() {
        let answer = client.run_function(call.request.clone()).await.unwrap();
        assert_as_recorded(call, &answer.into_inner());
    }
}

/// Calls with the same tag are one loop of one core: it tags what it asks first, and adds what it was asked for.
fn loops(calls: &[Call]) -> Vec<Vec<&Call>> {
    let mut loops: BTreeMap<(&str, &str), Vec<&Call>> = BTreeMap::new();
    for call in calls {
        let key = (call.request.tag(), call.recorded.function.as_str());
        loops.entry(key).or_default().push(call);
    }
    let asks = |calls: &Vec<&Call>| calls.len() > 1;
    loops.into_values().filter(asks).collect()
}

/// What came with a call, in either field.
fn given(call: &Call) -> BTreeSet<&String> {
    let (new, old) = (
        &call.request.required_resources,
        &call.request.extra_resources,
    );
    new.keys().chain(old.keys()).collect()
}

/// What was asked for, in either field.
fn wanted(asked: &Requirements) -> BTreeSet<&String> {
    (asked.resources.keys())
        .chain(asked.extra_resources.keys())
        .collect()
}

#[test]
fn what_was_asked_for_came_with_the_next_call_and_the_loop_ended() {
    let callers = callers();
    let mut functions = BTreeSet::new();
    for calls in callers.values().flat_map(|calls| loops(calls)) {
        assert!(calls.len() <= MOST_CALLS, "{}", calls[0].file.display());
        functions.insert(calls[0].recorded.function.as_str());
        let mut asked = Requirements::default();
        for call in &calls {
            assert_eq!(given(call), wanted(&asked), "{}", call.file.display());
            asked = call
                .recorded
                .response()
                .unwrap()
                .requirements
                .unwrap_or_default();
        }
        // The last answer asks for what it got.
        assert_eq!(calls.last().map(|call| given(call)), Some(wanted(&asked)));
    }
    let all = [
        "blueprint",
        "environment-configs",
        "extra-resources",
        "go-templating",
    ];
    let all = all.map(|name| format!("function-{name}"));
    let all: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    assert!(functions.is_superset(&all), "{functions:?}");
}

#[tokio::test]
async fn a_core_that_knows_the_old_field_only_gets_the_same_in_the_end() {
    let served = Served::start(&["--insecure"]);
    let client = client(&served, None);
    let callers = callers();
    for calls in callers.values().flat_map(|calls| loops(calls)) {
        let (first, last) = (calls[0], calls[calls.len() - 1]);
        let mut request = first.request.clone();
        if !request.has_capability(Capability::RequiredResources) {
            // It is such a core.
            assert!(
                request.required_resources.is_empty() && last.request.required_resources.is_empty()
            );
            continue;
        }
        request.meta.as_mut().unwrap().capabilities = Vec::new();
        let mut asked: Option<BTreeSet<String>> = None;
        let mut calls = 0;
        let answer = loop {
            calls += 1;
            assert!(calls <= MOST_CALLS, "{}", first.file.display());
            let answer = client.run("f", request.clone()).await.unwrap();
            let requirements = answer.requirements.clone().unwrap_or_default();
            let now: BTreeSet<String> = requirements.extra_resources.into_keys().collect();
            if asked.as_ref() == Some(&now) {
                break answer;
            }
            // What the real core found, in the field of the old one.
            let found = &last.request.required_resources;
            let found = now
                .iter()
                .filter_map(|name| Some((name.clone(), found.get(name)?.clone())));
            request.extra_resources = found.collect();
            request.context.clone_from(&answer.context);
            asked = Some(now);
        };
        let got = &shown(last, &answer)["desired"];
        let expected = &last.recorded.response_json()["desired"];
        let changes = purlin_diff::fields(expected, got);
        assert!(changes.is_empty(), "{}: {changes:#?}", last.file.display());
    }
}

#[test]
fn replay_says_they_are_as_recorded_and_tells_what_is_not() {
    let replay = |folder: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .arg("replay")
            .arg(folder)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), told)
    };
    let fixtures = root().join("tests/fixtures/callers");
    for (caller, calls) in callers() {
        let (code, told) = replay(&fixtures.join(&caller));
        assert_eq!(code, Some(0), "{caller}: {told}");
        let all = format!("{0} of {0} answers are as recorded", calls.len());
        assert!(told.contains(&all), "{told}");
    }

    let folder = tempfile::tempdir().unwrap();
    let text = calls(&fixtures.join("core-2.4"))
        .into_iter()
        .map(|call| std::fs::read_to_string(call.file).unwrap())
        .find(|text| {
            text.contains(r#""eu-west-1""#) && text.contains("function-patch-and-transform")
        })
        .unwrap();
    let mut call: Value = serde_json::from_str(&text).unwrap();
    call["response"]["meta"]["ttl"] = "61s".into();
    std::fs::write(folder.path().join("1.json"), call.to_string()).unwrap();
    std::fs::write(folder.path().join("2.json"), "{}").unwrap();
    let (code, told) = replay(folder.path());
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains(r#"meta.ttl: "61s" was recorded, "60s" now"#),
        "{told}"
    );
    assert!(
        told.contains("2.json: this is not a recorded call"),
        "{told}"
    );
    assert!(told.contains("0 of 2 answers are as recorded"), "{told}");
}

#[test]
fn replay_of_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (path, code) in [
        (folder.path().to_owned(), 3),
        (folder.path().join("none"), 3),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_purlin"))
            .arg("replay")
            .arg(path)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(!output.stderr.is_empty());
    }
}
