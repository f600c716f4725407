//! Is a function elsewhere called over mutual TLS, and is every way in which two sides do not trust each other told?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purlin_function::{
    Functions, Hosted, Response, Response as Answer, RunFunctionRequest, RunFunctionResponse,
};
use purlin_runner::{Grpc, GrpcOptions, Plaintext, Retry, Runner as _, RunnerError, Tls};
use purlin_serve::{Options, Running, Server};
use purlin_testkit::certificates::{Authority, Flaw, put};
use tempfile::TempDir;

async fn serve(tls: Option<&Path>) -> Running {
    let echo = |request: &RunFunctionRequest| Response::to(request).normal("over there").build();
    let hosted = Hosted {
        name: "function-a",
        api_version: "a/v1",
        kind: "A",
        function: Arc::new(echo),
    };
    let options = Options {
        tls_folder: tls.map(Path::to_owned),
        tls_reload_period: Duration::from_millis(5),
        ..Options::default()
    };
    let functions = Functions::new([hosted]).with_default("function-a");
    let server = Server::bind(options, Arc::new(functions)).await;
    server.unwrap().spawn()
}

fn caller(address: SocketAddr, tls: Option<&Path>, plaintext: Plaintext) -> Grpc {
    let grpc = Grpc::new(GrpcOptions {
        tls: tls.map(|folder| Tls {
            folder: folder.to_owned(),
        }),
        plaintext,
        timeout: Duration::from_secs(20),
        ..GrpcOptions::default()
    });
    grpc.set_endpoint("function-a", &format!("dns:///{address}"));
    grpc
}

async fn call(
    address: SocketAddr,
    tls: Option<&Path>,
    plaintext: Plaintext,
) -> Result<RunFunctionResponse, RunnerError> {
    let caller = caller(address, tls, plaintext);
    caller
        .run("function-a", RunFunctionRequest::default())
        .await
}

/// What a failed call says.
async fn complaint(address: SocketAddr, tls: Option<&Path>, plaintext: Plaintext) -> String {
    let error = call(address, tls, plaintext).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("function-a") && text.contains(&address.to_string()),
        "{text}"
    );
    text
}

#[tokio::test]
async fn certificates_of_one_authority_let_each_other_in() {
    let authority = Authority::default();
    let (server, client) = (authority.issue(Flaw::None), authority.issue(Flaw::None));
    let running = serve(Some(server.path())).await;
    let answer = call(running.address(), Some(client.path()), Plaintext::Never).await;
    assert_eq!(answer.unwrap().results[0].message, "over there");
}

#[tokio::test]
async fn a_function_that_cannot_be_trusted_is_not_called() {
    let (authority, stranger) = (Authority::default(), Authority::new("a stranger"));
    let client = authority.issue(Flaw::None);
    let check = async |server: TempDir, words: &str| {
        // The server lets this client in; it is the client that has doubts.
        std::fs::copy(client.path().join("ca.crt"), server.path().join("ca.crt")).unwrap();
        let running = serve(Some(server.path())).await;
        let text = complaint(running.address(), Some(client.path()), Plaintext::Never).await;
        assert!(text.contains(words), "{words}: {text}");
    };
    check(
        stranger.issue(Flaw::None),
        "was not signed by the authority",
    )
    .await;
    check(authority.issue(Flaw::Expired), "certificate has expired").await;
    check(authority.issue(Flaw::OtherName), "is for other names").await;
}

#[tokio::test]
async fn a_client_that_is_not_let_in_says_which_certificate_is_wrong() {
    let (authority, stranger) = (Authority::default(), Authority::new("a stranger"));
    let server = authority.issue(Flaw::None);
    let running = serve(Some(server.path())).await;
    let check = async |client: TempDir| {
        // The client trusts the server; it is the server that has doubts.
        std::fs::copy(server.path().join("ca.crt"), client.path().join("ca.crt")).unwrap();
        let error = call(running.address(), Some(client.path()), Plaintext::Never).await;
        let error = error.unwrap_err();
        assert_eq!(error.retry(), Retry::Later);
        let text = error.to_string();
        let certificate = client.path().join("tls.crt");
        assert!(text.contains(&certificate.display().to_string()), "{text}");
        assert!(matches!(error, RunnerError::Tls { .. }), "{text}");
    };
    check(stranger.issue(Flaw::None)).await;
    check(authority.issue(Flaw::Expired)).await;
}

