//! How is a call kept for later? As protobuf JSON with its answer, without what is secret.

mod redact;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protojson::{
    JsonError, request_from_json, request_to_json, response_from_json, response_to_json,
};
use crate::{RunFunctionRequest, RunFunctionResponse};

/// What stands in the place of a secret.
pub const REDACTED: &str = "REDACTED";

/// A request and what was answered.
///
/// Connection details, credentials and the data of Secrets are [`REDACTED`] in both, and so is every longer text that equals one
/// of them or holds one. The same words are hidden on both sides, so most functions answer what is left as they answered
/// the original.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The version of the program that answered.
    pub purlin: String,
    /// The version of the protocol: `v1` or `v1beta1`.
    pub protocol: String,
    /// The function that answered; empty when none took the request.
    pub function: String,
    /// The request, as protobuf JSON.
    request: Value,
    /// The answer, as protobuf JSON.
    response: Value,
}

impl Recorded {
    /// Keeps a call, without what is secret.
    pub fn new(
        purlin: &str,
        protocol: &str,
        function: &str,
        request: &RunFunctionRequest,
        response: &RunFunctionResponse,
    ) -> Self {
        let (mut request, mut response) = (request_to_json(request), response_to_json(response));
        redact::redact(&mut [&mut request, &mut response]);
        Self {
            purlin: purlin.to_owned(),
            protocol: protocol.to_owned(),
            function: function.to_owned(),
            request,
            response,
        }
    }

    /// The request.
    ///
    /// # Errors
    /// It is none.
    pub fn request(&self) -> Result<RunFunctionRequest, JsonError> {
        request_from_json(self.request.clone())
    }

    /// The answer.
    ///
    /// # Errors
    /// It is none.
    pub fn response(&self) -> Result<RunFunctionResponse, JsonError> {
        response_from_json(self.response.clone())
    }

    /// The request as protobuf JSON, the same text for the same request.
    pub fn request_json(&self) -> &Value {
        &self.request
    }

    /// The answer as protobuf JSON.
    pub fn response_json(&self) -> &Value {
        &self.response
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Recorded;
    use crate::protojson::{request_from_json, response_from_json};

    fn recorded(request: Value, response: Value) -> Recorded {
        let request = request_from_json(request).expect("a request");
        let response = response_from_json(response).expect("a response");
        Recorded::new("0", "v1", "f", &request, &response)
    }

    #[test]
    fn what_is_secret_is_nowhere_in_the_text() {
        // base64 of "hunter2-hunter2", "another-secret" and "the-third-secret".
        let (one, two, three) = (
            "aHVudGVyMi1odW50ZXIy",
            "YW5vdGhlci1zZWNyZXQ=",
            "dGhlLXRoaXJkLXNlY3JldA==",
        );
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x-last-applied", "keep": "me"}},
            "data": {"password": two}, "stringData": {"plain": "plain-secret"}
        });
        let kept = recorded(
            json!({
                "observed": {
                    "composite": {"resource": {"spec": {"region": "eu"}}, "connectionDetails": {"password": one}},
                    "resources": {
                        "s": {"resource": secret},
                        "wrapped": {"resource": {"kind": "Object", "spec": {"manifests": [secret]}}}
                    }
                },
                "credentials": {"c": {"credentialData": {"data": {"key": three}}}},
                "requiredResources": {"r": {"items": [{"resource": secret, "connectionDetails": {"p": one}}]}},
                "extraResources": {"r": {"items": [{"resource": secret}]}},
                "context": {"k": secret}
            }),
            json!({
                "desired": {
                    "composite": {"resource": {"status": {"url": "db://u:hunter2-hunter2@host"}}},
                    "resources": {
                        "copy": {"resource": {"kind": "Thing", "spec": {"raw": two, "list": ["another-secret"]}}},
                        "s": {"resource": secret}
                    }
                },
                "results": [{"severity": "SEVERITY_NORMAL", "message": "used the-third-secret"}]
            }),
        );
        let text = serde_json::to_string(&kept).expect("JSON");
        for word in [
            "hunter2",
            "another-secret",
            "the-third-secret",
            "plain-secret",
            "x-last-applied",
            one,
            two,
            three,
        ] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        assert!(text.contains("db://u:REDACTED@host"), "{text}");
        assert!(text.contains(r#""region":"eu""#) && text.contains(r#""keep":"me""#));
        // Still a call: what was hidden has the form of what it stands for.
        let details = kept.request().expect("a request").observed.expect("state");
        let details = details.composite.expect("a composite").connection_details;
        assert_eq!(details["password"].as_ref(), b"REDACTED");
        let response = kept.response().expect("an answer");
        // Recorded again, it stays as it is.
        let again = kept.request().expect("a request");
        assert_eq!(Recorded::new("0", "v1", "f", &again, &response), kept);
    }

    #[test]
    fn short_and_empty_secrets_hide_only_themselves() {
        // A port is a connection detail, and "5432" may be anywhere.
        let kept = recorded(
            json!({"observed": {"composite": {
                "resource": {"spec": {"port": "5432", "empty": ""}},
                "connectionDetails": {"port": "NTQzMg==", "none": ""}
            }}}),
            json!({}),
        );
        let composite = &kept.request_json()["observed"]["composite"];
        assert_eq!(
            composite["resource"]["spec"],
            json!({"port": "5432", "empty": ""})
        );
        assert_eq!(
            composite["connectionDetails"],
            json!({"port": "UkVEQUNURUQ=", "none": "UkVEQUNURUQ="})
        );
    }

    #[test]
    fn other_kinds_named_alike_stay_as_they_are() {
        let other = json!({"apiVersion": "secretsmanager.aws.upbound.io/v1beta1", "kind": "Secret", "data": {"a": "b"}});
        let kept = recorded(
            json!({"observed": {"resources": {"a": {"resource": other}}}}),
            json!({}),
        );
        assert_eq!(
            kept.request_json()["observed"]["resources"]["a"]["resource"],
            other
        );
    }
}
