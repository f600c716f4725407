//! Is an answer kept when it may be, and only then?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{API, plain, request};
use purlin_function::{
    Function, Functions, Hosted, Response, RunFunctionRequest, RunFunctionResponse, repeating,
};
use purlin_runner::Runner as _;
use purlin_serve::{Options, Server};

/// Asks `Test` several times, with a tag each; how often was the function asked, and what was answered last?
async fn ask(
    options: Options,
    wrap: fn(Arc<dyn Function>) -> Arc<dyn Function>,
    answer: fn(&RunFunctionRequest) -> RunFunctionResponse,
    tags: &[&str],
) -> (usize, RunFunctionResponse) {
    let asked = Arc::new(AtomicUsize::new(0));
    let function = {
        let asked = Arc::clone(&asked);
        move |request: &RunFunctionRequest| {
            asked.fetch_add(1, Ordering::SeqCst);
            answer(request)
        }
    };
    let functions = Functions::new([Hosted {
        name: "function-test",
        api_version: API,
        kind: "Test",
        function: wrap(Arc::new(function)),
    }]);
    let server = Server::bind(options, Arc::new(functions)).await.unwrap();
    let running = server.spawn();
    let client = plain(running.address());
    let mut last = RunFunctionResponse::default();
    for tag in tags {
        let mut request = request("Test");
        (*tag).clone_into(&mut request.meta.get_or_insert_default().tag);
        last = client.run("f", request).await.unwrap();
    }
    (asked.load(Ordering::SeqCst), last)
}

fn normal(request: &RunFunctionRequest) -> RunFunctionResponse {
    Response::to(request).normal("done").build()
}

#[tokio::test]
async fn a_request_that_comes_again_is_answered_without_the_function() {
    let tags = ["a", "a", "a", "b", "a", "b", "b"];
    let (asked, last) = ask(Options::default(), repeating, normal, &tags).await;
    assert_eq!(asked, 4, "each of the two twice");
    assert_eq!(last.meta.unwrap().tag, "b");
    assert_eq!(last.results[0].message, "done");
    assert_eq!(last.desired, request("Test").desired);
}

#[tokio::test]
async fn what_may_differ_each_time_is_asked_each_time() {
    let tags = ["a"; 5];
    let (asked, _) = ask(Options::default(), |function| function, normal, &tags).await;
    assert_eq!(asked, 5);
    let fatal = |request: &RunFunctionRequest| Response::to(request).fatal("no").build();
    let (asked, _) = ask(Options::default(), repeating, fatal, &tags).await;
    assert_eq!(asked, 5);
}

#[tokio::test]
async fn nothing_is_kept_when_that_is_switched_off() {
    let options = Options {
        kept_answers: 0,
        ..Options::default()
    };
    let (asked, _) = ask(options, repeating, normal, &["a"; 5]).await;
    assert_eq!(asked, 5);
}
