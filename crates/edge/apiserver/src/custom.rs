//! Custom resources: what a definition says about one version, and what that does to an object.

use std::collections::BTreeMap;
use std::sync::Arc;

use purlin_expr::crd::Rules;
use purlin_schema::Schema;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::apply::shape::{self, Shape};
use crate::failure::{Cause, FieldError};
use crate::kinds::types::METADATA;
use crate::registry::{Resource, Source};

/// A printer column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: String,
    pub holds: String,
    pub format: String,
    pub description: String,
    pub priority: i64,
    pub path: String,
}

/// Where the scale subresource reads and writes.
#[derive(Debug, Clone)]
pub(crate) struct ScalePaths {
    pub spec: String,
    pub status: String,
    pub selector: Option<String>,
}

/// One version of a custom resource.
#[derive(Debug)]
pub(crate) struct Custom {
    /// Changes with the definition's spec; objects written under another one are presented anew.
    pub definition: u64,
    pub version: String,
    pub storage_version: String,
    pub schema: Arc<Schema>,
    pub storage_schema: Arc<Schema>,
    /// The schema as the definition writes it, for OpenAPI.
    pub document: Value,
    pub shape: Arc<Shape>,
    pub status: bool,
    pub scale: Option<ScalePaths>,
    pub columns: Vec<Column>,
    pub selectable: Vec<String>,
    /// The warning each request of a deprecated version is answered with.
    pub deprecation: Option<String>,
    pub terminating: bool,
    /// Its `x-kubernetes-validations`.
    pub rules: Rules,
}

fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn strings(value: &Value, name: &str) -> Vec<String> {
    let list = value.get(name).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The resources a definition serves. Versions whose schema cannot be read are left out; the check at the
/// definition's write refuses those.
pub(crate) fn resources(definition: &Value) -> Vec<Resource> {
    let spec = &definition["spec"];
    let names = &definition["status"]["acceptedNames"];
    let group = text(spec, "group");
    let digest = Sha256::digest(spec.to_string().as_bytes());
    let stamp = digest
        .iter()
        .take(8)
        .fold(0, |n, byte| (n << 8) | u64::from(*byte));
    let mut schemas: BTreeMap<String, Arc<Schema>> = BTreeMap::new();
    let mut storage = String::new();
    for version in list(spec, "versions") {
        let document = &version["schema"]["openAPIV3Schema"];
        if let Ok(schema) = Schema::parse(document) {
            schemas.insert(text(version, "name"), Arc::new(schema));
        }
        if version["storage"] == Value::Bool(true) {
            storage = text(version, "name");
        }
    }
    let Some(storage_schema) = schemas.get(&storage).cloned() else {
        return Vec::new();
    };
    let terminating = definition.pointer("/metadata/deletionTimestamp").is_some();
    let served = list(spec, "versions").filter(|v| v["served"] == Value::Bool(true));
    let resources = served.filter_map(|version| {
        let name = text(version, "name");
        let schema = schemas.get(&name)?.clone();
        // What does not compile was refused when the definition was written.
        let (rules, _) = Rules::compile(&schema, "");
        let document = &version["schema"]["openAPIV3Schema"];
        let status = version.pointer("/subresources/status");
        let custom = Custom {
            definition: stamp,
            version: name,
            storage_version: storage.clone(),
            schema,
            storage_schema: storage_schema.clone(),
            document: document.clone(),
            shape: shape::from_openapi(document, &METADATA),
            status: status.is_some_and(|v| !v.is_null()),
            scale: scale(version),
            columns: columns(version),
            selectable: list(version, "selectableFields")
                .map(|f| text(f, "jsonPath"))
                .collect(),
            deprecation: deprecation(version, &group, spec),
            terminating,
            rules,
        };
        Some(resource(spec, names, custom))
    });
    resources.collect()
}

fn resource(spec: &Value, names: &Value, custom: Custom) -> Resource {
    let group = text(spec, "group");
    Resource {
        id: format!("{group}/{}", text(names, "plural")).into(),
        group,
        version: custom.version.clone(),
        kind: text(names, "kind"),
        list_kind: text(names, "listKind"),
        plural: text(names, "plural"),
        singular: text(names, "singular"),
        short_names: strings(names, "shortNames"),
        categories: strings(names, "categories"),
        namespaced: spec["scope"].as_str() == Some("Namespaced"),
        source: Source::Custom(Arc::new(custom)),
    }
}

fn scale(version: &Value) -> Option<ScalePaths> {
    let scale = version
        .pointer("/subresources/scale")
        .filter(|v| v.is_object())?;
    Some(ScalePaths {
        spec: text(scale, "specReplicasPath"),
        status: text(scale, "statusReplicasPath"),
        selector: Some(text(scale, "labelSelectorPath")).filter(|p| !p.is_empty()),
    })
}

fn columns(version: &Value) -> Vec<Column> {
    let columns = list(version, "additionalPrinterColumns").map(|column| Column {
        name: text(column, "name"),
        holds: text(column, "type"),
        format: text(column, "format"),
        description: text(column, "description"),
        priority: column["priority"].as_i64().unwrap_or(0),
        path: text(column, "jsonPath"),
    });
    columns.collect()
}

fn deprecation(version: &Value, group: &str, spec: &Value) -> Option<String> {
    if version["deprecated"] != Value::Bool(true) {
        return None;
    }
    let own = version["deprecationWarning"].as_str().map(str::to_owned);
    Some(own.unwrap_or_else(|| {
        let kind = text(&spec["names"], "kind");
        format!("{group}/{} {kind} is deprecated", text(version, "name"))
    }))
}

impl Custom {
    /// Brings a decoded object into the form of this version. Returns the paths of what was dropped.
    pub(crate) fn decode(&self, object: &mut Value) -> Result<Vec<String>, String> {
        let mut unknown =
            purlin_schema::coerce_metadata(object, &self.schema).map_err(|errors| {
                errors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            })?;
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            crate::verbs::create::tidy(metadata);
        }
        unknown.extend(purlin_schema::prune(object, &self.schema));
        self.fill(object);
        Ok(unknown)
    }

    /// Fills in defaults, and drops nulls that stand for absence.
    pub(crate) fn fill(&self, object: &mut Value) {
        purlin_schema::drop_nulls(object, &self.schema);
        purlin_schema::apply_defaults(object, &self.schema);
    }

    /// The form in which an object of this version is stored.
    pub(crate) fn store(&self, object: &mut Value, group: &str) {
        if self.version == self.storage_version {
            return;
        }
        object["apiVersion"] = format!("{group}/{}", self.storage_version).into();
        purlin_schema::prune(object, &self.storage_schema);
        purlin_schema::drop_nulls(object, &self.storage_schema);
        purlin_schema::apply_defaults(object, &self.storage_schema);
    }

    /// A stored object in the form of this version.
    pub(crate) fn present(&self, stored: &Value, group: &str) -> Value {
        let mut object = stored.clone();
        purlin_schema::prune(&mut object, &self.storage_schema);
        purlin_schema::drop_nulls(&mut object, &self.storage_schema);
        purlin_schema::apply_defaults(&mut object, &self.storage_schema);
        object["apiVersion"] = format!("{group}/{}", self.version).into();
        if self.version != self.storage_version {
            purlin_schema::prune(&mut object, &self.schema);
            self.fill(&mut object);
        }
        object
    }

    /// Checks an object, or what an update changes in it; through `/status` only the status and the rules.
    pub(crate) fn check(&self, object: &Value, old: Option<&Value>, sub: &str) -> Found {
        let schema = match (sub, old) {
            ("status", Some(old)) => match (object.get("status"), self.schema.field("status")) {
                (Some(status), Some(schema)) => {
                    purlin_schema::validate_part(status, old.get("status"), schema, "status")
                }
                _ => Vec::new(),
            },
            (_, Some(old)) => purlin_schema::validate_update(object, old, &self.schema),
            (_, None) => purlin_schema::validate(object, &self.schema),
        };
        let mut found = Found {
            errors: schema.into_iter().map(convert).collect(),
            warnings: Vec::new(),
        };
        if let Some(scale) = self.scale.as_ref().filter(|_| sub.is_empty()) {
            found.errors.extend(scale.check(object));
        }
        self.check_rules(object, old, &mut found);
        found
    }

    fn check_rules(&self, object: &Value, old: Option<&Value>, found: &mut Found) {
        if self.rules.is_empty() {
            return;
        }
        let unreadable = [
            Cause::Required,
            Cause::TypeInvalid,
            Cause::TooLong,
            Cause::TooMany,
            Cause::NotSupported,
        ];
        if found.errors.iter().any(|e| unreadable.contains(&e.cause)) {
            found.errors.push(FieldError::invalid(
                "",
                &Value::Null,
                "some validation rules were not checked because the object was invalid; correct the existing errors to \
                 complete validation",
            ));
            return;
        }
        for violation in self.rules.check(object, old) {
            if violation.ratcheted {
                found.warnings.push(violation.error.to_string());
            } else {
                found.errors.push(convert(violation.error));
            }
        }
    }
}

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub errors: Vec<FieldError>,
    pub warnings: Vec<String>,
}

