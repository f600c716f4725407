//! What is this request or response as protobuf JSON?
//!
//! The mapping of `google.protobuf`'s JSON format for the messages of the function protocol: lowerCamelCase names (the
//! original names are read too), bytes as base64, enums by name, a duration as `60s`, a Struct as a plain object.

mod requirements;
mod state;

use std::collections::BTreeMap;

use prost::Message as _;
use prost::bytes::Bytes;
use purlin_object::Object;
use purlin_proto::v1;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use requirements::Requirements;
use state::{Credentials, Resources, Schema, State};

/// A document that is not the JSON of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(String);

type Result<T> = std::result::Result<T, JsonError>;

/// Reads a `RunFunctionRequest`.
///
/// # Errors
/// Members that are unknown or of the wrong type.
pub fn request_from_json(json: Value) -> Result<v1::RunFunctionRequest> {
    let read: Request =
        serde_json::from_value(json).map_err(|error| JsonError(error.to_string()))?;
    Ok(v1::RunFunctionRequest {
        meta: read.meta.map(Meta::read).transpose()?,
        observed: read.observed.map(State::read).transpose()?,
        desired: read.desired.map(State::read).transpose()?,
        input: object(read.input)?,
        context: object(read.context)?,
        extra_resources: each(read.extra_resources, Resources::read)?,
        credentials: each(read.credentials, Credentials::read)?,
        required_resources: each(read.required_resources, Resources::read)?,
        required_schemas: each(read.required_schemas, Schema::read)?,
    })
}

/// Writes a `RunFunctionRequest`.
pub fn request_to_json(request: &v1::RunFunctionRequest) -> Value {
    to_json(&Request {
        meta: request.meta.as_ref().map(Meta::write),
        observed: request.observed.as_ref().map(State::write),
        desired: request.desired.as_ref().map(State::write),
        input: request.input.as_ref().map(Object::to_json),
        context: request.context.as_ref().map(Object::to_json),
        extra_resources: all(&request.extra_resources, Resources::write),
        credentials: all(&request.credentials, Credentials::write),
        required_resources: all(&request.required_resources, Resources::write),
        required_schemas: all(&request.required_schemas, Schema::write),
    })
}

/// Reads a `RunFunctionResponse`.
///
/// # Errors
/// Members that are unknown or of the wrong type.
pub fn response_from_json(json: Value) -> Result<v1::RunFunctionResponse> {
    let read: Response =
        serde_json::from_value(json).map_err(|error| JsonError(error.to_string()))?;
    Ok(v1::RunFunctionResponse {
        meta: read.meta.map(ResponseMeta::read).transpose()?,
        desired: read.desired.map(State::read).transpose()?,
        results: read
            .results
            .into_iter()
            .map(Outcome::read)
            .collect::<Result<_>>()?,
        context: object(read.context)?,
        requirements: read.requirements.map(Requirements::read).transpose()?,
        conditions: read
            .conditions
            .into_iter()
            .map(Condition::read)
            .collect::<Result<_>>()?,
        output: object(read.output)?,
    })
}

/// Writes a `RunFunctionResponse`.
pub fn response_to_json(response: &v1::RunFunctionResponse) -> Value {
    to_json(&Response {
        meta: response.meta.as_ref().map(ResponseMeta::write),
        desired: response.desired.as_ref().map(State::write),
        results: response.results.iter().map(Outcome::write).collect(),
        context: response.context.as_ref().map(Object::to_json),
        requirements: response.requirements.as_ref().map(Requirements::write),
        conditions: response.conditions.iter().map(Condition::write).collect(),
        output: response.output.as_ref().map(Object::to_json),
    })
}

fn to_json(message: &impl Serialize) -> Value {
    serde_json::to_value(message).expect("messages have text keys and finite numbers only")
}

/// Reads a Struct as if it had come over the wire, so its numbers are doubles.
fn object(json: Option<Value>) -> Result<Option<Object>> {
    json.map(|json| {
        let object = Object::from_json(json).map_err(|error| JsonError(error.to_string()))?;
        Object::decode(Bytes::from(object.encode_to_vec()))
            .map_err(|error| JsonError(error.to_string()))
    })
    .transpose()
}

fn each<J, T>(
    members: BTreeMap<String, J>,
    read: impl Fn(J) -> Result<T>,
) -> Result<BTreeMap<String, T>> {
    let members = members.into_iter();
    members
        .map(|(name, json)| Ok((name, read(json)?)))
        .collect()
}

fn all<T, J>(members: &BTreeMap<String, T>, write: impl Fn(&T) -> J) -> BTreeMap<String, J> {
    let members = members.iter();
    members
        .map(|(name, member)| (name.clone(), write(member)))
        .collect()
}

/// An enum: absent is its zero.
fn named<E: Into<i32>>(name: Option<String>, read: impl Fn(&str) -> Option<E>) -> Result<i32> {
    match name {
        None => Ok(0),
        Some(name) => read(&name)
            .map(Into::into)
            .ok_or_else(|| JsonError(format!("`{name}` is not a name of the enum"))),
    }
}

