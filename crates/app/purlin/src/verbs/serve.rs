//! `purlin serve`

use purlin_serve::{Flags, ServeError};

use crate::exit::Exit;
use crate::hosted;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
    /// Host only these functions. When it is there twice, the last one counts, so that the arguments of a pod can change what a
    /// package says.
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        overrides_with = "only"
    )]
    only: Vec<String>,
    /// The function that answers requests without an input [default: the first of --only, else function-auto-ready].
    #[arg(long, value_name = "NAME", overrides_with = "default_function")]
    default_function: Option<String>,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let mut mistakes = args.flags.mistakes();
    let mut functions = hosted::functions();
    if !args.only.is_empty() {
        match functions.only(args.only.iter().map(String::as_str)) {
            Ok(chosen) => functions = chosen,
            Err(unknown) => {
                mistakes.extend(unknown.iter().map(|one| format!("--only: {one}")));
            }
        }
    }
    let default = match (&args.default_function, functions.hosted()) {
        (Some(name), _) => name,
        (None, [first, ..]) if !args.only.is_empty() => first.name,
        (None, _) => "function-auto-ready",
    };
    if functions.by_name(default).is_none() {
        let mistake = functions.unknown_name(default);
        mistakes.push(format!("--default-function: {mistake}"));
    }
    for mistake in &mistakes {
        ui.say(format_args!("error: {mistake}"));
    }
    if !mistakes.is_empty() {
        return Ok(Exit::Misuse);
    }
    let functions = functions.with_default(default);
    match args.flags.serve(functions) {
        Ok(()) => Ok(Exit::Done),
        Err(ServeError::Misuse(mistake)) => {
            ui.say(format_args!("error: {mistake}"));
            Ok(Exit::Misuse)
        }
        Err(error) => Err(error.into()),
    }
}
