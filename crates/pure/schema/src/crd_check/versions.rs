//! Are the versions of a CRD right: their names, flags, columns, subresources, selectable fields and schemas?

use std::collections::BTreeSet;

use serde_json::Value;

use super::{CheckRules, structure};
use crate::error::{FieldError, element};
use crate::names::is_dns_1035;
use crate::structural::{Kind, Schema};

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] = [
    "byte",
    "date",
    "date-time",
    "double",
    "float",
    "int32",
    "int64",
    "password",
];
const MOST_SELECTABLE: usize = 8;

pub(super) fn check(crd: &Value, rules: &dyn CheckRules) -> Vec<FieldError> {
    let none = Vec::new();
    let versions = crd["spec"]["versions"].as_array().unwrap_or(&none);
    let mut errors = Vec::new();
    names(versions, &mut errors);
    stored(crd, versions, &mut errors);
    for (place, columns) in places(
        versions,
        "additionalPrinterColumns",
        "additionalPrinterColumns",
    ) {
        check_columns(columns, &place, &mut errors);
    }
    for (place, subresources) in places(versions, "subresources", "subresources") {
        check_scale(
            &subresources["scale"],
            &format!("{place}.scale"),
            &mut errors,
        );
    }
    for (place, fields) in places(versions, "selectableFields", "selectableFields") {
        let schema = &versions[0]["schema"]["openAPIV3Schema"];
        selectable(fields, schema, &place, &mut errors);
    }
    schemas(versions, rules, &mut errors);
    errors
}

/// A part of each version with its path: once, and directly below `spec`, when all versions agree on it.
fn places<'a>(versions: &'a [Value], part: &str, shared: &str) -> Vec<(String, &'a Value)> {
    let Some(first) = versions.first() else {
        return Vec::new();
    };
    if versions
        .iter()
        .all(|version| version.get(part) == first.get(part))
    {
        return vec![(format!("spec.{shared}"), &first[part])];
    }
    let each = versions.iter().enumerate();
    each.map(|(index, version)| (format!("spec.versions[{index}].{part}"), &version[part]))
        .collect()
}

fn names(versions: &[Value], errors: &mut Vec<FieldError>) {
    const LABEL: &str = "must be a DNS label, for example v1beta1";
    let list = Value::Array(Vec::new());
    let mut seen = BTreeSet::new();
    for (index, version) in versions.iter().enumerate() {
        let path = element("spec.versions", index);
        let name = version["name"].as_str().unwrap_or_default();
        if !is_dns_1035(name) {
            if index == 0 && !name.is_empty() {
                errors.push(FieldError::invalid("spec.version", &version["name"], LABEL));
            }
            errors.push(FieldError::invalid(
                format!("{path}.name"),
                &version["name"],
                LABEL,
            ));
        }
        if !seen.insert(name) {
            errors.push(FieldError::invalid(
                "spec.versions",
                &list,
                "must contain unique version names",
            ));
        }
        deprecation(version, &path, errors);
    }
    let storage = versions
        .iter()
        .filter(|version| version["storage"] == true)
        .count();
    if storage != 1 {
        let detail = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", &list, detail));
    }
}

fn deprecation(version: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let Some(text) = version["deprecationWarning"].as_str() else {
        return;
    };
    let path = format!("{path}.deprecationWarning");
    let value = &version["deprecationWarning"];
    if version["deprecated"] != true {
        errors.push(FieldError::invalid(
            path,
            value,
            "can only be set for a deprecated version",
        ));
    } else if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
        errors.push(FieldError::invalid(
            path,
            value,
            "must be 1 to 256 bytes without control characters",
        ));
    }
}

