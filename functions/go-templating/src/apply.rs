//! What becomes of a rendered object: a composed resource, status of the composite, or something for the response.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use purlin_function::{
    Condition, Ready, RequestView as _, Resource, Resources, Response, RunFunctionRequest,
    Selector, Status, Target,
};
use purlin_object::{Instant, List, Object, ObjectRef, Value, ValueRef};
use purlin_template::decode_base64;

use crate::{EXTRA_RESOURCES, NAME, READY};

/// The apiVersion of what is no resource.
const META: &str = "meta.gotemplating.fn.crossplane.io/v1alpha1";

struct Rendered<'a> {
    request: &'a RunFunctionRequest,
    response: &'a mut Response,
    /// What conditions and the like were found before anything is answered.
    composite: Object,
    ready: Ready,
    details: BTreeMap<String, Vec<u8>>,
    resources: BTreeMap<String, (Object, Ready)>,
    context: Option<Object>,
    required: Vec<(String, Selector)>,
    deprecated: BTreeSet<String>,
}

/// Puts everything that was rendered into the response.
pub(crate) fn all(
    objects: Vec<Object>,
    request: &RunFunctionRequest,
    response: &mut Response,
) -> Result<(), String> {
    let mut rendered = Rendered {
        request,
        response,
        composite: request.desired_composite().to_owned(),
        ready: Ready::Unspecified,
        details: BTreeMap::new(),
        resources: BTreeMap::new(),
        context: None,
        required: Vec::new(),
        deprecated: BTreeSet::new(),
    };
    for object in objects {
        rendered.object(object)?;
    }
    rendered.finish();
    Ok(())
}

fn text<'a>(object: &'a Object, key: &str) -> &'a str {
    object
        .get(key)
        .and_then(ValueRef::as_str)
        .unwrap_or_default()
}

/// `group/version Kind resource-name=name`, for messages.
fn label(object: &Object) -> String {
    let name = object.get_path(&["metadata", "annotations", NAME]);
    let name = name.and_then(ValueRef::as_str).unwrap_or_default();
    format!(
        "{}, Kind={} resource-name={name}",
        text(object, "apiVersion"),
        text(object, "kind")
    )
}

