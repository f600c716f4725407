//! Which desired resources does a composite not get?
//!
//! Input-compatible with function-cel-filter 0.2.0 (`cel.fn.crossplane.io/v1beta1`, kind `Filters`): a resource whose name
//! matches a filter is desired no longer when the filter's expression is false. An expression is CEL without extensions over
//! `observed`, `desired` and `context`, and certain to be bool; it is evaluated whether or not a name matches. Any mistake is
//! FATAL, and then nothing is dropped.
//!
//! What differs: all mistakes of all filters are reported at once, each with its field path.

mod filter;
mod input;

use std::sync::Arc;

use purlin_function::{
    Diagnostics, Function, Hosted, RequestView as _, Response, RunFunctionRequest,
    RunFunctionResponse, cel,
};
use purlin_object::Object;

use filter::Filter;
use input::Input;

/// The function, under the name Compositions know it by.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-cel-filter",
        api_version: "cel.fn.crossplane.io/v1beta1",
        kind: "Filters",
        function: purlin_function::repeating(Arc::new(CelFilter)),
    }
}

struct CelFilter;

impl Function for CelFilter {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        let mut response = Response::to(request);
        let filters = match request.input().map(compile).transpose() {
            Ok(filters) => filters.unwrap_or_default(),
            Err(mistakes) => return response.mistakes(&mistakes).build(),
        };
        match dropping(&filters, request) {
            Ok(dropping) if dropping.is_empty() => {}
            Ok(dropping) => response
                .state()
                .resources
                .retain(|name, _| !dropping.iter().any(|filter| filter.matches(name))),
            Err(why) => {
                response.fatal(why.join("; "));
            }
        }
        response.build()
    }

    fn check(&self, input: &Object) -> Diagnostics {
        compile(input).err().unwrap_or_default()
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(purlin_function::input::schema_of::<Input>())
    }
}

fn compile(input: &Object) -> Result<Vec<Filter>, Diagnostics> {
    let input: Input = purlin_function::input::decode(input)?;
    let variables = cel::shapes();
    let mut filters = Vec::new();
    let mut mistakes = Diagnostics::new();
    for (index, filter) in input.filters.iter().enumerate() {
        match Filter::compile(index, filter, &variables) {
            Ok(filter) => filters.push(filter),
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() {
        Ok(filters)
    } else {
        Err(mistakes)
    }
}

/// The filters that drop what they match.
fn dropping<'f>(
    filters: &'f [Filter],
    request: &RunFunctionRequest,
) -> Result<Vec<&'f Filter>, Vec<String>> {
    let bindings = cel::wire_bindings(request);
    let mut dropping = Vec::new();
    let mut faults = Vec::new();
    for filter in filters {
        match filter.keeps(&bindings) {
            Ok(true) => {}
            // Without a desired state there is nothing to drop, and none is made.
            Ok(false) if request.desired.is_none() => {}
            Ok(false) => dropping.push(filter),
            Err(why) => faults.push(why),
        }
    }
    if faults.is_empty() {
        Ok(dropping)
    } else {
        Err(faults)
    }
}
