//! The only file that prints: stdout is data, stderr is talk.

use std::fmt::Display;
use std::io::{self, Write as _};

#[cfg(feature = "tools")]
use purlin_diag::{Diagnostics, Sources, render_text};

/// The terminal, or whatever stands in for it.
#[derive(Debug, Default)]
pub(crate) struct Ui;

#[expect(
    clippy::unused_self,
    reason = "printing goes through the value, so that who prints is visible in signatures"
)]
impl Ui {
    /// Prints data to stdout, as it is. A closed pipe is the reader's choice, not an error.
    pub(crate) fn data(&self, text: impl Display) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match write!(out, "{text}").and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Prints a line of talk to stderr.
    pub(crate) fn say(&self, text: impl Display) {
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    #[cfg(feature = "tools")]
    /// Prints findings to stderr, with the lines they point at.
    pub(crate) fn report(&self, found: &Diagnostics, sources: &Sources) {
        drop(write!(
            io::stderr().lock(),
            "{}",
            render_text(found, sources)
        ));
    }
}
