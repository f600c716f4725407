//! What of a CRD is worth keeping: the kinds it defines, without the words?

use purlin_composition::modules::Modules;
use purlin_diag::Diagnostics;
use purlin_yaml::Document;
use serde_json::Value;

use crate::set::{Role, role};
use crate::{Report, definition, partial};

/// A kind as a CRD defines it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Its versions.
    pub versions: Vec<KeptVersion>,
}

/// A version of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptVersion {
    /// Its name.
    pub name: String,
    /// Whether its users should move on.
    pub deprecated: bool,
    /// The `openAPIV3Schema`, without descriptions.
    pub schema: Value,
}

/// Whether a document is a CRD.
pub fn is_crd(document: &Document) -> bool {
    role(&document.value) == Role::Crd
}

/// Whether what is found in other documents may depend on this one.
pub fn defines(document: &Document) -> bool {
    let object = &document.value;
    let file = document.places.file();
    let name = file.rsplit('/').next().unwrap_or(file);
    matches!(role(object), Role::Xrd | Role::Crd)
        || object["kind"] == "Function"
        || Modules::is_module(object)
        || object["kind"] == "List"
        || name.starts_with("kustomization.")
        || partial::tests(object, file).is_some()
}

/// What is wrong with a CRD.
pub fn check_crd(document: &Document) -> Diagnostics {
    let mut report = Report::new(&document.places);
    if !partial::is_partial(document.places.file()) {
        definition::crd(document, &mut report);
    }
    report.found
}

/// The kinds that a CRD or an XRD defines: an XRD has one for composites, and maybe one for claims.
pub fn kept(object: &Value) -> Vec<Kept> {
    match role(object) {
        Role::Crd => of_crd(object).into_iter().collect(),
        Role::Xrd => {
            let composite = purlin_schema::composite_crd(object).ok();
            let claim = purlin_schema::claim_crd(object).ok().flatten();
            let crds = [composite, claim].into_iter().flatten();
            crds.filter_map(|crd| of_crd(&crd)).collect()
        }
        Role::Composition | Role::Other => Vec::new(),
    }
}

fn of_crd(crd: &Value) -> Option<Kept> {
    let spec = &crd["spec"];
    let versions = spec["versions"].as_array()?;
    let versions = versions.iter().filter_map(|version| {
        let schema = version["schema"].get("openAPIV3Schema")?;
        Some(KeptVersion {
            name: version["name"].as_str()?.to_owned(),
            deprecated: version["deprecated"] == true,
            schema: without_words(schema),
        })
    });
    Some(Kept {
        group: spec["group"].as_str()?.to_owned(),
        kind: spec["names"]["kind"].as_str()?.to_owned(),
        namespaced: spec["scope"] == "Namespaced",
        versions: versions.collect(),
    })
}

/// A CRD without the words in its schemas.
pub(crate) fn slim(crd: &Value) -> Value {
    let Value::Object(map) = crd else {
        return crd.clone();
    };
    let slim = map.iter().map(|(name, value)| {
        let value = match name.as_str() {
            "spec" | "schema" | "validation" => slim(value),
            "versions" => match value {
                Value::Array(versions) => Value::Array(versions.iter().map(slim).collect()),
                other => other.clone(),
            },
            "openAPIV3Schema" => without_words(value),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(slim.collect())
}

/// A schema without its descriptions, which are most of it. A property may have that name, too.
fn without_words(schema: &Value) -> Value {
    let Value::Object(map) = schema else {
        return schema.clone();
    };
    let words = |name: &str, value: &Value| {
        matches!(name, "description" | "title") && value.is_string() || name == "example"
    };
    let kept = map
        .iter()
        .filter(|(name, value)| !words(name, value))
        .map(|(name, value)| {
            let value = match (name.as_str(), value) {
                ("properties" | "patternProperties" | "definitions", Value::Object(fields)) => {
                    let fields = fields.iter();
                    let fields = fields.map(|(name, field)| (name.clone(), without_words(field)));
                    Value::Object(fields.collect())
                }
                ("items" | "additionalProperties" | "not", schema) => without_words(schema),
                ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => {
                    Value::Array(all.iter().map(without_words).collect())
                }
                (_, value) => value.clone(),
            };
            (name.clone(), value)
        });
    Value::Object(kept.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn only_words_are_left_out() {
        let schema = json!({"type": "object", "description": "long", "properties": {
            "description": {"type": "string", "description": "the field of this name"},
            "list": {"type": "array", "items": {"type": "string", "enum": ["description"], "description": "x"}},
        }});
        assert_eq!(
            super::without_words(&schema),
            json!({"type": "object", "properties": {
                "description": {"type": "string"},
                "list": {"type": "array", "items": {"type": "string", "enum": ["description"]}},
            }})
        );
    }
}
