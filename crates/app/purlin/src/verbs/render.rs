//! `purlin render XR COMPOSITION [FUNCTIONS]`

use std::path::PathBuf;
use std::time::Duration;

use purlin_diag::{Diagnostics, Sources};
use purlin_render::{Failed, Files, Inputs, ReadError, Rendered, Show, Text, Texts};

use crate::exit::Exit;
use crate::ui::Ui;

/// What a composite resource would be made of, without a cluster.
///
/// Prints the composite with the status it would get, then the resources it would be composed of, as the engine would
/// apply them. Functions of Purlin run in this process, by their name or the kind of their input. Any other must be
/// listening: give its Function in FUNCTIONS the annotations render.crossplane.io/runtime: Development and
/// render.crossplane.io/runtime-development-target: HOST:PORT.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// File with the composite resource, or - for standard input.
    #[arg(value_name = "XR")]
    xr: PathBuf,

    /// File with the Composition.
    #[arg(value_name = "COMPOSITION")]
    composition: PathBuf,

    /// File or folder with the Functions that the Composition calls. Not needed for those of Purlin.
    #[arg(value_name = "FUNCTIONS")]
    functions: Option<PathBuf>,

    /// File or folder with the modules that Blueprints of the Composition use. May be repeated.
    #[arg(long, value_name = "PATH")]
    modules: Vec<PathBuf>,

    /// File or folder with composed resources that exist already, each with the annotation
    /// crossplane.io/composition-resource-name.
    #[arg(short, long, value_name = "PATH")]
    observed_resources: Option<PathBuf>,

    /// File or folder with objects that functions may ask for. May be repeated.
    #[arg(short = 'e', long, alias = "extra-resources", value_name = "PATH")]
    required_resources: Vec<PathBuf>,

    /// Folder with OpenAPI v3 documents (*.json, also in folders below) that functions may ask for.
    #[arg(short = 's', long, value_name = "DIR")]
    required_schemas: Option<PathBuf>,

    /// Print the whole composite resource, not only what the engine would write.
    #[arg(short = 'x', long)]
    include_full_xr: bool,

    /// Also print what the functions told, as documents of kind Result.
    #[arg(short = 'r', long)]
    include_function_results: bool,

    /// Also print the context at the end of the pipeline, as a document of kind Context.
    #[arg(short = 'c', long)]
    include_context: bool,

    /// Put the content of a YAML or JSON file into the context at the start. May be repeated.
    #[arg(long, value_name = "KEY=FILE", value_delimiter = ',', value_parser = pair)]
    context_files: Vec<(String, String)>,

    /// Put a YAML or JSON value into the context at the start; wins over a file of the same key. May be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context_values: Vec<(String, String)>,

    /// File or folder with the Secrets that steps refer to as credentials.
    #[arg(long, value_name = "PATH")]
    function_credentials: Option<PathBuf>,

    /// Annotate every Function, for example to say where all of them listen. May be repeated.
    #[arg(short = 'a', long, value_name = "KEY=VALUE", value_parser = pair)]
    function_annotations: Vec<(String, String)>,

    /// File with the definition (XRD) of the composite resource: its defaults are filled in, and its scope decides
    /// whether the composite has the layout of Crossplane v1 or v2.
    #[arg(long, value_name = "FILE")]
    xrd: Option<PathBuf>,

    /// How long the whole run may take, for example 30s or 1m30s.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    timeout: Duration,

    /// Accepted for scripts written for other engines; there is no engine to fetch or to start here.
    #[arg(long, hide = true, value_name = "ANY")]
    crossplane_version: Option<String>,
    #[arg(long, hide = true, value_name = "ANY")]
    crossplane_image: Option<String>,
    #[arg(long, hide = true, value_name = "ANY")]
    crossplane_binary: Option<String>,
    #[arg(long, hide = true, value_name = "ANY")]
    crossplane_docker_network: Option<String>,
    #[arg(long, hide = true, value_name = "ANY")]
    max_concurrency: Option<u32>,
    #[arg(long, hide = true, value_name = "ANY")]
    cache_dir: Option<PathBuf>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> anyhow::Result<Exit> {
    let show = Show {
        full_xr: args.include_full_xr,
        results: args.include_function_results,
        context: args.include_context,
    };
    let timeout = args.timeout;
    let ignored = [
        ("--crossplane-version", args.crossplane_version.is_some()),
        ("--crossplane-image", args.crossplane_image.is_some()),
        ("--crossplane-binary", args.crossplane_binary.is_some()),
        (
            "--crossplane-docker-network",
            args.crossplane_docker_network.is_some(),
        ),
    ];
    for (flag, _) in ignored.iter().filter(|(_, given)| *given) {
        ui.say(format_args!(
            "note: {flag} is ignored: the engine is this program"
        ));
    }
    let annotations = args.function_annotations.clone();
    let texts = match read(args) {
        Ok(texts) => texts,
        Err(wrong) => return Ok(unread(ui, wrong).unwrap_or(Exit::World)),
    };
    let sources = texts.sources();
    let functions = std::sync::Arc::new(crate::hosted::functions());
    let (inputs, found) = Inputs::read_all(&texts, &annotations, &functions);
    report(ui, &found, &sources);
    let Some(inputs) = inputs else {
        return Ok(Exit::Differs);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let rendered = runtime.block_on(purlin_render::render(&inputs, &functions, timeout, show));
    // A function that never came back must not keep the program from ending.
    runtime.shutdown_background();
    finish(ui, rendered, &sources)
}

/// Prints the documents, or what keeps them from being made.
fn finish(ui: &Ui, rendered: Result<Rendered, Failed>, sources: &Sources) -> anyhow::Result<Exit> {
    match rendered {
        Ok(rendered) => {
            report(ui, &rendered.found, sources);
            for gone in &rendered.deleted {
                ui.say(format_args!(
                    "note: {gone} is observed and no longer desired: the engine would delete it"
                ));
            }
            ui.data(purlin_yaml::to_stream(&rendered.documents))?;
            Ok(Exit::Done)
        }
        Err(Failed::Inputs(found)) => {
            report(ui, &found, sources);
            Ok(Exit::Differs)
        }
        Err(Failed::Pass {
            problems,
            told,
            placed,
        }) => {
            for words in told {
                ui.say(format_args!("note: {words}"));
            }
            if placed.is_empty() {
                for problem in problems {
                    ui.say(format_args!("error: {problem}"));
                }
            }
            report(ui, &placed, sources);
            Ok(Exit::Differs)
        }
    }
}

/// Tells every file that cannot be read, if there is any; gives the exit code then.
pub(crate) fn unread(ui: &Ui, wrong: Vec<ReadError>) -> Option<Exit> {
    if wrong.is_empty() {
        return None;
    }
    let misuse = wrong.iter().all(ReadError::is_misuse);
    for error in wrong {
        let error = super::told_once(&error.into());
        ui.say(format_args!("error: {error}"));
    }
    Some(if misuse { Exit::Misuse } else { Exit::World })
}

fn read(args: Args) -> Result<Texts, Vec<ReadError>> {
    let mut texts = purlin_render::read_files(&Files {
        xr: args.xr,
        composition: args.composition,
        modules: args.modules,
        functions: args.functions,
        observed: args.observed_resources,
        required: args.required_resources,
        schemas: args.required_schemas,
        credentials: args.function_credentials,
        xrd: args.xrd,
        context: args
            .context_files
            .into_iter()
            .map(|(key, file)| (key, PathBuf::from(file)))
            .collect(),
    })?;
    // Values come last, so that they win over files of the same key.
    for (key, content) in args.context_values {
        let name = format!("--context-values {key}");
        texts.context.push((key, Text { name, content }));
    }
    Ok(texts)
}

fn report(ui: &Ui, found: &Diagnostics, sources: &Sources) {
    if !found.is_empty() {
        ui.report(found, sources);
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// A duration as Go writes it: numbers with the units ms, s, m, h, one after the other.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration such as 30s, 1m30s or 500ms".to_owned();
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        total += number.parse::<f64>().map_err(|_| wrong())? * seconds;
        rest = after;
    }
    match Duration::try_from_secs_f64(total) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let check = |text: &str, millis: u64| {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        };
        check("1m", 60_000);
        check("1m30s", 90_000);
        check("500ms", 500);
        check("1.5s", 1500);
        for wrong in ["", "5", "s", "0s", "1x", "-1s", "1e400h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
