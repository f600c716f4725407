//! The function server against the floor: CPU for each request, requests each second, and the ratio.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use prost::Message as _;
use purlin_object::ValueRef;
use purlin_proto::v1::RunFunctionResponse;

use crate::call::{Client, Cost, measure};
use crate::process::Served;
use crate::sample::Requests;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How long to measure each figure, in seconds.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many connections call at once.
    #[arg(long, default_value_t = 4)]
    clients: usize,
    /// How many composed resources a request has.
    #[arg(long, value_delimiter = ',', default_value = "1,10,100")]
    resources: Vec<usize>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            seconds: 4,
            clients: 4,
            resources: vec![1, 10, 100],
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
    let echo = Served::start("serve-echo")?;
    let functions = Served::start("serve-functions")?;
    say(format_args!(
        "patch-and-transform, 8 patches a resource, every request different, {} connections, plain text on loopback",
        args.clients
    ))?;
    say(format_args!(
        "{:>9} {:>10} | {:>12} {:>10} | {:>12} {:>10} | {:>6}",
        "resources", "request", "echo CPU/req", "echo req/s", "CPU/request", "requests/s", "ratio"
    ))?;
    let duration = Duration::from_secs(args.seconds);
    for &resources in &args.resources {
        let requests = Arc::new(Requests::new(resources)?);
        check(&functions, &requests, resources).await?;
        let floor = measure(&echo, &requests, args.clients, duration).await?;
        let ours = measure(&functions, &requests, args.clients, duration).await?;
        say(row(resources, requests.len(), &floor, &ours))?;
    }
    say(format_args!(
        "peak memory of the function server: {} MiB",
        functions.peak_memory()?
    ))
}

/// The answer is right before it is fast.
async fn check(served: &Served, requests: &Requests, resources: usize) -> anyhow::Result<()> {
    let mut client = Client::connect(served.address).await?;
    let answer = RunFunctionResponse::decode(client.call(requests.next()).await?)?;
    ensure!(
        answer.results.is_empty(),
        "unexpected results: {:?}",
        answer.results
    );
    let desired = answer.desired.context("no desired state")?;
    ensure!(
        desired.resources.len() == resources,
        "not all resources are desired"
    );
    let last = desired
        .resources
        .values()
        .last()
        .and_then(|it| it.resource.as_ref());
    let tags = last.and_then(|it| it.get_path(&["spec", "forProvider", "tags"]));
    let tags = tags.and_then(ValueRef::as_object).context("no tags")?;
    ensure!(tags.len() == 5, "patches are missing: {tags:?}");
    let status = desired.composite.and_then(|it| it.resource);
    let buckets = status
        .as_ref()
        .and_then(|it| it.get_path(&["status", "buckets"]));
    let buckets = buckets.and_then(ValueRef::as_object).context("no status")?;
    ensure!(
        buckets.len() == resources,
        "the status misses some resources"
    );
    Ok(())
}

fn row(resources: usize, bytes: usize, floor: &Cost, ours: &Cost) -> String {
    let micros = |cost: &Cost| cost.cpu_per_request().as_secs_f64() * 1e6;
    format!(
        "{resources:>9} {:>10} | {:>12} {:>10.0} | {:>12} {:>10.0} | {:>6.2}",
        format!("{} KB", bytes / 1000),
        format!("{:.0} us", micros(floor)),
        floor.requests_per_second(),
        format!("{:.0} us", micros(ours)),
        ours.requests_per_second(),
        micros(ours) / micros(floor),
    )
}

fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}
