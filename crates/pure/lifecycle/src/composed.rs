//! How does a desired resource become an object to apply? (spec/engine.md 3.7)

use purlin_api::meta::{self, Gvk, names};
use purlin_api::xrd::{Scope, Xrd};
use serde_json::{Map, Value};

/// Metadata only the API server writes; a function that copies an observed object must not send it back.
const SERVER_OWNED: [&str; 8] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// What is known of a kind, from discovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether its status is written apart.
    pub status: bool,
}

/// A resource ready to be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Its key in the pipeline.
    pub key: String,
    /// The object to apply.
    pub object: Value,
    /// Whether the pipeline says it is ready.
    pub ready: bool,
    /// The namespace a function asked for and did not get.
    pub overridden_namespace: Option<String>,
}

/// One entry of the final desired state.
#[derive(Debug, Clone)]
pub struct Desired {
    /// Its key in the pipeline.
    pub key: String,
    /// The partial object a function returned.
    pub object: Value,
    /// Whether the pipeline says it is ready.
    pub ready: bool,
}

/// Gives a desired resource its identity, its ties to the composite and its owner.
///
/// A live object keeps its name and namespace, whatever a function says. Ownership is written last, so that no
/// function can forge it.
///
/// # Errors
/// Says what is wrong with the resource, and what to do.
pub fn render(
    desired: Desired,
    observed: Option<&Value>,
    composite: &Value,
    xrd: &Xrd,
    served: Served,
) -> Result<Rendered, String> {
    let Desired {
        key,
        mut object,
        ready,
    } = desired;
    let kind = Gvk::of(&object)
        .filter(|gvk| !gvk.kind.is_empty() && !gvk.version.is_empty())
        .ok_or_else(|| format!("composed resource {key:?} has no apiVersion or kind"))?;
    if served.status {
        meta::object_mut(&mut object, &[]).remove("status");
    }
    meta::object_mut(&mut object, &["metadata"])
        .retain(|key, _| !SERVER_OWNED.contains(&key.as_str()));
    if let Some(live) = observed {
        keep_identity(&mut object, live);
    }
    let overridden_namespace = place(&key, &mut object, composite, xrd, served)?;
    tie(&key, &mut object, composite)?;
    let metadata = meta::object_mut(&mut object, &["metadata"]);
    if metadata
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .is_empty()
    {
        let prefix = metadata
            .get("generateName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let name = crate::name::composed(prefix, meta::uid(composite), &key);
        metadata.insert("name".into(), name.into());
    }
    crate::name::check(meta::name(&object), &kind.kind)
        .map_err(|wrong| format!("composed resource {key:?}: {wrong}"))?;
    Ok(Rendered {
        key,
        object,
        ready,
        overridden_namespace,
    })
}

fn keep_identity(object: &mut Value, live: &Value) {
    let metadata = meta::object_mut(object, &["metadata"]);
    for field in ["name", "namespace", "generateName"] {
        match meta::text(live, &["metadata", field]) {
            "" => drop(metadata.remove(field)),
            held => drop(metadata.insert(field.into(), held.into())),
        }
    }
}

/// Puts the object where its composite lives.
fn place(
    key: &str,
    object: &mut Value,
    composite: &Value,
    xrd: &Xrd,
    served: Served,
) -> Result<Option<String>, String> {
    if xrd.scope != Scope::Namespaced {
        return Ok(None);
    }
    let asked = meta::namespace(object).to_owned();
    if !served.namespaced {
        let kind = meta::text(object, &["kind"]);
        return Err(format!(
            "cannot apply cluster scoped composed resource {key:?} (a {kind} named {:?}) for a namespaced composite \
             resource. Compose a namespaced kind, or define the composite with scope Cluster",
            meta::name(object)
        ));
    }
    let home = meta::namespace(composite);
    meta::object_mut(object, &["metadata"]).insert("namespace".into(), home.into());
    Ok((!asked.is_empty() && asked != home).then_some(asked))
}

/// Labels, annotation and owner.
fn tie(key: &str, object: &mut Value, composite: &Value) -> Result<(), String> {
    let root = meta::label(composite, names::LABEL_COMPOSITE);
    if root.is_empty() {
        return Err(format!(
            "cannot compose {key:?}: the composite lacks the label {}",
            names::LABEL_COMPOSITE
        ));
    }
    let metadata = meta::object_mut(object, &["metadata"]);
    let has = |field: &str, metadata: &Map<String, Value>| {
        metadata
            .get(field)
            .and_then(Value::as_str)
            .is_some_and(|v| !v.is_empty())
    };
    if !has("name", metadata) && !has("generateName", metadata) {
        metadata.insert("generateName".into(), format!("{root}-").into());
    }
    meta::object_mut(object, &["metadata", "annotations"])
        .insert(names::ANNOTATION_RESOURCE_NAME.into(), key.into());
    let labels = meta::object_mut(object, &["metadata", "labels"]);
    labels.insert(names::LABEL_COMPOSITE.into(), root.into());
    let claim = meta::label(composite, names::LABEL_CLAIM_NAME);
    let home = meta::label(composite, names::LABEL_CLAIM_NAMESPACE);
    if !claim.is_empty() && !home.is_empty() {
        labels.insert(names::LABEL_CLAIM_NAME.into(), claim.into());
        labels.insert(names::LABEL_CLAIM_NAMESPACE.into(), home.into());
    }
    if let Some(owner) = meta::controller(object).filter(|owner| owner.uid != meta::uid(composite))
    {
        return Err(format!(
            "composed resource {key:?} is desired with another controller, {} {:?}; leave ownerReferences to the \
             engine",
            owner.kind, owner.name
        ));
    }
    let owner = meta::controller_reference(composite);
    let owners = meta::object_mut(object, &["metadata"])
        .entry("ownerReferences")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Some(owners) = owners.as_array_mut() {
        owners.retain(|held| held.get("uid") != owner.get("uid"));
        owners.push(owner);
    }
    Ok(())
}

/// The references to record for rendered resources, sorted; a namespaced composite's references carry no namespace.
pub fn references(rendered: &[Rendered], xrd: &Xrd) -> Vec<Value> {
    let mut refs: Vec<[String; 4]> = rendered
        .iter()
        .map(|r| {
            [
                meta::text(&r.object, &["apiVersion"]).to_owned(),
                meta::text(&r.object, &["kind"]).to_owned(),
                meta::name(&r.object).to_owned(),
                meta::namespace(&r.object).to_owned(),
            ]
        })
        .collect();
    refs.sort_by_key(|parts| parts.concat());
    refs.into_iter()
        .map(|[api_version, kind, name, namespace]| {
            let mut reference = Map::new();
            reference.insert("apiVersion".into(), api_version.into());
            reference.insert("kind".into(), kind.into());
            reference.insert("name".into(), name.into());
            if !namespace.is_empty() && xrd.scope != Scope::Namespaced {
                reference.insert("namespace".into(), namespace.into());
            }
            Value::Object(reference)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NAMESPACED: Served = Served {
        namespaced: true,
        status: true,
    };
    const CLUSTER: Served = Served {
        namespaced: false,
        status: true,
    };

    fn xrd(scope: &str) -> Xrd {
        Xrd::read(&json!({"metadata": {"name": "xs.e.org"}, "spec": {"group": "e.org", "scope": scope,
            "names": {"kind": "X", "plural": "xs"}, "versions": [{"name": "v1", "referenceable": true}]}}))
        .unwrap()
    }

    fn composite() -> Value {
        json!({"apiVersion": "e.org/v1", "kind": "X", "metadata": {"name": "x", "uid": "u", "namespace": "home",
            "labels": {"crossplane.io/composite": "root"}}})
    }

    fn desired(object: Value) -> Desired {
        Desired {
            key: "a".into(),
            object,
            ready: true,
        }
    }

    fn bucket() -> Value {
        json!({"apiVersion": "i.org/v1", "kind": "Bucket", "spec": {"n": 1}, "status": {"s": 1}})
    }

    #[test]
    fn a_new_resource_gets_name_labels_and_owner() {
        let done = render(
            desired(bucket()),
            None,
            &composite(),
            &xrd("Cluster"),
            CLUSTER,
        )
        .unwrap();
        let object = done.object;
        assert!(meta::name(&object).starts_with("root-"));
        assert_eq!(meta::text(&object, &["metadata", "generateName"]), "root-");
        assert_eq!(
            meta::annotation(&object, names::ANNOTATION_RESOURCE_NAME),
            "a"
        );
        assert_eq!(meta::label(&object, names::LABEL_COMPOSITE), "root");
        assert_eq!(meta::controller(&object).unwrap().uid, "u");
        assert!(object.get("status").is_none());
        assert!(
            object["metadata"]["labels"]
                .get(names::LABEL_CLAIM_NAME)
                .is_none()
        );
    }

    #[test]
    fn a_live_resource_keeps_its_identity() {
        let mut wants = bucket();
        wants["metadata"] = json!({"name": "renamed", "resourceVersion": "9", "uid": "z"});
        let live = json!({"metadata": {"name": "held", "generateName": "root-"}});
        let done = render(
            desired(wants),
            Some(&live),
            &composite(),
            &xrd("Cluster"),
            CLUSTER,
        )
        .unwrap();
        assert_eq!(meta::name(&done.object), "held");
        assert_eq!(meta::uid(&done.object), "");
    }

    #[test]
    fn a_namespaced_composite_composes_in_its_namespace_only() {
        let xrd = xrd("Namespaced");
        let mut wants = bucket();
        wants["metadata"] = json!({"namespace": "elsewhere"});
        let done = render(desired(wants), None, &composite(), &xrd, NAMESPACED).unwrap();
        assert_eq!(meta::namespace(&done.object), "home");
        assert_eq!(done.overridden_namespace.as_deref(), Some("elsewhere"));
        assert!(references(&[done], &xrd)[0].get("namespace").is_none());
        let error = render(desired(bucket()), None, &composite(), &xrd, CLUSTER).unwrap_err();
        assert!(error.contains("cluster scoped"));
    }

    #[test]
    fn bad_names_and_forged_owners_are_refused() {
        let check = |metadata: Value, want: &str| {
            let mut wants = bucket();
            wants["metadata"] = metadata;
            let error =
                render(desired(wants), None, &composite(), &xrd("Cluster"), CLUSTER).unwrap_err();
            assert!(error.contains(want), "{error}");
        };
        check(json!({"name": "Not_Valid"}), "Not_Valid");
        check(
            json!({"ownerReferences": [{"uid": "v", "kind": "Y", "controller": true}]}),
            "another controller",
        );
        let mut nameless = composite();
        nameless["metadata"]["labels"] = json!({});
        assert!(render(desired(bucket()), None, &nameless, &xrd("Cluster"), CLUSTER).is_err());
    }
}
