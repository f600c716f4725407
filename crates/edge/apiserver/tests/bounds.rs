//! What comes from a client is bounded, and what is wrong is answered, never a panic.

use http_body_util::BodyExt as _;
use kube::client::Body;
use purlin_apiserver::{Options, Server};
use serde_json::{Value, json};

struct Door {
    client: kube::Client,
}

impl Door {
    async fn send(&self, method: &str, path: &str, kind: &str, body: Vec<u8>) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .header("user-agent", "bounds")
            .body(Body::from(body))
            .expect("a request");
        let response = self.client.send(request).await.expect("an answer");
        let code = response.status().as_u16();
        let bytes = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        (code, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn post(&self, body: impl Into<Vec<u8>>) -> (u16, Value) {
        let path = "/api/v1/namespaces/default/configmaps";
        self.send("POST", path, "application/json", body.into())
            .await
    }
}

async fn with_door<F: Future<Output = ()>>(test: impl FnOnce(Door) -> F) {
    let server = Server::start(Options::default())
        .await
        .expect("the server starts");
    test(Door {
        client: server.client("default"),
    })
    .await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_body_over_three_mebibytes_is_refused() {
    with_door(|door| async move {
        let (code, status) = door.post(vec![b' '; 3 * 1024 * 1024 + 1]).await;
        assert_eq!(
            (code, status["reason"].as_str()),
            (413, Some("RequestEntityTooLarge"))
        );
    })
    .await;
}

#[tokio::test]
async fn broken_and_deep_bodies_are_bad_requests() {
    with_door(|door| async move {
        for body in [
            "",
            "{",
            "null",
            "[]",
            "\"x\"",
            "{\"kind\":1}",
            &"[".repeat(100_000),
            &"{\"a\":".repeat(1000),
        ] {
            let (code, status) = door.post(body).await;
            assert_eq!(
                (code, status["reason"].as_str()),
                (400, Some("BadRequest")),
                "{}",
                body.chars().take(20).collect::<String>()
            );
        }
        let deep = "[".repeat(5000);
        let path = "/api/v1/namespaces/default/configmaps/x?fieldManager=a";
        let (code, _) = door
            .send(
                "PATCH",
                path,
                "application/apply-patch+yaml",
                deep.into_bytes(),
            )
            .await;
        assert_eq!(code, 400);
    })
    .await;
}

#[tokio::test]
async fn protobuf_is_read_and_its_rubbish_refused() {
    with_door(|door| async move {
        let path = "/api/v1/namespaces";
        let kind = "application/vnd.kubernetes.protobuf";
        // k8s\0, Unknown{typeMeta{v1, Namespace}, raw: Namespace{metadata{name: pb}}}
        let meta = [&b"\x0a\x02v1\x12\x09Namespace"[..]].concat();
        let raw = b"\x0a\x04\x0a\x02pb\x12\x00\x1a\x00";
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("short");
        let good = [
            b"k8s\0\x0a",
            &[length(&meta)][..],
            &meta,
            b"\x12",
            &[length(raw)][..],
            raw,
            b"\x1a\x00\x22\x00",
        ]
        .concat();
        let (code, object) = door.send("POST", path, kind, good.clone()).await;
        assert_eq!(
            (code, object["metadata"]["name"].as_str()),
            (201, Some("pb")),
            "{object}"
        );
        for cut in 0..good.len() {
            let (code, _) = door.send("POST", path, kind, good[..cut].to_vec()).await;
            assert!((400..500).contains(&code), "cut at {cut}: {code}");
        }
        for seed in 0..200_u8 {
            let mut bytes = good.clone();
            let place = 4 + usize::from(seed) % (bytes.len() - 4);
            bytes[place] ^= seed.wrapping_mul(31) | 1;
            let (code, _) = door.send("POST", path, kind, bytes).await;
            assert!(code < 500, "seed {seed}: {code}");
        }
    })
    .await;
}

#[tokio::test]
async fn json_patches_that_cannot_apply_are_unprocessable() {
    with_door(|door| async move {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}});
        assert_eq!(door.post(object.to_string()).await.0, 201);
        let path = "/api/v1/namespaces/default/configmaps/x";
        for (patch, code) in [
            (json!([{"op": "test", "path": "/metadata/finalizers", "value": null}]), 200),
            (json!([{"op": "remove", "path": "/data/none"}]), 422),
            (json!([{"op": "add", "path": "/data/a/b", "value": 1}]), 422),
            (json!([{"op": "fly", "path": "/data"}]), 422),
            (json!({"op": "add"}), 400),
        ] {
            let answer = door.send("PATCH", path, "application/json-patch+json", patch.to_string().into_bytes()).await;
            assert_eq!(answer.0, code, "{patch}: {}", answer.1);
        }
        let many = json!(vec![json!({"op": "test", "path": "/data/a", "value": "1"}); 10_001]);
        let answer = door.send("PATCH", path, "application/json-patch+json", many.to_string().into_bytes()).await;
        assert_eq!(answer.0, 413);
    })
    .await;
}

#[tokio::test]
async fn a_watch_from_a_forgotten_revision_is_told_so() {
    with_door(|door| async move {
        let path =
            "/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=1&timeoutSeconds=1";
        let (code, event) = door.send("GET", path, "", Vec::new()).await;
        assert_eq!((code, event["type"].as_str()), (200, Some("ERROR")));
        assert_eq!(event["object"]["code"], 410);
    })
    .await;
}

#[tokio::test]
async fn only_loopback_is_served() {
    let options = Options {
        listen: ([0, 0, 0, 0], 0).into(),
        ..Options::default()
    };
    let refused = Server::start(options).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("not a loopback address")));
}
