//! Is a schema structural, and are its defaults right?
//!
//! Mirrors k8s.io/apiextensions-apiserver (pkg/apiserver/schema/validation.go, defaulting/validation.go and
//! pkg/apis/apiextensions/validation).

use serde_json::Value;

use super::{CheckRules, RulePlace, rules};
use crate::error::{FieldError, child, element};
use crate::keywords;
use crate::pattern::Pattern;
use crate::prune::prune_part;
use crate::structural::{Kind, Schema};
use crate::validate::validate_part;

/// Keywords a CRD may not have anywhere.
const FORBIDDEN: [&str; 7] = [
    "$ref",
    "additionalItems",
    "definitions",
    "dependencies",
    "id",
    "patternProperties",
    "uniqueItems",
];
/// Keywords that say something about structure, and so may not stand in `allOf`, `anyOf`, `oneOf` or `not`.
const STRUCTURAL: [&str; 12] = [
    "additionalProperties",
    "default",
    "description",
    "nullable",
    "title",
    "type",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
];
/// Keywords the root may not have when there is a status subresource.
const NOT_WITH_STATUS: [&str; 7] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "enum",
    "not",
    "oneOf",
];
const JUNCTORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

struct Walk<'a> {
    root: &'a str,
    rules: &'a dyn CheckRules,
    errors: Vec<FieldError>,
}

/// Where a node stands.
#[derive(Clone, Copy)]
struct At {
    root: bool,
    /// Inside `metadata` at the root, where nothing may be defaulted.
    metadata: bool,
    correlatable: bool,
}

pub(super) fn check(
    schema: &Value,
    path: &str,
    status: bool,
    rules: &dyn CheckRules,
) -> Vec<FieldError> {
    let schema = match keywords::normalize(schema, path) {
        Ok(schema) => schema,
        Err(errors) => return errors,
    };
    let mut walk = Walk {
        root: path,
        rules,
        errors: Vec::new(),
    };
    walk.root(&schema, path, status);
    let at = At {
        root: true,
        metadata: false,
        correlatable: true,
    };
    walk.node(&schema, path, at);
    walk.errors
}

