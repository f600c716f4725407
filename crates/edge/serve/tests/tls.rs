//! Are only clients with a certificate let in, and do certificates change without a failed call?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Authority, mutual, plain, request, serve};
use purlin_function::Response;
use purlin_runner::Runner as _;
use purlin_serve::{Options, ServeError, Server};
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
    let authority = Authority::new();
    authority.issue(folder.path());
    authority.issue(client.path());
    // Signed by somebody else, though it knows the right authority for the server.
    Authority::new().issue(stranger.path());
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_reloaded_under_load_without_a_failed_call() {
    let (folder, client, other) = folders();
    let authority = Authority::new();
    authority.issue(folder.path());
    authority.issue(client.path());
    let running = serve(options(folder.path()), "Test", |r| Response::to(r).build()).await;
    let address = running.address();

    let done = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|worker| {
            let (done, path) = (Arc::clone(&done), client.path().to_owned());
            tokio::spawn(async move {
                let kept = mutual(address, &path);
                let mut calls = 0;
                while !done.load(Ordering::Relaxed) {
                    // Half of the workers keep their connection, half make a new one for each call.
                    let fresh = mutual(address, &path);
                    let caller = if worker % 2 == 0 { &kept } else { &fresh };
                    caller.run("f", request("Echo")).await.unwrap();
                    calls += 1;
                }
                calls
            })
        })
        .collect();

    for _ in 0..5 {
        let before = certificate(address, client.path()).await.unwrap();
        // As a kubelet does it: a new folder, then a rename; no half-written file is ever seen.
        authority.issue(other.path());
        for name in ["tls.crt", "tls.key"] {
            std::fs::rename(other.path().join(name), folder.path().join(name)).unwrap();
        }
        while certificate(address, client.path()).await.unwrap() == before {}
    }
    done.store(true, Ordering::Relaxed);
    for worker in load {
        assert!(worker.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_keep_the_old_ones_in_use() {
    let (folder, client, other) = folders();
    let authority = Authority::new();
    authority.issue(folder.path());
    authority.issue(client.path());
    authority.issue(other.path());
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
    let authority = Authority::new();
    authority.issue(folder.path());
    authority.issue(client.path());
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
