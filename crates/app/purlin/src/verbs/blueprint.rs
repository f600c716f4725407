//! `purlin blueprint inline FILE...`

use anyhow::Context as _;
use purlin_composition::modules::Modules;
use purlin_diag::{Diagnostic, Diagnostics, Sources};

use crate::exit::Exit;
use crate::ui::Ui;

/// Work on the Blueprints of Compositions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print Compositions with the modules that their Blueprints use written into them.
    Inline(Inline),
}

#[derive(Debug, clap::Args)]
struct Inline {
    /// Files with Compositions, and files with the modules they use, in any order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::Inline(args) => inline(args, ui),
    }
}

fn inline(args: &Inline, ui: &Ui) -> anyhow::Result<Exit> {
    let mut found = Diagnostics::new();
    let mut sources = Sources::new();
    let mut documents = Vec::new();
    for file in &args.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let (read, problems) = purlin_yaml::load(file, &text);
        found.extend(problems);
        documents.extend(read);
        sources.insert(file.clone(), text);
    }
    let (modules, mut compositions, problems) = Modules::take(documents);
    found.extend(problems);
    compositions.retain(|document| document.value["kind"] == "Composition");
    if compositions.is_empty() && !found.has_errors() {
        let problem = Diagnostic::error("blueprint/no-composition", "there is no Composition");
        found.push(problem.help("give the file of one, and those of the modules it uses"));
    }
    for composition in &mut compositions {
        let (_, missing) = modules.fill(&mut composition.value, &mut composition.places);
        found.extend(missing);
    }
    found.sort();
    if !found.is_empty() {
        ui.report(&found, &sources);
    }
    if found.has_errors() {
        return Ok(Exit::Differs);
    }
    let texts: Vec<String> = compositions
        .iter()
        .map(|composition| purlin_yaml::to_string(&composition.value))
        .collect();
    ui.data(texts.join("---\n"))?;
    Ok(Exit::Done)
}
