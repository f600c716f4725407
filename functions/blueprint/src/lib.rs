//! Blueprint: a typed composition language on CEL.
//!
//! Resources are YAML with `${…}` holes. What a hole reads orders the resources: one whose inputs are not there yet is
//! pending. A pending resource is not created, and if it is already live it is kept as it is; nothing that exists is
//! ever dropped because something else cannot be seen for a moment.
//!
//! Which fields hold expressions, what these see and what they give is described in [`language`], once, for the function's
//! own compiler and for checkers that know schemas. Modules that are files of their own get into an input by [`modules`].
//!
//! An input is compiled once and kept by its content: expressions are parsed, what has no holes is encoded, and what
//! reads the same everywhere in a body is evaluated once for each request. `docs/manual/blueprint.md` is the reference.

mod answer;
mod bind;
mod body;
mod compile;
mod compiler;
mod conditions;
mod connection;
mod declare;
mod elements;
mod encoding;
mod external;
mod fill;
mod frame;
mod given;
mod graph;
mod graph_of;
mod input;
mod instance;
pub mod language;
mod live;
pub mod modules;
mod names;
mod plan;
mod requires;
mod run;
mod template;
mod usages;
mod uses;

use std::sync::Arc;

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_function::{
    Function, Hosted, Plans, RequestView as _, Response, RunFunctionRequest, RunFunctionResponse,
};

/// The function.
#[derive(Debug, Default)]
pub struct Blueprint {
    plans: Plans<Result<plan::Plan, Diagnostics>>,
}

impl Blueprint {
    fn plan(&self, input: &purlin_object::Object) -> Arc<Result<plan::Plan, Diagnostics>> {
        self.plans.of(input, || compile::compile(input))
    }
}

impl Function for Blueprint {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        let Some(input) = request.input() else {
            let missing =
                Diagnostic::error("blueprint/no-input", "a Blueprint is needed as the input")
                    .path("input");
            return Response::to(request).mistakes(&missing.into()).build();
        };
        match self.plan(input).as_ref() {
            Ok(plan) => run::run(plan, request),
            Err(mistakes) => Response::to(request).mistakes(mistakes).build(),
        }
    }

    fn check(&self, input: &purlin_object::Object) -> Diagnostics {
        self.plan(input)
            .as_ref()
            .as_ref()
            .err()
            .cloned()
            .unwrap_or_default()
    }

    fn repeats(&self, _: &RunFunctionRequest) -> bool {
        // Expressions see the request and nothing else.
        true
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(purlin_function::input::schema_of::<input::Input>())
    }
}

/// This function, to be hosted.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-blueprint",
        api_version: "blueprint.fn.purlin.dev/v1alpha1",
        kind: "Blueprint",
        function: Arc::new(Blueprint::default()),
    }
}
