//! State, resources, credentials and schemas as protobuf JSON.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::bytes::Bytes;
use purlin_object::Object;
use purlin_proto::v1;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JsonError, Result, all, each, name, named, object};

fn bytes(text: &str) -> Result<Bytes> {
    let decoded = STANDARD.decode(text);
    let decoded = decoded.map_err(|error| JsonError(format!("`{text}` is not base64: {error}")))?;
    Ok(decoded.into())
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct State {
    #[serde(skip_serializing_if = "Option::is_none")]
    composite: Option<Resource>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    resources: BTreeMap<String, Resource>,
}

impl State {
    pub(super) fn read(self) -> Result<v1::State> {
        Ok(v1::State {
            composite: self.composite.map(Resource::read).transpose()?,
            resources: each(self.resources, Resource::read)?,
        })
    }

    pub(super) fn write(state: &v1::State) -> Self {
        Self {
            composite: state.composite.as_ref().map(Resource::write),
            resources: all(&state.resources, Resource::write),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Resource {
    #[serde(rename = "resource", skip_serializing_if = "Option::is_none")]
    object: Option<Value>,
    #[serde(
        alias = "connection_details",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    connection_details: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<String>,
}

impl Resource {
    pub(super) fn read(self) -> Result<v1::Resource> {
        Ok(v1::Resource {
            resource: object(self.object)?,
            connection_details: each(self.connection_details, |text| bytes(&text))?,
            ready: named(self.ready, v1::Ready::from_str_name)?,
        })
    }

    pub(super) fn write(resource: &v1::Resource) -> Self {
        Self {
            object: resource.resource.as_ref().map(Object::to_json),
            connection_details: all(&resource.connection_details, |bytes| STANDARD.encode(bytes)),
            ready: name(resource.ready, v1::Ready::as_str_name),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Resources {
    items: Vec<Resource>,
}

impl Resources {
    pub(super) fn read(self) -> Result<v1::Resources> {
        let items = self.items.into_iter();
        Ok(v1::Resources {
            items: items.map(Resource::read).collect::<Result<_>>()?,
        })
    }

    pub(super) fn write(resources: &v1::Resources) -> Self {
        Self {
            items: resources.items.iter().map(Resource::write).collect(),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Credentials {
    #[serde(alias = "credential_data", skip_serializing_if = "Option::is_none")]
    credential_data: Option<CredentialData>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CredentialData {
    data: BTreeMap<String, String>,
}

impl Credentials {
    pub(super) fn read(self) -> Result<v1::Credentials> {
        let data = self
            .credential_data
            .map(|data| each(data.data, |text| bytes(&text)));
        let data = data.transpose()?;
        Ok(v1::Credentials {
            source: data
                .map(|data| v1::credentials::Source::CredentialData(v1::CredentialData { data })),
        })
    }

    pub(super) fn write(credentials: &v1::Credentials) -> Self {
        let source = credentials.source.as_ref();
        Self {
            credential_data: source.map(|v1::credentials::Source::CredentialData(source)| {
                CredentialData {
                    data: all(&source.data, |bytes| STANDARD.encode(bytes)),
                }
            }),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Schema {
    #[serde(alias = "openapi_v3", skip_serializing_if = "Option::is_none")]
    openapi_v3: Option<Value>,
}

impl Schema {
    pub(super) fn read(self) -> Result<v1::Schema> {
        Ok(v1::Schema {
            openapi_v3: object(self.openapi_v3)?,
        })
    }

    pub(super) fn write(schema: &v1::Schema) -> Self {
        Self {
            openapi_v3: schema.openapi_v3.as_ref().map(Object::to_json),
        }
    }
}