impl Rendered<'_> {
    fn object(&mut self, mut object: Object) -> Result<(), String> {
        let (version, kind) = (text(&object, "apiVersion"), text(&object, "kind"));
        if kind.is_empty() || version.matches('/').count() > 1 {
            let shown: String = object.to_json().to_string().chars().take(500).collect();
            return Err(format!(
                "cannot decode manifest: Object 'Kind' is missing in '{shown}'"
            ));
        }
        let annotations = annotations(&object)?;
        let name = annotations
            .and_then(|all| all.get(NAME)?.as_str())
            .map(str::to_owned);
        let composite = self.request.observed_composite();
        let is = |key: &str, value: &str| {
            composite
                .get(key)
                .and_then(ValueRef::as_str)
                .unwrap_or_default()
                == value
        };
        if name.is_none() && is("apiVersion", version) && is("kind", kind) {
            return self.status(&object);
        }
        if version == META {
            return self.meta(&object);
        }
        let ready = ready(&object)?.unwrap_or(Ready::Unspecified);
        let Some(name) = name else {
            return Err(format!(
                "{kind:?} template is missing required {NAME:?} annotation"
            ));
        };
        let annotations = object.object_mut("metadata").object_mut("annotations");
        annotations.remove(NAME);
        annotations.remove(READY);
        self.resources.insert(name, (object, ready));
        Ok(())
    }

    fn status(&mut self, object: &Object) -> Result<(), String> {
        match object.get("status") {
            None => {}
            Some(ValueRef::Null) => {
                self.composite.object_mut("status");
            }
            Some(ValueRef::Object(status)) => {
                let held = self.composite.object_mut("status");
                merge(held, status);
            }
            Some(other) => {
                return Err(format!(
                    "cannot get status of the composite resource: it is {}, not an object",
                    other.kind()
                ));
            }
        }
        if let Some(ready) = ready(object)? {
            self.ready = ready;
        }
        Ok(())
    }

    fn meta(&mut self, object: &Object) -> Result<(), String> {
        match text(object, "kind") {
            "CompositeConnectionDetails" => {
                self.connection(object);
                Ok(())
            }
            "ClaimConditions" => self.conditions(object),
            "Context" => self.context(object),
            "ExtraResources" => self.extra(object),
            kind => Err(format!(
                "invalid kind {kind:?} for apiVersion {META:?} - must be one of CompositeConnectionDetails, Context or \
                 ExtraResources (or ClaimConditions)"
            )),
        }
    }

    /// Ignored altogether unless every value is text, as upstream.
    fn connection(&mut self, object: &Object) {
        let Some(ValueRef::Object(data)) = object.get("data") else {
            return;
        };
        let all: Option<Vec<(&str, &str)>> = data
            .iter()
            .map(|(key, value)| Some((key, value.as_str()?)))
            .collect();
        for (key, value) in all.unwrap_or_default() {
            let decoded = decode_base64(value.as_bytes()).0;
            self.details.insert(key.to_owned(), decoded);
        }
    }

    fn conditions(&mut self, object: &Object) -> Result<(), String> {
        let fail = |why: String| Err(format!("cannot get Conditions from input: {why}"));
        let conditions = match object.get("conditions") {
            Some(ValueRef::List(conditions)) => conditions,
            Some(ValueRef::Null) => return Ok(()),
            Some(other) => return fail(format!("conditions: it is {}, not a list", other.kind())),
            None => return fail("conditions: no such field".to_owned()),
        };
        let mut found = Vec::new();
        let nothing = Object::new();
        for (index, condition) in conditions.iter().enumerate() {
            let condition = match condition {
                ValueRef::Object(condition) => condition,
                ValueRef::Null => nothing.as_ref(),
                other => {
                    return fail(format!(
                        "conditions[{index}]: it is {}, not an object",
                        other.kind()
                    ));
                }
            };
            match Self::condition(condition) {
                Ok(condition) => found.push(condition),
                Err(why) => return fail(format!("conditions[{index}].{why}")),
            }
        }
        for condition in found {
            if matches!(
                condition.r#type.as_str(),
                "Ready" | "Synced" | "Healthy" | "UpToDate"
            ) {
                return Err(format!(
                    "cannot set ClaimCondition type: {} is a reserved Crossplane Condition",
                    condition.r#type
                ));
            }
            self.response.condition(condition);
        }
        Ok(())
    }

    fn condition(condition: ObjectRef<'_>) -> Result<Condition, String> {
        let field = |name: &str| match condition.get(name) {
            None | Some(ValueRef::Null) => Ok(""),
            Some(ValueRef::String(text)) => Ok(text),
            Some(other) => Err(format!("{name}: it is {}, not text", other.kind())),
        };
        let time = field("lastTransitionTime")?;
        if condition
            .get("lastTransitionTime")
            .is_some_and(|time| !time.is_null())
            && Instant::parse(time).is_none()
        {
            return Err(format!(
                "lastTransitionTime: {time:?} is not a time such as 2024-01-01T00:00:00Z"
            ));
        }
        match condition.get("observedGeneration") {
            None | Some(ValueRef::Null) => {}
            Some(number) if number.as_i64().is_some() => {}
            Some(other) => {
                return Err(format!(
                    "observedGeneration: it is {}, not a whole number",
                    other.kind()
                ));
            }
        }
        let status = match field("status")? {
            "True" => Status::ConditionTrue,
            "False" => Status::ConditionFalse,
            _ => Status::ConditionUnknown,
        };
        let mut made = purlin_function::condition(field("type")?, status, field("reason")?);
        made.message = Some(field("message")?.to_owned());
        if field("target")? == "CompositeAndClaim" {
            made.target = Some(Target::CompositeAndClaim.into());
        }
        Ok(made)
    }

    fn context(&mut self, object: &Object) -> Result<(), String> {
        let empty = Object::new();
        let data = match object.get("data") {
            Some(ValueRef::Object(data)) => data,
            Some(ValueRef::Null) => empty.as_ref(),
            Some(other) => {
                return Err(format!(
                    "cannot get Contexts from input: cannot unmarshal value from JSON: data is {}, not an object",
                    other.kind()
                ));
            }
            None => return Err("cannot get Contexts from input: data: no such field".to_owned()),
        };
        // A request with a context is merged into; without one, later documents replace the keys of earlier ones.
        let given = self
            .request
            .context
            .as_ref()
            .filter(|given| !given.is_empty());
        let held = self
            .context
            .get_or_insert_with(|| given.cloned().unwrap_or_default());
        if given.is_some() {
            merge(held, data);
        } else {
            for (key, value) in data {
                held.insert(key, value);
            }
        }
        Ok(())
    }

    fn extra(&mut self, object: &Object) -> Result<(), String> {
        let fail = |why: String| Err(format!("cannot get extra resources from input: {why}"));
        let requirements = match object.get("requirements") {
            Some(ValueRef::Object(requirements)) => requirements,
            Some(ValueRef::Null) => return Ok(()),
            Some(other) => {
                return fail(format!(
                    "requirements: it is {}, not an object",
                    other.kind()
                ));
            }
            None => return fail("requirements: no such field".to_owned()),
        };
        for (key, requirement) in requirements {
            let (selector, namespaced) = match requirement {
                ValueRef::Object(requirement) => match selector(requirement) {
                    Ok(selector) => selector,
                    Err(why) => return fail(format!("requirements.{key}.{why}")),
                },
                ValueRef::Null => (
                    Selector {
                        labels: Some(BTreeMap::new()),
                        ..Selector::default()
                    },
                    false,
                ),
                other => {
                    return fail(format!(
                        "requirements.{key}: it is {}, not an object",
                        other.kind()
                    ));
                }
            };
            if !namespaced && !self.deprecated.insert(key.to_owned()) {
                return Err(format!("duplicate extra resource key {key:?}"));
            }
            self.required.push((key.to_owned(), selector));
        }
        Ok(())
    }

    fn finish(mut self) {
        let composite = self.response.composite_mut();
        composite.resource = Some(self.composite);
        composite.ready = self.ready.into();
        for (key, value) in self.details {
            self.response.set_connection(key, value);
        }
        for (name, (object, ready)) in self.resources {
            self.response.set_desired(&name, object, ready);
        }
        let mut context = self.context.take();
        if let Some(found) = found_resources(self.request) {
            let held =
                context.get_or_insert_with(|| self.request.context.clone().unwrap_or_default());
            merge(held.object_mut(EXTRA_RESOURCES), found.as_ref());
        }
        if let Some(context) = context {
            for (key, value) in &context {
                self.response.set_context(key, value);
            }
        }
        for (key, selector) in self.required {
            if self.deprecated.contains(&key) && selector.namespace.is_none() {
                self.response.require_extra(key.clone(), selector.clone());
            }
            self.response.require(key, selector);
        }
    }
}

