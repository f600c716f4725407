//! `purlin up`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use purlin_apiserver::{Options, Running, Server};
use purlin_engine::{Engine, Manifests};
use purlin_kube::Client;
use purlin_telemetry::LogFormat;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::engine::Work;
use crate::exit::Exit;
use crate::hosted;
use crate::ui::Ui;

/// The namespace composites write connection secrets to by habit.
const NAMESPACE: &str = "crossplane-system";
/// How long manifests wait for the kinds they need.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a part may take to stop.
const FAREWELL: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keep everything in this folder; without it, nothing outlives the process.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the API server listens: an address of this machine; port 0 takes a free one.
    #[arg(long, value_name = "127.0.0.1:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where to write the kubeconfig, for its owner only; by default in the data folder, else in this one.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Do not simulate a provider: managed resources get ready when somebody says so.
    #[arg(long)]
    no_simulate: bool,
    /// Start the API server and the simulated provider alone: another engine composes, such as Crossplane's own core, and
    /// brings its kinds along.
    #[arg(long, conflicts_with = "in_process")]
    no_engine: bool,
    /// Apply a file or folder of manifests, definitions first. May be given several times.
    #[arg(long, value_name = "PATH")]
    apply: Vec<PathBuf>,
    /// Call the functions of this process directly, instead of through its gRPC server.
    #[arg(long)]
    in_process: bool,
    #[command(flatten)]
    work: Work,
}

/// What runs beside the API server.
struct Parts {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    // What is wrong with the manifests is said before anything starts.
    let file = kubeconfig(args);
    if is_foreign(&file) {
        ui.say(format_args!(
            "error: {} is another cluster's kubeconfig, and stays as it is; give another file with --kubeconfig",
            file.display()
        ));
        return Ok(Exit::Misuse);
    }
    args.work.check()?;
    let (manifests, found) = purlin_engine::read_manifests(&args.apply);
    if !found.is_empty() {
        ui.report(&found, &manifests.sources);
    }
    if found.has_errors() {
        return Ok(Exit::Differs);
    }
    let level = if args.work.debug {
        args.work.level()
    } else {
        "warn"
    };
    purlin_telemetry::init_logs(LogFormat::Text, level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let outcome = runtime.block_on(Box::pin(up(args, &manifests, ui)));
    runtime.shutdown_background();
    outcome
}

async fn up(args: &Args, manifests: &Manifests, ui: &Ui) -> anyhow::Result<Exit> {
    let signal = purlin_serve::stop_signal()?;
    let options = Options {
        listen: args.listen,
        data_dir: args.data_dir.clone(),
        ..Options::default()
    };
    let server = Server::start(options)
        .await
        .context("the API server does not start")?;
    let kubeconfig = kubeconfig(args);
    write_private(&kubeconfig, &server.kubeconfig())
        .with_context(|| format!("cannot write {}", kubeconfig.display()))?;
    let mut parts = Parts {
        stop: CancellationToken::new(),
        tasks: Vec::new(),
    };
    let work = async {
        let exit = start(args, &server, &mut parts, (manifests, ui)).await?;
        if exit == Exit::Done {
            greet(args, &server, &kubeconfig, ui);
        }
        Ok::<Exit, anyhow::Error>(exit)
    };
    let mut signal = std::pin::pin!(signal);
    let outcome = tokio::select! {
        () = &mut signal => Ok(Exit::Done),
        started = work => {
            if matches!(started, Ok(Exit::Done)) {
                signal.await;
            }
            started
        }
    };
    ui.say("stopping");
    parts.stop.cancel();
    for task in parts.tasks {
        drop(tokio::time::timeout(FAREWELL, task).await);
    }
    let still_ours =
        || std::fs::read_to_string(&kubeconfig).is_ok_and(|text| text == server.kubeconfig());
    if args.kubeconfig.is_none() && still_ours() {
        // It leads nowhere now.
        drop(std::fs::remove_file(&kubeconfig));
    }
    server.shutdown().await;
    outcome
}

async fn start(
    args: &Args,
    server: &Running,
    parts: &mut Parts,
    (manifests, ui): (&Manifests, &Ui),
) -> anyhow::Result<Exit> {
    let client = Client::new(server.client("default"));
    purlin_engine::ensure_namespace(&client, NAMESPACE).await?;
    if !args.no_engine {
        start_engine(args, &client, parts).await?;
    }
    if !args.no_simulate {
        let provider = Client::new(server.client("default"));
        let until = parts.stop.clone();
        parts.tasks.push(tokio::spawn(async move {
            purlin_simulator::run(provider, purlin_simulator::Options::default(), until).await;
        }));
    }
    let refused = manifests.apply(&client, PATIENCE).await;
    if !refused.is_empty() {
        ui.report(&refused, &manifests.sources);
        return Ok(Exit::Differs);
    }
    Ok(Exit::Done)
}

/// The engine, its kinds, and the functions it calls.
async fn start_engine(args: &Args, client: &Client, parts: &mut Parts) -> anyhow::Result<()> {
    purlin_engine::install_crds(client).await?;
    let mut functions = args.work.functions();
    if !args.in_process {
        let hosted = hosted::functions().with_default("function-auto-ready");
        let functions_server =
            purlin_serve::Server::bind(purlin_serve::Options::default(), Arc::new(hosted)).await?;
        functions = functions.served_at(functions_server.address().to_string());
        let until = parts.stop.clone();
        parts.tasks.push(tokio::spawn(async move {
            if let Err(error) = functions_server.run(until.cancelled_owned()).await {
                tracing::error!(%error, "the function server stopped");
            }
        }));
    }
    let engine = Engine::new(client.clone(), functions, args.work.options());
    let until = parts.stop.clone();
    parts.tasks.push(tokio::spawn(async move {
        if let Err(error) = engine.run(until).await {
            tracing::error!(%error, "the engine stopped");
        }
    }));
    Ok(())
}

fn greet(args: &Args, server: &Running, kubeconfig: &Path, ui: &Ui) {
    ui.say(format_args!(
        "The API server listens on https://{}",
        server.addr()
    ));
    if let Some(folder) = &args.data_dir {
        ui.say(format_args!("Objects are kept in {}", folder.display()));
    }
    if args.no_engine {
        ui.say("There is no engine: nothing is composed until another one runs");
    }
    if !args.no_simulate {
        ui.say("A simulated provider makes managed resources ready; there is no cloud behind them");
    }
    ui.say(format_args!(
        "\n  export KUBECONFIG={}\n  kubectl api-resources --categories claim,composite\n  kubectl create -f claim.yaml\n\n\
         Ctrl-C stops it",
        absolute(kubeconfig).display()
    ));
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn kubeconfig(args: &Args) -> PathBuf {
    let name = "purlin.kubeconfig";
    match (&args.kubeconfig, &args.data_dir) {
        (Some(file), _) => file.clone(),
        (None, Some(folder)) => folder.join(name),
        (None, None) => PathBuf::from(name),
    }
}

/// Whether a file is there that an earlier `purlin up` did not write: one it wrote names the context `purlin-local`.
fn is_foreign(path: &Path) -> bool {
    match std::fs::read(path) {
        Ok(bytes) => {
            !bytes.is_empty()
                && !String::from_utf8_lossy(&bytes).contains("current-context: purlin-local\n")
        }
        Err(_) => false,
    }
}

/// Writes a file that only its owner may read, also where another one was.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        std::fs::write(&path, "old").unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
