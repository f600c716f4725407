//! The verbs, one file each: arguments, then a call into the crate that does the work.

#[cfg(feature = "tools")]
mod blueprint;
#[cfg(feature = "tools")]
mod check;
#[cfg(feature = "tools")]
mod completions;
#[cfg(feature = "tools")]
mod crd;
#[cfg(feature = "tools")]
mod engine;
#[cfg(feature = "tools")]
mod new;
#[cfg(feature = "tools")]
mod package;
#[cfg(feature = "tools")]
mod promote;
#[cfg(feature = "tools")]
mod render;
mod replay;
#[cfg(feature = "tools")]
mod schema;
mod serve;
#[cfg(feature = "tools")]
mod tools;
#[cfg(feature = "tools")]
mod trace;
#[cfg(feature = "tools")]
mod up;

#[cfg(feature = "tools")]
use std::convert::Infallible;
#[cfg(feature = "tools")]
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit::Exit;
use crate::ui::Ui;

/// Composition functions, engine and promotion for Crossplane-style infrastructure, in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "purlin",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[cfg_attr(
    not(feature = "tools"),
    command(
        after_help = "This is the program of a function's image: the other verbs of purlin are left out."
    )
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[cfg(feature = "tools")]
    #[command(flatten)]
    Tool(tools::Verb),
    /// Serve composition functions over gRPC.
    Serve(serve::Args),
    Replay(replay::Args),
}

/// Parses the command line, runs the verb, and turns what it says into an exit code.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers (0); anything else is misuse (2). A closed pipe changes neither.
            drop(error.print());
            return if error.use_stderr() {
                Exit::Misuse.into()
            } else {
                Exit::Done.into()
            };
        }
    };
    let ui = Ui;
    let outcome = match cli.verb {
        #[cfg(feature = "tools")]
        Verb::Tool(verb) => tools::run(verb, &ui),
        Verb::Serve(args) => serve::run(&args, &ui),
        Verb::Replay(args) => replay::run(&args, &ui),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            ui.say(format_args!("error: {}", told_once(&error)));
            Exit::World.into()
        }
    }
}

#[cfg(feature = "tools")]
/// Parses a folder. An empty text is taken too: a variable that is set but empty counts as not set, see [`given`].
#[expect(clippy::unnecessary_wraps, reason = "the form clap asks for")]
fn folder(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

#[cfg(feature = "tools")]
/// The folder, unless it is empty.
fn given(folder: Option<&PathBuf>) -> Option<&PathBuf> {
    folder.filter(|folder| !folder.as_os_str().is_empty())
}

/// The error and its causes in one line. Some libraries print their cause too: what was said already is not said again.
fn told_once(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |said, cause| {
        let words = cause.to_string();
        match said.as_str() {
            "" => words,
            _ if said.contains(&words) => said,
            _ => format!("{said}: {words}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let error = anyhow!("no such file")
            .context("cannot read a: no such file")
            .context("cannot start");
        assert_eq!(
            super::told_once(&error),
            "cannot start: cannot read a: no such file"
        );
    }
}
