//! `purlin crd FILE...`

use std::path::Path;

use purlin_check::Cel;
use purlin_diag::{Diagnostic, Diagnostics, Sources};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files with CompositeResourceDefinitions (XRDs), YAML or JSON; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    /// How to print the CRDs.
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A YAML stream, one document a CRD.
    Yaml,
    /// One JSON list.
    Json,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let mut found = Diagnostics::new();
    let mut sources = Sources::new();
    let mut crds = Vec::new();
    let mut unread = Vec::new();
    for file in &args.files {
        let text = match purlin_render::read_file(Path::new(file)) {
            Ok(text) => text.content,
            // The others are read all the same: all mistakes are told at once.
            Err(error) => {
                unread.push(error);
                continue;
            }
        };
        let (documents, problems) = purlin_yaml::load(file, &text);
        found.extend(problems);
        let xrds = documents
            .iter()
            .filter(|document| document.value["kind"] == "CompositeResourceDefinition");
        let before = crds.len() + found.len();
        for xrd in xrds {
            let (made, problems) = purlin_schema::crds_of(&xrd.value, &Cel);
            crds.extend(made);
            found.extend(problems.into_iter().map(|problem| {
                let place = problem.path.as_deref().map(|path| xrd.places.nearest(path));
                problem.at(place)
            }));
        }
        if crds.len() + found.len() == before {
            let problem = Diagnostic::error(
                "crd/no-xrd",
                format!("{file} has no CompositeResourceDefinition"),
            );
            found.push(problem.help("give a file that holds one, for example xrds/network.yaml"));
        }
        sources.insert(file.clone(), text);
    }
    found.sort();
    if !found.is_empty() {
        ui.report(&found, &sources);
    }
    if !crds.is_empty() {
        ui.data(print(&crds, args.output))?;
    }
    let told = super::render::unread(ui, unread);
    Ok(if let Some(exit) = told {
        exit
    } else if found.has_errors() {
        Exit::Differs
    } else {
        Exit::Done
    })
}

fn print(crds: &[Value], format: Format) -> String {
    match format {
        Format::Yaml => purlin_yaml::to_stream(crds),
        Format::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": crds});
            format!("{list:#}\n")
        }
    }
}
