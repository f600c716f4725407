//! `purlin completions SHELL`

use clap::CommandFactory as _;

use crate::exit::Exit;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell to complete for.
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut super::Cli::command(),
        "purlin",
        &mut script,
    );
    ui.data(String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
