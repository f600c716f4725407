//! Packages and a real registry: there, back, signed, and tampered with.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use purlin_oci::{Client, Credentials, Error, Options, Which};
use purlin_package::{
    Digest, Image, Limits, NewLayer, Platform, PrivateKey, RefVersion, Reference, Run, image,
    names, payload, signature_tag,
};
use purlin_testkit::Registry;

const STREAM: &str =
    "---\napiVersion: meta.pkg.crossplane.io/v1\nkind: Configuration\nmetadata:\n  name: x\n---\n";

fn made(architecture: &str, program: &[u8]) -> Image {
    let layers = vec![
        NewLayer::of_files(&[("usr/bin/function", 0o755, program)]),
        NewLayer::of_package(STREAM),
    ];
    image(&Platform::linux(architecture), Run::default(), layers)
}

fn client(credentials: Credentials) -> Client {
    Client::new(
        credentials,
        Options {
            retries: 0,
            ..Options::default()
        },
    )
    .unwrap()
}

fn reference(registry: &Registry, rest: &str) -> Reference {
    Reference::parse(&format!("{}/{rest}", registry.address())).unwrap()
}

fn key(byte: u8) -> PrivateKey {
    PrivateKey::from_random(&[byte; 32]).unwrap()
}

#[tokio::test]
async fn an_index_goes_there_and_comes_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let client = client(Credentials::anonymous());
    let at = reference(&registry, "acme/function:v1");
    let images = [made("arm64", b"one"), made("amd64", b"two")];
    let annotations = BTreeMap::from([(
        "org.opencontainers.image.source".to_owned(),
        "here".to_owned(),
    )]);

    let pushed = client.push(&at, &images, &annotations).await.unwrap();
    assert_eq!(
        (pushed.manifests.len(), pushed.sent, pushed.kept),
        (2, 5, 0),
        "the package layer is shared"
    );
    let again = client.push(&at, &images, &annotations).await.unwrap();
    assert_eq!(
        (again.sent, again.kept),
        (0, 5),
        "what is there is not sent again"
    );
    assert_eq!(again.digest, pushed.digest);

    let look = client.look(&at).await.unwrap();
    assert_eq!(look.digest, pushed.digest);
    let index = look.index.unwrap();
    assert_eq!(
        (index.media_type.as_str(), &index.annotations),
        (names::OCI_INDEX, &annotations)
    );
    let platforms: Vec<_> = look
        .members
        .iter()
        .map(|member| member.platform.to_string())
        .collect();
    assert_eq!(platforms, ["linux/arm64", "linux/amd64"]);
    assert_eq!(look.package_yaml.unwrap(), STREAM);
    let nothing = client
        .look(&reference(&registry, "acme/function:v2"))
        .await
        .unwrap_err();
    assert!(matches!(nothing, Error::NotFound(_)), "{nothing}");
}

#[tokio::test]
async fn one_image_of_an_index_or_all_are_pulled() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let client = client(Credentials::anonymous());
    let at = reference(&registry, "acme/function:v1");
    let images = [made("arm64", b"one"), made("amd64", b"two")];
    let pushed = client.push(&at, &images, &BTreeMap::new()).await.unwrap();

    let installed = client.pull(&at, &Which::Installed).await.unwrap();
    assert_eq!(
        installed.images[0].manifest(),
        images[1].manifest(),
        "linux/amd64, wherever it stands"
    );
    assert_eq!(
        installed.images[0]
            .package_yaml(&Limits::default())
            .unwrap(),
        STREAM
    );
    let all = client.pull(&at, &Which::All).await.unwrap();
    assert_eq!(all.images.len(), 2);
    let by_digest = at.with(RefVersion::Digest(pushed.manifests[0].clone()));
    let one = client.pull(&by_digest, &Which::Installed).await.unwrap();
    assert_eq!(
        one.images[0].config.architecture, "arm64",
        "a single manifest is read whatever it is for"
    );

    let missing = client
        .pull(&at, &Which::Platform(Platform::linux("s390x")))
        .await
        .unwrap_err();
    assert!(
        matches!(&missing, Error::Refused(why) if why.contains("linux/arm64, linux/amd64")),
        "{missing}"
    );
}

#[tokio::test]
async fn what_cannot_be_pushed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let client = client(Credentials::anonymous());
    let at = reference(&registry, "acme/function:v1");
    let twice = [made("amd64", b"one"), made("amd64", b"two")];
    let error = client
        .push(&at, &twice, &BTreeMap::new())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Refused(why) if why.contains("linux/amd64")),
        "{error}"
    );
    let digest = at.with(RefVersion::Digest(Digest::of(b"")));
    let error = client
        .push(&digest, &twice[..1], &BTreeMap::new())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Refused(why) if why.contains("give a tag")),
        "{error}"
    );
}

