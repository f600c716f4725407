//! `purlin serve` as a pod runs it: it answers, says where it listens, and stops on SIGTERM.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use purlin_object::Object;
use purlin_proto::v1::function_runner_service_client::FunctionRunnerServiceClient;
use purlin_proto::v1::{RunFunctionRequest, Severity};
use purlin_runner::{Grpc, GrpcOptions, Plaintext, Runner as _};
use serde_json::{Value, json};

fn purlin(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
    command
        .arg("serve")
        .args(args)
        .env_remove("TLS_SERVER_CERTS_DIR")
        .env_remove("PURLIN_LOG");
    command
}

struct Served {
    child: Child,
    log: Option<BufReader<ChildStderr>>,
    address: String,
}

impl Served {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(more: &[&str]) -> Self {
        let mut child = purlin(&[
            "--insecure",
            "--address=127.0.0.1:0",
            "--metrics-address=",
            "--default-function=function-patch-and-transform",
        ])
        .args(more)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let first = line(&mut log);
        assert_eq!(first["message"], "serving functions", "{first}");
        let address = first["address"].as_str().unwrap().to_owned();
        Self {
            child,
            log: Some(log),
            address,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The next line of the log, which is JSON.
fn line(log: &mut BufReader<ChildStderr>) -> Value {
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[tokio::test]
async fn it_answers_logs_what_is_fatal_with_its_tag_and_stops_on_sigterm() {
    let mut served = Served::start();
    let client = Grpc::new(GrpcOptions {
        plaintext: Plaintext::Loopback,
        timeout: Duration::from_secs(20),
        ..GrpcOptions::default()
    });
    client.set_endpoint("f", &served.address);
    let mut request = RunFunctionRequest {
        input: Some(Object::from_json(json!({"apiVersion": "x/v1", "kind": "Y"})).unwrap()),
        ..RunFunctionRequest::default()
    };
    "the-tag".clone_into(&mut request.meta.get_or_insert_default().tag);
    let answer = client.run("f", request).await.unwrap();
    assert_eq!(answer.results[0].severity(), Severity::Fatal);
    let message = &answer.results[0].message;
    assert!(
        message.contains("pt.fn.crossplane.io/v1beta1, kind Resources"),
        "{message}"
    );
    let logged = line(served.log.as_mut().unwrap());
    assert_eq!(
        (&logged["level"], &logged["tag"]),
        (&json!("WARN"), &json!("the-tag"))
    );

    let signal = Command::new("kill")
        .arg(served.child.id().to_string())
        .status();
    assert!(signal.unwrap().success());
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}

/// As the image of `package build --function --only` starts it, with a flag that a pod's arguments add.
#[tokio::test]
async fn it_hosts_only_what_it_is_told_to() {
    let served = Served::start_with(&[
        "--only=function-sequencer",
        "--default-function=function-sequencer",
        "--only=function-tag-manager,auto-ready",
        "--default-function=function-auto-ready",
    ]);
    let client = Grpc::new(GrpcOptions {
        plaintext: Plaintext::Loopback,
        timeout: Duration::from_secs(20),
        ..GrpcOptions::default()
    });
    client.set_endpoint("f", &served.address);
    let without = RunFunctionRequest::default();
    let answer = client.run("f", without).await.unwrap();
    assert!(answer.results.is_empty(), "{:?}", answer.results);
    let input = json!({"apiVersion": "sequencer.fn.crossplane.io/v1beta1", "kind": "Input"});
    let other = RunFunctionRequest {
        input: Some(Object::from_json(input).unwrap()),
        ..RunFunctionRequest::default()
    };
    let answer = client.run("f", other).await.unwrap();
    assert_eq!(answer.results[0].severity(), Severity::Fatal);
    let message = &answer.results[0].message;
    assert!(
        message.contains("(function-tag-manager)") && !message.contains("(function-sequencer)"),
        "{message}"
    );
}

/// Calls eight at a time, counting the answers, until calls are not taken any more.
async fn call_until_refused(
    address: String,
    request: RunFunctionRequest,
    answered: Arc<AtomicUsize>,
) {
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}"));
    let channel = channel.unwrap().connect_lazy();
    let mut over = false;
    while !over {
        let calls = (0..8).map(|_| {
            let mut client = FunctionRunnerServiceClient::new(channel.clone());
            let request = request.clone();
            tokio::spawn(async move { client.run_function(request).await })
        });
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                Ok(answer) => {
                    let results = answer.into_inner().results;
                    assert!(results.is_empty(), "{results:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => over = true,
            }
        }
    }
}

/// Whatever a function worked on comes back to its caller, however much is under way when the process is told to stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_call() {
    // All ask the same, and each answer is to be worked for.
    let mut served = Served::start_with(&["--debug", "--keep-answers=0"]);
    let mut log = served.log.take().unwrap();
    let worked_on = std::thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut log, &mut text).unwrap();
        assert!(
            text.contains("stopping") && !text.contains("cut off"),
            "{text}"
        );
        text.matches(r#""message":"answered""#).count()
    });
    // Long enough that many are under way at any time.
    let template = "{{ $n := 0 }}{{ range until 4000 }}{{ $n = add $n . }}{{ end }}";
    let input = json!({"apiVersion": "gotemplating.fn.crossplane.io/v1beta1", "kind": "GoTemplate",
        "source": "Inline", "inline": {"template": template}});
    let request = RunFunctionRequest {
        input: Some(Object::from_json(input).unwrap()),
        ..RunFunctionRequest::default()
    };
    let answered = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let calling = call_until_refused(
                served.address.clone(),
                request.clone(),
                Arc::clone(&answered),
            );
            tokio::spawn(calling)
        })
        .collect();
    while answered.load(Ordering::Relaxed) < 100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let signal = Command::new("kill")
        .arg(served.child.id().to_string())
        .status();
    assert!(signal.unwrap().success());
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    let worked_on = worked_on.join().unwrap();
    assert_eq!(worked_on, answered.load(Ordering::Relaxed));
}

