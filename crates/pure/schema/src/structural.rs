//! A structural schema: the typed reading of `openAPIV3Schema`.
//!
//! Knows nothing about the text of CEL rules; they are kept as they were written.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{FieldError, child, element};
use crate::keywords;
use crate::pattern::Pattern;

/// The JSON type a schema asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `object`
    Object,
    /// `array`
    Array,
    /// `string`
    String,
    /// `integer`
    Integer,
    /// `number`
    Number,
    /// `boolean`
    Boolean,
}

impl Kind {
    /// Reads the keyword `type`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "object" => Self::Object,
            "array" => Self::Array,
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            _ => return None,
        })
    }

    /// The spelling in a schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// `x-kubernetes-list-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListType {
    /// Replaced as a whole; the default.
    #[default]
    Atomic,
    /// Members are unique.
    Set,
    /// Members are found by `x-kubernetes-list-map-keys`.
    Map,
}

/// `x-kubernetes-map-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapType {
    /// Fields have their own owners; the default.
    #[default]
    Granular,
    /// Replaced as a whole.
    Atomic,
}

/// `additionalProperties`.
#[derive(Debug, Clone, PartialEq)]
pub enum Additional {
    /// `true` or `false`.
    Flag(bool),
    /// A schema for every value.
    Schema(Box<Schema>),
}

impl Additional {
    /// The schema of the values, when there is one.
    pub fn schema(&self) -> Option<&Schema> {
        match self {
            Self::Schema(schema) => Some(schema),
            Self::Flag(_) => None,
        }
    }
}

/// One entry of `x-kubernetes-validations`, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// The expression.
    pub rule: String,
    /// The text when it does not hold.
    pub message: Option<String>,
    /// An expression that gives the text.
    pub message_expression: Option<String>,
    /// `FieldValueInvalid` and the like.
    pub reason: Option<String>,
    /// The field the error belongs to, relative to the rule's place.
    pub field_path: Option<String>,
    /// Whether `oldSelf` is an optional.
    pub optional_old_self: Option<bool>,
}

/// A schema. Values of descriptive keywords that change nothing (`example`, `externalDocs`) are not kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    /// `type`.
    pub kind: Option<Kind>,
    /// `title`.
    pub title: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `format`.
    pub format: Option<String>,
    /// `nullable`.
    pub nullable: bool,
    /// `default`.
    pub default: Option<Value>,
    /// `enum`.
    pub allowed: Option<Vec<Value>>,
    /// `properties`.
    pub properties: BTreeMap<String, Schema>,
    /// `additionalProperties`.
    pub additional: Option<Additional>,
    /// `required`.
    pub required: Vec<String>,
    /// `items`.
    pub items: Option<Box<Schema>>,
    /// `minItems`.
    pub min_items: Option<u64>,
    /// `maxItems`.
    pub max_items: Option<u64>,
    /// `uniqueItems`; a CRD may not have it, other schemas may.
    pub unique_items: bool,
    /// `minProperties`.
    pub min_properties: Option<u64>,
    /// `maxProperties`.
    pub max_properties: Option<u64>,
    /// `minLength`, in characters.
    pub min_length: Option<u64>,
    /// `maxLength`, in characters.
    pub max_length: Option<u64>,
    /// `pattern`.
    pub pattern: Option<Pattern>,
    /// `minimum`.
    pub minimum: Option<f64>,
    /// `exclusiveMinimum`.
    pub exclusive_minimum: bool,
    /// `maximum`.
    pub maximum: Option<f64>,
    /// `exclusiveMaximum`.
    pub exclusive_maximum: bool,
    /// `multipleOf`.
    pub multiple_of: Option<f64>,
    /// `allOf`.
    pub all_of: Vec<Schema>,
    /// `anyOf`.
    pub any_of: Vec<Schema>,
    /// `oneOf`.
    pub one_of: Vec<Schema>,
    /// `not`.
    pub not: Option<Box<Schema>>,
    /// `x-kubernetes-preserve-unknown-fields: true`.
    pub preserve_unknown: bool,
    /// `x-kubernetes-embedded-resource`.
    pub embedded: bool,
    /// `x-kubernetes-int-or-string`.
    pub int_or_string: bool,
    /// `x-kubernetes-list-type`.
    pub list_type: ListType,
    /// `x-kubernetes-list-map-keys`.
    pub list_map_keys: Vec<String>,
    /// `x-kubernetes-map-type`.
    pub map_type: MapType,
    /// `x-kubernetes-validations`.
    pub rules: Vec<Rule>,
}

impl Schema {
    /// Reads an `openAPIV3Schema`. It is lenient about structure: [`crate::check_crd`] says what a CRD may not hold.
    ///
    /// # Errors
    /// Every keyword of the wrong JSON type, every pattern that is no regular expression, and nesting over the limit.
    pub fn parse(schema: &Value) -> Result<Self, Vec<FieldError>> {
        let normal = keywords::normalize(schema, "")?;
        let mut errors = Vec::new();
        let read = read(&normal, "", &mut errors);
        if errors.is_empty() {
            Ok(read)
        } else {
            Err(errors)
        }
    }

