//! Which connection secrets are written, and which are refused? (spec/engine.md 3.9, 4.2)
//!
//! Secret data stays base64, as the API holds it.

use std::collections::BTreeMap;

use purlin_api::meta::{self, names};
use purlin_api::xrd::Xrd;
use serde_json::{Map, Value, json};

/// A Secret to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// It does not exist yet.
    Create(Value),
    /// It exists with other data.
    Update(Value),
}

/// The composite's connection secret: details filtered by the definition's keys, merged into what is there, so that a
/// key a function stops returning stays. `details` maps keys to base64 text.
///
/// # Errors
/// When a Secret of that name belongs to somebody else.
pub fn publish(
    composite: &Value,
    xrd: &Xrd,
    details: &BTreeMap<String, String>,
    existing: Option<&Value>,
) -> Result<Option<Write>, String> {
    let Some(target) = target(composite, xrd) else {
        return Ok(None);
    };
    let keys = &xrd.connection_secret_keys;
    let data: Map<String, Value> = details
        .iter()
        .filter(|(key, _)| keys.is_empty() || keys.contains(key))
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect();
    let Some(existing) = existing else {
        return Ok(Some(Write::Create(create(target, composite, &data))));
    };
    check_ours(existing, composite)?;
    let mut next = existing.clone();
    meta::object_mut(&mut next, &["data"]).extend(data);
    own(&mut next, composite);
    Ok((next != *existing).then_some(Write::Update(next)))
}

/// Namespace and name of the composite's connection secret.
pub fn target<'a>(composite: &'a Value, xrd: &Xrd) -> Option<(&'a str, &'a str)> {
    if !xrd.is_legacy() {
        return None;
    }
    let reference = xrd.field(composite, "writeConnectionSecretToRef")?;
    Some((
        meta::text(reference, &["namespace"]),
        meta::text(reference, &["name"]),
    ))
}

/// The claim's copy of its composite's connection secret: the same data, all of it.
///
/// # Errors
/// When the source is not the composite's, or a Secret of the wanted name belongs to somebody else.
pub fn propagate(
    claim: &Value,
    composite: &Value,
    source: &Value,
    existing: Option<&Value>,
) -> Result<Option<Write>, String> {
    let name = meta::text(claim, &["spec", "writeConnectionSecretToRef", "name"]);
    if meta::controller(source).is_none_or(|owner| owner.uid != meta::uid(composite)) {
        return Err(format!(
            "cannot establish control of existing connection secret: Secret {}/{} is not the composite's",
            meta::namespace(source),
            meta::name(source)
        ));
    }
    let data = source
        .get("data")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let Some(existing) = existing else {
        let target = (meta::namespace(claim), name);
        return Ok(Some(Write::Create(create(target, claim, &data))));
    };
    check_ours(existing, claim)?;
    let mut next = existing.clone();
    meta::object_mut(&mut next, &[]).insert("data".into(), data.into());
    own(&mut next, claim);
    Ok((next != *existing).then_some(Write::Update(next)))
}

fn check_ours(existing: &Value, owner: &Value) -> Result<(), String> {
    let ours = match meta::controller(existing) {
        Some(controller) => controller.uid == meta::uid(owner),
        None => meta::text(existing, &["type"]) == names::SECRET_TYPE,
    };
    if ours {
        return Ok(());
    }
    Err(format!(
        "refusing to write connection details into Secret {}/{}, which belongs to somebody else; delete it, or name \
         another one in writeConnectionSecretToRef",
        meta::namespace(existing),
        meta::name(existing)
    ))
}

fn create((namespace, name): (&str, &str), owner: &Value, data: &Map<String, Value>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": names::SECRET_TYPE, "data": data,
        "metadata": {"namespace": namespace, "name": name, "ownerReferences": [meta::controller_reference(owner)]},
    })
}

fn own(secret: &mut Value, owner: &Value) {
    if meta::controller(secret).is_none() {
        let reference = meta::controller_reference(owner);
        let owners = meta::object_mut(secret, &["metadata"])
            .entry("ownerReferences")
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Some(owners) = owners.as_array_mut() {
            owners.push(reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::needless_pass_by_value,
        reason = "calls read better with json! in place"
    )]
    fn xrd(keys: Value) -> Xrd {
        Xrd::read(&json!({"metadata": {"name": "xs.e.org"}, "spec": {"group": "e.org", "connectionSecretKeys": keys,
            "names": {"kind": "X", "plural": "xs"}, "versions": [{"name": "v1", "referenceable": true}]}}))
        .unwrap()
    }

    fn composite() -> Value {
        json!({"apiVersion": "e.org/v1", "kind": "X", "metadata": {"name": "x", "uid": "u"},
            "spec": {"writeConnectionSecretToRef": {"name": "s", "namespace": "n"}}})
    }

    fn details(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn listed_keys_are_published_and_never_removed() {
        let xrd = xrd(json!(["user", "pass"]));
        let first = publish(
            &composite(),
            &xrd,
            &details(&[("user", "dQ=="), ("other", "bw==")]),
            None,
        )
        .unwrap();
        let Some(Write::Create(secret)) = first else {
            panic!("{first:?}")
        };
        assert_eq!(secret["data"], json!({"user": "dQ=="}));
        let more = publish(
            &composite(),
            &xrd,
            &details(&[("pass", "cA==")]),
            Some(&secret),
        )
        .unwrap();
        let Some(Write::Update(both)) = more else {
            panic!("{more:?}")
        };
        assert_eq!(both["data"], json!({"user": "dQ==", "pass": "cA=="}));
        assert_eq!(
            publish(&composite(), &xrd, &details(&[]), Some(&both)).unwrap(),
            None
        );
    }

    #[test]
    fn a_foreign_secret_is_refused() {
        let foreign = json!({"metadata": {"name": "s", "namespace": "n"}, "type": "Opaque"});
        assert!(publish(&composite(), &xrd(json!([])), &details(&[]), Some(&foreign)).is_err());
    }

    #[test]
    fn a_claim_gets_the_composites_data_and_nobody_elses() {
        let claim = json!({"apiVersion": "e.org/v1", "kind": "C", "metadata": {"name": "c", "namespace": "m", "uid": "cu"},
            "spec": {"writeConnectionSecretToRef": {"name": "t"}}});
        let source = create(
            ("n", "s"),
            &composite(),
            &Map::from_iter([("k".to_owned(), json!("dg=="))]),
        );
        let Some(Write::Create(copy)) = propagate(&claim, &composite(), &source, None).unwrap()
        else {
            panic!()
        };
        assert_eq!(
            (
                meta::namespace(&copy),
                meta::name(&copy),
                &copy["data"]["k"]
            ),
            ("m", "t", &json!("dg=="))
        );
        assert_eq!(
            propagate(&claim, &composite(), &source, Some(&copy)).unwrap(),
            None
        );
        let foreign = json!({"metadata": {"name": "s", "namespace": "n"}});
        assert!(propagate(&claim, &composite(), &foreign, None).is_err());
    }
}
