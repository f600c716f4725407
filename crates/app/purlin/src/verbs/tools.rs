//! The verbs that the program in a function's image does without.

use clap::Subcommand;

use super::{
    blueprint, check, completions, crd, engine, new, package, promote, render, schema, trace, up,
};
use crate::exit::Exit;
use crate::ui::Ui;

/// The verb, with its arguments.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
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
    Check(check::Args),
    Schema(schema::Args),
    /// Print the CRDs that an XRD gives.
    Crd(crd::Args),
    Render(Box<render::Args>),
    /// Show what a claim is made of, and which part is not ready.
    Trace(trace::Args),
}

/// Runs the verb.
pub(super) fn run(verb: Verb, ui: &Ui) -> anyhow::Result<Exit> {
    match verb {
        Verb::Blueprint(args) => blueprint::run(&args, ui),
        Verb::Completions(args) => completions::run(&args, ui),
        Verb::Up(args) => up::run(&args, ui),
        Verb::Engine(args) => engine::run(&args, ui),
        Verb::New(args) => new::run(&args, ui),
        Verb::Package(args) => package::run(&args, ui),
        Verb::Promote(args) => promote::run(&args, ui),
        Verb::Trace(args) => trace::run(&args, ui),
        Verb::Check(args) => check::run(&args, ui),
        Verb::Schema(args) => schema::run(&args, ui),
        Verb::Crd(args) => crd::run(&args, ui),
        Verb::Render(args) => render::run(*args, ui),
    }
}
