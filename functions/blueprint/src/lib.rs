//! Blueprint: a typed composition language on CEL.
//!
//! Resources are YAML with `${…}` holes. What a hole reads orders the resources: one whose inputs are not there yet is
//! pending. A pending resource is not created, and if it is already live it is kept as it is; nothing that exists is
//! ever dropped because something else cannot be seen for a moment.
//!
//! Which fields hold expressions, what these see and what they give is described in [`language`], once, for the function's
//! own compiler and for checkers that know schemas. Modules that are files of their own are in an input before it comes here (`purlin_composition::modules`).
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
mod fuel;
mod given;
mod graph;
mod graph_of;
mod input;
mod instance;
pub mod language;
mod live;
mod names;
mod plan;
mod requires;
mod run;
mod template;
mod usages;
mod uses;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_function::{
    Function, Hosted, Plans, RequestView as _, Response, RunFunctionRequest, RunFunctionResponse,
};

use fuel::Fuel;

/// How many requests are not tried in a hurry after one that took long.
const PATIENCE: u32 = 16;

/// The function.
#[derive(Debug, Default)]
pub struct Blueprint {
    plans: Plans<Compiled>,
}

/// What an input compiled to.
#[derive(Debug)]
struct Compiled {
    plan: Result<plan::Plan, Diagnostics>,
    /// How many of the next requests take long, it seems.
    long: AtomicU32,
}

impl Blueprint {
    fn plan(&self, input: &purlin_object::Object) -> Arc<Compiled> {
        self.plans.of(input, || Compiled {
            plan: compile::compile(input),
            long: AtomicU32::new(0),
        })
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
        match &self.plan(input).plan {
            Ok(plan) => run::run(plan, request, Fuel::new())
                .expect("only a run in a hurry ends before it has an answer"),
            Err(mistakes) => Response::to(request).mistakes(mistakes).build(),
        }
    }

    fn run_short(&self, request: &RunFunctionRequest) -> Option<RunFunctionResponse> {
        // Compiling takes long.
        let compiled = self.plans.known(request.input()?)?;
        let plan = compiled.plan.as_ref().ok()?;
        // Who uses whom is a question about pairs of resources.
        if plan.usages.is_some() {
            return None;
        }
        let long = compiled.long.load(Relaxed);
        if long > 0 {
            compiled.long.store(long - 1, Relaxed);
            return None;
        }
        let response = run::run(plan, request, Fuel::short());
        if response.is_none() {
            compiled.long.store(PATIENCE, Relaxed);
        }
        response
    }

    fn check(&self, input: &purlin_object::Object) -> Diagnostics {
        let compiled = self.plan(input);
        compiled.plan.as_ref().err().cloned().unwrap_or_default()
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
