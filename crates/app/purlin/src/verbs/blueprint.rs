//! `purlin blueprint inline FILE...`

use anyhow::Context as _;
use function_blueprint::modules::{Modules, is_blueprint};
use purlin_diag::{Diagnostic, Diagnostics, Sources};
use serde_json::Value;

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
    let mut modules = Modules::new();
    let mut compositions = Vec::new();
    for file in &args.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let (documents, problems) = purlin_yaml::load(file, &text);
        found.extend(problems);
        for document in documents {
            if Modules::is_module(&document.value) {
                if let Err(problem) = modules.add(&document.value) {
                    let place = problem
                        .path
                        .as_deref()
                        .map(|path| document.places.nearest(path));
                    found.push((*problem).at(place));
                }
            } else if document.value["kind"] == "Composition" {
                compositions.push(document);
            }
        }
        sources.insert(file.clone(), text);
    }
    if compositions.is_empty() && !found.has_errors() {
        let problem = Diagnostic::error("blueprint/no-composition", "there is no Composition");
        found.push(problem.help("give the file of one, and those of the modules it uses"));
    }
    for composition in &mut compositions {
        let steps = composition.value.pointer_mut("/spec/pipeline");
        let steps = steps.and_then(Value::as_array_mut).into_iter().flatten();
        for (at, step) in steps.enumerate() {
            let Some(input) = step.get_mut("input").filter(|input| is_blueprint(input)) else {
                continue;
            };
            if let Err(problems) = modules.inline(input) {
                found.extend(problems.into_iter().map(|mut problem| {
                    let path = problem.path.unwrap_or_default();
                    let path = format!("spec.pipeline[{at}].input.{path}");
                    let place = composition.places.nearest(&path);
                    problem.path = Some(path);
                    problem.at(place)
                }));
            }
        }
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
