//! The function server against the floor: CPU for each request, and the ratio.
//!
//! The two are measured in turn, several times, and the figure is the median: on a machine that others use too, one after the
//! other would compare a quiet minute with a busy one.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::ValueEnum as _;
use prost::Message as _;
use purlin_function::Ready;
use purlin_object::ValueRef;
use purlin_proto::v1::RunFunctionResponse;

use crate::call::{Client, Cost, measure};
use crate::fit::Line;
use crate::process::Served;
use crate::sample::{PATCHES, Requests, Work};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How long to measure each figure, in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// In how many turns; the figure is the median.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// How many connections call at once.
    #[arg(long, default_value_t = 4)]
    clients: usize,
    /// What the function does.
    #[arg(long, value_delimiter = ',')]
    work: Vec<Work>,
    /// How many composed resources a request has.
    #[arg(long, value_delimiter = ',', default_value = "1,10,100,500")]
    resources: Vec<usize>,
    /// How many patches each of 100 resources has, to see what one more costs.
    #[arg(long, value_delimiter = ',', default_value = "0,8,16,32,64")]
    patches: Vec<usize>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            seconds: 3.0,
            rounds: 5,
            clients: 4,
            work: Vec::new(),
            resources: vec![1, 10, 100, 500],
            patches: vec![0, 8, 16, 32, 64],
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(figures(args))
}

struct Bench<'a> {
    args: &'a Args,
    echo: Served,
    functions: Served,
}

async fn figures(args: &Args) -> anyhow::Result<()> {
    let bench = Bench {
        args,
        echo: Served::start(&["serve-echo"])?,
        functions: Served::start(&["serve-functions"])?,
    };
    say(format_args!(
        "CPU of the function server against an echo of the same bytes: every request different (but `repeated`), {} connections,\n\
         plain text on loopback, the client not counted, the median of {} turns\n",
        args.clients, args.rounds
    ))?;
    say(format_args!(
        "{:<20} {:>9} {:>9} | {:>10} {:>10} | {:>10} {:>10} | {:>6}",
        "work", "resources", "request", "echo CPU", "echo req/s", "our CPU", "req/s", "ratio"
    ))?;
    let works = if args.work.is_empty() {
        Work::value_variants()
    } else {
        &args.work
    };
    for &work in works {
        let mut points = Vec::new();
        for &resources in &args.resources {
            let row = bench.row(work, resources, PATCHES).await?;
            let goal = match resources {
                100 if row.ratio <= work.goal() => format!("  goal {:.1}: met", work.goal()),
                100 => format!("  goal {:.1}: missed", work.goal()),
                _ => String::new(),
            };
            say(format_args!(
                "{:<20} {resources:>9} {row}{goal}",
                work.name()
            ))?;
            points.push((resources, row.ours));
        }
        if let Some(line) = Line::fit(&points) {
            say(line.words("us", "resource"))?;
        }
    }
    bench.patches().await?;
    say(format_args!(
        "\npeak memory of the function server in all of this: {} MiB",
        bench.functions.peak_memory()?
    ))
}

impl Bench<'_> {
    /// What one more patch costs.
    async fn patches(&self) -> anyhow::Result<()> {
        const RESOURCES: usize = 100;
        if self.args.patches.is_empty() {
            return Ok(());
        }
        say(format_args!(
            "\n{:<20} {:>9} {:>9} | {:>10} {:>10} | {:>10} {:>10} | {:>6}",
            "100 resources",
            "patches",
            "request",
            "echo CPU",
            "echo req/s",
            "our CPU",
            "req/s",
            "ratio"
        ))?;
        let mut points = Vec::new();
        for &patches in &self.args.patches {
            let row = self
                .row(Work::PatchAndTransform, RESOURCES, patches)
                .await?;
            say(format_args!(
                "{:<20} {:>9} {row}",
                Work::PatchAndTransform.name(),
                patches * RESOURCES
            ))?;
            points.push((patches * RESOURCES, row.ours));
        }
        if let Some(line) = Line::fit(&points) {
            say(line.words("us", "patch"))?;
        }
        Ok(())
    }

    async fn row(&self, work: Work, resources: usize, patches: usize) -> anyhow::Result<Row> {
        let requests = Arc::new(Requests::new(work, resources, patches)?);
        if patches == PATCHES {
            check(&self.functions, &requests, work, resources).await?;
        }
        let turn = Duration::from_secs_f64(self.args.seconds / f64::from(self.args.rounds.max(1)));
        let clients = self.args.clients;
        let (mut floors, mut ours) = (Vec::new(), Vec::new());
        // The first turn warms both up.
        for round in 0..=self.args.rounds.max(1) {
            let floor = measure(&self.echo, &requests, clients, turn).await?;
            let own = measure(&self.functions, &requests, clients, turn).await?;
            if round > 0 {
                floors.push(floor);
                ours.push(own);
            }
        }
        let ratios = (floors.iter().zip(&ours)).map(|(floor, own)| own.micros() / floor.micros());
        Ok(Row {
            bytes: requests.len(),
            ratio: median(ratios.collect()),
            floor: median(floors.iter().map(Cost::micros).collect()),
            floor_rate: median(floors.iter().map(Cost::requests_per_second).collect()),
            ours: median(ours.iter().map(Cost::micros).collect()),
            our_rate: median(ours.iter().map(Cost::requests_per_second).collect()),
        })
    }
}

/// The medians of one line, in microseconds and requests each second.
struct Row {
    bytes: usize,
    floor: f64,
    floor_rate: f64,
    ours: f64,
    our_rate: f64,
    ratio: f64,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>9} | {:>10} {:>10.0} | {:>10} {:>10.0} | {:>6.2}",
            format!("{} KB", self.bytes / 1000),
            format!("{:.0} us", self.floor),
            self.floor_rate,
            format!("{:.0} us", self.ours),
            self.our_rate,
            self.ratio,
        )
    }
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    let middle = figures.len() / 2;
    figures.get(middle).copied().unwrap_or(f64::NAN)
}

/// The answer is right before it is fast.
pub(crate) async fn check(
    served: &Served,
    requests: &Requests,
    work: Work,
    resources: usize,
) -> anyhow::Result<()> {
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
        "{} of {resources} resources are desired",
        desired.resources.len()
    );
    for (name, resource) in &desired.resources {
        let object = resource.resource.as_ref();
        let tags = object.and_then(|it| it.get_path(&["spec", "forProvider", "tags"]));
        let tags = tags.and_then(ValueRef::as_object).context("no tags")?;
        ensure!(tags.len() == 5, "{name}: patches are missing: {tags:?}");
        ensure!(
            !work.says_ready() || resource.ready() == Ready::True,
            "{name} is not ready"
        );
    }
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

pub(crate) fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}
