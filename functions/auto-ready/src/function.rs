//! Which resources of this request are ready?

use prost_types::Duration;
use purlin_function::input::decode;
use purlin_function::{
    Diagnostic, Diagnostics, Function, Plans, Ready, RequestView as _, Response,
    RunFunctionRequest, RunFunctionResponse, parse_duration,
};

use purlin_object::Object;

use crate::custom::{self, Checks};
use crate::health::{Gvk, is_healthy};
use crate::input::Input;

/// What upstream takes from its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether CEL health checks of the input are used.
    pub cel: bool,
    /// How long a response holds whose input does not say it.
    pub ttl: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cel: true,
            ttl: None,
        }
    }
}

/// The function.
#[derive(Debug, Default)]
pub struct AutoReady {
    options: Options,
    inputs: Plans<Result<Input, Diagnostics>>,
}

impl AutoReady {
    /// The function with these options.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            inputs: Plans::default(),
        }
    }
}

impl Function for AutoReady {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        let mut response = Response::to(request);
        let empty = Object::new();
        let input = request.input().unwrap_or(&empty);
        let input = self.inputs.of(input, || decode::<Input>(input));
        let input = match input.as_ref() {
            Ok(input) => input,
            Err(found) => return response.mistakes(found).build(),
        };
        let ttl = match parse_duration(&input.ttl) {
            _ if input.ttl.is_empty() => self.options.ttl,
            Some(ttl) => Some(ttl),
            None => {
                let message = format!(
                    "ttl: `{}` is not a duration; write it like 5m or 1h30m",
                    input.ttl
                );
                return response.fatal(message).build();
            }
        };
        let checks = if self.options.cel {
            Checks::of(input, request)
        } else {
            Checks::default()
        };
        decide(request, &checks, &mut response);
        // Desired state is answered also when there is none.
        response.plain_resources();
        let mut response = response.build();
        if let (Some(meta), Some(ttl)) = (&mut response.meta, ttl) {
            meta.ttl = Some(ttl);
        }
        response
    }

    fn check(&self, input: &Object) -> Diagnostics {
        let input = match decode::<Input>(input) {
            Ok(input) => input,
            Err(found) => return found,
        };
        let mut found = Diagnostics::new();
        if !input.ttl.is_empty() && parse_duration(&input.ttl).is_none() {
            let message = format!("`{}` is not a duration", input.ttl);
            let wrong = Diagnostic::error("input/invalid", message).path("ttl");
            found.push(wrong.help("write it like 5m or 1h30m"));
        }
        for (key, source) in &input.cel_health_check_customization {
            if let Err(why) = custom::compile(source) {
                let path = format!("celHealthCheckCustomization[{key:?}]");
                found.push(Diagnostic::error("function/expression", why).path(path));
            }
        }
        found
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(purlin_function::input::schema_of::<Input>())
    }

    fn repeats(&self, _: &RunFunctionRequest) -> bool {
        true
    }

    /// With expressions it takes as long as they do.
    fn is_short(&self, request: &RunFunctionRequest) -> bool {
        let input = request.input();
        !input.is_some_and(|input| input.keys().any(|key| key.starts_with("cel")))
    }
}

/// Marks what is ready; what an earlier step decided stays.
fn decide(request: &RunFunctionRequest, checks: &Checks<'_>, response: &mut Response) {
    let mut warnings = Vec::new();
    for (name, desired) in &mut response.state().resources {
        if desired.ready() != Ready::Unspecified {
            continue;
        }
        let Some(observed) = request.observed_resource(name) else {
            continue;
        };
        let gvk = Gvk::of(observed);
        let mut ready = Ready::Unspecified;
        match checks.run(gvk, observed) {
            None => {}
            Some(Ok(true)) => ready = Ready::True,
            Some(Ok(false)) => ready = Ready::False,
            Some(Err(message)) => {
                warnings.push(format!(
                    "cannot check the health of the composed resource `{name}`: {message}"
                ));
            }
        }
        // A built-in rule that says no is not the last word: the condition may still say yes. Upstream's order.
        if ready == Ready::Unspecified
            && (is_healthy(gvk, observed) || observed.condition_status("Ready") == "True")
        {
            ready = Ready::True;
        }
        if ready != Ready::Unspecified {
            desired.ready = ready.into();
        }
    }
    for warning in warnings {
        response.warning(warning);
    }
}
