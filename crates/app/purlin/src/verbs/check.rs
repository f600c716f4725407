//! `purlin check PATH...`

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use purlin_check::{Kept, Known};
use purlin_diag::{
    Diagnostic, Diagnostics, Severity, Sources, count, render_findings, render_github, to_sarif,
};
use purlin_inspect::{Inspected, Memory, Options, Store};

use crate::cache;
use crate::exit::Exit;
use crate::ui::Ui;

/// Find mistakes in XRDs, Compositions, their functions' inputs, claims and CRDs, without running anything.
///
/// Schemas of composed resources come from CRDs and packages (.xpkg) among the files, from what `purlin schema pull` keeps,
/// and with --kubeconfig or --context from a cluster. Where no schema is known, nothing is complained about.
///
/// The exit code is 0 when there are no errors, 1 when there are, 2 when the command line is wrong or there is nothing to
/// check.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin check .                          # everything below this folder
  purlin check apis provider-aws.xpkg     # with the CRDs of a package
  purlin check . -W -o github             # in CI: warnings fail too, findings become annotations")]
pub(crate) struct Args {
    /// Files, and folders whose .yaml, .yml, .json and .xpkg files are read, also in folders below. Not read are hidden
    /// folders, node_modules, and templates of Helm charts.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How to print what is found.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,

    /// Let warnings fail as errors do.
    #[arg(short = 'W', long)]
    strict: bool,

    /// Also say what is not checked because no schema is known, and what is not used.
    #[arg(short, long)]
    verbose: bool,

    /// Take the CRDs of a cluster, too: the one of this kubeconfig.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Take the CRDs of a cluster, too: the one of this context.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// Neither use nor write the cache: no kept schemas, and every file is read.
    #[arg(long)]
    no_cache: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people: the line, with carets under what is meant.
    Text,
    /// One list of {file, line, column, severity, code, message, help}.
    Json,
    /// SARIF 2.1.0, which code hosts show beside the code.
    Sarif,
    /// Commands that GitHub Actions turns into annotations.
    Github,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let files = match purlin_inspect::find(&args.paths) {
        Ok(files) if !files.is_empty() => files,
        Ok(_) => {
            ui.say("error: there are no .yaml, .yml or .json files to check");
            return Ok(Exit::Misuse);
        }
        Err(wrong) => {
            for misuse in wrong {
                ui.say(format_args!("error: {misuse}"));
            }
            return Ok(Exit::Misuse);
        }
    };
    let cache = (!args.no_cache).then(cache::folder).flatten();
    let functions = crate::hosted::functions();
    let mut known: Vec<Known> = Vec::new();
    if let Some(cache) = &cache {
        known.extend(Store::new(cache).known());
    }
    if args.kubeconfig.is_some() || args.context.is_some() {
        known.extend(cluster(args)?.iter().flat_map(purlin_inspect::known));
    }
    let memory = cache
        .as_deref()
        .map(|cache| Memory::open(cache, &cache::stamp(), &key(args)));
    let options = Options {
        functions: &functions,
        known,
        memory,
    };
    let total = files.len();
    let mut inspected = purlin_inspect::inspect(files, options);
    if inspected.manifests == 0 && inspected.found.is_empty() {
        ui.say(format_args!(
            "error: there are no manifests in {total} files"
        ));
        return Ok(Exit::Misuse);
    }
    let unknown = set_aside(&mut inspected.found, args.verbose);
    print(&inspected.found, args.output, ui)?;
    summary(&inspected, unknown, ui);
    let fails = |severity| match severity {
        Severity::Error => true,
        Severity::Warning => args.strict,
        Severity::Note => false,
    };
    Ok(if inspected.found.iter().any(|one| fails(one.severity)) {
        Exit::Differs
    } else {
        Exit::Done
    })
}

fn cluster(args: &Args) -> anyhow::Result<Vec<Kept>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let file = args.kubeconfig.as_deref();
    let kinds = purlin_inspect::from_cluster(file, args.context.as_deref());
    Ok(runtime.block_on(kinds)?)
}

/// What a run is remembered by: where it was started, and on what.
fn key(args: &Args) -> String {
    let folder = std::env::current_dir().unwrap_or_default();
    format!("{} {:?}", folder.display(), args.paths)
}

/// Takes the notes on what is not checked or not used away, unless they are wanted. Gives how many kinds they are about.
fn set_aside(found: &mut Diagnostics, wanted: bool) -> usize {
    let mut kinds = BTreeSet::new();
    let all = std::mem::take(found);
    found.extend(all.into_iter().filter(|one| {
        let unknown = one.code.0 == purlin_check::NO_SCHEMA;
        let first = !unknown || kinds.insert(one.message.clone());
        first && (wanted || !unknown && one.code.0 != purlin_check::UNUSED)
    }));
    kinds.len()
}

/// A finding as machines read it.
#[derive(serde::Serialize)]
struct Entry<'f> {
    file: Option<&'f str>,
    line: Option<u32>,
    column: Option<u32>,
    severity: &'f str,
    code: &'f str,
    message: &'f str,
    help: Option<&'f str>,
}

impl<'f> Entry<'f> {
    fn of(finding: &'f Diagnostic) -> Self {
        let place = finding.place.as_ref();
        Self {
            file: place.map(|place| place.file.as_ref()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            severity: finding.severity.as_str(),
            code: finding.code.0,
            message: &finding.message,
            help: finding.help.as_deref(),
        }
    }
}

fn print(found: &Diagnostics, format: Format, ui: &Ui) -> anyhow::Result<()> {
    match format {
        Format::Text => ui.data(render_findings(found, &sources(found)))?,
        Format::Json => {
            let lines: Vec<Entry<'_>> = found.iter().map(Entry::of).collect();
            ui.data(format_args!("{}\n", serde_json::to_string_pretty(&lines)?))?;
        }
        Format::Sarif => {
            let log = to_sarif(found, "purlin", env!("CARGO_PKG_VERSION"));
            ui.data(format_args!("{log:#}\n"))?;
        }
        Format::Github => ui.data(render_github(found))?,
    }
    Ok(())
}

/// The texts that findings point into.
fn sources(found: &Diagnostics) -> Sources {
    let files: BTreeSet<&str> = found
        .iter()
        .filter_map(|one| one.place.as_ref())
        .map(|place| place.file.as_ref())
        .collect();
    let read = files.into_iter().filter_map(|file| {
        let bytes = fs::read(file).context("it was read before").ok()?;
        Some((
            file.to_owned(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ))
    });
    read.collect()
}

fn summary(inspected: &Inspected, unknown: usize, ui: &Ui) {
    let objects = inspected.objects;
    let files = inspected.manifests;
    let what = format!("{} in {}", amount(objects, "object"), amount(files, "file"));
    if inspected.found.is_empty() {
        ui.say(format_args!(
            "nothing found in {objects} objects of {files} files"
        ));
    } else {
        ui.say(format_args!("{} ({what})", count(&inspected.found)));
    }
    if unknown > 0 {
        ui.say(format_args!(
            "{} without a schema: -v names them, `purlin schema pull` gets schemas",
            amount(unknown, "kind")
        ));
    }
    if inspected.templates > 0 {
        ui.say(format_args!(
            "{} left out: templates of another program",
            amount(inspected.templates, "file")
        ));
    }
    if let Some(why) = &inspected.forgetful {
        ui.say(format_args!("note: the cache cannot be written: {why}"));
    }
}

fn amount(count: usize, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {word}{ending}")
}
