//! `purlin trace KIND NAME`

use std::path::PathBuf;

use clap::ValueEnum;
use purlin_api::meta::Gvk;
use purlin_kube::Client;

use crate::exit::Exit;
use crate::trace::{find_kind, trace};
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The kind, as for kubectl: `network`, `networks`, `networks.example.org`.
    kind: String,
    /// The object's name.
    name: String,
    /// The object's namespace.
    #[arg(short, long, default_value = "default")]
    namespace: String,
    /// The kubeconfig to use [default: what kubectl uses].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig.
    #[arg(long)]
    context: Option<String>,
    /// How to show it.
    #[arg(short, long, value_enum, default_value_t = Format::Tree)]
    output: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Tree,
    Json,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(show(args, ui))
}

async fn show(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let client = Client::connect(args.kubeconfig.as_deref(), args.context.as_deref()).await?;
    let definitions = Gvk::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    let definitions = client
        .list(&*client.kind(&definitions).await?, "")
        .await?
        .items;
    let Some(gvk) = find_kind(&definitions, &args.kind) else {
        ui.say(format_args!(
            "error: the server has no kind `{}`; `kubectl api-resources` lists what it has",
            args.kind
        ));
        return Ok(Exit::Misuse);
    };
    let tree = trace(&client, &gvk, &args.namespace, &args.name).await?;
    match args.output {
        Format::Tree if !tree.exists() => {}
        Format::Tree => ui.data(tree.table())?,
        Format::Json => ui.data(format_args!("{:#}\n", tree.json()))?,
    }
    if tree.exists() {
        return Ok(Exit::Done);
    }
    ui.say(format_args!(
        "{} {} does not exist in namespace {}",
        gvk.kind, args.name, args.namespace
    ));
    Ok(Exit::World)
}
