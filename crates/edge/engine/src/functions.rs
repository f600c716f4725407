//! Where is a function called?
//!
//! At the endpoint of its active FunctionRevision when there is one. Otherwise here, when it is hosted here: in this
//! process, or through this process' own function server, so that a laptop takes the same road as production.

use purlin_api::meta;
use purlin_lifecycle::revision::active_function;
use purlin_pipeline::{Call, RunFunctionResponse};
use purlin_runner::{Grpc, GrpcOptions, InProcess, Runner as _, RunnerError};

use crate::shared::{Shared, watched};

/// The functions of this process, and how others are called.
#[derive(Debug)]
pub struct Functions {
    /// The functions of this process.
    pub hosted: InProcess,
    /// Where this process serves its own functions; they are called in process when it does not.
    pub served_at: Option<String>,
    /// How functions elsewhere are called.
    elsewhere: Grpc,
    /// How our own server is called: in plain text, as it is on this machine.
    own: Grpc,
}

impl Functions {
    /// Calls hosted functions in process, and others as the options say.
    pub fn new(hosted: InProcess, elsewhere: GrpcOptions) -> Self {
        let own = GrpcOptions {
            tls: None,
            plaintext: purlin_runner::Plaintext::Loopback,
            ..elsewhere.clone()
        };
        Self {
            hosted,
            served_at: None,
            elsewhere: Grpc::new(elsewhere),
            own: Grpc::new(own),
        }
    }

    /// Calls hosted functions through the server of this process.
    #[must_use]
    pub fn served_at(mut self, endpoint: impl Into<String>) -> Self {
        self.served_at = Some(endpoint.into());
        self
    }
}

/// Calls a function; an error is a sentence that says what would help.
pub(crate) async fn call(shared: &Shared, call: Call) -> Result<RunFunctionResponse, String> {
    let functions = &shared.functions;
    let Call {
        function, request, ..
    } = call;
    let revisions = shared.all(&watched::functions());
    let active = active_function(&revisions, &function);
    let endpoint = active
        .map(|f| meta::text(f, &["status", "endpoint"]))
        .unwrap_or_default();
    let answer = if !endpoint.is_empty() {
        functions.elsewhere.set_endpoint(&function, endpoint);
        functions.elsewhere.run(&function, request).await
    } else if functions.hosted.takes(&function, &request) {
        match &functions.served_at {
            Some(own) => {
                functions.own.set_endpoint(&function, own);
                functions.own.run(&function, request).await
            }
            None => functions.hosted.run(&function, request).await,
        }
    } else if active.is_some() {
        return Err(format!(
            "the active FunctionRevision of {function} has no endpoint yet; wait for it, or see its conditions"
        ));
    } else {
        let known = functions.hosted.run(&function, request).await;
        return Err(format!(
            "cannot find an active FunctionRevision (a FunctionRevision with spec.desiredState: Active) of {function}, \
             and it is not hosted here: {}",
            known
                .err()
                .map_or_else(String::new, |error| explain(&error))
        ));
    };
    answer.map_err(|error| explain(&error))
}

/// An error with its causes.
fn explain(error: &RunnerError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = next.source();
    }
    text
}
