//! Which CustomResourceDefinitions does a CompositeResourceDefinition (XRD) give?
//!
//! Mirrors crossplane-runtime pkg/xcrd: of the author's schema only what composition can honour survives, and the
//! fields the engine works with are added over whatever the author called the same.

mod fields;
mod report;

use serde_json::{Map, Value, json};

pub use report::crds_of;

use crate::error::FieldError;
use crate::keywords;

/// The longest name of a composite resource: it is also the value of a label.
const LONGEST_NAME: u64 = 63;

/// What kind of object a generated CRD is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// A composite of an XRD with scope `LegacyCluster`.
    LegacyComposite,
    /// A composite whose machinery is under `spec.crossplane`.
    Composite {
        namespaced: bool,
    },
    Claim,
}

/// The CRD of the composite resource.
///
/// # Errors
/// A version without a schema, or with one that cannot be read, by path in the XRD.
pub fn composite_crd(xrd: &Value) -> Result<Value, Vec<FieldError>> {
    let target = match scope(xrd) {
        "Namespaced" => Target::Composite { namespaced: true },
        "Cluster" => Target::Composite { namespaced: false },
        _ => Target::LegacyComposite,
    };
    render(xrd, target, &xrd["spec"]["names"])
}

/// The CRD of the claim; `None` when the XRD offers none.
///
/// # Errors
/// As [`composite_crd`], and claim names that are those of the composite.
pub fn claim_crd(xrd: &Value) -> Result<Option<Value>, Vec<FieldError>> {
    let names = &xrd["spec"]["claimNames"];
    if names.is_null() {
        return Ok(None);
    }
    let clashes = name_clashes(names, &xrd["spec"]["names"]);
    if !clashes.is_empty() {
        return Err(clashes);
    }
    render(xrd, Target::Claim, names).map(Some)
}

/// The scope of an XRD: what it says, or the default of the API version it is written in.
pub fn scope(xrd: &Value) -> &str {
    let v2 = xrd["apiVersion"]
        .as_str()
        .is_some_and(|version| version.ends_with("/v2"));
    let default = if v2 { "Namespaced" } else { "LegacyCluster" };
    xrd["spec"]["scope"]
        .as_str()
        .filter(|scope| !scope.is_empty())
        .unwrap_or(default)
}

fn name_clashes(claim: &Value, composite: &Value) -> Vec<FieldError> {
    let words = ["kind", "plural", "singular", "listKind"].into_iter();
    let clash = words.filter(|word| {
        let text = claim[*word].as_str().unwrap_or_default();
        !text.is_empty() && composite[*word] == claim[*word]
    });
    clash
        .map(|word| {
            let path = format!("spec.claimNames.{word}");
            FieldError::invalid(path, &claim[word], "must differ from the composite's")
        })
        .collect()
}

fn render(xrd: &Value, target: Target, names: &Value) -> Result<Value, Vec<FieldError>> {
    let spec = &xrd["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (plural, group) = (text(&names["plural"]), text(&spec["group"]));
    let mut errors = Vec::new();
    let mut versions = Vec::new();
    for (index, version) in spec["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        match render_version(spec, version, index, target) {
            Ok(version) => versions.push(version),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut crd_spec = json!({
        "group": group,
        "names": rendered_names(names, target),
        "scope": match target {
            Target::Claim | Target::Composite { namespaced: true } => "Namespaced",
            Target::LegacyComposite | Target::Composite { namespaced: false } => "Cluster",
        },
        "versions": versions,
    });
    if !spec["conversion"].is_null() {
        crd_spec["conversion"] = spec["conversion"].clone();
    }
    Ok(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata(xrd, &format!("{plural}.{group}")),
        "spec": crd_spec,
    }))
}

