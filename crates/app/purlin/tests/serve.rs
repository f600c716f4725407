//! `purlin serve` as a pod runs it: it answers, says where it listens, and stops on SIGTERM.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use purlin_object::Object;
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
    log: BufReader<ChildStderr>,
    address: String,
}

impl Served {
    fn start() -> Self {
        let mut child = purlin(&[
            "--insecure",
            "--address=127.0.0.1:0",
            "--metrics-address=",
            "--default-function=function-patch-and-transform",
        ])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let first = line(&mut log);
        assert_eq!(first["message"], "serving functions", "{first}");
        let address = first["address"].as_str().unwrap().to_owned();
        Self {
            child,
            log,
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
    let logged = line(&mut served.log);
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
