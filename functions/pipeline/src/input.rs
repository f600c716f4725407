//! Which steps does the input name, and what is wrong with it?

use std::collections::BTreeSet;

use purlin_function::input::{Schema, decode, schema_of};
use purlin_function::{Diagnostic, Diagnostics, Functions, Hosted, RunFunctionRequest};
use purlin_object::{Limits, Object};
use serde::Deserialize;

/// As many as a Composition may have.
const MAX_STEPS: usize = 99;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    steps: Vec<InputStep>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct InputStep {
    step: String,
    #[serde(default)]
    function_ref: Option<FunctionRef>,
    #[serde(default)]
    input: Option<Object>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionRef {
    name: String,
}

/// A step and who runs it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) hosted: Hosted,
    pub(crate) input: Option<Object>,
}

/// The schema of the input.
pub(crate) fn schema() -> Schema {
    schema_of::<Input>()
}

/// The steps of an input, or everything that is wrong with them.
pub(crate) fn compile(input: &Object, functions: &Functions) -> Result<Vec<Step>, Diagnostics> {
    let input: Input = decode(input)?;
    let mut found = Diagnostics::new();
    if input.steps.is_empty() || input.steps.len() > MAX_STEPS {
        let message = format!("there are {} steps", input.steps.len());
        let finding = Diagnostic::error("pipeline/steps", message).path("steps");
        found.push(finding.help(format!("a pipeline has 1 to {MAX_STEPS}")));
    }
    let mut names = BTreeSet::new();
    let mut steps = Vec::with_capacity(input.steps.len());
    for (index, step) in input.steps.into_iter().enumerate() {
        let at = format!("steps[{index}]");
        let wrong = name_mistake(&step.step);
        if let Some(message) = wrong {
            let finding = Diagnostic::error("pipeline/step-name", message);
            found.push(finding.path(format!("{at}.step")));
        } else if !names.insert(step.step.clone()) {
            let message = format!("there is a step named {} before this one", step.step);
            let finding = Diagnostic::error("pipeline/step-name", message);
            found.push(
                finding
                    .path(format!("{at}.step"))
                    .help("give each its own name"),
            );
        }
        match hosted(&step, functions) {
            Ok(hosted) => steps.push(Step {
                name: step.step,
                hosted,
                input: step.input.as_ref().and_then(own_bytes),
            }),
            Err(mistakes) => found.extend(within(mistakes, &at)),
        }
    }
    if found.is_empty() {
        Ok(steps)
    } else {
        Err(found)
    }
}

/// Everything that is wrong with an input, also in the inputs of its steps.
pub(crate) fn check(input: &Object, functions: &Functions) -> Diagnostics {
    match compile(input, functions) {
        Ok(steps) => {
            let found = steps.iter().enumerate().flat_map(|(index, step)| {
                let empty = Object::new();
                let input = step.input.as_ref().unwrap_or(&empty);
                within(
                    step.hosted.function.check(input),
                    &format!("steps[{index}].input"),
                )
            });
            found.collect()
        }
        Err(mistakes) => mistakes,
    }
}

/// Requirements are asked under the step's name and a slash.
fn name_mistake(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("a step needs a name".to_owned())
    } else if name.contains('/') {
        Some(format!("{name} has a `/`; a step's name may not"))
    } else {
        None
    }
}

/// The function of a step: by its name, else by the kind of its input, as Compositions are served.
fn hosted(step: &InputStep, functions: &Functions) -> Result<Hosted, Diagnostics> {
    let asked = RunFunctionRequest {
        input: step.input.clone(),
        ..RunFunctionRequest::default()
    };
    let Some(reference) = &step.function_ref else {
        return functions.pick(&asked).cloned();
    };
    let found = functions.find(&reference.name, &asked).cloned();
    found.ok_or_else(|| {
        let unknown = functions.unknown_name(&reference.name);
        unknown.path("functionRef.name").into()
    })
}

/// Bytes of its own: those of the input belong to a whole request, which a plan must not keep.
fn own_bytes(input: &Object) -> Option<Object> {
    Object::from_wire(input.to_wire().to_vec(), Limits::default()).ok()
}

/// The same findings, with their paths below another.
fn within(found: Diagnostics, at: &str) -> Vec<Diagnostic> {
    let moved = found.into_iter().map(|finding| {
        let path = match &finding.path {
            Some(path) if path.starts_with('[') => format!("{at}{path}"),
            Some(path) => format!("{at}.{path}"),
            None => at.to_owned(),
        };
        finding.path(path)
    });
    moved.collect()
}
