//! Which tags do managed resources carry?
//!
//! Input-compatible with function-tag-manager 0.9.0 (`tag-manager.fn.crossplane.io/v1beta1`, kind `ManagedTags`): on desired
//! resources of a known kind `addTags` adds tags, `ignoreTags` takes over the values that are observed, and `removeTags`
//! removes, in this order. A resource with the annotation or label `tag-manager.fn.crossplane.io/ignore-resource: "true"` is
//! left alone.
//!
//! Kept although it surprises: `policy` is only looked at when `type` is given; a resource without any tag gets `tags: null`;
//! of several `removeTags` with a field path the last one counts. What differs: a type that needs a field path and has none
//! is FATAL, where the original crashed.

mod input;
mod kinds;
mod tags;

use std::sync::Arc;

use purlin_function::{
    Diagnostics, Function, Hosted, RequestView as _, Response, RunFunctionRequest,
    RunFunctionResponse,
};
use purlin_object::{Object, ObjectRef, Path, ValueRef};

use input::{Input, Source, source};
use tags::{Tags, Update};

const IGNORE: &str = "tag-manager.fn.crossplane.io/ignore-resource";

/// The context key of the environment.
const ENVIRONMENT: &str = "apiextensions.crossplane.io/environment";

/// The function, under the name Compositions know it by.
pub fn hosted() -> Hosted {
    Hosted {
        name: "function-tag-manager",
        api_version: "tag-manager.fn.crossplane.io/v1beta1",
        kind: "ManagedTags",
        function: purlin_function::repeating(Arc::new(TagManager)),
    }
}

struct TagManager;

impl Function for TagManager {
    fn run(&self, request: &RunFunctionRequest) -> RunFunctionResponse {
        let mut response = Response::to(request);
        let input = match request.input().map(input::decode).transpose() {
            Ok(input) => input.unwrap_or_default(),
            Err(mistakes) => return response.mistakes(&mistakes).build(),
        };
        let added = added(&input, request);
        let removed = removed(&input, request);
        for (name, desired) in request.desired_resources() {
            let Some(object) = &desired.resource else {
                continue;
            };
            if !has_tags(object.as_ref()) || is_ignored(object.as_ref()) {
                continue;
            }
            let mut tags = tags::of(object.as_ref());
            added.apply(&mut tags);
            if let Some(observed) = request.observed_resource(name) {
                ignore(&input, request, observed, &mut tags);
            }
            for key in &removed {
                tags.remove(key);
            }
            if let Some(object) = &mut response.desired_mut(name).resource {
                tags::set(object, &tags);
            }
        }
        response.normal("Successfully Processed tags");
        response.plain_resources().build()
    }

    fn check(&self, input: &Object) -> Diagnostics {
        input::decode(input).err().unwrap_or_default()
    }

    fn input_schema(&self) -> Option<purlin_function::input::Schema> {
        Some(purlin_function::input::schema_of::<Input>())
    }
}

fn has_tags(resource: ObjectRef<'_>) -> bool {
    let text = |field| resource.get(field).and_then(ValueRef::as_str);
    match (text("apiVersion"), text("kind")) {
        (Some(api_version), Some(kind)) => kinds::has_tags(api_version, kind),
        _ => false,
    }
}

/// The annotation hides the label. Annotations are readable only when all of them are texts.
fn is_ignored(resource: ObjectRef<'_>) -> bool {
    let map = |field| {
        resource
            .get_path(&["metadata", field])
            .and_then(ValueRef::as_object)
    };
    let annotation = map("annotations")
        .filter(|all| all.iter().all(|(_, value)| value.as_str().is_some()))
        .and_then(|all| all.get(IGNORE)?.as_str());
    let label = || map("labels").and_then(|all| all.get(IGNORE)?.as_str());
    annotation
        .or_else(label)
        .is_some_and(|word| word.eq_ignore_ascii_case("true"))
}

fn at<'r>(path: &str, object: Option<ObjectRef<'r>>) -> Option<ValueRef<'r>> {
    Path::parse(path).ok()?.get(object?).ok()
}

fn environment(request: &RunFunctionRequest) -> Option<ObjectRef<'_>> {
    request.context(ENVIRONMENT).and_then(ValueRef::as_object)
}

fn added(input: &Input, request: &RunFunctionRequest) -> Update {
    let mut update = Update::default();
    for entry in &input.add_tags {
        let tags = match source(&entry.r#type, entry.from_field_path.as_deref()) {
            Source::Value => Tags::from(&entry.tags),
            Source::Composite(path) => at(path, Some(request.observed_composite()))
                .map(Tags::lenient)
                .unwrap_or_default(),
            Source::Environment(path) => at(path, environment(request))
                .and_then(Tags::strict)
                .unwrap_or_default(),
            Source::Nowhere => Tags::default(),
        };
        update.add(&entry.r#type, &entry.policy, &tags);
    }
    update
}

/// Takes over the observed values of keys that others look after.
fn ignore(input: &Input, request: &RunFunctionRequest, observed: ObjectRef<'_>, tags: &mut Tags) {
    let Some(observed) = observed
        .get_path(&["status", "atProvider", "tags"])
        .and_then(Tags::strict)
    else {
        return;
    };
    let mut update = Update::default();
    for entry in &input.ignore_tags {
        let keys = match source(&entry.r#type, entry.from_field_path.as_deref()) {
            Source::Value => entry.keys.clone(),
            Source::Composite(path) => {
                keys(at(path, Some(request.observed_composite()))).unwrap_or_default()
            }
            Source::Environment(path) => keys(at(path, environment(request))).unwrap_or_default(),
            Source::Nowhere => Vec::new(),
        };
        let values: Tags = keys
            .into_iter()
            .filter_map(|key| Some((observed.get(&key)?.clone(), key)))
            .map(|(value, key)| (key, value))
            .collect();
        update.add(&entry.r#type, &entry.policy, &values);
    }
    update.apply(tags);
}

/// The keys to remove. Those of a field path take the place of all before them.
fn removed(input: &Input, request: &RunFunctionRequest) -> Vec<String> {
    let mut removed = Vec::new();
    for entry in &input.remove_tags {
        let found = match source(&entry.r#type, entry.from_field_path.as_deref()) {
            Source::Value => {
                removed.extend(entry.keys.iter().cloned());
                None
            }
            Source::Composite(path) => keys(at(path, Some(request.observed_composite()))),
            Source::Environment(path) => keys(at(path, environment(request))),
            Source::Nowhere => None,
        };
        if let Some(found) = found {
            removed = found;
        }
    }
    removed
}

/// The texts of a list.
fn keys(value: Option<ValueRef<'_>>) -> Option<Vec<String>> {
    let list = value?.as_list()?;
    let texts = list.iter().filter_map(ValueRef::as_str);
    Some(texts.map(str::to_owned).collect())
}
