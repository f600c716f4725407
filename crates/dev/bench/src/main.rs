//! What does a request cost, and how long do claims take? `cargo run --release -p purlin-bench`
//!
//! A server runs as a child of this process, so that its CPU time is its own; this process is the client.

mod call;
mod check;
mod claims;
mod echo;
mod fit;
mod functions;
mod instructions;
mod memory;
mod process;
mod raw;
mod sample;

use clap::Parser;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Debug, clap::Subcommand)]
enum Mode {
    /// Measure the function server against a bare echo of the same bytes.
    Functions(functions::Args),
    /// Count instructions with callgrind, which needs valgrind.
    Instructions(instructions::Args),
    /// Measure the memory of `purlin serve`, and how soon it answers.
    Memory(memory::Args),
    /// Measure how long many claims take to be ready on `purlin up`.
    Claims(claims::Args),
    /// Measure `purlin check` on many Compositions and the CRDs of a whole provider family.
    Check(check::Args),
    /// Be the echo that is measured.
    #[command(hide = true)]
    ServeEcho,
    /// Be the function server that is measured.
    #[command(hide = true)]
    ServeFunctions,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().mode {
        // Without a mode, all of it in one run.
        None => {
            functions::run(&functions::Args::default())?;
            memory::run(&memory::Args::default())?;
            claims::run(&claims::Args::default())
        }
        Some(Mode::Functions(args)) => functions::run(&args),
        Some(Mode::Instructions(args)) => instructions::run(&args),
        Some(Mode::Memory(args)) => memory::run(&args),
        Some(Mode::Claims(args)) => claims::run(&args),
        Some(Mode::Check(args)) => check::run(&args),
        Some(Mode::ServeEcho) => echo::serve(),
        Some(Mode::ServeFunctions) => process::serve_functions(),
    }
}