    /// The schema of a field of an object: a declared property, else the schema of additional ones.
    pub fn field(&self, name: &str) -> Option<&Self> {
        self.properties
            .get(name)
            .or_else(|| self.additional.as_ref()?.schema())
    }

    /// Whether `null` stands for the field's absence here.
    pub(crate) fn drops_null(&self) -> bool {
        !self.nullable
    }
}

fn read(node: &Value, path: &str, errors: &mut Vec<FieldError>) -> Schema {
    let text = |name: &str| node[name].as_str().map(str::to_owned);
    let flag = |name: &str| node[name].as_bool().unwrap_or(false);
    let count = |name: &str| node[name].as_i64().map(|n| u64::try_from(n).unwrap_or(0));
    let list = |name: &str| -> Vec<String> {
        let members = node[name].as_array().into_iter().flatten();
        members
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    Schema {
        kind: node["type"].as_str().and_then(Kind::parse),
        title: text("title"),
        description: text("description"),
        format: text("format"),
        nullable: flag("nullable"),
        default: node.get("default").cloned(),
        allowed: node["enum"].as_array().cloned(),
        properties: properties(node, path, errors),
        additional: additional(node, path, errors),
        required: list("required"),
        items: one(node, "items", path, errors),
        min_items: count("minItems"),
        max_items: count("maxItems"),
        unique_items: flag("uniqueItems"),
        min_properties: count("minProperties"),
        max_properties: count("maxProperties"),
        min_length: count("minLength"),
        max_length: count("maxLength"),
        pattern: pattern(node, path, errors),
        minimum: node["minimum"].as_f64(),
        exclusive_minimum: flag("exclusiveMinimum"),
        maximum: node["maximum"].as_f64(),
        exclusive_maximum: flag("exclusiveMaximum"),
        multiple_of: node["multipleOf"].as_f64(),
        all_of: many(node, "allOf", path, errors),
        any_of: many(node, "anyOf", path, errors),
        one_of: many(node, "oneOf", path, errors),
        not: one(node, "not", path, errors),
        preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
        embedded: flag("x-kubernetes-embedded-resource"),
        int_or_string: flag("x-kubernetes-int-or-string"),
        list_type: match node["x-kubernetes-list-type"].as_str() {
            Some("set") => ListType::Set,
            Some("map") => ListType::Map,
            _ => ListType::Atomic,
        },
        list_map_keys: list("x-kubernetes-list-map-keys"),
        map_type: match node["x-kubernetes-map-type"].as_str() {
            Some("atomic") => MapType::Atomic,
            _ => MapType::Granular,
        },
        rules: rules(node),
    }
}

fn properties(node: &Value, path: &str, errors: &mut Vec<FieldError>) -> BTreeMap<String, Schema> {
    let at = child(path, "properties");
    let members = node["properties"].as_object().into_iter().flatten();
    members
        .map(|(name, member)| (name.clone(), read(member, &element(&at, name), errors)))
        .collect()
}

fn additional(node: &Value, path: &str, errors: &mut Vec<FieldError>) -> Option<Additional> {
    match node.get("additionalProperties")? {
        Value::Bool(flag) => Some(Additional::Flag(*flag)),
        schema => {
            let read = read(schema, &child(path, "additionalProperties"), errors);
            Some(Additional::Schema(Box::new(read)))
        }
    }
}

fn one(
    node: &Value,
    keyword: &str,
    path: &str,
    errors: &mut Vec<FieldError>,
) -> Option<Box<Schema>> {
    let found = node.get(keyword).filter(|value| value.is_object())?;
    Some(Box::new(read(found, &child(path, keyword), errors)))
}

fn many(node: &Value, keyword: &str, path: &str, errors: &mut Vec<FieldError>) -> Vec<Schema> {
    let at = child(path, keyword);
    let members = node[keyword].as_array().into_iter().flatten().enumerate();
    members
        .map(|(index, member)| read(member, &element(&at, index), errors))
        .collect()
}

fn pattern(node: &Value, path: &str, errors: &mut Vec<FieldError>) -> Option<Pattern> {
    let source = node["pattern"].as_str()?;
    match Pattern::new(source) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let detail = format!("must be a regular expression: {why}");
            errors.push(FieldError::invalid(
                child(path, "pattern"),
                &node["pattern"],
                &detail,
            ));
            None
        }
    }
}

fn rules(node: &Value) -> Vec<Rule> {
    let members = node["x-kubernetes-validations"].as_array();
    members
        .into_iter()
        .flatten()
        .map(|rule| {
            let text = |name: &str| rule[name].as_str().map(str::to_owned);
            Rule {
                rule: text("rule").unwrap_or_default(),
                message: text("message"),
                message_expression: text("messageExpression"),
                reason: text("reason"),
                field_path: text("fieldPath"),
                optional_old_self: rule["optionalOldSelf"].as_bool(),
            }
        })
        .collect()
}
