//! What can be said on a function server's command line? The names are those of the existing function servers.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use purlin_function::Functions;
use purlin_telemetry::LogFormat;

use crate::{Address, Options, Record, ServeError, Server, stop_signal};

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
    /// How much memory answers may take that are kept for requests that come again, in MiB; 0 keeps none.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(0..=4096)
    )]
    keep_answers: u16,
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
    /// How many requests of one connection are worked on at once; half of --max-concurrent-requests by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    max_requests_per_connection: Option<u16>,
    /// How much memory requests may take together, in MiB.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 512,
        value_parser = clap::value_parser!(u32).range(1..=1 << 20)
    )]
    max_request_memory: u32,
    /// How many connections there may be.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4096,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_connections: u32,
    /// The largest headers of a request, in KiB.
    #[arg(
        long,
        value_name = "KIB",
        default_value_t = 16,
        value_parser = clap::value_parser!(u32).range(4..=1024)
    )]
    max_header_size: u32,
    /// How long a client may take for its TLS handshake and its first words, in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    handshake_timeout: u16,
    /// How long a client may stop in the middle of a request, or not take its answer, in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    stall_timeout: u16,
    /// How long a connection may be without a request, in seconds; 0 for ever.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    idle_timeout: u32,
    /// How old a connection gets before its client is asked to make another one, in seconds; 0 for as old as it likes.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    max_connection_age: u32,
    /// How long requests that are under way may go on after SIGTERM, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    drain_timeout: u16,
    /// Where to show Prometheus metrics; empty for nowhere.
    #[arg(long, value_name = "HOST:PORT", default_value = ":8080")]
    metrics_address: String,
    /// Keep requests and their answers as JSON in this folder, each once, without connection details, credentials and the
    /// data of Secrets. For support, and for `purlin replay`.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// How many calls the folder of --record may hold.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 500,
        requires = "record",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    record_limit: u16,
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
        crate::files::allow_many(options.max_connections);
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
            let metrics = server.metrics_address().map(|it| it.to_string());
            tracing::info!(address = %server.address(), scheme, metrics, "serving functions");
            server.run(stop).await
        });
        // A function that never comes back must not keep the process.
        runtime.shutdown_background();
        outcome
    }

    /// What is wrong with the flags, all of it.
    pub fn mistakes(&self) -> Vec<String> {
        let certificates = self.folder().is_none() && !self.insecure;
        let certificates = certificates.then(|| {
            "there are no certificates: set --tls-certs-dir or TLS_SERVER_CERTS_DIR to a folder \
             with tls.crt, tls.key and ca.crt, or --insecure for plain text"
                .to_owned()
        });
        let metrics = self.metrics().err();
        let share = self
            .max_requests_per_connection
            .filter(|share| *share > self.max_concurrent_requests);
        let share = share.map(|share| {
            format!(
                "--max-requests-per-connection {share} is more than --max-concurrent-requests {}",
                self.max_concurrent_requests
            )
        });
        [certificates, metrics, share]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The folder with certificates. A variable that is set but empty counts as not set.
    fn folder(&self) -> Option<&PathBuf> {
        let given = self.tls_certs_dir.as_ref();
        given.filter(|folder| !folder.as_os_str().is_empty())
    }

    fn metrics(&self) -> Result<Option<Address>, String> {
        match self.metrics_address.as_str() {
            "" => Ok(None),
            text => match text.parse() {
                Ok(address) => Ok(Some(address)),
                Err(mistake) => Err(format!("--metrics-address {text}: {mistake}")),
            },
        }
    }

    fn options(&self) -> Result<Options, ServeError> {
        let mistakes = self.mistakes();
        if !mistakes.is_empty() {
            return Err(ServeError::Misuse(mistakes.join("\n")));
        }
        let tls_folder = self.folder().filter(|_| !self.insecure).cloned();
        let metrics_address = self.metrics().map_err(ServeError::Misuse)?;
        let seconds = |count: u16| Duration::from_secs(count.into());
        let unless_zero = |count: u32| (count > 0).then(|| Duration::from_secs(count.into()));
        let bytes = |mebibytes: u32| usize::try_from(mebibytes).unwrap_or(usize::MAX) << 20;
        Ok(Options {
            address: self.address,
            tls_folder,
            handshake_timeout: seconds(self.handshake_timeout),
            stall_timeout: seconds(self.stall_timeout),
            idle_timeout: unless_zero(self.idle_timeout),
            max_connection_age: unless_zero(self.max_connection_age),
            max_connections: usize::try_from(self.max_connections).unwrap_or(usize::MAX),
            max_header_size: self.max_header_size << 10,
            metrics_address,
            max_request_size: bytes(self.max_recv_message_size.into()),
            max_request_memory: bytes(self.max_request_memory),
            kept_answers: usize::from(self.keep_answers) << 20,
            max_concurrent_requests: self.max_concurrent_requests.into(),
            max_requests_per_connection: self.max_requests_per_connection.map(usize::from),
            request_timeout: seconds(self.request_timeout),
            drain_timeout: seconds(self.drain_timeout),
            record: self.record.clone().map(|folder| Record {
                folder,
                limit: self.record_limit.into(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }),
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
