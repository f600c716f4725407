//! Are only clients with a certificate let in, and do certificates change without a failed call?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{mutual, plain, request, serve};
use purlin_function::Response;
use purlin_runner::Runner as _;
use purlin_serve::{Options, ServeError, Server};
use purlin_testkit::certificates::{Authority, Flaw, put};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

fn options(folder: &Path) -> Options {
    Options {
        tls_folder: Some(folder.to_owned()),
        tls_reload_period: Duration::from_millis(5),
        ..Options::default()
    }
}

/// Connects once, with the client's folder, and answers the server's certificate.
async fn certificate(address: SocketAddr, folder: &Path) -> Option<CertificateDer<'static>> {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&read("ca.crt")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(&read("tls.crt")).unwrap()],
            PrivateKeyDer::from_pem_slice(&read("tls.key")).unwrap(),
        )
        .unwrap();
    let socket = tokio::net::TcpStream::connect(address).await.ok()?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, socket).await.ok()?;
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    Some(certificate.clone().into_owned())
}

#[tokio::test]
async fn only_clients_with_a_certificate_of_the_authority_are_let_in() {
    let (folder, client, stranger) = folders();
    let authority = Authority::default();
    authority.issue_into(folder.path(), Flaw::None);
    authority.issue_into(client.path(), Flaw::None);
    // Signed by somebody else, though it knows the right authority for the server.
    Authority::default().issue_into(stranger.path(), Flaw::None);
    std::fs::copy(client.path().join("ca.crt"), stranger.path().join("ca.crt")).unwrap();

    let running = serve(options(folder.path()), "Test", |r| Response::to(r).build()).await;
    let address = running.address();
    let answer = mutual(address, client.path())
        .run("f", request("Echo"))
        .await;
    assert_eq!(answer.unwrap().results[0].message, "echo");
    assert!(
        mutual(address, stranger.path())
            .run("f", request("Echo"))
            .await
            .is_err()
    );
    assert!(plain(address).run("f", request("Echo")).await.is_err());
    let no_certificate = tonic::transport::ClientTlsConfig::new()
        .domain_name("127.0.0.1")
        .ca_certificate(tonic::transport::Certificate::from_pem(
            std::fs::read(client.path().join("ca.crt")).unwrap(),
        ));
    let endpoint = tonic::transport::Endpoint::from_shared(format!("https://{address}"))
        .unwrap()
        .tls_config(no_certificate)
        .unwrap();
    let outcome = async {
        let channel = endpoint
            .connect()
            .await
            .map_err(|error| error.to_string())?;
        let mut client =
            purlin_proto::v1::function_runner_service_client::FunctionRunnerServiceClient::new(
                channel,
            );
        client
            .run_function(request("Echo"))
            .await
            .map_err(|error| error.to_string())
    };
    assert!(outcome.await.is_err());
}

/// Callers that never stop asking, half of them on a connection they keep, half on a new one for each call.
struct Load {
    done: Arc<AtomicBool>,
    workers: Vec<tokio::task::JoinHandle<u64>>,
}

