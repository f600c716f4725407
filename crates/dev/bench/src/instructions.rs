//! How many instructions does a request take? Counted by callgrind, so the same in every run, on however busy a machine.
//!
//! Counts what runs in user mode: of the floor it misses the kernel's part, so the ratio is stricter than that of CPU.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;

use crate::call::Client;
use crate::fit::Line;
use crate::functions::{check, say};
use crate::process::Served;
use crate::sample::{PATCHES, Requests, Work};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// What the function does.
    #[arg(long, value_delimiter = ',')]
    work: Vec<Work>,
    /// How many composed resources a request has.
    #[arg(long, value_delimiter = ',', default_value = "1,10,100")]
    resources: Vec<usize>,
    /// How many patches each resource has.
    #[arg(long, default_value_t = PATCHES)]
    patches: usize,
    /// How many requests to count.
    #[arg(long, default_value_t = 20)]
    requests: usize,
    /// Keep callgrind's files in this folder, for `callgrind_annotate`.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Leave out the echo.
    #[arg(long)]
    no_echo: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(figures(args))
}

async fn figures(args: &Args) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let folder = args.keep.as_deref().unwrap_or(scratch.path());
    fs::create_dir_all(folder)?;
    say(format_args!(
        "instructions in user mode for each request, of {} requests",
        args.requests
    ))?;
    say(format_args!(
        "{:<20} {:>9} | {:>12} {:>12} {:>6}",
        "work", "resources", "echo", "ours", "ratio"
    ))?;
    let works = if args.work.is_empty() {
        Work::value_variants()
    } else {
        &args.work
    };
    for &work in works {
        let mut points = Vec::new();
        for &resources in &args.resources {
            let requests = Arc::new(Requests::new(work, resources, args.patches)?);
            let name = format!("{}-{resources}", work.name());
            let count = |mode: &'static str| {
                let files = folder.join(format!("{mode}-{name}"));
                count(args.requests, files, mode, &requests)
            };
            if args.patches == PATCHES {
                let served = Served::start(&["serve-functions"])?;
                check(&served, &requests, work, resources).await?;
            }
            let ours = count("serve-functions").await?;
            let floor = if args.no_echo {
                f64::NAN
            } else {
                count("serve-echo").await?
            };
            say(format_args!(
                "{:<20} {resources:>9} | {floor:>12.0} {ours:>12.0} {:>6.2}",
                work.name(),
                ours / floor
            ))?;
            points.push((resources, ours / 1000.0));
        }
        if let Some(line) = Line::fit(&points) {
            say(line.words("thousand", "resource"))?;
        }
    }
    Ok(())
}

/// What one more request takes: what many take, less what a few take.
async fn count(
    calls: usize,
    files: PathBuf,
    mode: &str,
    requests: &Requests,
) -> anyhow::Result<f64> {
    const FEW: usize = 4;
    let mut totals = [0.0; 2];
    for (total, calls) in totals.iter_mut().zip([FEW, FEW + calls]) {
        let file = files.with_added_extension(calls.to_string());
        let served = Served::start_in(&callgrind(&file), &[mode])?;
        let mut client = Client::connect(served.address).await?;
        for _ in 0..calls {
            client.call(requests.next()).await?;
        }
        drop(client);
        served.end();
        *total = read(&file)?;
    }
    let [few, many] = totals;
    let number = u32::try_from(calls.max(1)).map_or(f64::MAX, f64::from);
    Ok((many - few) / number)
}

fn callgrind(file: &Path) -> Vec<String> {
    vec![
        "valgrind".to_owned(),
        "--tool=callgrind".to_owned(),
        "--quiet".to_owned(),
        format!("--callgrind-out-file={}", file.display()),
    ]
}

/// The instructions a file of callgrind counts in all.
fn read(file: &Path) -> anyhow::Result<f64> {
    let text = fs::read_to_string(file)
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => bail!("callgrind wrote nothing; is valgrind installed?"),
            _ => Err(error.into()),
        })
        .with_context(|| format!("cannot read {}", file.display()))?;
    let line = text.lines().find_map(|line| {
        (line.strip_prefix("totals: ")).or_else(|| line.strip_prefix("summary: "))
    });
    line.and_then(|line| line.trim().parse().ok())
        .context("callgrind's file has no total")
}
