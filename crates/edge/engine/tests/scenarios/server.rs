//! An embedded API server with an engine on it, and the scripted function behind a real gRPC server.

use std::sync::Arc;

use purlin_apiserver::{Options as ServerOptions, Running, Server};
use purlin_engine::{Engine, Functions, Options};
use purlin_function::Hosted;
use purlin_runner::{GrpcOptions, InProcess, Plaintext};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub struct Cluster {
    pub client: kube::Client,
    server: Running,
    scripted: purlin_serve::Running,
    stop: CancellationToken,
    engine: JoinHandle<()>,
}

impl Cluster {
    pub async fn start() -> Self {
        let server = Server::start(ServerOptions::default()).await.expect("a server starts");
        let client = server.client("default");
        let engine_client = purlin_kube::Client::new(server.client("default"));
        purlin_engine::install_crds(&engine_client).await.expect("the CRDs are right");
        purlin_engine::ensure_namespace(&engine_client, "crossplane-system")
            .await
            .expect("a namespace is made");
        let scripted = scripted().await;
        register(&engine_client, &scripted.address().to_string()).await;
        let hosted = purlin_function::Functions::new([
            function_patch_and_transform::hosted(),
            function_auto_ready::hosted(),
        ]);
        let elsewhere = GrpcOptions {
            plaintext: Plaintext::Loopback,
            ..GrpcOptions::default()
        };
        let functions = Functions::new(InProcess::new(Arc::new(hosted)), elsewhere);
        let stop = CancellationToken::new();
        let engine = Engine::new(engine_client, functions, Options::default());
        let until = stop.clone();
        let engine = tokio::spawn(async move {
            engine.run(until).await.expect("the engine's kinds are served");
        });
        Self {
            client,
            server,
            scripted,
            stop,
            engine,
        }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.engine.await.expect("the engine stops");
        drop(self.scripted);
        self.server.shutdown().await;
    }
}

async fn scripted() -> purlin_serve::Running {
    let script = Hosted {
        name: "function-script",
        api_version: "test.golden.example/v1",
        kind: "Script",
        function: Arc::new(crate::script::run),
    };
    let functions = Arc::new(purlin_function::Functions::new([script]));
    let server = purlin_serve::Server::bind(purlin_serve::Options::default(), functions).await;
    server.expect("a free port is there").spawn()
}

/// Says where the scripted function is, as a package manager would.
async fn register(client: &purlin_kube::Client, endpoint: &str) {
    let revision = json!({
        "apiVersion": "pkg.crossplane.io/v1", "kind": "FunctionRevision",
        "metadata": {"name": "function-script-1", "labels": {"pkg.crossplane.io/package": "function-script"}},
        "spec": {"desiredState": "Active", "image": "localhost:1/x/function-script:v1", "revision": 1},
    });
    let gvk = purlin_api::meta::Gvk::of(&revision).expect("it has a kind");
    let kind = client.kind(&gvk).await.expect("the CRD is installed");
    let mut made = client.create(&kind, &revision, "test").await.expect("it is right");
    made["status"] = json!({"endpoint": endpoint, "capabilities": ["composition"]});
    client.replace(&kind, &made, "test", "status").await.expect("it is right");
}
