//! The `purlin` command line: arguments in, words and an exit code out.

mod cache;
mod exit;
mod hosted;
mod trace;
mod ui;
mod verbs;

fn main() -> std::process::ExitCode {
    verbs::main()
}
