//! What do orchestrators and tools get to see of a server, and what happens when it is full?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::{Arc, Condvar, Mutex};

use common::{plain, request, serve};
use purlin_function::Response;
use purlin_runner::Runner as _;
use purlin_serve::{Options, Running};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// A door that functions wait at, and how many do.
#[derive(Default)]
struct Door {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Door {
    fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        drop(self.changed.wait_while(state, |(open, _)| !*open).unwrap());
    }

    async fn until_somebody_waits(&self) {
        while self.state.lock().unwrap().1 == 0 {
            tokio::task::yield_now().await;
        }
    }

    fn open(&self) {
        self.state.lock().unwrap().0 = true;
        self.changed.notify_all();
    }
}

/// A server whose function `Wait` waits at the door.
async fn waiting(options: Options) -> (Running, Arc<Door>) {
    let door = Arc::new(Door::default());
    let running = serve(options, "Wait", {
        let door = Arc::clone(&door);
        move |request| {
            door.wait();
            Response::to(request).build()
        }
    })
    .await;
    (running, door)
}

async fn channel(running: &Running) -> Channel {
    let address = format!("http://{}", running.address());
    Channel::from_shared(address)
        .unwrap()
        .connect()
        .await
        .unwrap()
}

fn status(answer: Option<HealthCheckResponse>) -> ServingStatus {
    answer.unwrap().status()
}

#[tokio::test]
async fn health_says_that_the_server_stops_while_it_still_works() {
    let (running, door) = waiting(Options::default()).await;
    let mut watches = Vec::new();
    for service in ["", "apiextensions.fn.proto.v1.FunctionRunnerService"] {
        let service = service.to_owned();
        let mut watch = HealthClient::new(channel(&running).await)
            .watch(HealthCheckRequest { service })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            status(watch.message().await.unwrap()),
            ServingStatus::Serving
        );
        watches.push(watch);
    }
    let client = plain(running.address());
    let call = tokio::spawn(async move { client.run("f", request("Wait")).await });
    door.until_somebody_waits().await;
    let stopping = tokio::spawn(running.stop());
    for mut watch in watches {
        assert_eq!(
            status(watch.message().await.unwrap()),
            ServingStatus::NotServing
        );
    }
    assert!(!call.is_finished());
    door.open();
    call.await.unwrap().unwrap();
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn reflection_is_answered_as_older_tools_ask() {
    use tonic_reflection::pb::v1alpha::ServerReflectionRequest;
    use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;

    let (running, _door) = waiting(Options::default()).await;
    let symbol = "apiextensions.fn.proto.v1.FunctionRunnerService";
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(symbol.to_owned())),
    };
    let answer = ServerReflectionClient::new(channel(&running).await)
        .server_reflection_info(tokio_stream::once(ask))
        .await
        .unwrap();
    let first = answer.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::FileDescriptorResponse(files)) = first.message_response else {
        panic!("{first:?}");
    };
    let holds = |name: &str| {
        (files.file_descriptor_proto.iter())
            .any(|file| file.windows(name.len()).any(|word| word == name.as_bytes()))
    };
    assert!(holds("FunctionRunnerService") && holds("RunFunctionRequest"));
}

#[tokio::test]
async fn a_new_connection_is_cut_when_all_others_are_at_work() {
    let options = Options {
        max_connections: 1,
        ..Options::default()
    };
    let (running, door) = waiting(options).await;
    let client = plain(running.address());
    let call = tokio::spawn(async move { client.run("f", request("Wait")).await });
    door.until_somebody_waits().await;
    // Who works is not cut for who comes.
    let mut late = TcpStream::connect(running.address()).await.unwrap();
    let mut rest = Vec::new();
    let cut = late.read_to_end(&mut rest).await;
    assert!(cut.is_err() || rest.is_empty(), "{rest:?}");
    door.open();
    call.await.unwrap().unwrap();
    running.stop().await.unwrap();
}
