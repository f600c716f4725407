//! Which CRDs are managed resources, and what does the provider need to know of one?

use purlin_api::meta::Gvk;
use purlin_schema::Schema;
use serde_json::Value;

/// A kind of managed resource.
#[derive(Debug)]
pub(crate) struct Managed {
    pub(crate) gvk: Gvk,
    /// The schema of `status.atProvider`, when there is one.
    pub(crate) at_provider: Option<Schema>,
}

/// Reads an established CRD; `None` when its objects are no managed resources.
pub(crate) fn read(crd: &Value) -> Option<Managed> {
    let spec = crd.get("spec")?;
    let has_category = |word: &str| {
        let list = spec["names"]["categories"].as_array();
        list.is_some_and(|list| list.iter().any(|one| one == word))
    };
    if has_category("composite") || has_category("claim") || !is_established(crd) {
        return None;
    }
    let versions = spec["versions"].as_array()?;
    let served = || versions.iter().filter(|version| version["served"] == true);
    let version = served()
        .find(|version| version["storage"] == true)
        .or_else(|| served().next_back())?;
    let schema = Schema::parse(&version["schema"]["openAPIV3Schema"]).ok()?;
    let field = |part: &str, name: &str| {
        schema
            .properties
            .get(part)
            .and_then(|part| part.field(name))
    };
    if !has_category("managed") && field("spec", "forProvider").is_none() {
        return None;
    }
    Some(Managed {
        gvk: Gvk {
            group: spec["group"].as_str()?.to_owned(),
            version: version["name"].as_str()?.to_owned(),
            kind: spec["names"]["kind"].as_str()?.to_owned(),
        },
        at_provider: field("status", "atProvider").cloned(),
    })
}

fn is_established(crd: &Value) -> bool {
    let conditions = crd["status"]["conditions"].as_array();
    conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|one| one["type"] == "Established" && one["status"] == "True")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "cases read better so")]
    fn crd(categories: Value, spec: Value) -> Value {
        json!({"spec": {"group": "a.b", "names": {"kind": "K", "plural": "ks", "categories": categories}, "versions": [{"name": "v1", "served": true, "storage": true,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": {"type": "object", "properties": {"atProvider": {"type": "object"}}}}}}}]},
            "status": {"conditions": [{"type": "Established", "status": "True"}]}})
    }

    #[test]
    fn managed_resources_are_told_by_category_or_by_for_provider() {
        let plain = json!({"type": "object"});
        let provider = json!({"type": "object", "properties": {"forProvider": {"type": "object"}}});
        assert!(read(&crd(json!(["managed"]), plain.clone())).is_some());
        assert!(
            read(&crd(json!([]), provider.clone()))
                .is_some_and(|managed| managed.at_provider.is_some())
        );
        assert!(read(&crd(json!([]), plain)).is_none());
        assert!(read(&crd(json!(["composite"]), provider.clone())).is_none());
        let mut pending = crd(json!(["managed"]), provider);
        pending["status"] = json!({});
        assert!(read(&pending).is_none());
    }
}