fn selector(requirement: ObjectRef<'_>) -> Result<(Selector, bool), String> {
    let field = |name: &str| match requirement.get(name) {
        None | Some(ValueRef::Null) => Ok(""),
        Some(ValueRef::String(text)) => Ok(text),
        Some(other) => Err(format!("{name}: it is {}, not text", other.kind())),
    };
    let mut labels = BTreeMap::new();
    match requirement.get("matchLabels") {
        None | Some(ValueRef::Null) => {}
        Some(ValueRef::Object(given)) => {
            for (key, value) in given {
                let value = match value {
                    ValueRef::String(value) => value,
                    ValueRef::Null => "",
                    other => {
                        return Err(format!("matchLabels: {key} is {}, not text", other.kind()));
                    }
                };
                labels.insert(key.to_owned(), value.to_owned());
            }
        }
        Some(other) => {
            return Err(format!(
                "matchLabels: it is {}, not an object",
                other.kind()
            ));
        }
    }
    let name = field("matchName")?;
    let namespace = field("namespace")?;
    let by_name = !name.is_empty();
    let selector = Selector {
        api_version: field("apiVersion")?.to_owned(),
        kind: field("kind")?.to_owned(),
        namespace: (by_name && !namespace.is_empty()).then(|| namespace.to_owned()),
        name: by_name.then(|| name.to_owned()),
        labels: (!by_name).then_some(labels),
    };
    Ok((selector, !namespace.is_empty()))
}

