//! Which objects beyond the composite does this Composition want to read?
//!
//! Input-compatible with function-extra-resources 0.3.0 (`extra-resources.fn.crossplane.io/v1beta1`, kind `Input`): objects
//! are asked for by name or by labels, and left in the context as `{<into>: [object, …]}`.
//!
//! What differs: an entry without the `ref` or `selector` its type needs is FATAL, where the original crashed; and a message
//! names the entry, what was found and what to do.

use purlin_function::selection::{self, Choice, LabelMatcher};
use purlin_function::{
    Diagnostic, Diagnostics, Hosted, RequestView as _, Response, RunFunctionRequest,
    RunFunctionResponse, Selector, input,
};
use purlin_object::{List, Object, ObjectRef, Value};
use serde::Deserialize;

/// The context key that is written unless the input names another.
const KEY: &str = "apiextensions.crossplane.io/extra-resources";

/// The function, under the name Compositions know it by.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-extra-resources",
        api_version: "extra-resources.fn.crossplane.io/v1beta1",
        kind: "Input",
        function: purlin_function::repeating(purlin_function::checked::<Input>(run, check)),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Input {
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Spec {
    extra_resources: Vec<Entry>,
    policy: Policy,
    context: Context,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Policy {
    resolution: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Context {
    key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Entry {
    r#type: String,
    api_version: String,
    kind: String,
    namespace: Option<String>,
    r#ref: Option<Reference>,
    selector: Option<LabelSelector>,
    into: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Reference {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct LabelSelector {
    min_match: Option<u64>,
    max_match: Option<u64>,
    sort_by_field_path: Option<String>,
    match_labels: Vec<LabelMatcher>,
}

/// All mistakes of the entries, found without running.
fn check(input: &Input) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (index, entry) in input.spec.extra_resources.iter().enumerate() {
        let path = format!("spec.extraResources[{index}]");
        let missing = |field: &str| {
            Diagnostic::error("input/required", "is required").path(format!("{path}.{field}"))
        };
        match (entry.r#type.as_str(), &entry.r#ref, &entry.selector) {
            ("" | "Reference", None, _) => {
                found.push(missing("ref").help("the name of the object, as `ref: {name: …}`"));
            }
            ("" | "Reference", ..) => {}
            ("Selector", _, None) => {
                found.push(missing("selector").help("the labels of the objects"));
            }
            ("Selector", _, Some(selector)) => {
                let at = |field: &str| format!("{path}.selector.{field}");
                found.extend(selection::check_labels(
                    &selector.match_labels,
                    &at("matchLabels"),
                ));
                let sort = selector.sort_by_field_path.as_deref().unwrap_or_default();
                found.extend(selection::check_path(sort, &at("sortByFieldPath")));
            }
            (other, ..) => found.push(
                Diagnostic::error("input/invalid", format!("`{other}` is unknown"))
                    .path(format!("{path}.type"))
                    .help("it is Reference or Selector"),
            ),
        }
    }
    found
}

fn run(request: &RunFunctionRequest) -> RunFunctionResponse {
    let mut response = Response::to(request);
    let input = match request.input().map(input::decode::<Input>).transpose() {
        Ok(input) => input.unwrap_or_default(),
        Err(mistakes) => return response.mistakes(&mistakes).build(),
    };
    response.require_nothing();
    match require(&input.spec, request, &mut response).and_then(|()| read(&input.spec, request)) {
        Ok(Some(found)) => {
            response.set_context(input.spec.context.key.as_deref().unwrap_or(KEY), found);
        }
        Ok(None) => {}
        Err(why) => {
            response.fatal(why);
        }
    }
    response.build()
}

/// Asks for what each entry wants. A selector to which no label is contributed asks for nothing.
fn require(
    spec: &Spec,
    request: &RunFunctionRequest,
    response: &mut Response,
) -> Result<(), String> {
    for (index, entry) in spec.extra_resources.iter().enumerate() {
        if let Some(selector) = selector(entry, request.observed_composite())
            .map_err(|why| place(index, entry, &why))?
        {
            response.require(&entry.into, selector);
        }
    }
    Ok(())
}

fn selector(entry: &Entry, composite: ObjectRef<'_>) -> Result<Option<Selector>, String> {
    let mut selector = Selector {
        api_version: entry.api_version.clone(),
        kind: entry.kind.clone(),
        namespace: entry.namespace.clone(),
        ..Selector::default()
    };
    match entry.r#type.as_str() {
        "" | "Reference" => {
            let reference = entry
                .r#ref
                .as_ref()
                .ok_or("type Reference needs ref.name")?;
            selector.name = Some(reference.name.clone());
        }
        "Selector" => {
            let wanted = entry
                .selector
                .as_ref()
                .ok_or("type Selector needs a selector")?;
            let labels = selection::labels(&wanted.match_labels, composite)?;
            if labels.is_empty() {
                return Ok(None);
            }
            selector.labels = Some(labels);
        }
        // As with the original, an unknown type asks for nothing, and is found out when the objects are read.
        _ => return Ok(None),
    }
    Ok(Some(selector))
}

/// What was found, by `into`; nothing when nobody has looked yet.
fn read(spec: &Spec, request: &RunFunctionRequest) -> Result<Option<Object>, String> {
    if request.required_resources.is_empty() && request.extra_resources.is_empty() {
        return Ok(None);
    }
    let mut all = Object::new();
    for (index, entry) in spec.extra_resources.iter().enumerate() {
        if let Some(objects) =
            read_entry(entry, spec, request).map_err(|why| place(index, entry, &why))?
        {
            let list: List = objects
                .into_iter()
                .map(|object| Value::Object(object.to_owned()))
                .collect();
            all.insert(&entry.into, Value::List(list));
        }
    }
    Ok(Some(all))
}

fn read_entry<'a>(
    entry: &Entry,
    spec: &Spec,
    request: &'a RunFunctionRequest,
) -> Result<Option<Vec<ObjectRef<'a>>>, String> {
    let nothing = "nothing was looked up for it: its type is neither Reference nor Selector, or its selector has no labels";
    let found = request.required_resources(&entry.into).ok_or(nothing)?;
    let wanted = match (entry.r#type.as_str(), &entry.selector) {
        ("" | "Reference", _) => return read_reference(entry, spec, found),
        ("Selector", Some(wanted)) => wanted,
        // What somebody looked up for an entry of another type is passed on, as with the original.
        _ => return Ok(Some(found.iter().map(selection::object).collect())),
    };
    let choice = Choice {
        min_match: wanted.min_match,
        max_match: wanted.max_match,
        sort_by: wanted.sort_by_field_path.as_deref(),
    };
    selection::choose(found, choice).map(Some)
}

fn read_reference<'a>(
    entry: &Entry,
    spec: &Spec,
    found: &'a [purlin_function::Resource],
) -> Result<Option<Vec<ObjectRef<'a>>>, String> {
    match (found, spec.policy.resolution.as_str()) {
        ([one], _) => Ok(Some(vec![selection::object(one)])),
        ([], "Optional") => Ok(None),
        ([], _) => {
            let name = entry
                .r#ref
                .as_ref()
                .map_or("", |reference| reference.name.as_str());
            Err(format!(
                "{} {name} does not exist; create it, or say policy.resolution: Optional",
                entry.kind
            ))
        }
        (many, _) => Err(format!(
            "a reference means one object, and {} were found",
            many.len()
        )),
    }
}

fn place(index: usize, entry: &Entry, why: &str) -> String {
    format!(
        "spec.extraResources[{index}] (into {:?}): {why}",
        entry.into
    )
}
