//! May a CustomResourceDefinition be stored?
//!
//! The rules and the field paths are those of k8s.io/apiextensions-apiserver v1, which reads a v1 object into its
//! internal form first: what is the same in all versions is checked once and reported under `spec.validation`,
//! `spec.additionalPrinterColumns` and so on. CEL is left to the caller, through [`CheckRules`].

mod names;
mod rules;
mod structure;
mod versions;

use serde_json::{Map, Value};

use crate::error::FieldError;
use crate::keywords;
use crate::structural::Schema;

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RulePlace {
    /// At the root of the schema, where `self` has `apiVersion`, `kind` and `metadata` too.
    pub root: bool,
    /// Whether the old value can be found, so that `oldSelf` may be used.
    pub correlatable: bool,
}

/// Compiles the CEL of a schema. The crate that knows CEL implements it; `()` finds nothing.
pub trait CheckRules {
    /// What is wrong with the rules of this node. Paths begin with `path`, the node's.
    fn check(&self, schema: &Schema, path: &str, place: RulePlace) -> Vec<FieldError>;

    /// What the rules say about the node's default, already known to fit its schema.
    fn check_default(&self, schema: &Schema, default: &Value, path: &str) -> Vec<FieldError>;
}

impl CheckRules for () {
    fn check(&self, _: &Schema, _: &str, _: RulePlace) -> Vec<FieldError> {
        Vec::new()
    }

    fn check_default(&self, _: &Schema, _: &Value, _: &str) -> Vec<FieldError> {
        Vec::new()
    }
}

/// Everything that is wrong with a CRD that is created. Call [`complete_crd`] first.
pub fn check_crd(crd: &Value, rules: &dyn CheckRules) -> Vec<FieldError> {
    let mut errors = names::check(crd);
    errors.extend(versions::check(crd, rules));
    errors
}

/// Everything that is wrong with a changed CRD: as [`check_crd`], and what may not change.
pub fn check_crd_update(crd: &Value, old: &Value, rules: &dyn CheckRules) -> Vec<FieldError> {
    let mut errors = check_crd(crd, rules);
    errors.extend(names::check_update(crd, old));
    errors
}

/// Fills in what a server does: singular and list names, the conversion strategy, and schemas as they are stored.
///
/// # Errors
/// Keywords of a schema that have the wrong JSON type; a server answers those with 400.
pub fn complete_crd(crd: &mut Value) -> Result<(), Vec<FieldError>> {
    let Some(spec) = crd.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    if let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) {
        let kind = names
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if is_empty(names, "singular") {
            names.insert("singular".to_owned(), kind.to_lowercase().into());
        }
        if is_empty(names, "listKind") && !kind.is_empty() {
            names.insert("listKind".to_owned(), format!("{kind}List").into());
        }
    }
    if spec.get("conversion").is_none_or(Value::is_null) {
        let mut none = Map::new();
        none.insert("strategy".to_owned(), "None".into());
        spec.insert("conversion".to_owned(), Value::Object(none));
    }
    let mut errors = Vec::new();
    let versions = spec.get_mut("versions").and_then(Value::as_array_mut);
    for (index, version) in versions.into_iter().flatten().enumerate() {
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        let schema = version.pointer_mut("/schema/openAPIV3Schema");
        let Some(schema) = schema.filter(|schema| !schema.is_null()) else {
            continue;
        };
        match keywords::normalize(schema, &path) {
            Ok(normal) => *schema = normal,
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// The formats in a CRD's schemas that nobody knows, as `(path, format)`: a server warns about them.
pub fn unknown_formats(crd: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let versions = crd["spec"]["versions"].as_array();
    for (index, version) in versions.into_iter().flatten().enumerate() {
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        formats(&version["schema"]["openAPIV3Schema"], &path, 0, &mut found);
    }
    found
}

fn formats(node: &Value, path: &str, depth: usize, found: &mut Vec<(String, String)>) {
    if depth > keywords::MAX_DEPTH || !node.is_object() {
        return;
    }
    if let Some(format) = node["format"]
        .as_str()
        .filter(|f| !crate::is_known_format(f))
    {
        found.push((format!("{path}.format"), format.to_owned()));
    }
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        formats(
            property,
            &format!("{path}.properties[{name}]"),
            depth + 1,
            found,
        );
    }
    for keyword in ["items", "additionalProperties"] {
        formats(
            &node[keyword],
            &format!("{path}.{keyword}"),
            depth + 1,
            found,
        );
    }
}

fn is_empty(map: &Map<String, Value>, name: &str) -> bool {
    map.get(name)
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
}

#[cfg(test)]
mod tests;