impl Walk<'_> {
    fn forbid(&mut self, path: String, detail: &str) {
        self.errors.push(FieldError::forbidden(path, detail));
    }

    fn invalid(&mut self, path: String, value: &Value, detail: &str) {
        self.errors.push(FieldError::invalid(path, value, detail));
    }

    fn root(&mut self, schema: &Value, path: &str, status: bool) {
        if schema["type"].as_str().is_some_and(|word| word != "object") {
            self.invalid(
                child(path, "type"),
                &schema["type"],
                "must be object at the root",
            );
        }
        if schema["nullable"] == true {
            self.forbid(child(path, "nullable"), "may not be true at the root");
        }
        if status
            && NOT_WITH_STATUS
                .iter()
                .any(|keyword| schema.get(keyword).is_some())
        {
            let detail = "may not have combinations, enum, default or additionalProperties at the root beside a status subresource";
            self.invalid(path.to_owned(), &Value::Null, detail);
        }
        let properties = child(path, "properties");
        let types = [
            ("apiVersion", "string"),
            ("kind", "string"),
            ("metadata", "object"),
        ];
        for (name, word) in types {
            let property = &schema["properties"][name];
            let at = element(&properties, name);
            if property["type"].as_str().is_some_and(|given| given != word) {
                self.invalid(
                    child(&at, "type"),
                    &property["type"],
                    &format!("must be {word}"),
                );
            }
        }
        let metadata = &schema["properties"]["metadata"];
        let extra = metadata["properties"]
            .as_object()
            .is_some_and(|properties| {
                properties
                    .keys()
                    .any(|name| !["name", "generateName"].contains(&name.as_str()))
            });
        let other = metadata.as_object().is_some_and(|keywords| {
            let fine = ["type", "properties", "description", "title", "default"];
            keywords
                .keys()
                .any(|keyword| !fine.contains(&keyword.as_str()))
        });
        if extra || other {
            self.forbid(
                element(&properties, "metadata"),
                "may restrict name and generateName only",
            );
        }
    }

    fn node(&mut self, node: &Value, path: &str, at: At) {
        self.common(node, path);
        self.kind(node, path);
        self.lists(node, path);
        self.maps(node, path);
        self.embedded(node, path, at);
        if node["x-kubernetes-preserve-unknown-fields"] == false {
            let detail = "must be true or absent";
            self.invalid(
                child(path, "x-kubernetes-preserve-unknown-fields"),
                &Value::Bool(false),
                detail,
            );
        }
        if node.get("properties").is_some() && node.get("additionalProperties").is_some() {
            self.forbid(
                child(path, "additionalProperties"),
                "may not stand beside properties",
            );
        }
        self.default(node, path, at);
        self.rules(node, path, at);
        self.junctors(node, path, int_or_string_form(node));
        self.children(node, path, at);
    }

    fn children(&mut self, node: &Value, path: &str, at: At) {
        let inside = |metadata: bool, correlatable: bool| At {
            root: false,
            metadata: at.metadata || metadata,
            correlatable: at.correlatable && correlatable,
        };
        let properties = child(path, "properties");
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            let object_field =
                at.root && ["apiVersion", "kind", "metadata"].contains(&name.as_str());
            self.node(
                property,
                &element(&properties, name),
                inside(object_field, true),
            );
        }
        let keyed = node["x-kubernetes-list-type"] == "map";
        match node.get("items") {
            Some(items @ Value::Object(_)) => {
                self.node(items, &child(path, "items"), inside(false, keyed));
            }
            Some(_) => self.forbid(
                child(path, "items"),
                "must be one schema, not a list of schemas",
            ),
            None if node["type"] == "array" => {
                let detail = "a list needs the schema of its elements";
                let error = FieldError::required(child(path, "items"), detail);
                self.errors.push(error);
            }
            None => {}
        }
        if let Some(additional @ Value::Object(_)) = node.get("additionalProperties") {
            self.node(
                additional,
                &child(path, "additionalProperties"),
                inside(false, true),
            );
        }
    }

    /// What holds for every schema, also in combinations.
    fn common(&mut self, node: &Value, path: &str) {
        for keyword in FORBIDDEN {
            if node.get(keyword).is_some() {
                self.forbid(child(path, keyword), "is not supported");
            }
        }
        if node.get("$schema").is_some() {
            let detail = "$schema is not supported";
            self.invalid(self.root.to_owned(), &node["$schema"], detail);
        }
        if let Some(Err(why)) = node["pattern"].as_str().map(Pattern::new) {
            let detail = format!("must be a regular expression: {why}");
            self.invalid(child(path, "pattern"), &node["pattern"], &detail);
        }
        if let Some(word) = node["type"]
            .as_str()
            .filter(|word| Kind::parse(word).is_none())
        {
            if word == "null" {
                self.forbid(child(path, "type"), "use nullable instead");
            }
            let allowed = ["array", "boolean", "integer", "number", "object", "string"];
            let allowed: Vec<String> = allowed.iter().map(|word| format!("{word:?}")).collect();
            self.errors.push(FieldError::not_supported(
                child(path, "type"),
                &node["type"],
                &allowed,
            ));
        }
    }

    fn kind(&mut self, node: &Value, path: &str) {
        let free = node["x-kubernetes-int-or-string"] == true
            || (node["x-kubernetes-preserve-unknown-fields"] == true
                && node["x-kubernetes-embedded-resource"] != true);
        if node.get("type").is_none() && !free {
            self.errors.push(FieldError::required(
                child(path, "type"),
                "every field needs one",
            ));
        }
    }

    fn embedded(&mut self, node: &Value, path: &str, at: At) {
        if node["x-kubernetes-embedded-resource"] != true {
            return;
        }
        if at.metadata {
            self.forbid(
                child(path, "x-kubernetes-embedded-resource"),
                "may not stand in metadata",
            );
        }
        if node["type"].as_str().is_some_and(|word| word != "object") {
            self.invalid(
                child(path, "type"),
                &node["type"],
                "must be object for an embedded resource",
            );
        }
        let empty = node["properties"]
            .as_object()
            .is_none_or(serde_json::Map::is_empty);
        if empty && node["x-kubernetes-preserve-unknown-fields"] != true {
            let detail =
                "an embedded resource needs properties or x-kubernetes-preserve-unknown-fields";
            self.errors
                .push(FieldError::required(child(path, "properties"), detail));
        }
    }

    fn lists(&mut self, node: &Value, path: &str) {
        let list_type = node.get("x-kubernetes-list-type");
        let keys: Vec<&str> = node["x-kubernetes-list-map-keys"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let type_path = child(path, "x-kubernetes-list-type");
        let Some(list_type) = list_type else {
            if !keys.is_empty() {
                self.errors.push(FieldError::required(
                    type_path,
                    "must be map where keys are named",
                ));
            }
            return;
        };
        if node["type"] != "array" {
            self.invalid(
                child(path, "type"),
                &node["type"],
                "must be array where a list type is named",
            );
        }
        match list_type.as_str().unwrap_or_default() {
            "atomic" => {}
            "set" => self.set(node, path),
            "map" => self.keyed(node, path, &keys),
            _ => {
                let allowed = ["atomic", "map", "set"].map(|word| format!("{word:?}"));
                self.errors.push(FieldError::not_supported(
                    type_path.clone(),
                    list_type,
                    &allowed,
                ));
            }
        }
        if list_type != "map" && !keys.is_empty() {
            self.invalid(type_path, list_type, "must be map where keys are named");
        }
    }

    fn set(&mut self, node: &Value, path: &str) {
        let items = &node["items"];
        let at = child(path, "items");
        if items["nullable"] == true {
            self.forbid(child(&at, "nullable"), "members of a set may not be null");
        }
        if items["type"] == "array"
            && items
                .get("x-kubernetes-list-type")
                .is_some_and(|word| word != "atomic")
        {
            let detail = "must be atomic inside a set";
            self.invalid(
                child(&at, "x-kubernetes-list-type"),
                &items["x-kubernetes-list-type"],
                detail,
            );
        }
        if items["type"] == "object" && items["x-kubernetes-map-type"] != "atomic" {
            let detail = "must be atomic inside a set";
            self.invalid(
                child(&at, "x-kubernetes-map-type"),
                &items["x-kubernetes-map-type"],
                detail,
            );
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one check after the other, as the rules are written"
    )]
    fn keyed(&mut self, node: &Value, path: &str, keys: &[&str]) {
        let items = &node["items"];
        let at = child(path, "items");
        let keys_path = child(path, "x-kubernetes-list-map-keys");
        if items["type"] != "object" {
            self.invalid(
                child(&at, "type"),
                &items["type"],
                "must be object in a list of type map",
            );
        }
        if items["nullable"] == true {
            self.forbid(
                child(&at, "nullable"),
                "members of a keyed list may not be null",
            );
        }
        if keys.is_empty() {
            self.errors.push(FieldError::required(
                keys_path,
                "a list of type map needs keys",
            ));
            return;
        }
        let required = |key: &str| {
            items["required"]
                .as_array()
                .is_some_and(|list| list.iter().any(|one| one == key))
        };
        let mut seen = Vec::new();
        for key in keys {
            if seen.contains(key) {
                self.invalid(keys_path.clone(), &Value::from(*key), "names a key twice");
                continue;
            }
            seen.push(*key);
            let Some(property) = items["properties"].get(key) else {
                self.invalid(
                    keys_path.clone(),
                    &Value::from(*key),
                    "must name properties of the items",
                );
                continue;
            };
            let at = element(&child(&at, "properties"), key);
            if matches!(property["type"].as_str(), Some("object" | "array")) {
                self.invalid(
                    child(&at, "type"),
                    &property["type"],
                    "must be a scalar to be a key",
                );
            }
            if property["nullable"] == true {
                self.forbid(child(&at, "nullable"), "a key may not be null");
            }
            if property.get("default").is_none() && !required(key) {
                self.errors.push(FieldError::required(
                    child(&at, "default"),
                    "a key must be required or have a default",
                ));
            }
        }
    }

    fn maps(&mut self, node: &Value, path: &str) {
        let Some(map_type) = node.get("x-kubernetes-map-type") else {
            return;
        };
        if node["type"] != "object" {
            self.invalid(
                child(path, "type"),
                &node["type"],
                "must be object where a map type is named",
            );
        }
        if map_type != "atomic" && map_type != "granular" {
            let allowed = ["atomic", "granular"].map(|word| format!("{word:?}"));
            let at = child(path, "x-kubernetes-map-type");
            self.errors
                .push(FieldError::not_supported(at, map_type, &allowed));
        }
    }

    fn default(&mut self, node: &Value, path: &str, at: At) {
        let Some(default) = node.get("default") else {
            return;
        };
        let path = child(path, "default");
        if at.metadata {
            self.forbid(path, "apiVersion, kind and metadata have no defaults");
            return;
        }
        let Ok(mut schema) = Schema::parse(node) else {
            return;
        };
        schema.embedded |= at.root;
        let mut pruned = default.clone();
        if !prune_part(&mut pruned, &schema, at.root).is_empty() {
            self.invalid(
                path.clone(),
                default,
                "must not have fields the schema does not know",
            );
        }
        let wrong = validate_part(default, None, &schema, &path);
        if wrong.is_empty() {
            let wrong = self.rules.check_default(&schema, default, &path);
            self.errors.extend(wrong);
        } else {
            self.errors.extend(wrong);
        }
    }

    fn rules(&mut self, node: &Value, path: &str, at: At) {
        if node.get("x-kubernetes-validations").is_none() {
            return;
        }
        let Ok(schema) = Schema::parse(node) else {
            return;
        };
        let found = rules::check(&schema, path);
        let sound = found.is_empty();
        self.errors.extend(found);
        if sound {
            let place = RulePlace {
                root: at.root,
                correlatable: at.correlatable,
            };
            self.errors.extend(self.rules.check(&schema, path, place));
        }
    }

    fn junctors(&mut self, node: &Value, path: &str, typed: Typed) {
        for keyword in JUNCTORS {
            let at = child(path, keyword);
            for (index, one) in node[keyword].as_array().into_iter().flatten().enumerate() {
                let inner = typed.inside(keyword, index);
                self.nested(one, &element(&at, index), inner);
            }
        }
        if let Some(not) = node.get("not") {
            self.nested(not, &child(path, "not"), Typed::No);
        }
    }

    /// A schema inside a combination: it may restrict values, not structure.
    fn nested(&mut self, node: &Value, path: &str, typed: Typed) {
        self.common(node, path);
        for keyword in STRUCTURAL {
            if node.get(keyword).is_some() && !(keyword == "type" && typed == Typed::Type) {
                self.forbid(child(path, keyword), "must be empty to be structural");
            }
        }
        self.junctors(node, path, typed);
        let properties = child(path, "properties");
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            self.nested(property, &element(&properties, name), Typed::No);
        }
        if let Some(items @ Value::Object(_)) = node.get("items") {
            self.nested(items, &child(path, "items"), Typed::No);
        }
    }
}

/// Whether types are allowed in the combinations of an int-or-string: only in its one canonical form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typed {
    No,
    /// `anyOf: [{type: integer}, {type: string}]` directly.
    AnyOf,
    /// The same as the first member of an `allOf`.
    AllOf,
    /// This very schema may have a type.
    Type,
}

impl Typed {
    fn inside(self, keyword: &str, index: usize) -> Self {
        match (self, keyword, index) {
            (Self::AnyOf, "anyOf", _) => Self::Type,
            (Self::AllOf, "allOf", 0) => Self::AnyOf,
            _ => Self::No,
        }
    }
}

fn int_or_string_form(node: &Value) -> Typed {
    if node["x-kubernetes-int-or-string"] != true {
        return Typed::No;
    }
    let is_form = |any_of: &Value| {
        any_of.as_array().is_some_and(|list| {
            list.len() == 2 && list[0]["type"] == "integer" && list[1]["type"] == "string"
        })
    };
    if is_form(&node["anyOf"]) {
        Typed::AnyOf
    } else if is_form(&node["allOf"][0]["anyOf"]) {
        Typed::AllOf
    } else {
        Typed::No
    }
}
