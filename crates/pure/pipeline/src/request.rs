//! What is a function sent?

use std::collections::BTreeMap;

use prost::Message as _;
use purlin_composition::{Matching, Selector};
use purlin_object::Object;
use purlin_proto::v1::{self, RunFunctionRequest};
use sha2::{Digest as _, Sha256};

use crate::step::{Fetched, Observed, ObservedResource, SchemaOf};

/// What this side of the protocol can do, as told in every request.
pub const CAPABILITIES: [v1::Capability; 5] = [
    v1::Capability::Capabilities,
    v1::Capability::RequiredResources,
    v1::Capability::Credentials,
    v1::Capability::Conditions,
    v1::Capability::RequiredSchemas,
];

/// The tag of a request: a hash of everything in it but its `meta`. Equal tags mean equal requests.
pub fn tag(request: &mut RunFunctionRequest) -> String {
    let meta = request.meta.take();
    let hash = Sha256::digest(request.encode_to_vec());
    request.meta = meta;
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .map(|nibble| char::from_digit(u32::from(nibble), 16).unwrap_or('0'))
        .collect()
}

/// Gives a request its tag and capabilities.
pub(crate) fn seal(request: &mut RunFunctionRequest) {
    let tag = tag(request);
    request.meta = Some(v1::RequestMeta {
        tag,
        capabilities: CAPABILITIES.iter().map(|&c| c as i32).collect(),
    });
}

pub(crate) fn state(observed: Observed) -> v1::State {
    v1::State {
        composite: Some(resource(observed.composite)),
        resources: observed
            .resources
            .into_iter()
            .map(|(name, observed)| (name, resource(observed)))
            .collect(),
    }
}

fn resource(observed: ObservedResource) -> v1::Resource {
    v1::Resource {
        resource: Some(observed.object),
        connection_details: observed.connection,
        ready: v1::Ready::Unspecified as i32,
    }
}

/// Looked-up objects as the protocol carries them: a name that was looked up and not found has no items.
pub(crate) fn resources(
    wanted: &BTreeMap<String, Selector>,
    found: BTreeMap<String, Vec<Object>>,
) -> BTreeMap<String, v1::Resources> {
    let mut found = found;
    wanted
        .keys()
        .map(|name| {
            let items = found.remove(name).unwrap_or_default();
            let items = items.into_iter().map(|object| v1::Resource {
                resource: Some(object),
                ..v1::Resource::default()
            });
            (
                name.clone(),
                v1::Resources {
                    items: items.collect(),
                },
            )
        })
        .collect()
}

/// Looked-up schemas as the protocol carries them: one that was not found is empty.
pub(crate) fn schemas(
    wanted: &BTreeMap<String, SchemaOf>,
    found: &Fetched,
) -> BTreeMap<String, v1::Schema> {
    wanted
        .keys()
        .map(|name| {
            let openapi_v3 = found.schemas.get(name).cloned();
            (name.clone(), v1::Schema { openapi_v3 })
        })
        .collect()
}

pub(crate) fn credentials(found: Fetched) -> BTreeMap<String, v1::Credentials> {
    let secrets = found.secrets.into_iter();
    secrets
        .map(|(name, data)| {
            let data = v1::CredentialData { data };
            let source = Some(v1::credentials::Source::CredentialData(data));
            (name, v1::Credentials { source })
        })
        .collect()
}

/// What a function asks for, as the rest of the program knows it.
pub(crate) fn selector(wire: &v1::ResourceSelector) -> Selector {
    Selector {
        api_version: wire.api_version.clone(),
        kind: wire.kind.clone(),
        namespace: wire
            .namespace
            .clone()
            .filter(|namespace| !namespace.is_empty()),
        matching: match &wire.r#match {
            None => Matching::All,
            Some(v1::resource_selector::Match::MatchName(name)) => Matching::Name(name.clone()),
            Some(v1::resource_selector::Match::MatchLabels(labels)) => {
                Matching::Labels(labels.labels.clone())
            }
        },
    }
}
