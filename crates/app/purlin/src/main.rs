//! The `purlin` command line: arguments in, words and an exit code out.

#[cfg(feature = "tools")]
mod cache;
mod exit;
mod hosted;
#[cfg(feature = "tools")]
mod trace;
mod ui;
mod verbs;

fn main() -> std::process::ExitCode {
    verbs::main()
}
