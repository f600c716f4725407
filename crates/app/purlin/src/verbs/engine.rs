//! `purlin engine`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use purlin_engine::{Engine, Functions, Lease, LeaseOptions, Options};
use purlin_kube::Client;
use purlin_runner::{GrpcOptions, InProcess, Plaintext, Tls};
use purlin_telemetry::LogFormat;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::hosted;
use crate::ui::Ui;

/// How long a lost holder's lease lasts, as Crossplane's.
const LEASE: Duration = Duration::from_mins(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The cluster's kubeconfig; by default what KUBECONFIG, the home folder or the pod says.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Do not install the CustomResourceDefinitions of XRDs, Compositions and the engine's other kinds.
    #[arg(long)]
    no_crds: bool,
    /// The engine's own namespace: its lease is there.
    #[arg(long, value_name = "NAME", default_value = "crossplane-system")]
    namespace: String,
    /// Run at once, without a lease. Only when no other engine runs on the cluster.
    #[arg(long)]
    no_lease: bool,
    #[command(flatten)]
    work: Work,
    /// How a line of the log looks.
    #[arg(long, value_enum, default_value_t = Log::Json)]
    log_format: Log,
}

/// How an engine works, wherever it runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Work {
    /// Folder with tls.crt, tls.key and ca.crt, to call functions at their endpoints.
    #[arg(long, value_name = "DIR", env = "TLS_CLIENT_CERTS_DIR", value_parser = super::folder)]
    tls_certs_dir: Option<PathBuf>,
    /// Call functions whose endpoint is on this machine in plain text.
    #[arg(long)]
    plain_loopback: bool,
    /// How long a function may take to answer, in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    function_timeout: u16,
    /// How many objects are reconciled at a time.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    workers: u16,
    /// Log every event and request.
    #[arg(short, long)]
    pub(crate) debug: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Log {
    Json,
    Text,
}

impl Work {
    /// Whether the certificates can be used, before anything starts.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        match self.tls() {
            Some(tls) => tls
                .check()
                .map_err(|reason| anyhow::anyhow!("--tls-certs-dir: {reason}")),
            None => Ok(()),
        }
    }

    fn tls(&self) -> Option<Tls> {
        super::given(self.tls_certs_dir.as_ref()).map(|folder| Tls {
            folder: folder.clone(),
        })
    }

    /// How functions are called.
    pub(crate) fn functions(&self) -> Functions {
        let timeout = Duration::from_secs(self.function_timeout.into());
        let elsewhere = GrpcOptions {
            tls: self.tls(),
            plaintext: if self.plain_loopback {
                Plaintext::Loopback
            } else {
                Plaintext::Never
            },
            timeout,
            ..GrpcOptions::default()
        };
        let hosted = InProcess::new(Arc::new(hosted::functions())).with_timeout(timeout);
        Functions::new(hosted, elsewhere)
    }

    /// How the engine runs.
    pub(crate) fn options(&self) -> Options {
        Options {
            workers: self.workers.into(),
        }
    }

    /// What is logged.
    pub(crate) fn level(&self) -> &'static str {
        if self.debug {
            "info,purlin=debug,purlin_engine=debug,purlin_kube=debug"
        } else {
            "info"
        }
    }
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let format = match args.log_format {
        Log::Json => LogFormat::Json,
        Log::Text => LogFormat::Text,
    };
    args.work.check()?;
    purlin_telemetry::init_logs(format, args.work.level());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let outcome = runtime.block_on(Box::pin(engine(args, ui)));
    runtime.shutdown_background();
    outcome
}

async fn engine(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let stop = CancellationToken::new();
    let signal = purlin_serve::stop_signal()?;
    let told = stop.clone();
    tokio::spawn(async move {
        signal.await;
        told.cancel();
    });
    let client = Client::connect(args.kubeconfig.as_deref(), args.context.as_deref()).await?;
    let lost = CancellationToken::new();
    let mut keeping = None;
    purlin_engine::ensure_namespace(&client, &args.namespace).await?;
    if !args.no_lease {
        let options = LeaseOptions {
            namespace: args.namespace.clone(),
            name: "purlin-engine".to_owned(),
            holder: holder(),
            duration: LEASE,
        };
        ui.say("waiting for the lease");
        let Some(lease) = Lease::acquire(client.clone(), options, &stop).await? else {
            return Ok(Exit::Done);
        };
        keeping = Some(tokio::spawn(lease.keep(stop.clone(), lost.clone())));
    }
    if !args.no_crds {
        purlin_engine::install_crds(&client).await?;
    }
    ui.say("the engine runs");
    let engine = Engine::new(client, args.work.functions(), args.work.options());
    let until = stop.child_token();
    let lease_lost = {
        let (lost, until) = (lost.clone(), until.clone());
        async move {
            lost.cancelled().await;
            until.cancel();
        }
    };
    tokio::spawn(lease_lost);
    engine.run(until).await?;
    if lost.is_cancelled() {
        anyhow::bail!("the lease was lost to another replica; start again to wait for it");
    }
    stop.cancel();
    if let Some(keeping) = keeping {
        keeping.await.context("giving up the lease failed")?;
    }
    Ok(Exit::Done)
}

/// A word no other replica has: the pod's name where there is one, and the process.
fn holder() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let started = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    format!("{}_{}_{started}", host.trim(), std::process::id())
}
