//! What does a request cost? `cargo run --release -p purlin-bench -- functions`
//!
//! A server runs as a child of this process, so that its CPU time is its own; this process is the client.

mod call;
mod echo;
mod functions;
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
    /// Measure the function server against a bare echo of the same bytes. The default.
    Functions(functions::Args),
    /// Be the echo that is measured.
    #[command(hide = true)]
    ServeEcho,
    /// Be the function server that is measured.
    #[command(hide = true)]
    ServeFunctions,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().mode {
        None => functions::run(&functions::Args::default()),
        Some(Mode::Functions(args)) => functions::run(&args),
        Some(Mode::ServeEcho) => echo::serve(),
        Some(Mode::ServeFunctions) => process::serve_functions(),
    }
}
