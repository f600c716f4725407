//! `purlin serve`

use purlin_serve::{Flags, ServeError};

use crate::exit::Exit;
use crate::hosted;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
    /// The function that answers requests without an input.
    #[arg(long, value_name = "NAME", default_value = "function-auto-ready")]
    default_function: String,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let functions = hosted::functions();
    let mut mistakes = args.flags.mistakes();
    if functions.by_name(&args.default_function).is_none() {
        let mistake = functions.unknown_name(&args.default_function);
        mistakes.push(format!("--default-function: {mistake}"));
    }
    for mistake in &mistakes {
        ui.say(format_args!("error: {mistake}"));
    }
    if !mistakes.is_empty() {
        return Ok(Exit::Misuse);
    }
    let functions = functions.with_default(&args.default_function);
    match args.flags.serve(functions) {
        Ok(()) => Ok(Exit::Done),
        Err(ServeError::Misuse(mistake)) => {
            ui.say(format_args!("error: {mistake}"));
            Ok(Exit::Misuse)
        }
        Err(error) => Err(error.into()),
    }
}
