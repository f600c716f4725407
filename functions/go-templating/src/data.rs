//! What does a template see? The request as protobuf JSON names it, expanded only where somebody looks.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use purlin_function::{Ready, RequestView as _, Resource, RunFunctionRequest};
use purlin_object::Object;
use purlin_template::{List, Map, Text, Value};

type Entries = BTreeMap<Text, Value>;

fn put(entries: &mut Entries, key: &str, value: Value) {
    entries.insert(Text::from(key.as_bytes()), value);
}

fn made(entries: Entries) -> Value {
    Value::Map(Map::new(entries))
}

fn object(object: &Object) -> Value {
    Value::Map(Map::lazy(object.clone()))
}

/// The request as a map. Members that protobuf leaves out because they are empty are not there.
#[expect(
    clippy::too_many_lines,
    reason = "one part for each member of the message"
)]
pub(crate) fn of(request: &RunFunctionRequest) -> Value {
    let mut data = Entries::new();
    if let Some(meta) = &request.meta {
        let mut entries = Entries::new();
        if !meta.tag.is_empty() {
            put(&mut entries, "tag", meta.tag.as_str().into());
        }
        let capabilities: Vec<Value> = meta
            .capabilities()
            .map(|capability| capability.as_str_name().into())
            .collect();
        if !capabilities.is_empty() {
            put(&mut entries, "capabilities", Value::list(capabilities));
        }
        put(&mut data, "meta", made(entries));
    }
    for (name, state) in [
        ("observed", &request.observed),
        ("desired", &request.desired),
    ] {
        let Some(state) = state else { continue };
        let mut entries = Entries::new();
        if let Some(composite) = &state.composite {
            put(&mut entries, "composite", resource(composite));
        }
        if !state.resources.is_empty() {
            let all = state.resources.iter();
            let all = all.map(|(name, held)| (name, resource(held)));
            put(&mut entries, "resources", Value::map(all));
        }
        put(&mut data, name, made(entries));
    }
    for (name, held) in [("input", &request.input), ("context", &request.context)] {
        if let Some(held) = held {
            put(&mut data, name, object(held));
        }
    }
    let credentials: Entries = (request.credentials.keys())
        .map(|name| (Text::from(name.as_bytes()), credential(request, name)))
        .collect();
    if !credentials.is_empty() {
        put(&mut data, "credentials", made(credentials));
    }
    let found = |all: &BTreeMap<String, purlin_function::Resources>| {
        Value::map(all.iter().map(|(name, found)| {
            let items: Vec<Value> = found.items.iter().map(resource).collect();
            let mut entries = Entries::new();
            if !items.is_empty() {
                put(&mut entries, "items", Value::List(List::new(items)));
            }
            (name, made(entries))
        }))
    };
    if !request.required_resources.is_empty() {
        put(
            &mut data,
            "requiredResources",
            found(&request.required_resources),
        );
    }
    if !request.extra_resources.is_empty() {
        put(&mut data, "extraResources", found(&request.extra_resources));
    } else if !request.required_resources.is_empty() {
        put(
            &mut data,
            "extraResources",
            found(&request.required_resources),
        );
    }
    let schemas: Entries = (request.required_schemas.iter())
        .map(|(name, schema)| {
            let mut entries = Entries::new();
            if let Some(schema) = &schema.openapi_v3 {
                put(&mut entries, "openapiV3", object(schema));
            }
            (Text::from(name.as_bytes()), made(entries))
        })
        .collect();
    if !schemas.is_empty() {
        put(&mut data, "requiredSchemas", made(schemas));
    }
    made(data)
}

fn credential(request: &RunFunctionRequest, name: &str) -> Value {
    let mut entries = Entries::new();
    if let Some(held) = request.credentials(name) {
        let mut data = Entries::new();
        if !held.is_empty() {
            let all = held
                .iter()
                .map(|(key, value)| (key, STANDARD.encode(value).into()));
            put(&mut data, "data", Value::map(all));
        }
        put(&mut entries, "credentialData", made(data));
    }
    made(entries)
}

fn resource(held: &Resource) -> Value {
    let mut entries = Entries::new();
    if let Some(held) = &held.resource {
        put(&mut entries, "resource", object(held));
    }
    if !held.connection_details.is_empty() {
        let details = held.connection_details.iter();
        let details = details.map(|(key, value)| (key, STANDARD.encode(value).into()));
        put(&mut entries, "connectionDetails", Value::map(details));
    }
    match held.ready() {
        Ready::Unspecified => {}
        ready => put(&mut entries, "ready", ready.as_str_name().into()),
    }
    made(entries)
}