fn name<E: TryFrom<i32>>(number: i32, write: impl Fn(&E) -> &'static str) -> Option<String> {
    let value = E::try_from(number).ok().filter(|_| number != 0)?;
    Some(write(&value).to_owned())
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Value>,
    #[serde(alias = "extra_resources", skip_serializing_if = "BTreeMap::is_empty")]
    extra_resources: BTreeMap<String, Resources>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    credentials: BTreeMap<String, Credentials>,
    #[serde(
        alias = "required_resources",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    required_resources: BTreeMap<String, Resources>,
    #[serde(alias = "required_schemas", skip_serializing_if = "BTreeMap::is_empty")]
    required_schemas: BTreeMap<String, Schema>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<ResponseMeta>,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<State>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirements: Option<Requirements>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Meta {
    #[serde(skip_serializing_if = "String::is_empty")]
    tag: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
}

impl Meta {
    fn read(self) -> Result<v1::RequestMeta> {
        let capabilities = self.capabilities.into_iter();
        Ok(v1::RequestMeta {
            tag: self.tag,
            capabilities: capabilities
                .map(|name| named(Some(name), v1::Capability::from_str_name))
                .collect::<Result<_>>()?,
        })
    }

    fn write(meta: &v1::RequestMeta) -> Self {
        let capabilities = meta.capabilities();
        Self {
            tag: meta.tag.clone(),
            capabilities: capabilities.map(|c| c.as_str_name().to_owned()).collect(),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct ResponseMeta {
    #[serde(skip_serializing_if = "String::is_empty")]
    tag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
}

impl ResponseMeta {
    fn read(self) -> Result<v1::ResponseMeta> {
        let ttl = self.ttl.map(|text| {
            text.parse()
                .map_err(|_| JsonError(format!("`{text}` is not a duration such as 60s")))
        });
        Ok(v1::ResponseMeta {
            tag: self.tag,
            ttl: ttl.transpose()?,
        })
    }

    fn write(meta: &v1::ResponseMeta) -> Self {
        Self {
            tag: meta.tag.clone(),
            ttl: meta.ttl.as_ref().map(ToString::to_string),
        }
    }
}

/// A `Result` of the protocol.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl Outcome {
    fn read(self) -> Result<v1::Result> {
        let target = self.target;
        Ok(v1::Result {
            severity: named(self.severity, v1::Severity::from_str_name)?,
            message: self.message,
            reason: self.reason,
            target: target
                .map(|target| named(Some(target), v1::Target::from_str_name))
                .transpose()?,
        })
    }

    fn write(result: &v1::Result) -> Self {
        Self {
            severity: name(result.severity, v1::Severity::as_str_name),
            message: result.message.clone(),
            reason: result.reason.clone(),
            target: result
                .target
                .and_then(|target| name(target, v1::Target::as_str_name)),
        }
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Condition {
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl Condition {
    fn read(self) -> Result<v1::Condition> {
        let target = self.target;
        Ok(v1::Condition {
            r#type: self.r#type,
            status: named(self.status, v1::Status::from_str_name)?,
            reason: self.reason,
            message: self.message,
            target: target
                .map(|target| named(Some(target), v1::Target::from_str_name))
                .transpose()?,
        })
    }

    fn write(condition: &v1::Condition) -> Self {
        Self {
            r#type: condition.r#type.clone(),
            status: name(condition.status, v1::Status::as_str_name),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            target: condition
                .target
                .and_then(|target| name(target, v1::Target::as_str_name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{request_from_json, request_to_json, response_from_json, response_to_json};

    #[test]
    fn a_request_is_the_same_after_a_round_trip() {
        let request = json!({
            "meta": {"tag": "t", "capabilities": ["CAPABILITY_CONDITIONS"]},
            "observed": {
                "composite": {"resource": {"spec": {"n": 3, "x": 1.5}}, "connectionDetails": {"u": "cm9vdA=="}},
                "resources": {"a": {"resource": {"kind": "A"}, "ready": "READY_TRUE"}}
            },
            "input": {"kind": "Input"},
            "context": {"k": [null, true]},
            "credentials": {"c": {"credentialData": {"data": {"p": "cHc="}}}},
            "requiredResources": {"r": {"items": [{"resource": {"kind": "R"}}]}},
            "requiredSchemas": {"s": {"openapiV3": {"type": "object"}}}
        });
        let read = request_from_json(request.clone()).expect("a request");
        assert_eq!(request_to_json(&read), request);
        assert!(request_from_json(json!({"observd": {}})).is_err());
        assert!(request_from_json(json!({"input": []})).is_err());
    }

    #[test]
    fn a_response_is_the_same_after_a_round_trip() {
        let response = json!({
            "meta": {"tag": "t", "ttl": "60s"},
            "desired": {"composite": {"ready": "READY_FALSE"}},
            "results": [{"severity": "SEVERITY_FATAL", "message": "m", "target": "TARGET_COMPOSITE"}],
            "conditions": [{"type": "T", "status": "STATUS_CONDITION_TRUE", "reason": "R"}],
            "requirements": {"resources": {
                "a": {"apiVersion": "v1", "kind": "A", "matchName": "n", "namespace": ""},
                "b": {"kind": "B", "matchLabels": {"labels": {"k": "v"}}}
            }, "schemas": {"s": {"apiVersion": "v1", "kind": "S"}}},
            "output": {"a": 1}
        });
        let read = response_from_json(response.clone()).expect("a response");
        assert_eq!(response_to_json(&read), response);
    }
}
