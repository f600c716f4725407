//! An embedded API server with an engine on it, and functions behind real gRPC servers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use purlin_apiserver::{Options as ServerOptions, Running, Server};
use purlin_engine::{Engine, Functions, Options};
use purlin_function::Hosted;
use purlin_kube::Client;
use purlin_runner::{GrpcOptions, InProcess, Plaintext, Tls};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How a cluster is set up.
#[derive(Clone)]
pub(crate) struct Setup {
    /// How long functions may take.
    pub(crate) function_timeout: Duration,
    /// The folder with the certificates functions are called with; in plain text, as they are on this machine, without.
    pub(crate) certificates: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            function_timeout: Duration::from_secs(20),
            certificates: None,
        }
    }
}

pub(crate) struct Cluster {
    pub(crate) client: kube::Client,
    setup: Setup,
    server: Running,
    scripted: purlin_serve::Running,
    silent: TcpListener,
    stop: CancellationToken,
    engine: JoinHandle<()>,
}

impl Cluster {
    pub(crate) async fn start(setup: Setup) -> Self {
        let server = Server::start(ServerOptions::default())
            .await
            .expect("a server starts");
        let client = Client::new(server.client("default"));
        purlin_engine::install_crds(&client)
            .await
            .expect("the CRDs are right");
        purlin_engine::ensure_namespace(&client, "crossplane-system")
            .await
            .expect("a namespace is made");
        let scripted = scripted().await;
        register(&client, "function-script", &scripted.address().to_string()).await;
        // Takes connections and never says a word.
        let silent = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port is there");
        let address = silent.local_addr().expect("it is bound").to_string();
        register(&client, "function-silent", &address).await;
        // Nobody listens there.
        register(&client, "function-unreachable", "127.0.0.1:1").await;
        let (stop, engine) = engine(&server, &setup);
        Self {
            client: server.client("default"),
            setup,
            server,
            scripted,
            silent,
            stop,
            engine,
        }
    }

    /// Stops the engine, and starts another one that knows nothing.
    pub(crate) async fn restart_engine(self) -> Self {
        self.stop.cancel();
        self.engine.await.expect("the engine stops");
        let (stop, engine) = engine(&self.server, &self.setup);
        Self {
            stop,
            engine,
            ..self
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.engine.await.expect("the engine stops");
        drop((self.scripted, self.silent));
        self.server.shutdown().await;
    }
}

fn engine(server: &Running, setup: &Setup) -> (CancellationToken, JoinHandle<()>) {
    let hosted = purlin_function::Functions::new([
        function_patch_and_transform::hosted(),
        function_auto_ready::hosted(),
    ]);
    let elsewhere = GrpcOptions {
        tls: setup.certificates.clone().map(|folder| Tls { folder }),
        plaintext: match setup.certificates {
            Some(_) => Plaintext::Never,
            None => Plaintext::Loopback,
        },
        timeout: setup.function_timeout,
        connect_timeout: setup.function_timeout,
        ..GrpcOptions::default()
    };
    let functions = Functions::new(InProcess::new(Arc::new(hosted)), elsewhere);
    let stop = CancellationToken::new();
    let engine = Engine::new(
        Client::new(server.client("default")),
        functions,
        Options::default(),
    );
    let until = stop.clone();
    let engine = tokio::spawn(async move {
        engine
            .run(until)
            .await
            .expect("the engine's kinds are served");
    });
    (stop, engine)
}

async fn scripted() -> purlin_serve::Running {
    serve_script(purlin_serve::Options::default()).await
}

/// Serves the scripted function with the certificates of a folder.
pub(crate) async fn scripted_with(certificates: &Path) -> purlin_serve::Running {
    serve_script(purlin_serve::Options {
        tls_folder: Some(certificates.to_owned()),
        tls_reload_period: Duration::from_millis(20),
        ..purlin_serve::Options::default()
    })
    .await
}

async fn serve_script(options: purlin_serve::Options) -> purlin_serve::Running {
    let script = Hosted {
        name: "function-script",
        api_version: "test.golden.example/v1",
        kind: "Script",
        function: Arc::new(crate::script::run),
    };
    let functions = Arc::new(purlin_function::Functions::new([script]));
    let server = purlin_serve::Server::bind(options, functions).await;
    server.expect("a free port is there").spawn()
}

/// Says where a function is, as a package manager would.
pub(crate) async fn register(client: &Client, function: &str, endpoint: &str) {
    let revision = json!({
        "apiVersion": "pkg.crossplane.io/v1", "kind": "FunctionRevision",
        "metadata": {"name": format!("{function}-1"), "labels": {"pkg.crossplane.io/package": function}},
        "spec": {"desiredState": "Active", "image": format!("localhost:1/x/{function}:v1"), "revision": 1},
    });
    let gvk = purlin_api::meta::Gvk::of(&revision).expect("it has a kind");
    let kind = client.kind(&gvk).await.expect("the CRD is installed");
    let mut made = client
        .create(&kind, &revision, "test")
        .await
        .expect("it is right");
    made["status"] = json!({"endpoint": endpoint, "capabilities": ["composition"]});
    client
        .replace(&kind, &made, "test", "status")
        .await
        .expect("it is right");
}
