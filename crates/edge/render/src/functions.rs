//! Where does each step's function run?

use std::collections::BTreeMap;

use purlin_api::composition::Step;
use purlin_api::function::{ANNOTATION_RUNTIME, ANNOTATION_TARGET, Function, Runtime};
use purlin_diag::{Diagnostic, Diagnostics, Place, nearest};
use purlin_function::{Functions, Hosted, RunFunctionRequest};
use purlin_object::Object;
use purlin_yaml::PlaceMap;
use serde_json::Value;

use crate::inputs::Inputs;
use crate::manifest::Manifest;

/// Where a function runs.
#[derive(Debug, Clone)]
pub enum Route {
    /// In this process.
    Hosted(Hosted),
    /// Behind a gRPC address, without TLS.
    Remote(String),
}

/// Finds the function of every step, and what those in this process find wrong with their inputs. A function is one of
/// those in this process, by its name, the name of its package or the kind of its input; or else one that listens where
/// its manifest says.
pub fn route(inputs: &Inputs, hosted: &Functions) -> (BTreeMap<String, Route>, Diagnostics) {
    let steps = inputs.composition.pipeline.iter().enumerate();
    route_steps(steps, &inputs.functions, &inputs.composition_places, hosted)
}

/// What [`route`] would find in a Composition whose form is wrong, so that all mistakes are told at once.
pub(crate) fn check_steps(
    composition: &Manifest,
    functions: &[(Function, Place)],
    hosted: &Functions,
) -> Diagnostics {
    let written = composition.value.pointer("/spec/pipeline");
    let written = written.and_then(Value::as_array).into_iter().flatten();
    let steps: Vec<(usize, Step)> = written
        .enumerate()
        .filter_map(|(index, step)| {
            let input = step.get("input").filter(|input| input.is_object());
            let read = Step {
                name: step
                    .get("step")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                function: step.pointer("/functionRef/name")?.as_str()?.to_owned(),
                input: input.and_then(|input| Object::from_json(input.clone()).ok()),
                ..Step::default()
            };
            Some((index, read))
        })
        .collect();
    let steps = steps.iter().map(|(index, step)| (*index, step));
    route_steps(steps, functions, &composition.places, hosted).1
}

fn route_steps<'s>(
    steps: impl Iterator<Item = (usize, &'s Step)>,
    functions: &[(Function, Place)],
    places: &PlaceMap,
    hosted: &Functions,
) -> (BTreeMap<String, Route>, Diagnostics) {
    let mut routes = BTreeMap::new();
    let mut found = Diagnostics::new();
    for (index, step) in steps {
        let manifest = functions
            .iter()
            .find(|(function, _)| function.name == step.function);
        let function = manifest.map(|(function, _)| function);
        match find(step, function, hosted) {
            Ok(route) => {
                if let Route::Hosted(hosted) = &route {
                    found.extend(check_input(places, index, step, hosted));
                }
                routes.insert(step.name.clone(), route);
            }
            Err(problem) => {
                let path = format!("spec.pipeline[{index}].functionRef.name");
                let place = match manifest {
                    Some((_, place)) => place.clone(),
                    None => places.nearest(&path),
                };
                found.push(problem.help_with(functions, hosted, step).at(place));
            }
        }
    }
    found.sort();
    (routes, found)
}

/// What a function finds wrong with its input, with the places in the Composition's file.
fn check_input(places: &PlaceMap, index: usize, step: &Step, hosted: &Hosted) -> Diagnostics {
    let Some(input) = &step.input else {
        return Diagnostics::new();
    };
    let at = format!("spec.pipeline[{index}].input");
    let found = hosted.function.check(input).into_iter();
    found
        .map(|mut finding| {
            let inside = finding.path.take().unwrap_or_default();
            let dot = if inside.is_empty() || inside.starts_with('[') {
                ""
            } else {
                "."
            };
            let path = format!("{at}{dot}{inside}");
            let part = finding
                .within
                .and_then(|(start, end)| places.range(&path, start, end));
            let key = finding
                .code
                .0
                .ends_with("unknown-field")
                .then(|| places.key(&path));
            let place = part
                .or_else(|| key.flatten())
                .unwrap_or_else(|| places.nearest(&path));
            // What is not there has no place of its own, so it is named.
            if places.value(&path).is_none() && !inside.is_empty() {
                finding.message = format!("`{inside}` {}", finding.message);
            }
            finding.at(place).path(path)
        })
        .collect()
}

struct Problem(Box<Diagnostic>);

impl Problem {
    fn new(diagnostic: Diagnostic) -> Self {
        Self(Box::new(diagnostic))
    }

    fn help_with(
        self,
        functions: &[(Function, Place)],
        hosted: &Functions,
        step: &Step,
    ) -> Diagnostic {
        if self.0.help.is_some() {
            return *self.0;
        }
        let listed = functions.iter().map(|(function, _)| function.name.as_str());
        let here = hosted.hosted().iter().map(|hosted| hosted.name);
        let near = nearest(&step.function, listed.chain(here));
        let guess = near
            .map(|near| format!("did you mean {near}? "))
            .unwrap_or_default();
        self.0.help(format!(
            "{guess}Add a Function of this name to FUNCTIONS, with the annotations {ANNOTATION_RUNTIME}: Development and \
             {ANNOTATION_TARGET}: HOST:PORT, and start it there"
        ))
    }
}

fn find(step: &Step, function: Option<&Function>, hosted: &Functions) -> Result<Route, Problem> {
    if let Some(hosted) = find_hosted(step, function, hosted) {
        return Ok(Route::Hosted(hosted.clone()));
    }
    let name = &step.function;
    let Some(function) = function else {
        let message = format!(
            "the function {name:?} of step {:?} is not one of ours, and no manifest says where it listens",
            step.name
        );
        return Err(Problem::new(Diagnostic::error(
            "render/unknown-function",
            message,
        )));
    };
    match function.runtime() {
        Runtime::Development(target) => Ok(Route::Remote(target.to_owned())),
        Runtime::Container => {
            let message =
                format!("the function {name:?} would run in a container, which is not supported");
            let error = Diagnostic::error("render/container-runtime", message);
            Err(Problem::new(error.help(format!(
                "start it yourself with --insecure and annotate it {ANNOTATION_RUNTIME}: Development and {ANNOTATION_TARGET}: HOST:PORT"
            ))))
        }
        Runtime::Unknown(runtime) => {
            let message =
                format!("the function {name:?} has the runtime {runtime:?}, which nobody knows");
            let error = Diagnostic::error("render/unknown-runtime", message);
            Err(Problem::new(
                error.help("the runtimes are Development and Docker"),
            ))
        }
    }
}

fn find_hosted<'h>(
    step: &Step,
    function: Option<&Function>,
    hosted: &'h Functions,
) -> Option<&'h Hosted> {
    let request = RunFunctionRequest {
        input: step.input.clone(),
        ..RunFunctionRequest::default()
    };
    let named = |name: &str| {
        // Crossplane names functions that a package depends on after their organisation, too.
        let same = |hosted: &&Hosted| {
            name == hosted.name
                || name
                    .strip_suffix(hosted.name)
                    .is_some_and(|head| head.ends_with('-'))
        };
        hosted.hosted().iter().find(same)
    };
    let package = function.map(|function| {
        let image = function.package.rsplit('/').next().unwrap_or_default();
        image.split([':', '@']).next().unwrap_or_default()
    });
    hosted
        .find(&step.function, &request)
        .or_else(|| named(&step.function))
        .or_else(|| hosted.find(package.filter(|package| !package.is_empty())?, &request))
}
