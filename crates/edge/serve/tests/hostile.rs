//! Can a caller that is slow, dead or greedy hold up others? Each kind of it, many at a time, beside callers that behave.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use common::{plain, request, serve};
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use prost::Message as _;
use purlin_function::{Response, RunFunctionRequest};
use purlin_runner::{Grpc, Runner as _};
use purlin_serve::{Options, Running};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const METHOD: &str = "/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction";

/// Timeouts that are long enough for a busy machine, and short enough for a test.
fn options() -> Options {
    Options {
        handshake_timeout: Duration::from_secs(2),
        stall_timeout: Duration::from_secs(2),
        ..Options::default()
    }
}

async fn start(options: Options) -> Running {
    serve(options, "Large", |request| {
        let mut answer = Response::to(request).build();
        // More than anybody's window.
        let desired = answer.desired.get_or_insert_default();
        let composite = desired.composite.get_or_insert_default();
        let object = composite.resource.get_or_insert_default();
        object.insert("text", "x".repeat(4 << 20));
        answer
    })
    .await
}

/// The headers of a call.
fn headers(address: SocketAddr) -> Request<()> {
    Request::post(format!("http://{address}{METHOD}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap()
}

/// A message with its head.
fn framed(request: &RunFunctionRequest) -> Bytes {
    let message = request.encode_to_vec();
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(&message);
    frame.freeze()
}

/// A connection of one's own, whose windows are as small as they get.
async fn connect(address: SocketAddr) -> (SendRequest<Bytes>, tokio::task::JoinHandle<()>) {
    let socket = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(1024)
        .handshake(socket)
        .await
        .unwrap();
    let task = tokio::spawn(async move { drop(connection.await) });
    (client.ready().await.unwrap(), task)
}

/// How a caller goes wrong.
#[derive(Debug, Clone, Copy)]
enum Stall {
    /// Connects and says nothing.
    Silent,
    /// Says half of what every connection begins with.
    HalfPreface,
    /// Sends the headers of a call, and no body.
    HeadersOnly,
    /// Sends half of a message.
    HalfMessage,
    /// Sends a call and never takes its answer.
    NeverReads,
    /// Has its connection open, and asks nothing.
    Idle,
}

const STALLS: [Stall; 6] = [
    Stall::Silent,
    Stall::HalfPreface,
    Stall::HeadersOnly,
    Stall::HalfMessage,
    Stall::NeverReads,
    Stall::Idle,
];

/// Stalls, and comes back when the server has had enough of it; an idle one may stay.
async fn stall(address: SocketAddr, kind: Stall) {
    match kind {
        Stall::Silent | Stall::HalfPreface => {
            let mut socket = TcpStream::connect(address).await.unwrap();
            if matches!(kind, Stall::HalfPreface) {
                socket.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
            }
            let mut rest = Vec::new();
            drop(socket.read_to_end(&mut rest).await);
        }
        Stall::HeadersOnly | Stall::HalfMessage => {
            let (mut client, _task) = connect(address).await;
            let (answer, mut body) = client.send_request(headers(address), false).unwrap();
            if matches!(kind, Stall::HalfMessage) {
                let frame = framed(&request("Echo"));
                body.send_data(frame.slice(..frame.len() / 2), false)
                    .unwrap();
            }
            // A status that says why, in headers alone.
            let answer = answer.await.unwrap();
            assert_eq!(answer.headers()["grpc-status"], "4", "{answer:?}");
            let why = answer.headers()["grpc-message"].to_str().unwrap();
            assert!(why.contains("--stall-timeout"), "{why}");
        }
        Stall::NeverReads => {
            let (mut client, task) = connect(address).await;
            let (answer, mut body) = client.send_request(headers(address), false).unwrap();
            body.send_data(framed(&request("Large")), true).unwrap();
            let answer = answer.await.unwrap();
            assert_eq!(answer.status(), 200);
            // Neither taken nor refused: the connection is cut.
            task.await.unwrap();
            drop(answer);
        }
        Stall::Idle => {
            let (_client, _task) = connect(address).await;
            std::future::pending::<()>().await;
        }
    }
}

/// When a call began, and how long it took.
type Took = (Instant, Duration);

/// Calls again and again until told to stop.
fn healthy(
    address: SocketAddr,
    mut stop: tokio::sync::watch::Receiver<bool>,
) -> tokio::task::JoinHandle<Vec<Took>> {
    tokio::spawn(async move {
        let client: Grpc = plain(address);
        let mut took = Vec::new();
        while !*stop.borrow_and_update() {
            let began = Instant::now();
            let answer = client.run("f", request("Echo")).await.unwrap();
            assert_eq!(answer.results[0].message, "echo");
            took.push((began, began.elapsed()));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        took
    })
}

/// Runs stalled callers beside healthy ones until all but the idle ones were cut; how long healthy calls took.
async fn beside_stalled(running: &Running, each: usize) -> Vec<Took> {
    let address = running.address();
    let mut stalled = tokio::task::JoinSet::new();
    let mut idle = tokio::task::JoinSet::new();
    for kind in STALLS {
        for _ in 0..each {
            let task = stall(address, kind);
            match kind {
                Stall::Idle => drop(idle.spawn(task)),
                _ => drop(stalled.spawn(task)),
            }
        }
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let callers: Vec<_> = (0..4).map(|_| healthy(address, stopped.clone())).collect();
    while let Some(ended) = stalled.join_next().await {
        ended.unwrap();
    }
    stop.send(true).unwrap();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await.unwrap());
    }
    assert!(took.len() > 10, "{}", took.len());
    took
}

/// No healthy call fails or waits for a stalled one, and each stalled one is cut and told why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_stall_are_cut_and_hold_up_nobody() {
    let mut options = options();
    // Fewer turns than there are stalled callers of any kind: none of them may keep one.
    options.max_concurrent_requests = 8;
    let running = start(options).await;
    beside_stalled(&running, 33).await;
    running.stop().await.unwrap();
}

/// The same with a thousand, and the time that healthy calls take while they come and once they are there: `cargo test -p purlin-serve --release --test hostile -- --ignored
/// --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "heavy: a thousand connections"]
async fn a_thousand_stalled_connections_leave_the_others_their_pace() {
    let percentile = |took: &mut Vec<Duration>, percent: usize| {
        took.sort();
        took[(took.len() - 1) * percent / 100]
    };
    for each in [0, 167] {
        let mut options = options();
        options.stall_timeout = Duration::from_secs(10);
        options.handshake_timeout = Duration::from_secs(10);
        let running = start(options).await;
        let took = if each == 0 {
            let (stop, stopped) = tokio::sync::watch::channel(false);
            let callers: Vec<_> = (0..4)
                .map(|_| healthy(running.address(), stopped.clone()))
                .collect();
            tokio::time::sleep(Duration::from_secs(5)).await;
            stop.send(true).unwrap();
            let mut took = Vec::new();
            for caller in callers {
                took.extend(caller.await.unwrap());
            }
            took
        } else {
            beside_stalled(&running, each).await
        };
        // A sixth of them make the server compute an answer of 4 MiB each, all at once, as soon as they are connected.
        let began = took.iter().map(|(began, _)| *began).min().unwrap();
        let (first, then): (Vec<Took>, Vec<Took>) =
            (took.into_iter()).partition(|(at, _)| at.duration_since(began).as_secs() < 3);
        for (when, took) in [("in the first 3 s", first), ("after that", then)] {
            let mut took: Vec<Duration> = took.into_iter().map(|(_, took)| took).collect();
            println!(
                "{} stalled connections, {when}: {} calls, p50 {:?}, p99 {:?}, longest {:?}",
                each * STALLS.len(),
                took.len(),
                percentile(&mut took, 50),
                percentile(&mut took, 99),
                percentile(&mut took, 100),
            );
        }
        drop(running.stop().await);
    }
}

/// A gate that functions wait at.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    waiting: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    fn wait(&self) {
        *self.waiting.lock().unwrap() += 1;
        let open = self.open.lock().unwrap();
        drop(self.changed.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greedy_connection_leaves_turns_to_others() {
    let gate = Arc::new(Gate::default());
    let options = Options {
        max_concurrent_requests: 4,
        ..Options::default()
    };
    let running = serve(options, "Wait", {
        let gate = Arc::clone(&gate);
        move |request| {
            gate.wait();
            Response::to(request).build()
        }
    })
    .await;
    // All on one connection, and far more than there are turns.
    let greedy = plain(running.address());
    drop(greedy.run("f", request("Echo")).await.unwrap());
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let greedy = greedy.clone();
            tokio::spawn(async move { greedy.run("f", request("Wait")).await })
        })
        .collect();
    while *gate.waiting.lock().unwrap() < 2 {
        tokio::task::yield_now().await;
    }
    let other = plain(running.address());
    for _ in 0..10 {
        other.run("f", request("Echo")).await.unwrap();
    }
    assert_eq!(
        *gate.waiting.lock().unwrap(),
        2,
        "it has its share of turns, and no more"
    );
    gate.open();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_callers_own_deadline_is_kept() {
    let gate = Arc::new(Gate::default());
    let running = serve(options(), "Wait", {
        let gate = Arc::clone(&gate);
        move |request| {
            gate.wait();
            Response::to(request).build()
        }
    })
    .await;
    let (mut client, _task) = connect(running.address()).await;
    let mut soon = headers(running.address());
    soon.headers_mut()
        .insert("grpc-timeout", "20m".parse().unwrap());
    let (answer, mut body) = client.send_request(soon, false).unwrap();
    body.send_data(framed(&request("Wait")), true).unwrap();
    let (status, message) = told(answer.await.unwrap().headers());
    assert_eq!(status, "4");
    assert!(message.contains("grpc-timeout"), "{message}");
    gate.open();
}

/// What a call is told, in its headers or trailers.
fn told(headers: &HeaderMap) -> (String, String) {
    let word = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    (
        word("grpc-status").unwrap_or_default(),
        word("grpc-message").unwrap_or_default(),
    )
}

#[tokio::test]
async fn every_limit_of_a_call_is_told_with_its_flag() {
    let mut options = options();
    options.max_request_size = 1 << 20;
    options.max_request_memory = 1 << 10;
    options.stall_timeout = Duration::from_millis(100);
    let running = start(options).await;
    let address = running.address();
    let ask = async |frame: Bytes, headers: Request<()>| {
        let (mut client, _task) = connect(address).await;
        let (answer, mut body) = client.send_request(headers, false).unwrap();
        drop(body.send_data(frame, true));
        let answer = answer.await.unwrap();
        told(answer.headers())
    };
    let check = |(status, message): (String, String), code: &str, words: &str| {
        assert_eq!(status, code, "{message}");
        assert!(
            message.replace("%20", " ").contains(words),
            "{words}: {message}"
        );
    };
    let large = |bytes: usize| {
        let mut large = request("Echo");
        let input = large.input.get_or_insert_default();
        input.insert("text", "x".repeat(bytes));
        framed(&large)
    };
    // Only the head of it is sent, and looked at: the length says it all.
    let head = large(2 << 20).slice(..100);
    check(
        ask(head, headers(address)).await,
        "8",
        "--max-recv-message-size",
    );
    check(
        ask(large(4000), headers(address)).await,
        "8",
        "--max-request-memory",
    );
    let mut packed = headers(address);
    packed
        .headers_mut()
        .insert("grpc-encoding", "snappy".parse().unwrap());
    check(ask(large(1), packed).await, "12", "only gzip and identity");
    let (cut, whole) = (framed(&request("Echo")), framed(&request("Echo")));
    check(
        ask(cut.slice(..cut.len() - 1), headers(address)).await,
        "3",
        "cut off",
    );
    check(ask(Bytes::new(), headers(address)).await, "3", "no message");
    let twice: Bytes = [whole.clone(), whole].concat().into();
    check(
        ask(twice, headers(address)).await,
        "3",
        "more than one message",
    );
}

/// HTTP/2 itself refuses them, before there is a call to answer.
#[tokio::test]
async fn headers_over_the_limit_are_refused() {
    let running = start(options()).await;
    let address = running.address();
    let mut long = headers(address);
    long.headers_mut()
        .insert("x", "y".repeat(20 << 10).parse().unwrap());
    let (mut client, _task) = connect(address).await;
    let outcome = client.send_request(long, true).unwrap().0.await;
    assert!(outcome.is_err() || outcome.unwrap().status() == 431);
}

#[tokio::test]
async fn gzip_is_read_and_cannot_be_a_bomb() {
    use std::io::Write as _;

    let mut options = options();
    options.max_request_size = 1 << 20;
    let running = start(options).await;
    let address = running.address();
    let ask = async |message: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(message).unwrap();
        let packed = packer.finish().unwrap();
        let mut frame = BytesMut::new();
        frame.put_u8(1);
        frame.put_u32(u32::try_from(packed.len()).unwrap());
        frame.put_slice(&packed);
        let mut headers = headers(address);
        headers
            .headers_mut()
            .insert("grpc-encoding", "gzip".parse().unwrap());
        let (mut client, _task) = connect(address).await;
        let (answer, mut body) = client.send_request(headers, false).unwrap();
        body.send_data(frame.freeze(), true).unwrap();
        let (head, mut body) = answer.await.unwrap().into_parts();
        while let Some(data) = body.data().await {
            let length = data.unwrap().len();
            body.flow_control().release_capacity(length).unwrap();
        }
        let trailers = body.trailers().await.unwrap();
        told(&trailers.unwrap_or(head.headers))
    };
    assert_eq!(ask(&request("Echo").encode_to_vec()).await.0, "0");
    let (status, message) = ask(&vec![0; 64 << 20]).await;
    assert_eq!(status, "8", "{message}");
    assert!(message.contains("--max-recv-message-size"), "{message}");
}

#[tokio::test]
async fn an_idle_connection_makes_room_and_an_old_one_is_asked_to_come_again() {
    let mut few = options();
    few.max_connections = 4;
    let running = start(few).await;
    let mut kept = Vec::new();
    for _ in 0..20 {
        let client = plain(running.address());
        client.run("f", request("Echo")).await.unwrap();
        kept.push(client);
    }
    // Those that had to go come again.
    for client in &kept {
        client.run("f", request("Echo")).await.unwrap();
    }

    let mut short = options();
    short.idle_timeout = Some(Duration::from_millis(30));
    let running = start(short).await;
    let (_client, task) = connect(running.address()).await;
    task.await.unwrap();

    let mut aging = options();
    aging.max_connection_age = Some(Duration::from_millis(30));
    let running = start(aging).await;
    let client = plain(running.address());
    let (_client, task) = connect(running.address()).await;
    while !task.is_finished() {
        client.run("f", request("Echo")).await.unwrap();
    }
}
