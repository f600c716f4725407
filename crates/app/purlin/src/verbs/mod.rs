//! The verbs, one file each: arguments, then a call into the crate that does the work.

mod blueprint;
mod check;
mod completions;
mod crd;
mod engine;
mod new;
mod package;
mod promote;
mod render;
mod replay;
mod schema;
mod serve;
mod trace;
mod up;

use std::convert::Infallible;
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
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Blueprint(blueprint::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
    /// Make, move, look at and sign packages of functions and configurations.
    Package(Box<package::Args>),
    /// Move versions of infrastructure APIs from environment to environment, in Git.
    Promote(Box<promote::Args>),
    /// Start an API server, the engine, functions and a simulated provider on this machine.
    Up(up::Args),
    /// Run the composition engine on a cluster.
    Engine(engine::Args),
    New(new::Args),
    /// Serve composition functions over gRPC.
    Serve(serve::Args),
    Check(check::Args),
    Schema(schema::Args),
    /// Print the CRDs that an XRD gives.
    Crd(crd::Args),
    Render(Box<render::Args>),
    Replay(replay::Args),
    /// Show what a claim is made of, and which part is not ready.
    Trace(trace::Args),
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
        Verb::Blueprint(args) => blueprint::run(&args, &ui),
        Verb::Completions(args) => completions::run(&args, &ui),
        Verb::Up(args) => up::run(&args, &ui),
        Verb::Engine(args) => engine::run(&args, &ui),
        Verb::New(args) => new::run(&args, &ui),
        Verb::Package(args) => package::run(&args, &ui),
        Verb::Promote(args) => promote::run(&args, &ui),
        Verb::Trace(args) => trace::run(&args, &ui),
        Verb::Serve(args) => serve::run(&args, &ui),
        Verb::Check(args) => check::run(&args, &ui),
        Verb::Schema(args) => schema::run(&args, &ui),
        Verb::Crd(args) => crd::run(&args, &ui),
        Verb::Render(args) => render::run(*args, &ui),
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

/// Parses a folder. An empty text is taken too: a variable that is set but empty counts as not set, see [`given`].
#[expect(clippy::unnecessary_wraps, reason = "the form clap asks for")]
fn folder(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

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