fn metadata(xrd: &Value, name: &str) -> Value {
    let extra = &xrd["spec"]["metadata"];
    let mut labels = xrd["metadata"]["labels"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    labels.extend(extra["labels"].as_object().cloned().unwrap_or_default());
    let annotations = extra["annotations"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let mut metadata = json!({"name": name});
    if !labels.is_empty() {
        metadata["labels"] = Value::Object(labels);
    }
    if !annotations.is_empty() {
        metadata["annotations"] = Value::Object(annotations);
    }
    // Without a uid the XRD is not in any cluster, and nothing can be owned by it.
    if let Some(uid) = xrd["metadata"]["uid"].as_str() {
        metadata["ownerReferences"] = json!([{
            "apiVersion": "apiextensions.crossplane.io/v1",
            "kind": "CompositeResourceDefinition",
            "name": xrd["metadata"]["name"],
            "uid": uid,
            "controller": true,
            "blockOwnerDeletion": true,
        }]);
    }
    metadata
}

fn rendered_names(names: &Value, target: Target) -> Value {
    let category = match target {
        Target::Claim => "claim",
        Target::LegacyComposite | Target::Composite { .. } => "composite",
    };
    let mut out = Map::new();
    for word in ["plural", "singular", "shortNames", "kind", "listKind"] {
        let empty =
            names[word].as_str() == Some("") || names[word].as_array().is_some_and(Vec::is_empty);
        if !names[word].is_null() && !empty {
            out.insert(word.to_owned(), names[word].clone());
        }
    }
    let mut categories = names["categories"].as_array().cloned().unwrap_or_default();
    categories.push(category.into());
    out.insert("categories".to_owned(), Value::Array(categories));
    Value::Object(out)
}

fn render_version(
    spec: &Value,
    version: &Value,
    index: usize,
    target: Target,
) -> Result<Value, Vec<FieldError>> {
    let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
    let schema = &version["schema"]["openAPIV3Schema"];
    if version["schema"].is_null() {
        return Err(vec![FieldError::required(
            format!("spec.versions[{index}].schema"),
            "every version needs a schema; openAPIV3Schema may be empty",
        )]);
    }
    let user = keywords::normalize(schema, &path)?;
    let mut columns = version["additionalPrinterColumns"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    columns.extend(fields::columns(target));
    let mut subresources = json!({"status": {}});
    if let Some(scale) = version["subresources"]
        .get("scale")
        .filter(|scale| !scale.is_null())
    {
        subresources["scale"] = scale.clone();
    }
    let mut out = json!({
        "name": version["name"],
        "served": version["served"].as_bool().unwrap_or(false),
        "storage": version["referenceable"].as_bool().unwrap_or(false),
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": whole_schema(spec, &user, target)},
        "subresources": subresources,
    });
    if version["deprecated"] == true {
        out["deprecated"] = true.into();
    }
    if let Some(warning) = version["deprecationWarning"].as_str() {
        out["deprecationWarning"] = warning.into();
    }
    Ok(out)
}

fn whole_schema(spec: &Value, user: &Value, target: Target) -> Value {
    let user_name = user.pointer("/properties/metadata/properties/name/maxLength");
    let longest = user_name
        .and_then(Value::as_u64)
        .map_or(LONGEST_NAME, |max| max.min(LONGEST_NAME));
    let policy = |name: &str, default: &str| -> String {
        spec[name]
            .as_str()
            .filter(|word| !word.is_empty())
            .unwrap_or(default)
            .to_owned()
    };
    let update = policy("defaultCompositionUpdatePolicy", "Automatic");
    let delete = policy("defaultCompositeDeletePolicy", "Background");
    let spec_fields = fields::spec(target, &update, &delete);
    let keep = [
        "required",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
        "oneOf",
        "description",
    ];
    let mut schema = json!({
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": longest}}},
            "spec": part(&user["properties"]["spec"], &keep, spec_fields),
            "status": part(
                &user["properties"]["status"],
                &["required", "x-kubernetes-validations", "description", "oneOf"],
                fields::status(target),
            ),
        },
    });
    for keyword in ["description", "x-kubernetes-validations"] {
        if let Some(value) = user.get(keyword) {
            schema[keyword] = value.clone();
        }
    }
    schema
}

/// An object with the author's properties and the machinery's over them; of the other keywords only `keep` stay.
fn part(user: &Value, keep: &[&str], machinery: Map<String, Value>) -> Value {
    let mut out = Map::new();
    out.insert("type".to_owned(), "object".into());
    for keyword in keep {
        if let Some(value) = user.get(keyword) {
            out.insert((*keyword).to_owned(), value.clone());
        }
    }
    let mut properties = user["properties"].as_object().cloned().unwrap_or_default();
    properties.extend(machinery);
    out.insert("properties".to_owned(), Value::Object(properties));
    Value::Object(out)
}
