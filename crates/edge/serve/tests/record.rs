//! Are calls kept as asked: each once, up to the limit, without secrets?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use common::{plain, request, serve};
use purlin_function::recorded::Recorded;
use purlin_function::{Response, RunFunctionRequest, Severity};
use purlin_proto::v1beta1::function_runner_service_client::FunctionRunnerServiceClient as V1Beta1;
use purlin_runner::Runner as _;
use purlin_serve::{Options, Record, ServeError, Server};

fn options(folder: &Path, limit: usize) -> Options {
    Options {
        record: Some(Record {
            folder: folder.to_owned(),
            limit,
            version: "1.2.3".to_owned(),
        }),
        ..Options::default()
    }
}

/// The recorded calls, by the names of their files.
fn kept(folder: &Path) -> Vec<(String, Recorded)> {
    let mut kept: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect();
    kept.sort_by(|(one, _), (other, _)| one.cmp(other));
    kept
}

fn names(folder: &Path) -> Vec<String> {
    kept(folder).into_iter().map(|(name, _)| name).collect()
}

fn tagged(kind: &str, tag: &str) -> RunFunctionRequest {
    let mut request = request(kind);
    tag.clone_into(&mut request.meta.get_or_insert_default().tag);
    request
}

#[tokio::test]
async fn each_request_is_kept_once_with_its_answer_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new/calls");
    let running = serve(options(&folder, 10), "Test", |r| Response::to(r).build()).await;
    let client = plain(running.address());
    let mut with_secret = tagged("Echo", "one");
    let observed = with_secret.observed.get_or_insert_default();
    let details = &mut observed
        .composite
        .get_or_insert_default()
        .connection_details;
    details.insert("password".to_owned(), "correct-horse".into());
    for _ in 0..3 {
        client.run("f", with_secret.clone()).await.unwrap();
    }
    client.run("f", tagged("Nothing", "two")).await.unwrap();
    let endpoint = format!("http://{}", running.address());
    let mut old = V1Beta1::connect(endpoint).await.unwrap();
    old.run_function(with_secret).await.unwrap();

    let calls = kept(&folder);
    let names: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "0001-function-echo.json",
        "0002-none.json",
        "0003-function-echo.json",
    ];
    assert_eq!(names, expected);
    let protocols: Vec<&str> = calls
        .iter()
        .map(|(_, call)| call.protocol.as_str())
        .collect();
    assert_eq!(protocols, ["v1", "v1", "v1beta1"]);
    let (_, first) = &calls[0];
    assert_eq!(
        (first.purlin.as_str(), first.function.as_str()),
        ("1.2.3", "function-echo")
    );
    assert_eq!(first.request().unwrap().meta.unwrap().tag, "one");
    assert_eq!(first.response().unwrap().results[0].message, "echo");
    let (_, second) = &calls[1];
    assert_eq!(
        second.response().unwrap().results[0].severity(),
        Severity::Fatal
    );
    for (name, _) in &calls {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(!text.contains("Y29ycmVjdC1ob3JzZQ"), "{text}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_records() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("calls");
    let running = serve(options(&folder, 10), "Test", |r| Response::to(r).build()).await;
    plain(running.address())
        .run("f", request("Echo"))
        .await
        .unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("0001-function-echo.json")), 0o600);
}

#[tokio::test]
async fn the_limit_counts_what_earlier_runs_left_and_never_fails_a_call() {
    let folder = tempfile::tempdir().unwrap();
    for (tags, files) in [(["a", "b"], 2), (["c", "d"], 3), (["e", "f"], 3)] {
        let options = options(folder.path(), 3);
        let running = serve(options, "Test", |r| Response::to(r).build()).await;
        for tag in tags {
            let answer = plain(running.address()).run("f", tagged("Echo", tag)).await;
            assert_eq!(answer.unwrap().meta.unwrap().tag, tag);
        }
        assert_eq!(names(folder.path()).len(), files);
        running.stop().await.unwrap();
    }
    assert_eq!(names(folder.path())[2], "0003-function-echo.json");
}

#[tokio::test]
async fn a_function_that_does_not_come_back_is_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    let (release, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let options = Options {
        request_timeout: Duration::from_millis(50),
        ..options(folder.path(), 3)
    };
    let running = serve(options, "Hang", move |request| {
        drop(wait.lock().map(|wait| wait.recv()));
        Response::to(request).build()
    })
    .await;
    plain(running.address())
        .run("f", request("Hang"))
        .await
        .unwrap();
    let calls = kept(folder.path());
    assert_eq!(calls.len(), 1);
    let (_, call) = &calls[0];
    assert_eq!(call.function, "function-test");
    assert_eq!(call.request().unwrap(), request("Hang"));
    let message = &call.response().unwrap().results[0].message;
    assert!(message.contains("did not come back"), "{message}");
    drop(release);
}

#[tokio::test]
async fn a_folder_that_cannot_be_one_is_told_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let server = Server::bind(options(file.path(), 3), std::sync::Arc::default()).await;
    assert!(
        matches!(server, Err(ServeError::Record { .. })),
        "{server:?}"
    );
}