/// The annotations, all of which must be text.
fn annotations(object: &Object) -> Result<Option<ObjectRef<'_>>, String> {
    let fail = |why: String| {
        Err(format!(
            "invalid annotations in resource '{}': {why}",
            label(object)
        ))
    };
    let metadata = match object.get("metadata") {
        None | Some(ValueRef::Null) => return Ok(None),
        Some(ValueRef::Object(metadata)) => metadata,
        Some(other) => return fail(format!("metadata is {}, not an object", other.kind())),
    };
    match metadata.get("annotations") {
        None => Ok(None),
        Some(ValueRef::Object(all)) => match all.iter().find(|(_, value)| value.as_str().is_none())
        {
            Some((key, value)) => fail(format!("{key} is {}, not text; quote it", value.kind())),
            None => Ok(Some(all)),
        },
        Some(other) => fail(format!("annotations is {}, not an object", other.kind())),
    }
}

fn ready(object: &Object) -> Result<Option<Ready>, String> {
    let Some(value) = object.get_path(&["metadata", "annotations", READY]) else {
        return Ok(None);
    };
    match value.as_str().unwrap_or_default() {
        "True" => Ok(Some(Ready::True)),
        "False" => Ok(Some(Ready::False)),
        "Unspecified" => Ok(Some(Ready::Unspecified)),
        other => Err(format!(
            "invalid function input: invalid {READY:?} annotation value {other:?}: must be True, False, or Unspecified"
        )),
    }
}

/// Maps are merged, everything else is replaced; an empty map changes nothing that is there.
fn merge(held: &mut Object, from: ObjectRef<'_>) {
    for (key, value) in from {
        match (held.get(key), value) {
            (Some(ValueRef::Object(_)), ValueRef::Object(value)) => {
                merge(held.object_mut(key), value);
            }
            _ => {
                held.insert(key, value);
            }
        }
    }
}

/// What was found for requirements of this step, as later steps may read it.
fn found_resources(request: &RunFunctionRequest) -> Option<Object> {
    let given: BTreeMap<&String, &Resources> = (request.extra_resources.iter())
        .chain(&request.required_resources)
        .collect();
    if given.is_empty() {
        return None;
    }
    Some(
        given
            .into_iter()
            .map(|(name, found)| {
                let items: List = found.items.iter().map(item).collect();
                let mut entry = Object::new();
                if !items.is_empty() {
                    entry.insert("items", items);
                }
                (name.clone(), entry)
            })
            .collect(),
    )
}

fn item(found: &Resource) -> Object {
    let mut item = Object::new();
    if let Some(object) = &found.resource {
        item.insert("resource", object.clone());
    }
    if !found.connection_details.is_empty() {
        let details = found.connection_details.iter();
        let details = details.map(|(key, value): (&String, &Bytes)| {
            (key.clone(), Value::from(STANDARD.encode(value)))
        });
        item.insert("connection_details", details.collect::<Object>());
    }
    if found.ready != 0 {
        item.insert("ready", found.ready);
    }
    item
}
