//! What is the environment of this composite?
//!
//! Input-compatible with function-environment-configs 0.7.1 (`environmentconfigs.fn.crossplane.io/v1beta1`, kind `Input`):
//! EnvironmentConfigs are asked for by name or by labels and merged, in order, over the environment of earlier steps, over
//! `defaultData`, into the context key `apiextensions.crossplane.io/environment`.
//!
//! What differs: an entry without the `ref` or `selector` its type needs is FATAL, where the original crashed; paths of
//! different entries that overlap are written in the order of the list, where the original's order was random; and a message
//! names the entry, what was found and what to do.

mod check;
mod environment;
mod input;

use purlin_function::selection::{self, Choice};
use purlin_function::{
    Hosted, RequestView as _, Resource, Response, RunFunctionRequest, RunFunctionResponse, Selector,
};
use purlin_object::{Object, ObjectRef};

use environment::Layers;
use input::{Entry, Input, Spec};

/// The context key of the environment.
const KEY: &str = "apiextensions.crossplane.io/environment";

/// The function, under the name Compositions know it by.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-environment-configs",
        api_version: "environmentconfigs.fn.crossplane.io/v1beta1",
        kind: "Input",
        function: purlin_function::repeating(purlin_function::checked::<Input>(run, check::check)),
    }
}

fn run(request: &RunFunctionRequest) -> RunFunctionResponse {
    let mut response = Response::to(request);
    let input = match request
        .input()
        .map(purlin_function::input::decode::<Input>)
        .transpose()
    {
        Ok(input) => input.unwrap_or_default(),
        Err(mistakes) => return response.mistakes(&mistakes).build(),
    };
    let Some(entries) = &input.spec.environment_configs else {
        return response.build();
    };
    response.require_nothing();
    match require(entries, request, &mut response)
        .and_then(|()| read(entries, &input.spec, request))
    {
        Ok(Some(environment)) => {
            response.set_context(KEY, environment);
        }
        Ok(None) => {}
        Err(why) => {
            response.fatal(why);
        }
    }
    response.build()
}

/// The name under which the objects of an entry are asked for.
fn requirement(index: usize) -> String {
    format!("environment-config-{index}")
}

/// Asks for what each entry wants. A selector to which no label is contributed asks for nothing.
fn require(
    entries: &[Entry],
    request: &RunFunctionRequest,
    response: &mut Response,
) -> Result<(), String> {
    for (index, entry) in entries.iter().enumerate() {
        if let Some(selector) =
            selector(entry, request.observed_composite()).map_err(|why| place(index, &why))?
        {
            response.require(requirement(index), selector);
        }
    }
    Ok(())
}

fn selector(entry: &Entry, composite: ObjectRef<'_>) -> Result<Option<Selector>, String> {
    let mut selector = Selector {
        api_version: "apiextensions.crossplane.io/v1beta1".to_owned(),
        kind: "EnvironmentConfig".to_owned(),
        ..Selector::default()
    };
    if entry.is_selector() {
        let wanted = entry
            .selector
            .as_ref()
            .ok_or("type Selector needs a selector")?;
        let labels = selection::labels(&wanted.match_labels, composite)?;
        if labels.is_empty() {
            return Ok(None);
        }
        selector.labels = Some(labels);
        return Ok(Some(selector));
    }
    if entry.is_reference() {
        let reference = entry
            .r#ref
            .as_ref()
            .ok_or("type Reference needs ref.name")?;
        selector.name = Some(reference.name.clone());
        return Ok(Some(selector));
    }
    // As with the original, an entry of another type asks for nothing and gives nothing.
    Ok(None)
}

/// The environment; nothing when nobody has looked yet.
fn read(
    entries: &[Entry],
    spec: &Spec,
    request: &RunFunctionRequest,
) -> Result<Option<Object>, String> {
    if request.required_resources.is_empty() && request.extra_resources.is_empty() {
        return Ok(None);
    }
    let mut layers = Layers::new();
    for (index, entry) in entries.iter().enumerate() {
        let configs = read_entry(index, entry, spec, request).map_err(|why| place(index, &why))?;
        for config in configs {
            layers
                .add(entry.to_field_path.as_deref().unwrap_or_default(), config)
                .map_err(|why| place(index, &why))?;
        }
    }
    let before = request
        .context(KEY)
        .and_then(purlin_object::ValueRef::as_object);
    Ok(Some(layers.over(before, spec.default_data.as_ref())))
}

fn read_entry<'a>(
    index: usize,
    entry: &Entry,
    spec: &Spec,
    request: &'a RunFunctionRequest,
) -> Result<Vec<ObjectRef<'a>>, String> {
    // What was not asked for was not looked up.
    let Some(found) = request.required_resources(&requirement(index)) else {
        return Ok(Vec::new());
    };
    if entry.is_reference() {
        return read_reference(entry, spec, found);
    }
    let Some(wanted) = entry.selector.as_ref().filter(|_| entry.is_selector()) else {
        return Ok(Vec::new());
    };
    let choice = Choice {
        min_match: wanted.min_match,
        max_match: wanted.max_match,
        sort_by: wanted.sort_by_field_path.as_deref(),
    };
    match wanted.mode.as_deref().unwrap_or("Single") {
        "Single" if found.len() == 1 => Ok(found.iter().map(selection::object).collect()),
        "Single" => Err(format!(
            "mode Single needs exactly one EnvironmentConfig, and {} were found; narrow matchLabels, or say mode: Multiple",
            found.len()
        )),
        "Multiple" => selection::choose(found, choice),
        other => Err(format!("mode {other} is neither Single nor Multiple")),
    }
}

fn read_reference<'a>(
    entry: &Entry,
    spec: &Spec,
    found: &'a [Resource],
) -> Result<Vec<ObjectRef<'a>>, String> {
    match (found, spec.policy.resolution.as_str()) {
        ([one], _) => Ok(vec![selection::object(one)]),
        ([], "Optional") => Ok(Vec::new()),
        ([], _) => {
            let name = entry
                .r#ref
                .as_ref()
                .map_or("", |reference| reference.name.as_str());
            Err(format!(
                "EnvironmentConfig {name} does not exist; create it, or say policy.resolution: Optional"
            ))
        }
        (many, _) => Err(format!(
            "a reference means one EnvironmentConfig, and {} were found",
            many.len()
        )),
    }
}

fn place(index: usize, why: &str) -> String {
    format!("spec.environmentConfigs[{index}]: {why}")
}
