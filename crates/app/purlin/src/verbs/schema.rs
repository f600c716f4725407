//! `purlin schema pull|list|clean`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use purlin_check::Kept;
use purlin_inspect::Store;
use purlin_package::Reference;
use serde_json::json;

use crate::cache;
use crate::exit::Exit;
use crate::ui::Ui;
use crate::verbs::package::Registry;

/// Keep the schemas of providers, for `purlin check` in any project.
///
/// They are kept in the folder of PURLIN_SCHEMA_CACHE, or in purlin below XDG_CACHE_HOME (by default ~/.cache).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Keep the kinds of CRDs, packages or a cluster.
    Pull(Pull),
    /// Show the kinds that are kept, and where each comes from.
    List(List),
    /// Forget kinds.
    Clean(Clean),
}

#[derive(Debug, clap::Args)]
struct Pull {
    /// Files and folders with CRDs or XRDs, package files (.xpkg), and packages in a registry (REGISTRY/REPOSITORY:TAG).
    #[arg(value_name = "SOURCE", required_unless_present_any = ["cluster", "kubeconfig", "context"])]
    sources: Vec<PathBuf>,

    #[command(flatten)]
    registry: Registry,

    /// Keep the kinds of the cluster that kubectl would talk to.
    #[arg(long)]
    cluster: bool,

    /// Keep the kinds of the cluster of this kubeconfig.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Keep the kinds of the cluster of this context.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

#[derive(Debug, clap::Args)]
struct List {
    /// How to print it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A table.
    Text,
    /// One list of {group, kind, namespaced, versions, source}.
    Json,
}

#[derive(Debug, clap::Args)]
struct Clean {
    /// Only the kinds of these groups. Without any, everything is forgotten.
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let Some(folder) = cache::folder() else {
        bail!("there is no folder to keep schemas in: set PURLIN_SCHEMA_CACHE");
    };
    let store = Store::new(&folder);
    match &args.verb {
        Verb::Pull(args) => pull(args, &store, ui),
        Verb::List(args) => list(args, &store, ui),
        Verb::Clean(args) => {
            let gone = store
                .clean(&args.groups)
                .context("cannot clean the cache")?;
            ui.say(format_args!("{gone} kinds forgotten"));
            Ok(Exit::Done)
        }
    }
}

fn pull(args: &Pull, store: &Store, ui: &Ui) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for source in &args.sources {
        match kinds_of(source, &args.registry) {
            Ok(kinds) => keep(&kinds, &source.display().to_string(), store, ui)?,
            // The other sources are pulled all the same.
            Err(error) => {
                ui.say(format_args!("error: {}: {error:#}", source.display()));
                exit = Exit::World;
            }
        }
    }
    if args.cluster || args.kubeconfig.is_some() || args.context.is_some() {
        let kinds = cluster(args.kubeconfig.as_deref(), args.context.as_deref())?;
        let name = args.context.as_deref().unwrap_or("cluster");
        keep(&kinds, name, store, ui)?;
    }
    Ok(exit)
}

/// The kinds of a file, a folder, or a package in a registry. What is there as a file is no reference.
fn kinds_of(source: &Path, registry: &Registry) -> anyhow::Result<Vec<Kept>> {
    let reference = source.to_str().and_then(|text| Reference::parse(text).ok());
    match reference.filter(|_| !source.exists()) {
        Some(reference) => {
            let stream = registry.package_yaml(&reference)?;
            Ok(purlin_inspect::from_stream(&stream))
        }
        None => Ok(purlin_inspect::from_path(source)?),
    }
}

fn cluster(file: Option<&Path>, context: Option<&str>) -> anyhow::Result<Vec<Kept>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(purlin_inspect::from_cluster(file, context))?)
}

fn keep(kinds: &[Kept], source: &str, store: &Store, ui: &Ui) -> anyhow::Result<()> {
    let kept = store
        .add(kinds, source)
        .with_context(|| format!("cannot keep schemas in {}", store.folder().display()))?;
    ui.say(format_args!("{source}: {kept} kinds kept"));
    Ok(())
}

fn list(args: &List, store: &Store, ui: &Ui) -> anyhow::Result<Exit> {
    let kinds = store.list();
    match args.output {
        Format::Json => {
            let list: Vec<_> = kinds
                .iter()
                .map(|one| {
                    let versions: Vec<&str> =
                        one.versions.iter().map(|(name, _)| name.as_str()).collect();
                    json!({
                        "group": one.group, "kind": one.kind, "namespaced": one.namespaced,
                        "versions": versions, "source": one.source,
                    })
                })
                .collect();
            ui.data(format_args!("{:#}\n", json!(list)))?;
        }
        Format::Text => {
            let width = kinds.iter().map(|one| one.group.len()).max().unwrap_or(0);
            for one in &kinds {
                let versions: Vec<&str> =
                    one.versions.iter().map(|(name, _)| name.as_str()).collect();
                ui.data(format_args!(
                    "{:width$}  {}  {}  {}\n",
                    one.group,
                    one.kind,
                    versions.join(","),
                    one.source
                ))?;
            }
            ui.say(format_args!(
                "{} kinds in {}",
                kinds.len(),
                store.folder().display()
            ));
        }
    }
    Ok(Exit::Done)
}
