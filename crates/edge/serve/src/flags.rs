//! What can be said on a function server's command line? The names are those of the existing function servers.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use purlin_function::Functions;
use purlin_telemetry::LogFormat;

use crate::{Address, Options, ServeError, Server, stop_signal};

/// The flags of a function server, to be flattened into a command of one's own or parsed by [`crate::main`].
#[derive(Debug, Clone, clap::Args)]
pub struct Flags {
    /// Where to listen; `:PORT` means on all addresses.
    #[arg(long, value_name = "HOST:PORT", default_value = ":9443")]
    address: Address,
    /// Speak plain text, also when there are certificates. Only for development.
    #[arg(long)]
    insecure: bool,
    /// Folder with tls.crt, tls.key and ca.crt. Clients have to show a certificate of that authority.
    #[arg(long, value_name = "DIR", env = "TLS_SERVER_CERTS_DIR", value_parser = folder)]
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

impl Flags {
    /// Logs, listens and serves until the process is told to stop.
    ///
    /// # Errors
    ///
    /// [`ServeError::Misuse`] when the flags make no sense together, and whatever keeps the server from running.
    pub fn serve(&self, functions: Functions) -> Result<(), ServeError> {
        let options = self.options()?;
        let level = if self.debug {
            "info,purlin=debug,purlin_serve=debug"
        } else {
            "info"
        };
        purlin_telemetry::init_logs(self.log_format.into(), level);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(ServeError::Threads)?;
        let outcome = runtime.block_on(async {
            let stop = stop_signal()?;
            let server = Server::bind(options, Arc::new(functions)).await?;
            let scheme = if self.insecure {
                "plain text"
            } else {
                "mutual TLS"
            };
            tracing::info!(address = %server.address(), scheme, "serving functions");
            server.run(stop).await
        });
        // A function that never comes back must not keep the process.
        runtime.shutdown_background();
        outcome
    }

    fn options(&self) -> Result<Options, ServeError> {
        // A variable that is set but empty counts as not set.
        let given = self.tls_certs_dir.as_ref();
        let given = given.filter(|folder| !folder.as_os_str().is_empty());
        let tls_folder = match (given, self.insecure) {
            (_, true) => None,
            (Some(folder), false) => Some(folder.clone()),
            (None, false) => {
                return Err(ServeError::Misuse(
                    "there are no certificates: set --tls-certs-dir or TLS_SERVER_CERTS_DIR to a folder \
                     with tls.crt, tls.key and ca.crt, or --insecure for plain text"
                        .to_owned(),
                ));
            }
        };
        let metrics_address = match self.metrics_address.as_str() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|e| ServeError::Misuse(format!("--metrics-address: {e}")))?,
            ),
        };
        Ok(Options {
            address: self.address,
            tls_folder,
            metrics_address,
            max_request_size: usize::from(self.max_recv_message_size) << 20,
            max_concurrent_requests: usize::from(self.max_concurrent_requests),
            request_timeout: Duration::from_secs(self.request_timeout.into()),
            drain_timeout: Duration::from_secs(self.drain_timeout.into()),
            ..Options::default()
        })
    }
}

/// Parses a folder. An empty text is taken too, see [`Flags::options`].
#[expect(clippy::unnecessary_wraps, reason = "the form clap asks for")]
fn folder(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

impl From<Log> for LogFormat {
    fn from(log: Log) -> Self {
        match log {
            Log::Json => Self::Json,
            Log::Text => Self::Text,
        }
    }
}
