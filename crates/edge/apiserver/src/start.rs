//! Starts and stops a server.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::definitions;
use crate::housekeeping;
use crate::http::listen::{self, Door};
use crate::identity::Identity;
use crate::registry::Registry;
use crate::server::{Clock, Core};
use crate::store::{Key, LogError, Object, Store};

/// The first revision of a new store: above zero, so that a revision can be too old.
const FIRST: u64 = 1000;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Only loopback addresses are served.
    #[error("{address} is not a loopback address; this server is for one user on one machine")]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The data directory cannot be used.
    #[error("cannot open the store in {path}: {reason}")]
    Store {
        /// The directory.
        path: String,
        /// Why, in words.
        reason: String,
    },
    /// The server's own files cannot be written.
    #[error("cannot write {path}")]
    Keep {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Certificate {
        /// Why.
        source: rcgen::Error,
    },
    /// The kept certificate or key is broken.
    #[error("cannot use the server's certificate: {reason}")]
    Tls {
        /// Why, in words.
        reason: String,
    },
}

/// How to run a server.
#[derive(Clone)]
pub struct Options {
    /// A loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where everything is kept; without it, in memory.
    pub data_dir: Option<PathBuf>,
    /// Tells the time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// How often a quiet watch gets a bookmark.
    pub bookmark: Duration,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: None,
            clock: Arc::new(Timestamp::now),
            bookmark: Duration::from_secs(30),
        }
    }
}

/// Starts servers.
#[derive(Debug, Clone, Copy)]
pub struct Server;

/// A server at work. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct Running {
    core: Arc<Core>,
    addr: SocketAddr,
    token: String,
    ca: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens the store, listens, and serves until [`Running::shutdown`].
    ///
    /// # Errors
    /// When the address, the data directory or the certificate cannot be used.
    pub async fn start(options: Options) -> Result<Running, Error> {
        let address = options.listen;
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback { address });
        }
        let wrong = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(wrong)?;
        let addr = listener.local_addr().map_err(wrong)?;
        let store = open_store(options.data_dir.as_deref())?;
        let identity = Identity::open(options.data_dir.as_deref(), addr.ip())?;
        let tls = TlsAcceptor::from(Arc::new(identity.tls()?));
        let core = core(store, options.clock, options.bookmark);
        bootstrap(&core);
        let door = Arc::new(Door::new(&identity.token, addr));
        let tasks = vec![
            tokio::spawn(housekeeping::run(core.clone())),
            tokio::spawn(listen::serve(core.clone(), listener, tls, door)),
        ];
        Ok(Running {
            core,
            addr,
            token: identity.token,
            ca: identity.ca,
            tasks,
        })
    }
}

fn open_store(directory: Option<&Path>) -> Result<Store, Error> {
    if let Some(directory) = directory {
        restrict(directory)?;
    }
    Store::open(directory, FIRST).map_err(|error: LogError| {
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            reason = format!("{reason}: {cause}");
            source = cause.source();
        }
        Error::Store {
            path: directory.map_or_else(String::new, |d| d.display().to_string()),
            reason,
        }
    })
}

/// Makes the data directory, for its owner only.
fn restrict(directory: &Path) -> Result<(), Error> {
    let wrong = |source| Error::Keep {
        path: directory.display().to_string(),
        source,
    };
    if directory.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(directory).map_err(wrong)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))
            .map_err(wrong)?;
    }
    Ok(())
}

fn core(store: Store, clock: Clock, bookmark: Duration) -> Arc<Core> {
    Arc::new(Core {
        store,
        registry: Registry::default(),
        clock,
        stop: CancellationToken::new(),
        definitions: std::sync::Mutex::default(),
        bookmark,
        settled: Notify::new(),
    })
}

/// The namespaces every cluster has, and the definitions kept from before.
fn bootstrap(core: &Arc<Core>) {
    definitions::reconcile(core);
    let now = core.now();
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        let value = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {
                "name": name, "uid": uuid::Uuid::new_v4().to_string(), "creationTimestamp": now,
                "labels": {"kubernetes.io/metadata.name": name},
            },
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        });
        let object = Object {
            revision: 0,
            definition: 0,
            value,
        };
        let key = Key::new("", name);
        if core.store.get("/namespaces", &key).is_none() {
            drop(core.store.put(&"/namespaces".into(), &key, None, object));
        }
    }
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The token of its one user.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The certificate that signed its certificate, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// A kubeconfig for it. Whoever reads it can do everything: keep it private.
    pub fn kubeconfig(&self) -> String {
        let ca = base64::engine::general_purpose::STANDARD.encode(&self.ca);
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: purlin-local\nclusters:\n- name: purlin-local\n  cluster:\n    \
             server: https://{}\n    certificate-authority-data: {ca}\ncontexts:\n- name: purlin-local\n  context:\n    \
             cluster: purlin-local\n    user: purlin-local\n    namespace: default\nusers:\n- name: purlin-local\n  user:\n    \
             token: {}\n",
            self.addr, self.token
        )
    }

    /// A client that calls the server directly: no sockets, no TLS, the same behaviour.
    pub fn client(&self, namespace: &str) -> kube::Client {
        let core = self.core.clone();
        let service = tower::service_fn(move |request: ::http::Request<kube::client::Body>| {
            let core = core.clone();
            async move { Ok::<_, std::convert::Infallible>(listen::serve_request(&core, request).await) }
        });
        kube::Client::new(service, namespace)
    }

    /// Stops serving and waits until what was written is on disk.
    pub async fn shutdown(mut self) {
        self.core.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::warn!(%error, "a task of the server failed");
            }
        }
        let revision = self.core.store.revision();
        if let Err(error) = self.core.store.durable(revision).await {
            tracing::error!(%error, "the last writes are not on disk");
        }
        let core = self.core.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || core.store.close()).await {
            tracing::error!(%error, "the store does not close");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.core.stop.cancel();
    }
}