#[tokio::test]
async fn a_signature_counts_for_what_was_signed_and_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let client = client(Credentials::anonymous());
    let at = reference(&registry, "acme/function:v1");
    let images = [made("amd64", b"one"), made("arm64", b"one")];
    let pushed = client.push(&at, &images, &BTreeMap::new()).await.unwrap();
    let (ours, theirs) = (key(1), key(2));
    let verify = async |key: &PrivateKey| client.verify(&at, &key.public()).await;

    let unsigned = verify(&ours).await.unwrap_err();
    assert!(
        matches!(&unsigned, Error::Signature { why, .. } if why.contains("has no signature")),
        "{unsigned}"
    );

    let signed = client.sign(&at, &ours, false).await.unwrap();
    assert_eq!(
        (&signed.digest, signed.was_there),
        (&pushed.digest, false),
        "the index as a whole is signed"
    );
    assert_eq!(
        signed.at.to_string(),
        format!("{}:{}", at.name(), signature_tag(&pushed.digest))
    );
    assert_eq!(verify(&ours).await.unwrap().payloads.len(), 1);
    let wrong = verify(&theirs).await.unwrap_err();
    assert!(
        matches!(&wrong, Error::Signature { why, .. } if why.contains("another key")),
        "{wrong}"
    );

    assert!(
        client.sign(&at, &ours, false).await.unwrap().was_there,
        "the same signature is not added again"
    );
    assert!(!client.sign(&at, &theirs, false).await.unwrap().was_there);
    assert_eq!(verify(&ours).await.unwrap().payloads.len(), 1);
    assert_eq!(verify(&theirs).await.unwrap().payloads.len(), 1);

    // The tag moves to something else: its signature stays with what was signed.
    client
        .push(&at, &[made("amd64", b"changed")], &BTreeMap::new())
        .await
        .unwrap();
    let moved = verify(&ours).await.unwrap_err();
    assert!(
        matches!(&moved, Error::Signature { why, .. } if why.contains("has no signature")),
        "{moved}"
    );
    let old = at.with(RefVersion::Digest(pushed.digest.clone()));
    client.verify(&old, &ours.public()).await.unwrap();
}

#[tokio::test]
async fn a_signature_of_something_else_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let client = client(Credentials::anonymous());
    let (good, bad) = (
        reference(&registry, "acme/function:good"),
        reference(&registry, "acme/function:bad"),
    );
    client
        .push(&good, &[made("amd64", b"good")], &BTreeMap::new())
        .await
        .unwrap();
    let pushed = client
        .push(&bad, &[made("amd64", b"bad")], &BTreeMap::new())
        .await
        .unwrap();
    let ours = key(1);
    let signed = client.sign(&good, &ours, false).await.unwrap();

    // Somebody puts the good one's signature where the bad one's is looked for.
    let image = client.manifest(&signed.at).await.unwrap();
    let (host, path) = (
        registry.address(),
        format!(
            "/v2/acme/function/manifests/{}",
            signature_tag(&pushed.digest)
        ),
    );
    put(host, &path, &image.media_type, &image.bytes).await;
    let error = client.verify(&bad, &ours.public()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Signature { why, .. } if why.contains("another package")),
        "{error}"
    );
}

#[tokio::test]
async fn what_a_registry_changes_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let client = client(Credentials::anonymous());
    let at = reference(&registry, "acme/function:v1");
    let images = [made("amd64", b"one")];
    client.push(&at, &images, &BTreeMap::new()).await.unwrap();
    let ours = key(1);
    let signed = client.sign(&at, &ours, false).await.unwrap();

    let layer = registry.blob(images[0].layers[1].digest.hex());
    let mut bytes = std::fs::read(&layer).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&layer, bytes).unwrap();
    let error = client.pull(&at, &Which::Installed).await.unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    let error = client.look(&at).await.unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");

    // The payload that was signed.
    let payload = Digest::of(&payload(&at.name(), &signed.digest));
    let file = registry.blob(payload.hex());
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("acme", "evil")).unwrap();
    let error = client.verify(&at, &ours.public()).await.unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
}

#[tokio::test]
async fn a_guarded_registry_is_told_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start_guarded(folder.path());
    let at = reference(&registry, "acme/function:v1");
    let images = [made("amd64", b"one")];
    let push = async |config: &str| {
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let credentials = Credentials::from_folder(folder.path()).unwrap();
        client(credentials)
            .push(&at, &images, &BTreeMap::new())
            .await
    };
    let host = registry.address();
    // ann:secret, ann:wrong
    let right = format!(r#"{{"auths": {{"{host}": {{"auth": "YW5uOnNlY3JldA=="}}}}}}"#);
    let wrong = format!(r#"{{"auths": {{"{host}": {{"auth": "YW5uOndyb25n"}}}}}}"#);
    for config in ["{}", &wrong] {
        let error = push(config).await.unwrap_err();
        assert!(
            matches!(&error, Error::Denied { hint, .. } if hint.contains(&format!("docker login {host}"))),
            "{error}"
        );
    }
    push(&right).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_credential_helper_is_asked() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start_guarded(folder.path());
    let at = reference(&registry, "acme/function:v1");
    // The helper's name is a path only inside this test: helpers are found where programs are.
    let helper = folder.path().join("docker-credential-purlin-test");
    std::fs::write(
        &helper,
        "#!/bin/sh\nread -r server\nprintf '{\"ServerURL\":\"%s\",\"Username\":\"ann\",\"Secret\":\"secret\"}' \"$server\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!(
        r#"{{"credHelpers": {{"{}": "purlin-test"}}}}"#,
        registry.address()
    );
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let credentials = Credentials::from_folder(folder.path())
        .unwrap()
        .with_helpers_in(folder.path());
    let pushed = client(credentials)
        .push(&at, &[made("amd64", b"one")], &BTreeMap::new())
        .await
        .unwrap();
    assert_eq!(pushed.manifests.len(), 1);
}

#[tokio::test]
async fn nobody_there_is_told() {
    let client = client(Credentials::anonymous());
    // Nothing listens on the port that was just free.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let at = Reference::parse(&format!("{free}/a/b:v1")).unwrap();
    let error = client.manifest(&at).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot reach {free}"));
}

/// Puts a manifest without asking the client, which would not do it.
async fn put(host: &str, path: &str, media_type: &str, body: &[u8]) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}
