//! Blueprint: a typed composition language on CEL.
//!
//! Resources are YAML with `${…}` holes. What a hole reads orders the resources: one whose inputs are not there yet is
//! pending. A pending resource is not created, and if it is already live it is kept as it is; nothing that exists is
//! ever dropped because something else cannot be seen for a moment.
//!
//! The variables of expressions:
//!
//! | variable | what it is |
//! | --- | --- |
//! | `xr` | the composite as it is; what its `status` lacks is waited for |
//! | a resource's name (`-` and `.` written as `_`) | the composed resource as it is, with `connection` for its connection details; for `forEach`, a map of them by element |
//! | a name of `let` | that value |
//! | a name of `requires` | the object found, or a list of them when they are asked for by labels |
//! | `environment`, `context` | the environment of the pipeline, and its whole context |
//! | `self` | in `ready`: the resource itself |
//!
//! An input is compiled once and kept by its content.

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
mod names;
mod plan;
mod requires;
mod run;
mod template;
mod usages;
mod uses;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_function::{
    Function, Hosted, RequestView as _, Response, RunFunctionRequest, RunFunctionResponse,
};

use crate::plan::Plan;

/// How many compiled inputs are kept.
const KEPT: usize = 128;

type Compiled = Arc<Result<Plan, Diagnostics>>;

/// The function.
#[derive(Debug, Default)]
pub struct Blueprint {
    /// Most recently used first.
    plans: Mutex<VecDeque<([u8; 32], Compiled)>>,
}

impl Blueprint {
    fn plan(&self, input: &purlin_object::Object) -> Compiled {
        let hash = input.canonical_hash();
        if let Some(compiled) = self.kept(&hash) {
            return compiled;
        }
        // Compiling is slow, so nobody waits for it; two requests may both do it.
        let compiled = Arc::new(compile::compile(input));
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.push_front((hash, Arc::clone(&compiled)));
        plans.truncate(KEPT);
        compiled
    }

    fn kept(&self, hash: &[u8; 32]) -> Option<Compiled> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let at = plans.iter().position(|(have, _)| have == hash)?;
        let entry = plans.remove(at)?;
        let compiled = Arc::clone(&entry.1);
        plans.push_front(entry);
        Some(compiled)
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