impl ScalePaths {
    /// The fields the scale subresource reads hold what it can show.
    fn check(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for path in [&self.spec, &self.status] {
            let mut value = Some(object);
            let mut wrong = None;
            for step in path.split('.').filter(|s| !s.is_empty()) {
                match value {
                    Some(Value::Object(fields)) => value = fields.get(step),
                    Some(Value::Null) | None => value = None,
                    Some(other) => {
                        wrong = Some((other.clone(), "is not an object"));
                        break;
                    }
                }
            }
            match value.and_then(Value::as_i64) {
                Some(n) if n < 0 => wrong = Some((n.into(), "should be a non-negative integer")),
                Some(n) if n > i64::from(i32::MAX) => {
                    wrong = Some((n.into(), "should be less than or equal to 2147483647"));
                }
                _ => {}
            }
            if let Some((value, why)) = wrong {
                errors.push(FieldError::invalid(path.clone(), &value, why));
            }
        }
        errors
    }
}

/// A field error of the schema crate in this crate's vocabulary.
pub(crate) fn convert(error: purlin_schema::FieldError) -> FieldError {
    use purlin_schema::Reason;
    let cause = match error.reason {
        Reason::Required => Cause::Required,
        Reason::Invalid => Cause::Invalid,
        Reason::NotSupported => Cause::NotSupported,
        Reason::Duplicate => Cause::Duplicate,
        Reason::TypeInvalid => Cause::TypeInvalid,
        Reason::TooLong => Cause::TooLong,
        Reason::TooMany => Cause::TooMany,
        Reason::Forbidden => Cause::Forbidden,
    };
    FieldError {
        cause,
        field: error.path,
        message: error.message,
    }
}
