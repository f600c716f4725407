//! What does a caller need that does not know this version of the protocol?

use purlin_proto::v1::{Capability, RunFunctionRequest, RunFunctionResponse};

use crate::RequestView as _;

/// Asks for required objects in the old field too, when the caller may read that one only.
///
/// Crossplane 1.15 to 1.20 read `requirements.extra_resources` and pass over `requirements.resources`; 2.0 and 2.1 read both
/// and, like their elders, do not say what they can do. A caller that says it knows required resources is left alone, and so
/// is one that is no Crossplane: its tag is no hash.
pub fn ask_in_the_old_field_too(request: &RunFunctionRequest, response: &mut RunFunctionResponse) {
    if request.has_capability(Capability::RequiredResources) || !is_hash(request.tag()) {
        return;
    }
    if let Some(requirements) = &mut response.requirements {
        for (name, selector) in &requirements.resources {
            if !requirements.extra_resources.contains_key(name) {
                let selector = selector.clone();
                requirements.extra_resources.insert(name.clone(), selector);
            }
        }
    }
}

/// Crossplane tags a request with its SHA-256, in hexadecimal.
fn is_hash(tag: &str) -> bool {
    tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::ask_in_the_old_field_too;
    use crate::protojson::{request_from_json, response_from_json, response_to_json};

    fn asked(meta: &Value) -> Value {
        let request = request_from_json(json!({"meta": meta})).expect("a request");
        let response = json!({"requirements": {
            "resources": {"a": {"kind": "A", "matchName": "one"}, "b": {"kind": "B"}},
            "extraResources": {"b": {"kind": "Other"}}
        }});
        let mut response = response_from_json(response).expect("a response");
        ask_in_the_old_field_too(&request, &mut response);
        response_to_json(&response)["requirements"]["extraResources"].clone()
    }

    #[test]
    fn a_core_that_says_nothing_is_asked_in_both_fields() {
        let tag = "0123456789abcdef".repeat(4);
        let both = json!({"a": {"kind": "A", "matchName": "one"}, "b": {"kind": "Other"}});
        assert_eq!(asked(&json!({"tag": tag})), both);
        // It says something, and not that.
        let meta = json!({"tag": tag, "capabilities": ["CAPABILITY_CONDITIONS"]});
        assert_eq!(asked(&meta), both);
    }

    #[test]
    fn a_caller_that_knows_or_is_no_core_is_left_alone() {
        let alone = json!({"b": {"kind": "Other"}});
        let knows =
            json!({"tag": "ab".repeat(32), "capabilities": ["CAPABILITY_REQUIRED_RESOURCES"]});
        for meta in [knows, json!({}), json!({"tag": "mine"})] {
            assert_eq!(asked(&meta), alone);
        }
    }
}
