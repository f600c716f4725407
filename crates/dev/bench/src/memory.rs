//! How much memory does `purlin serve` take, idle and at work, and how soon does it answer?

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::call::{Client, run as call};
use crate::functions::{median, say};
use crate::process::{cpu_of, memory_of};
use crate::sample::{PATCHES, Requests, Work};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The `purlin` to measure.
    #[arg(long, default_value = "target/release/purlin")]
    purlin: PathBuf,
    /// How many composed resources a request has.
    #[arg(long, default_value_t = 500)]
    resources: usize,
    /// How many connections call at once.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// For how many seconds.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How often to start it.
    #[arg(long, default_value_t = 9)]
    starts: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            purlin: PathBuf::from("target/release/purlin"),
            resources: 500,
            clients: 8,
            seconds: 5.0,
            starts: 9,
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(figures(args))
}

async fn figures(args: &Args) -> anyhow::Result<()> {
    let (mut waits, mut work, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.starts.max(1) {
        let started = Instant::now();
        let purlin = Purlin::start(&args.purlin)?;
        purlin.answers().await?;
        waits.push(started.elapsed().as_secs_f64() * 1e3);
        work.push(purlin.cpu()?.as_secs_f64() * 1e3);
        // What it does after its first answer is part of being idle.
        tokio::time::sleep(Duration::from_millis(300)).await;
        idle.push(purlin.memory("VmRSS:")?);
    }
    say(format_args!(
        "\npurlin serve: ready {:.1} ms after its start (goal 20), {:.0} ms of CPU; {:.1} MiB when idle (goal 12)",
        median(waits),
        median(work),
        median(idle),
    ))?;
    for work in [Work::PatchAndTransform, Work::Repeated] {
        let purlin = Purlin::start(&args.purlin)?;
        purlin.answers().await?;
        let requests = Arc::new(Requests::new(work, args.resources, PATCHES)?);
        let duration = Duration::from_secs_f64(args.seconds);
        let count = call(purlin.address, &requests, args.clients, duration).await?;
        say(format_args!(
            "purlin serve: {:.1} MiB at most with {} callers and {} resources of {} ({count} requests of {} KB; goal 60)",
            purlin.memory("VmHWM:")?,
            args.clients,
            args.resources,
            work.name(),
            requests.len() / 1000,
        ))?;
    }
    Ok(())
}

/// A running `purlin serve`, ended when it is dropped.
struct Purlin {
    child: Child,
    address: SocketAddr,
}

impl Purlin {
    fn start(program: &Path) -> anyhow::Result<Self> {
        // Nobody else takes the port in the moment between.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(program)
            .args(["serve", "--insecure", "--metrics-address", "127.0.0.1:0"])
            .args(["--address", &address.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}; build it first", program.display()))?;
        Ok(Self { child, address })
    }

    /// Waits for the first answer.
    async fn answers(&self) -> anyhow::Result<()> {
        let requests = Requests::new(Work::PatchAndTransform, 1, PATCHES)?;
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            // The runtime's timer has a grain of a millisecond, and so would the figure.
            if std::net::TcpStream::connect(self.address).is_err() {
                std::thread::sleep(Duration::from_micros(200));
                continue;
            }
            let mut client = Client::connect(self.address).await?;
            client.call(requests.next()).await?;
            return Ok(());
        }
        bail!("purlin serve did not answer within 10 s")
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(self.child.id())
    }

    /// In MiB.
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    fn memory(&self, name: &str) -> anyhow::Result<f64> {
        Ok(memory_of(self.child.id(), name)? as f64 / 1024.0)
    }
}

impl Drop for Purlin {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