#[tokio::test]
async fn without_certificates_nothing_is_sent_but_to_this_machine_when_that_is_allowed() {
    let authority = Authority::default();
    let server = authority.issue(Flaw::None);
    let secured = serve(Some(server.path())).await;
    let text = complaint(secured.address(), None, Plaintext::Never).await;
    assert!(text.contains("there is no TLS folder"), "{text}");
    let plain = serve(None).await;
    let text = complaint(plain.address(), None, Plaintext::Never).await;
    assert!(text.contains("plain text is not allowed there"), "{text}");
    assert!(
        call(plain.address(), None, Plaintext::Loopback)
            .await
            .is_ok()
    );
    // A server that wants TLS is not talked to without.
    assert!(
        call(secured.address(), None, Plaintext::Loopback)
            .await
            .is_err()
    );
    // And one that has none is told.
    let text = complaint(plain.address(), Some(server.path()), Plaintext::Never).await;
    assert!(
        text.contains("does not speak TLS") || text.contains("cannot connect"),
        "{text}"
    );
}

#[tokio::test]
async fn a_folder_that_is_not_complete_is_told_with_all_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls {
        folder: folder.path().to_owned(),
    };
    let text = tls.check().unwrap_err();
    for file in ["tls.crt", "tls.key", "ca.crt"] {
        assert!(text.contains(file), "{text}");
    }
    let text = complaint(
        "127.0.0.1:1".parse().unwrap(),
        Some(folder.path()),
        Plaintext::Never,
    )
    .await;
    assert!(text.contains("cannot read"), "{text}");
    Authority::default().issue_into(folder.path(), Flaw::None);
    assert_eq!(tls.check(), Ok(()));
    // A key of another certificate.
    let other = Authority::default().issue(Flaw::None);
    std::fs::copy(other.path().join("tls.key"), folder.path().join("tls.key")).unwrap();
    assert!(tls.check().unwrap_err().contains("cannot be used"));
}

/// Both sides move to another authority, one after the other, and no call fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_certificates_are_used_without_a_failed_call() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let (server, client) = (old.issue(Flaw::None), old.issue(Flaw::None));
    let running = serve(Some(server.path())).await;
    let caller = caller(running.address(), Some(client.path()), Plaintext::Never);
    let ask = async || {
        let answer = caller
            .run("function-a", RunFunctionRequest::default())
            .await;
        assert_eq!(answer.unwrap().results[0].message, "over there");
    };
    ask().await;
    // Files that cannot be used change nothing.
    let kept = std::fs::read(client.path().join("tls.key")).unwrap();
    std::fs::write(client.path().join("tls.key"), "half of a k").unwrap();
    ask().await;
    std::fs::write(client.path().join("tls.key"), kept).unwrap();
    ask().await;
    // First everybody trusts both authorities, then certificates of the new one are used, then the old one goes.
    let both = format!("{}{}", old.pem(), new.pem());
    for folder in [server.path(), client.path()] {
        put(folder, "ca.crt", &both);
        ask().await;
    }
    // The server looks on its own; it has seen the new authority when a client of that one is let in.
    let scout = new.issue(Flaw::None);
    put(scout.path(), "ca.crt", &both);
    while call(running.address(), Some(scout.path()), Plaintext::Never)
        .await
        .is_err()
    {}
    new.issue_into(client.path(), Flaw::None);
    put(client.path(), "ca.crt", &both);
    ask().await;
    new.issue_into(server.path(), Flaw::None);
    // It has seen its own when one that trusts only the new authority lets it in.
    put(scout.path(), "ca.crt", new.pem());
    while call(running.address(), Some(scout.path()), Plaintext::Never)
        .await
        .is_err()
    {
        ask().await;
    }
    ask().await;
    // Who has a certificate of the old authority only is not let in any more.
    let late = old.issue(Flaw::None);
    put(late.path(), "ca.crt", &both);
    let error = call(running.address(), Some(late.path()), Plaintext::Never).await;
    assert!(error.is_err());
}

#[tokio::test]
async fn a_server_that_was_replaced_is_found_again_without_a_failed_call() {
    let authority = Authority::default();
    let (server, client) = (authority.issue(Flaw::None), authority.issue(Flaw::None));
    let first = serve(Some(server.path())).await;
    let caller = caller(first.address(), Some(client.path()), Plaintext::Never);
    let request = RunFunctionRequest::default;
    assert!(caller.run("function-a", request()).await.is_ok());
    let address = first.address();
    first.stop().await.unwrap();
    let echo = |request: &RunFunctionRequest| Answer::to(request).normal("the second").build();
    let functions = Functions::new([Hosted {
        name: "function-a",
        api_version: "a/v1",
        kind: "A",
        function: Arc::new(echo),
    }]);
    let options = Options {
        address: address.to_string().parse().unwrap(),
        tls_folder: Some(server.path().to_owned()),
        ..Options::default()
    };
    let functions = Arc::new(functions.with_default("function-a"));
    let second = Server::bind(options, functions).await.unwrap().spawn();
    let answer = caller.run("function-a", request()).await.unwrap();
    assert_eq!(answer.results[0].message, "the second");
    second.stop().await.unwrap();
}
