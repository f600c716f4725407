//! Several steps of a composition in one call.
//!
//! The input (`pipeline.fn.purlin.dev/v1alpha1 Pipeline`) has `steps` as a Composition has them, each for a function that is
//! hosted in the same process. The answer is what the caller would have after running them as steps of its own, but the
//! request is sent and read once, and the answer written once:
//!
//! - each step sees the observed state and the credentials of the request, and what the steps before it desire and left in the context;
//! - results and conditions accumulate, and results say which step they are from; a FATAL one ends the run, and desired state and context are answered as
//!   they came;
//! - the answer holds as long as that of the step whose answer holds the shortest;
//! - what a step requires is asked under the step's name, `step/name`, so that steps do not get in each other's way. A step that
//!   requires what nobody has looked for yet ends the run; the caller looks and asks again.

mod input;
mod run;

use std::sync::Arc;

use purlin_function::{
    Diagnostics, Function, Functions, Hosted, Plans, RequestView as _, Response,
    RunFunctionRequest, RunFunctionResponse,
};
use purlin_object::Object;

use input::Step;

/// More steps are not short together, even if each of them is.
const FEW: usize = 8;

/// The function.
#[derive(Debug)]
pub struct Pipeline {
    functions: Functions,
    plans: Plans<Result<Vec<Step>, Diagnostics>>,
}

impl Pipeline {
    /// Runs steps of these functions.
    pub fn new(functions: impl IntoIterator<Item = Hosted>) -> Self {
        Self {
            functions: Functions::new(functions),
            plans: Plans::default(),
        }
    }

    fn plan(&self, request: &RunFunctionRequest) -> Arc<Result<Vec<Step>, Diagnostics>> {
        let empty = Object::new();
        let input = request.input().unwrap_or(&empty);
        self.plans
            .of(input, || input::compile(input, &self.functions))
    }

    /// Whether all steps have a quality that depends on the step's input alone.
    fn all(
        &self,
        request: &RunFunctionRequest,
        quality: fn(&dyn Function, &RunFunctionRequest) -> bool,
    ) -> bool {
        match self.plan(request).as_ref() {
            Ok(steps) => steps.iter().all(|step| {
                let asked = RunFunctionRequest {
                    input: step.input.clone(),
                    ..RunFunctionRequest::default()
                };
                quality(step.hosted.function.as_ref(), &asked)
            }),
            Err(_) => true,
        }
    }
}

impl Function for Pipeline {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        match self.plan(request).as_ref() {
            Ok(steps) => run::run(steps, request),
            Err(mistakes) => Response::to(request).mistakes(mistakes).build(),
        }
    }

    fn run_short(&self, request: &RunFunctionRequest) -> Option<RunFunctionResponse> {
        match self.plan(request).as_ref() {
            Ok(steps) if steps.len() > FEW => None,
            Ok(steps) => run::run_short(steps, request),
            Err(mistakes) => Some(Response::to(request).mistakes(mistakes).build()),
        }
    }

    fn check(&self, input: &Object) -> Diagnostics {
        input::check(input, &self.functions)
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(input::schema())
    }

    fn repeats(&self, request: &RunFunctionRequest) -> bool {
        match self.plan(request).as_ref() {
            Ok(steps) => run::repeats(steps, request),
            Err(_) => true,
        }
    }

    fn is_short(&self, request: &RunFunctionRequest) -> bool {
        match self.plan(request).as_ref() {
            Ok(steps) if steps.len() > FEW => false,
            _ => self.all(request, |function, asked| function.is_short(asked)),
        }
    }
}

/// This function, to be hosted beside those that its steps may name.
pub fn hosted(functions: impl IntoIterator<Item = Hosted>) -> Hosted {
    Hosted {
        name: "function-pipeline",
        api_version: "pipeline.fn.purlin.dev/v1alpha1",
        kind: "Pipeline",
        function: Arc::new(Pipeline::new(functions)),
    }
}
