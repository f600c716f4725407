//! Do the resources match, and what do their messages tell?

use std::collections::BTreeMap;

use purlin_function::{RequestView as _, RunFunctionRequest};
use purlin_object::{ObjectRef, ValueRef};
use purlin_template::regexp;
use regex::bytes::Regex;

use crate::input::{ConditionMatcher, Matcher};

/// What the groups of message patterns captured, by their names.
pub(crate) type Groups = BTreeMap<String, String>;

/// The context key under which extra-resources leaves what it found.
const EXTRA: &str = "apiextensions.crossplane.io/extra-resources";

/// The composite's name among the resources; no pattern is matched against it.
const COMPOSITE: &str = "function-status-transformer.reserved-keys.composite-resource";

/// Objects by the names that patterns are matched against.
pub(crate) type Resources<'r> = BTreeMap<String, ObjectRef<'r>>;

/// Compiles a pattern, which is written for Go.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    regexp::compile(text).map_err(|error| format!("{text:?} is no regular expression: {error}"))
}

/// What earlier steps left of other objects.
///
/// # Errors
/// When it has not the form in which extra-resources leaves it.
pub(crate) fn extra(request: &RunFunctionRequest) -> Result<Resources<'_>, String> {
    let Some(value) = request.context(EXTRA) else {
        return Ok(Resources::new());
    };
    let wrong = |place: &str, value: ValueRef<'_>, wanted: &str| {
        format!("context {EXTRA}{place} is {}, not {wanted}", value.kind())
    };
    let by_entry = value
        .as_object()
        .ok_or_else(|| wrong("", value, "an object with lists"))?;
    let mut extra = Resources::new();
    for (entry, found) in by_entry {
        let place = format!(", member {entry},");
        let list = found
            .as_list()
            .ok_or_else(|| wrong(&place, found, "a list of objects"))?;
        for item in list {
            let object = item
                .as_object()
                .ok_or_else(|| wrong(&format!("{place} element"), item, "an object"))?;
            extra.insert(extra_name(entry, object), object);
        }
    }
    Ok(extra)
}

fn extra_name(entry: &str, object: ObjectRef<'_>) -> String {
    let text = |path: &[&str]| object.get_path(path).and_then(ValueRef::as_str);
    let api_version = text(&["apiVersion"]).unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    [
        "extra-resource",
        entry,
        group,
        text(&["kind"]).unwrap_or_default(),
        text(&["metadata", "namespace"]).unwrap_or_default(),
        text(&["metadata", "name"]).unwrap_or_default(),
    ]
    .join(".")
}

/// Whether a matcher matches: what its patterns captured if it does.
///
/// # Errors
/// Patterns that are none.
pub(crate) fn matches(
    matcher: &Matcher,
    request: &RunFunctionRequest,
    extra: &Resources<'_>,
) -> Result<Option<Groups>, String> {
    let resources = resources(matcher, request, extra)?;
    if resources.is_empty() || matcher.conditions.is_empty() {
        return Ok(None);
    }
    let resources = resources.values().copied();
    match matcher.r#type.as_deref().unwrap_or_default() {
        "AnyResourceMatchesAnyCondition" => first(resources, |resource| {
            first(&matcher.conditions, |condition| holds(condition, resource))
        }),
        "AnyResourceMatchesAllConditions" => {
            // What a resource captured that failed later is kept, as the original keeps it.
            let mut captured = Groups::new();
            for resource in resources {
                if each(&matcher.conditions, resource, &mut captured)? == matcher.conditions.len() {
                    return Ok(Some(captured));
                }
            }
            Ok(None)
        }
        "AllResourcesMatchAnyCondition" => {
            let mut captured = Groups::new();
            for resource in resources {
                let mut some = false;
                for condition in &matcher.conditions {
                    if let Some(groups) = holds(condition, resource)? {
                        captured.extend(groups);
                        some = true;
                    }
                }
                if !some {
                    return Ok(None);
                }
            }
            Ok(Some(captured))
        }
        // Any other word means this one.
        _ => {
            let mut captured = Groups::new();
            for resource in resources {
                if each(&matcher.conditions, resource, &mut captured)? < matcher.conditions.len() {
                    return Ok(None);
                }
            }
            Ok(Some(captured))
        }
    }
}

fn resources<'r>(
    matcher: &Matcher,
    request: &'r RunFunctionRequest,
    extra: &Resources<'r>,
) -> Result<Resources<'r>, String> {
    let mut matched = Resources::new();
    for (index, wanted) in matcher.resources.iter().enumerate() {
        let pattern =
            pattern(&wanted.name).map_err(|why| format!("resources[{index}].name: {why}"))?;
        for name in request.observed_resources().keys() {
            if let (true, Some(object)) = (
                pattern.is_match(name.as_bytes()),
                request.observed_resource(name),
            ) {
                matched.insert(name.clone(), object);
            }
        }
        if matcher.include_extra_resources {
            let found = extra
                .iter()
                .filter(|(name, _)| pattern.is_match(name.as_bytes()));
            matched.extend(found.map(|(name, object)| (name.clone(), *object)));
        }
    }
    if matcher.include_composite_as_resource {
        matched.insert(COMPOSITE.to_owned(), request.observed_composite());
    }
    Ok(matched)
}

/// The first that gives something.
fn first<T>(
    items: impl IntoIterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<Option<Groups>, String>,
) -> Result<Option<Groups>, String> {
    for item in items {
        if let Some(groups) = holds(item)? {
            return Ok(Some(groups));
        }
    }
    Ok(None)
}

/// How many conditions hold until one does not.
fn each(
    conditions: &[ConditionMatcher],
    resource: ObjectRef<'_>,
    captured: &mut Groups,
) -> Result<usize, String> {
    for (index, condition) in conditions.iter().enumerate() {
        match holds(condition, resource)? {
            Some(groups) => captured.extend(groups),
            None => return Ok(index),
        }
    }
    Ok(conditions.len())
}

fn holds(wanted: &ConditionMatcher, resource: ObjectRef<'_>) -> Result<Option<Groups>, String> {
    let condition = resource.condition(&wanted.r#type);
    let differs = |wanted: &Option<String>, is: &str| wanted.as_ref().is_some_and(|w| w != is);
    if differs(&wanted.reason, condition.reason) || differs(&wanted.status, condition.status) {
        return Ok(None);
    }
    let Some(message) = &wanted.message else {
        return Ok(Some(Groups::new()));
    };
    let pattern = pattern(message).map_err(|why| format!("conditions.message: {why}"))?;
    let Some(captures) = pattern.captures(condition.message.as_bytes()) else {
        return Ok(None);
    };
    // Groups without a name share the empty one; a group that took no part captured nothing.
    let names = pattern.capture_names().enumerate().skip(1);
    let groups = names.map(|(at, name)| {
        let text = captures.get(at).map_or(&[][..], |text| text.as_bytes());
        (
            name.unwrap_or_default().to_owned(),
            String::from_utf8_lossy(text).into_owned(),
        )
    });
    Ok(Some(groups.collect()))
}
