//! Which fields of a managed resource cannot change once set, told from its CRD.
//!
//! A provider says so with a transition rule, `self == oldSelf`, on the field or on an object around it. Crossplane does
//! not replace a resource: a change to such a field is refused or never reaches the cloud.

use serde_json::Value;

/// Whether a CRD's own rules forbid changing the field at `path` (as [`purlin_diff::fields`] writes it).
pub(crate) fn is_immutable(crd: &Value, version: &str, path: &str) -> bool {
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array);
    let Some(schema) = versions
        .into_iter()
        .flatten()
        .find(|v| v.get("name").and_then(Value::as_str) == Some(version))
        .and_then(|v| v.pointer("/schema/openAPIV3Schema"))
    else {
        return false;
    };
    let segments = segments(path);
    let mut at = schema;
    for (done, segment) in segments.iter().enumerate() {
        let rest = segments.get(done..).unwrap_or_default();
        if forbids(at, rest) {
            return true;
        }
        let Some(below) = descend(at, segment) else {
            return false;
        };
        at = below;
    }
    forbids(at, &[])
}

/// Whether one of a node's rules is a plain comparison of itself, or of the field at `rest`, with what was there before.
fn forbids(schema: &Value, rest: &[&str]) -> bool {
    let rules = schema
        .get("x-kubernetes-validations")
        .and_then(Value::as_array);
    rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.get("rule").and_then(Value::as_str))
        .any(|rule| {
            let rule: String = rule.split_whitespace().collect();
            let Some((left, right)) = rule.split_once("==") else {
                return false;
            };
            let (Some(field), Some(same)) =
                (left.strip_prefix("self"), right.strip_prefix("oldSelf"))
            else {
                return false;
            };
            let named: Vec<&str> = field.split('.').filter(|part| !part.is_empty()).collect();
            field == same && rest.starts_with(&named)
        })
}

fn descend<'a>(schema: &'a Value, segment: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(segment))
        .or_else(|| schema.get("items"))
        .or_else(|| schema.get("additionalProperties"))
}

fn segments(path: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, part) in path.split('[').enumerate() {
        let rest = if at == 0 {
            part
        } else {
            let (inside, rest) = part.split_once(']').unwrap_or((part, ""));
            found.push(inside);
            rest
        };
        found.extend(rest.split('.').filter(|name| !name.is_empty()));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_transition_rule_on_the_field_or_around_it_is_found() {
        let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"spec": {
            "x-kubernetes-validations": [{"rule": "self.forProvider.engine == oldSelf.forProvider.engine"}, {"rule": "self.a > 1"}],
            "properties": {"forProvider": {"properties": {
                "engine": {}, "size": {},
                "region": {"x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
                "rules": {"items": {"properties": {"port": {"x-kubernetes-validations": [{"rule": "self==oldSelf"}]}}}},
                "fixed": {"x-kubernetes-validations": [{"rule": "self == oldSelf"}], "additionalProperties": {}}
            }}}
        }}}}}]}});
        let immutable = |path: &str| is_immutable(&crd, "v1", path);
        assert!(immutable("spec.forProvider.region"));
        assert!(immutable("spec.forProvider.engine"));
        assert!(immutable("spec.forProvider.rules[0].port"));
        assert!(immutable("spec.forProvider.fixed[app.io/x]"));
        assert!(!immutable("spec.forProvider.size"));
        assert!(!immutable("spec.nothing.here"));
        assert!(!is_immutable(&crd, "v2", "spec.forProvider.region"));
        assert!(!immutable("[[]].."));
    }
}