#[test]
fn mistakes_of_the_command_line_are_told_together() {
    let output = purlin(&[
        "--metrics-address=nowhere",
        "--default-function=function-x",
        "--max-concurrent-requests=4",
        "--max-requests-per-connection=5",
    ])
    .output()
    .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for words in [
        "TLS_SERVER_CERTS_DIR",
        "--metrics-address nowhere",
        "--default-function",
        "--max-requests-per-connection 5",
    ] {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
}

#[test]
fn a_folder_of_certificates_that_cannot_be_used_is_an_error_of_the_world() {
    for verb in ["serve", "up", "engine"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
        command.arg(verb).arg("--tls-certs-dir=/nowhere/at/all");
        let output = command.env_remove("PURLIN_LOG").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{verb}: {stderr}");
        assert!(
            stderr.contains("/nowhere/at/all") && stderr.contains("tls.crt"),
            "{stderr}"
        );
    }
}

#[test]
fn without_certificates_it_says_what_to_do() {
    let output = purlin(&[]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("TLS_SERVER_CERTS_DIR") && stderr.contains("--insecure"),
        "{stderr}"
    );
}

#[test]
fn a_default_function_must_be_one_that_is_hosted() {
    let output = purlin(&[
        "--insecure",
        "--only=sequencer",
        "--default-function=function-auto-ready",
    ])
    .output();
    let output = output.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("--default-function") && stderr.contains("known: function-sequencer"),
        "{stderr}"
    );
}

#[test]
fn an_unknown_default_function_is_misuse_that_names_the_known_ones() {
    let output = purlin(&[
        "--insecure",
        "--default-function=function-patch-and-transfrom",
    ])
    .output();
    let output = output.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("did you mean function-patch-and-transform?"),
        "{stderr}"
    );
}
