//! What is the whole `main` of a function's program?

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use purlin_function::{Functions, Hosted};

use crate::{Flags, ServeError};

#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
}

/// The `main` of a program that serves functions and does nothing else: flags, logs, signals and the exit code
/// (0 stopped as asked, 2 misuse, 3 the world failed).
///
/// A request is answered by the function that takes its kind of input; one without an input by the first.
///
/// ```no_run
/// use std::process::ExitCode;
/// use std::sync::Arc;
///
/// use purlin_function::{Hosted, Response, RunFunctionRequest};
///
/// fn main() -> ExitCode {
///     purlin_serve::main([Hosted {
///         name: "function-hello",
///         api_version: "hello.example.com/v1",
///         kind: "Hello",
///         function: Arc::new(|request: &RunFunctionRequest| {
///             Response::to(request).normal("hello").build()
///         }),
///     }])
/// }
/// ```
pub fn main(hosted: impl IntoIterator<Item = Hosted>) -> ExitCode {
    let functions = Functions::new(hosted);
    let Some(first) = functions.hosted().first().map(|hosted| hosted.name) else {
        return told(
            "this program hosts no function",
            clap::error::ErrorKind::ValueValidation,
        );
    };
    let functions = functions.with_default(first);
    let parsed = Cli::command()
        .name(first)
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help is an answer (0); anything else is misuse (2). A closed pipe changes neither.
            drop(error.print());
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match cli.flags.serve(functions) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ServeError::Misuse(mistake)) => {
            told(&mistake, clap::error::ErrorKind::MissingRequiredArgument)
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(cause, "{error}");
            ExitCode::from(3)
        }
    }
}

fn told(mistake: &str, kind: clap::error::ErrorKind) -> ExitCode {
    drop(Cli::command().error(kind, mistake).print());
    ExitCode::from(2)
}