impl Load {
    fn start(address: SocketAddr, client: &Path) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let work = |worker: usize| {
            let (done, path) = (Arc::clone(&done), client.to_owned());
            tokio::spawn(async move {
                let kept = mutual(address, &path);
                let mut calls = 0;
                while !done.load(Ordering::Relaxed) {
                    let fresh = mutual(address, &path);
                    let caller = if worker.is_multiple_of(2) {
                        &kept
                    } else {
                        &fresh
                    };
                    let answer = caller.run("f", request("Echo")).await.unwrap();
                    assert_eq!(answer.results[0].message, "echo");
                    calls += 1;
                }
                calls
            })
        };
        let workers = (0..8).map(work).collect();
        Self { done, workers }
    }

    /// No call failed, and there were some.
    async fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        for worker in self.workers {
            assert!(worker.await.unwrap() > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_reloaded_under_load_without_a_failed_call() {
    let (folder, client, other) = folders();
    let authority = Authority::default();
    authority.issue_into(folder.path(), Flaw::None);
    authority.issue_into(client.path(), Flaw::None);
    let running = serve(options(folder.path()), "Test", |r| Response::to(r).build()).await;
    let address = running.address();
    let load = Load::start(address, client.path());
    for _ in 0..5 {
        let before = certificate(address, client.path()).await.unwrap();
        // As a kubelet does it: a new folder, then a rename; no half-written file is ever seen.
        authority.issue_into(other.path(), Flaw::None);
        for name in ["tls.crt", "tls.key"] {
            std::fs::rename(other.path().join(name), folder.path().join(name)).unwrap();
        }
        while certificate(address, client.path()).await.unwrap() == before {}
    }
    load.end().await;
}

/// The whole way from one authority to another, on both sides, as it is done in a cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authority_is_replaced_under_load_without_a_failed_call() {
    let (server, client, scout) = folders();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    old.issue_into(server.path(), Flaw::None);
    old.issue_into(client.path(), Flaw::None);
    let running = serve(options(server.path()), "Test", |r| Response::to(r).build()).await;
    let address = running.address();
    let load = Load::start(address, client.path());
    let both = format!("{}{}", old.pem(), new.pem());
    put(client.path(), "ca.crt", &both);
    put(server.path(), "ca.crt", &both);
    // The server knows the new authority once it lets one of its clients in.
    new.issue_into(scout.path(), Flaw::None);
    put(scout.path(), "ca.crt", &both);
    while !is_let_in(address, scout.path()).await {}
    // Copied over, so that the authorities stay as they are.
    for folder in [client.path(), server.path()] {
        let (certificate, _, other) = folders();
        drop(other);
        new.issue_into(certificate.path(), Flaw::None);
        for name in ["tls.crt", "tls.key"] {
            let text = std::fs::read_to_string(certificate.path().join(name)).unwrap();
            put(folder, name, &text);
        }
    }
    put(scout.path(), "ca.crt", new.pem());
    while !is_let_in(address, scout.path()).await {}
    put(server.path(), "ca.crt", new.pem());
    put(client.path(), "ca.crt", new.pem());
    let late = tempfile::tempdir().unwrap();
    old.issue_into(late.path(), Flaw::None);
    put(late.path(), "ca.crt", &both);
    while is_let_in(address, late.path()).await {}
    load.end().await;
}

/// Who was let in under an authority that is not trusted any more has to come again, and is not let in.
#[tokio::test]
async fn connections_end_when_their_authority_is_not_trusted_any_more() {
    let (server, client, _) = folders();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    old.issue_into(server.path(), Flaw::None);
    old.issue_into(client.path(), Flaw::None);
    let running = serve(options(server.path()), "Test", |r| Response::to(r).build()).await;
    let caller = mutual(running.address(), client.path());
    assert!(caller.run("f", request("Echo")).await.is_ok());
    put(server.path(), "ca.crt", new.pem());
    while caller.run("f", request("Echo")).await.is_ok() {}
}

async fn is_let_in(address: SocketAddr, folder: &Path) -> bool {
    let caller = mutual(address, folder);
    caller.run("f", request("Echo")).await.is_ok()
}

#[tokio::test]
async fn files_that_cannot_be_used_keep_the_old_ones_in_use() {
    let (folder, client, other) = folders();
    let authority = Authority::default();
    authority.issue_into(folder.path(), Flaw::None);
    authority.issue_into(client.path(), Flaw::None);
    authority.issue_into(other.path(), Flaw::None);
    let running = serve(options(folder.path()), "Test", |r| Response::to(r).build()).await;
    let address = running.address();
    let before = certificate(address, client.path()).await.unwrap();
    // A key that does not fit its certificate, then no certificate at all.
    std::fs::copy(other.path().join("tls.key"), folder.path().join("tls.key")).unwrap();
    std::fs::write(folder.path().join("tls.crt"), "nothing").unwrap();
    for _ in 0..20 {
        let answer = mutual(address, client.path())
            .run("f", request("Echo"))
            .await;
        assert!(answer.is_ok());
    }
    assert_eq!(certificate(address, client.path()).await.unwrap(), before);
    // Once they fit, they are used.
    std::fs::copy(other.path().join("tls.crt"), folder.path().join("tls.crt")).unwrap();
    while certificate(address, client.path()).await.unwrap() == before {}
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_an_error_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let error = Server::bind(options(folder.path()), Arc::default()).await;
    let error = error.unwrap_err();
    assert!(matches!(&error, ServeError::Tls { .. }), "{error}");
    assert!(error.to_string().contains("cannot read tls.crt"), "{error}");
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_handshake_holds_up_nobody() {
    let (folder, client, _) = folders();
    let authority = Authority::default();
    authority.issue_into(folder.path(), Flaw::None);
    authority.issue_into(client.path(), Flaw::None);
    let running = serve(options(folder.path()), "Test", |r| Response::to(r).build()).await;
    let silent = tokio::net::TcpStream::connect(running.address())
        .await
        .unwrap();
    let answer = mutual(running.address(), client.path())
        .run("f", request("Echo"))
        .await;
    assert!(answer.is_ok());
    drop(silent);
}

fn folders() -> (tempfile::TempDir, tempfile::TempDir, tempfile::TempDir) {
    let new = || tempfile::tempdir().unwrap();
    (new(), new(), new())
}
