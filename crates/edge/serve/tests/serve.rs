//! Does the server answer, refuse and stop as it should?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use common::{plain, request, serve, server};
use purlin_function::{Response, RunFunctionRequest, Severity};
use purlin_proto::v1::function_runner_service_client::FunctionRunnerServiceClient as V1;
use purlin_proto::v1beta1::function_runner_service_client::FunctionRunnerServiceClient as V1Beta1;
use purlin_runner::{Runner as _, RunnerError};
use purlin_serve::{Address, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::Code;
use tonic::transport::Channel;

async fn channel(address: std::net::SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn both_versions_answer_with_tag_and_desired_state() {
    let running = serve(Options::default(), "Test", |r| Response::to(r).build()).await;
    let channel = channel(running.address()).await;
    let v1 = V1::new(channel.clone()).run_function(request("Echo")).await;
    let v1beta1 = V1Beta1::new(channel).run_function(request("Echo")).await;
    let (v1, v1beta1) = (v1.unwrap().into_inner(), v1beta1.unwrap().into_inner());
    assert_eq!(v1, v1beta1);
    let meta = v1.meta.unwrap();
    assert_eq!(
        (meta.tag.as_str(), meta.ttl.unwrap().seconds),
        ("a-tag", 60)
    );
    assert_eq!(v1.desired, request("Echo").desired);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn no_input_goes_to_the_default_and_an_unknown_kind_is_fatal() {
    let running = serve(Options::default(), "Test", |r| Response::to(r).build()).await;
    let client = plain(running.address());
    let answer = client
        .run("f", RunFunctionRequest::default())
        .await
        .unwrap();
    assert_eq!(answer.results[0].message, "echo");
    let answer = client.run("f", request("Nothing")).await.unwrap();
    assert_eq!(answer.results[0].severity(), Severity::Fatal);
    let message = &answer.results[0].message;
    assert!(
        message.contains("kind Echo") && message.contains("kind Test"),
        "{message}"
    );
}

#[tokio::test]
async fn a_panic_is_a_fatal_result_and_the_server_lives() {
    let running = serve(Options::default(), "Panic", |_| panic!("by design")).await;
    let client = plain(running.address());
    for _ in 0..3 {
        let answer = client.run("f", request("Panic")).await.unwrap();
        assert_eq!(answer.results[0].severity(), Severity::Fatal);
        assert!(answer.results[0].message.contains("by design"));
        assert_eq!(answer.desired, request("Panic").desired);
    }
    assert!(client.run("f", request("Echo")).await.is_ok());
}

#[tokio::test]
async fn a_function_that_does_not_come_back_is_given_up_and_keeps_its_turn() {
    let (release, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let options = Options {
        request_timeout: Duration::from_millis(100),
        max_concurrent_requests: 1,
        ..Options::default()
    };
    let running = serve(options, "Hang", move |request| {
        drop(wait.lock().map(|wait| wait.recv()));
        Response::to(request).build()
    })
    .await;
    let client = plain(running.address());
    let answer = client.run("f", request("Hang")).await.unwrap();
    assert_eq!(answer.results[0].severity(), Severity::Fatal);
    assert_eq!(answer.meta.unwrap().tag, "a-tag");
    // The thread is still taken, so the only turn is too.
    match client.run("f", request("Echo")).await {
        Err(RunnerError::Call { status, .. }) => {
            assert_eq!(status.code(), Code::ResourceExhausted);
        }
        other => panic!("{other:?}"),
    }
    drop(release);
    while client.run("f", request("Echo")).await.is_err() {}
}

#[tokio::test]
async fn a_request_over_the_limit_is_refused() {
    let options = Options {
        max_request_size: 1 << 20,
        ..Options::default()
    };
    let running = serve(options, "Test", |r| Response::to(r).build()).await;
    let mut large = request("Echo");
    let input = large.input.get_or_insert_default();
    input.insert("text", "x".repeat(2 << 20));
    let client = plain(running.address());
    let Err(RunnerError::Call { status, .. }) = client.run("f", large).await else {
        panic!("a request of 2 MiB was taken");
    };
    assert_eq!(status.code(), Code::ResourceExhausted);
    for word in ["--max-recv-message-size", "1048576", "2097"] {
        assert!(status.message().contains(word), "{status}");
    }
    assert!(client.run("f", request("Echo")).await.is_ok());
}

#[tokio::test]
async fn what_is_no_request_and_what_is_no_method_are_refused() {
    use purlin_proto::Codec;
    use purlin_proto::v1::{Condition, RunFunctionResponse};
    use tonic::codegen::http::uri::PathAndQuery;

    let running = serve(Options::default(), "Test", |r| Response::to(r).build()).await;
    let channel = channel(running.address()).await;
    for (method, code) in [
        ("RunFunction", Code::InvalidArgument),
        ("Nothing", Code::Unimplemented),
    ] {
        // Its first field is text, where a request has a message.
        let message = Condition {
            r#type: "abc".to_owned(),
            ..Condition::default()
        };
        let path = format!("/apiextensions.fn.proto.v1.FunctionRunnerService/{method}");
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let outcome: Result<tonic::Response<RunFunctionResponse>, _> = client
            .unary(
                tonic::Request::new(message),
                path.parse::<PathAndQuery>().unwrap(),
                Codec::default(),
            )
            .await;
        assert_eq!(outcome.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_server_stops() {
    let (entered, wait_entered) = tokio::sync::oneshot::channel();
    let (release, wait) = mpsc::channel::<()>();
    let (wait, entered) = (Mutex::new(wait), Mutex::new(Some(entered)));
    let running = serve(Options::default(), "Slow", move |request| {
        if let Some(entered) = entered.lock().unwrap().take() {
            entered.send(()).unwrap();
        }
        drop(wait.lock().map(|wait| wait.recv()));
        Response::to(request).normal("finished").build()
    })
    .await;
    let address = running.address();
    let client = plain(address);
    let call = tokio::spawn(async move { client.run("f", request("Slow")).await });
    wait_entered.await.unwrap();
    let stopping = tokio::spawn(running.stop());
    // New connections are refused while the old request goes on.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    drop(release);
    let answer = call.await.unwrap().unwrap();
    assert_eq!(answer.results[0].message, "finished");
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_takes_no_longer_than_allowed() {
    let (release, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let options = Options {
        drain_timeout: Duration::from_millis(50),
        ..Options::default()
    };
    let (entered, wait_entered) = tokio::sync::oneshot::channel();
    let entered = Mutex::new(Some(entered));
    let running = serve(options, "Hang", move |request| {
        if let Some(entered) = entered.lock().unwrap().take() {
            entered.send(()).unwrap();
        }
        drop(wait.lock().map(|wait| wait.recv()));
        Response::to(request).build()
    })
    .await;
    let client = plain(running.address());
    let call = tokio::spawn(async move { client.run("f", request("Hang")).await });
    wait_entered.await.unwrap();
    running.stop().await.unwrap();
    drop((release, call));
}

#[tokio::test]
async fn metrics_are_shown_at_every_path() {
    let options = Options {
        metrics_address: Some("127.0.0.1:0".parse::<Address>().unwrap()),
        ..Options::default()
    };
    let server = server(options, "Test", |r| Response::to(r).fatal("no").build()).await;
    let page = server.metrics_address().unwrap();
    let running = server.spawn();
    let client = plain(running.address());
    client.run("f", request("Test")).await.unwrap();
    let text = get(page, "/metrics").await;
    for line in [
        r#"grpc_server_handled_total{grpc_type="unary",grpc_service="apiextensions.fn.proto.v1.FunctionRunnerService",grpc_method="RunFunction",grpc_code="OK"} 1"#,
        r#"purlin_function_results_total{function="function-test",severity="fatal"} 1"#,
        "purlin_serve_connections 1",
        r#"purlin_function_answers_total{function="function-test",outcome="Fatal"} 1"#,
        concat!(
            r#"purlin_build_info{version=""#,
            env!("CARGO_PKG_VERSION"),
            r#""} 1"#
        ),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

/// A page of the metrics address, with its head.
async fn get(page: std::net::SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(page).await.unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn what_is_refused_is_counted() {
    let options = Options {
        metrics_address: Some("127.0.0.1:0".parse::<Address>().unwrap()),
        max_request_size: 1 << 10,
        ..Options::default()
    };
    let server = server(options, "Test", |r| Response::to(r).build()).await;
    let page = server.metrics_address().unwrap();
    let running = server.spawn();
    let mut large = request("Echo");
    let input = large.input.get_or_insert_default();
    input.insert("text", "x".repeat(2 << 10));
    let client = plain(running.address());
    assert!(client.run("f", large).await.is_err());
    let text = get(page, "/metrics").await;
    for line in [
        r#"purlin_serve_limits_hit_total{limit="message_size"} 1"#,
        r#"grpc_server_handled_total{grpc_type="unary",grpc_service="apiextensions.fn.proto.v1.FunctionRunnerService",grpc_method="RunFunction",grpc_code="ResourceExhausted"} 1"#,
        r#"grpc_server_started_total{grpc_type="unary",grpc_service="apiextensions.fn.proto.v1.FunctionRunnerService",grpc_method="RunFunction"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn readiness_ends_when_the_server_stops_and_life_does_not() {
    let (release, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let (entered, wait_entered) = tokio::sync::oneshot::channel();
    let entered = Mutex::new(Some(entered));
    let options = Options {
        metrics_address: Some("127.0.0.1:0".parse::<Address>().unwrap()),
        ..Options::default()
    };
    let server = server(options, "Slow", move |request| {
        if let Some(entered) = entered.lock().unwrap().take() {
            entered.send(()).unwrap();
        }
        drop(wait.lock().map(|wait| wait.recv()));
        Response::to(request).build()
    })
    .await;
    let page = server.metrics_address().unwrap();
    let running = server.spawn();
    assert!(get(page, "/readyz").await.starts_with("HTTP/1.1 200"));
    let client = plain(running.address());
    let call = tokio::spawn(async move { client.run("f", request("Slow")).await });
    wait_entered.await.unwrap();
    let stopping = tokio::spawn(running.stop());
    while get(page, "/readyz").await.starts_with("HTTP/1.1 200") {}
    assert!(get(page, "/healthz").await.starts_with("HTTP/1.1 200"));
    drop(release);
    call.await.unwrap().unwrap();
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::health_client::HealthClient;
    use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

    let running = serve(Options::default(), "Test", |r| Response::to(r).build()).await;
    let channel = channel(running.address()).await;
    for service in ["", "apiextensions.fn.proto.v1.FunctionRunnerService"] {
        let check = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = HealthClient::new(channel.clone())
            .check(check)
            .await
            .unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    }
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answer = ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::once(ask))
        .await;
    let first = answer
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap()
        .unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = first.message_response else {
        panic!("{first:?}");
    };
    let names: Vec<String> = list.service.into_iter().map(|it| it.name).collect();
    for service in ["v1", "v1beta1"] {
        let name = format!("apiextensions.fn.proto.{service}.FunctionRunnerService");
        assert!(names.contains(&name), "{names:?}");
    }
}