fn stored(crd: &Value, versions: &[Value], errors: &mut Vec<FieldError>) {
    let names: BTreeSet<&str> = versions
        .iter()
        .filter_map(|version| version["name"].as_str())
        .collect();
    let storage = versions.iter().any(|version| version["storage"] == true);
    let stored: Vec<&Value> = crd["status"]["storedVersions"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    if stored.is_empty() && !storage {
        let list = Value::Array(Vec::new());
        errors.push(FieldError::invalid(
            "status.storedVersions",
            &list,
            "must have at least one stored version",
        ));
    }
    for (index, version) in stored.into_iter().enumerate() {
        if !version.as_str().is_some_and(|name| names.contains(name)) {
            let detail = "was a storage version and must stay in spec.versions until it is taken out of status.storedVersions";
            errors.push(FieldError::invalid(
                element("status.storedVersions", index),
                version,
                detail,
            ));
        }
    }
}

fn check_columns(columns: &Value, place: &str, errors: &mut Vec<FieldError>) {
    for (index, column) in columns.as_array().into_iter().flatten().enumerate() {
        let path = element(place, index);
        let text = |name: &str| column[name].as_str().unwrap_or_default();
        let words = |words: &[&str]| -> Vec<String> {
            words.iter().map(|word| format!("{word:?}")).collect()
        };
        if text("name").is_empty() {
            errors.push(FieldError::required(format!("{path}.name"), ""));
        }
        if text("type").is_empty() {
            errors.push(FieldError::required(
                format!("{path}.type"),
                "must be one of the column types",
            ));
        } else if !COLUMN_TYPES.contains(&text("type")) {
            let allowed = words(&COLUMN_TYPES);
            errors.push(FieldError::not_supported(
                format!("{path}.type"),
                &column["type"],
                &allowed,
            ));
        }
        if !text("format").is_empty() && !COLUMN_FORMATS.contains(&text("format")) {
            let allowed = words(&COLUMN_FORMATS);
            errors.push(FieldError::not_supported(
                format!("{path}.format"),
                &column["format"],
                &allowed,
            ));
        }
        if text("jsonPath").is_empty() {
            errors.push(FieldError::required(format!("{path}.jsonPath"), ""));
        } else if !text("jsonPath").starts_with('.') {
            let detail = "must be a simple path that begins with a dot";
            errors.push(FieldError::invalid(
                format!("{path}.jsonPath"),
                &column["jsonPath"],
                detail,
            ));
        }
    }
}

fn check_scale(scale: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if !scale.is_object() {
        return;
    }
    let mut below = |name: &str, roots: &[&str], required: bool| {
        let path = format!("{path}.{name}");
        let text = scale[name].as_str().unwrap_or_default();
        if text.is_empty() && required {
            errors.push(FieldError::required(path, ""));
        } else if !text.is_empty() && !roots.iter().any(|root| text.starts_with(root)) {
            let detail = format!("must be a path below {}", roots.join(" or "));
            errors.push(FieldError::invalid(path, &scale[name], &detail));
        }
    };
    below("specReplicasPath", &[".spec."], true);
    below("statusReplicasPath", &[".status."], true);
    below("labelSelectorPath", &[".spec.", ".status."], false);
}

fn selectable(fields: &Value, schema: &Value, place: &str, errors: &mut Vec<FieldError>) {
    let Some(fields) = fields.as_array().filter(|fields| !fields.is_empty()) else {
        return;
    };
    let Ok(schema) = Schema::parse(schema) else {
        return;
    };
    let before = errors.len();
    let mut seen = BTreeSet::new();
    for (index, field) in fields.iter().enumerate() {
        let path = format!("{}.jsonPath", element(place, index));
        let value = &field["jsonPath"];
        let text = value.as_str().unwrap_or_default();
        if text.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if !leaf(text, &schema) {
            let detail =
                "must be the path of a string, boolean or integer outside of metadata and lists";
            errors.push(FieldError::invalid(path, value, detail));
        } else if !seen.insert(text) {
            errors.push(FieldError::duplicate(path, value));
        }
    }
    if errors.len() == before && fields.len() > MOST_SELECTABLE {
        errors.push(FieldError::too_many(
            place,
            fields.len(),
            MOST_SELECTABLE as u64,
        ));
    }
}

fn leaf(path: &str, schema: &Schema) -> bool {
    let Some(rest) = path.strip_prefix('.') else {
        return false;
    };
    if rest == "metadata" || rest.starts_with("metadata.") {
        return false;
    }
    let found = rest
        .split('.')
        .try_fold(schema, |node, name| node.properties.get(name));
    found.is_some_and(|node| {
        matches!(
            node.kind,
            Some(Kind::String | Kind::Boolean | Kind::Integer)
        )
    })
}

fn schemas(versions: &[Value], rules: &dyn CheckRules, errors: &mut Vec<FieldError>) {
    let missing: Vec<usize> = (0..versions.len())
        .filter(|index| !versions[*index]["schema"]["openAPIV3Schema"].is_object())
        .collect();
    for index in &missing {
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        errors.push(FieldError::required(path, "schemas are required"));
    }
    if !missing.is_empty() {
        return;
    }
    let has_status = |version: &Value| version["subresources"]["status"].is_object();
    for (place, schema) in places(versions, "schema", "validation") {
        let status = versions.iter().any(has_status);
        let path = format!("{place}.openAPIV3Schema");
        errors.extend(structure::check(
            &schema["openAPIV3Schema"],
            &path,
            status,
            rules,
        ));
    }
}
