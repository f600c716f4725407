//! `purlin serve`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use purlin_serve::{Address, Options, Server, stop_signal};
use purlin_telemetry::LogFormat;

use crate::exit::Exit;
use crate::hosted;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen; `:PORT` means on all addresses.
    #[arg(long, value_name = "HOST:PORT", default_value = ":9443")]
    address: Address,
    /// Speak plain text, also when there are certificates. Only for development.
    #[arg(long)]
    insecure: bool,
    /// Folder with tls.crt, tls.key and ca.crt. Clients have to show a certificate of that authority.
    #[arg(long, value_name = "DIR", env = "TLS_SERVER_CERTS_DIR", value_parser = super::folder)]
    tls_certs_dir: Option<PathBuf>,
    /// The largest request that is read, in MiB.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    max_recv_message_size: u16,
    /// How many requests are worked on at once; more have to wait.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 256,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    max_concurrent_requests: u16,
    /// How long a function may run, in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    request_timeout: u16,
    /// How long requests that are under way may go on after SIGTERM, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    drain_timeout: u16,
    /// Where to show Prometheus metrics; empty for nowhere.
    #[arg(long, value_name = "HOST:PORT", default_value = ":8080")]
    metrics_address: String,
    /// The function that answers requests without an input.
    #[arg(long, value_name = "NAME", default_value = "function-auto-ready")]
    default_function: String,
    /// Log every request.
    #[arg(short, long)]
    debug: bool,
    /// How a line of the log looks.
    #[arg(long, value_enum, default_value_t = Log::Json)]
    log_format: Log,
    /// Accepted for the sake of manifests written for other function servers.
    #[arg(long, hide = true, value_parser = ["tcp"], default_value = "tcp")]
    network: String,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Log {
    Json,
    Text,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let options = match options(args) {
        Ok(options) => options,
        Err(mistake) => {
            ui.say(format_args!("error: {mistake}"));
            return Ok(Exit::Misuse);
        }
    };
    let functions = hosted::functions();
    if functions.by_name(&args.default_function).is_none() {
        let mistake = functions.unknown_name(&args.default_function);
        ui.say(format_args!("--default-function: {mistake}"));
        return Ok(Exit::Misuse);
    }
    let functions = functions.with_default(&args.default_function);
    let level = if args.debug {
        "info,purlin=debug,purlin_serve=debug"
    } else {
        "info"
    };
    purlin_telemetry::init_logs(args.log_format.into(), level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let outcome = runtime.block_on(async {
        let stop = stop_signal()?;
        let server = Server::bind(options, Arc::new(functions)).await?;
        let scheme = if args.insecure {
            "plain text"
        } else {
            "mutual TLS"
        };
        tracing::info!(address = %server.address(), scheme, "serving functions");
        server.run(stop).await
    });
    // A function that never comes back must not keep the process.
    runtime.shutdown_background();
    outcome?;
    Ok(Exit::Done)
}

fn options(args: &Args) -> Result<Options, String> {
    let tls_folder = match (super::given(args.tls_certs_dir.as_ref()), args.insecure) {
        (_, true) => None,
        (Some(folder), false) => Some(folder.clone()),
        (None, false) => {
            return Err(
                "there are no certificates: set --tls-certs-dir or TLS_SERVER_CERTS_DIR to a folder \
                 with tls.crt, tls.key and ca.crt, or --insecure for plain text"
                    .to_owned(),
            );
        }
    };
    let metrics_address = match args.metrics_address.as_str() {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|e| format!("--metrics-address: {e}"))?,
        ),
    };
    Ok(Options {
        address: args.address,
        tls_folder,
        metrics_address,
        max_request_size: usize::from(args.max_recv_message_size) << 20,
        max_concurrent_requests: usize::from(args.max_concurrent_requests),
        request_timeout: Duration::from_secs(args.request_timeout.into()),
        drain_timeout: Duration::from_secs(args.drain_timeout.into()),
        ..Options::default()
    })
}

impl From<Log> for LogFormat {
    fn from(log: Log) -> Self {
        match log {
            Log::Json => Self::Json,
            Log::Text => Self::Text,
        }
    }
}
