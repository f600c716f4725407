//! Reads the fields of a manifest and collects everything that is wrong with them.
//!
//! Messages carry the place when the manifest came from a file, and always the field path. Knows no manifest.

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics, nearest};
use serde_json::{Map, Value};

use crate::place::PlaceMap;

/// A manifest being read: where its fields stand, and what was found wrong so far.
#[derive(Debug)]
pub struct Fields<'a> {
    places: Option<&'a PlaceMap>,
    found: Diagnostics,
    code: &'static str,
}

/// A map inside the manifest, and its path.
#[derive(Debug, Clone)]
pub struct Section<'v> {
    /// The fields.
    pub map: &'v Map<String, Value>,
    /// Where it is, for example `spec.pipeline[0]`; empty for the whole manifest.
    pub path: String,
}

impl Section<'_> {
    /// The path of one of its fields.
    pub fn path_of(&self, field: &str) -> String {
        let mut path = self.path.clone();
        crate::path::push_field(&mut path, field);
        path
    }
}

impl<'a> Fields<'a> {
    /// Starts reading; `code` names the findings about shape, for example `composition/shape`.
    pub fn new(code: &'static str, places: Option<&'a PlaceMap>) -> Self {
        Self {
            places,
            found: Diagnostics::new(),
            code,
        }
    }

    /// Everything found, in the order of the file.
    pub fn into_found(mut self) -> Diagnostics {
        self.found.sort();
        self.found
    }

    /// Adds a finding about the field at `path`.
    pub fn push(&mut self, path: &str, diagnostic: Diagnostic) {
        let place = self.places.map(|places| places.nearest(path));
        self.found.push(diagnostic.at(place).path(path));
    }

    /// Adds a finding about the key of the field at `path`.
    pub fn push_key(&mut self, path: &str, diagnostic: Diagnostic) {
        let place = self
            .places
            .map(|places| places.key(path).unwrap_or_else(|| places.nearest(path)));
        self.found.push(diagnostic.at(place).path(path));
    }

    /// The whole manifest, which must be a map.
    pub fn root<'v>(&mut self, value: &'v Value) -> Option<Section<'v>> {
        self.section_at(value, String::new())
    }

    /// A required map.
    pub fn section<'v>(&mut self, within: &Section<'v>, field: &str) -> Option<Section<'v>> {
        let value = self.required(within, field)?;
        self.section_at(value, within.path_of(field))
    }

    /// A map that may be missing.
    pub fn optional_section<'v>(
        &mut self,
        within: &Section<'v>,
        field: &str,
    ) -> Option<Section<'v>> {
        let value = present(within, field)?;
        self.section_at(value, within.path_of(field))
    }

    /// The elements of a list of maps; none when the list is missing. Elements that are not maps are reported and left out.
    pub fn sections<'v>(&mut self, within: &Section<'v>, field: &str) -> Vec<Section<'v>> {
        let Some(value) = present(within, field) else {
            return Vec::new();
        };
        let path = within.path_of(field);
        let Value::Array(list) = value else {
            self.wrong(&path, "a list", value);
            return Vec::new();
        };
        let elements = list.iter().enumerate();
        elements
            .filter_map(|(index, value)| self.section_at(value, format!("{path}[{index}]")))
            .collect()
    }

    /// A required text that is not empty.
    pub fn text<'v>(&mut self, within: &Section<'v>, field: &str) -> Option<&'v str> {
        let value = self.required(within, field)?;
        let text = self.as_text(value, &within.path_of(field))?;
        if text.is_empty() {
            let message = format!("`{}` is empty", within.path_of(field));
            self.push(
                &within.path_of(field),
                Diagnostic::error(self.code, message).help("fill it in"),
            );
            return None;
        }
        Some(text)
    }

    /// A text that may be missing.
    pub fn optional_text<'v>(&mut self, within: &Section<'v>, field: &str) -> Option<&'v str> {
        let value = present(within, field)?;
        self.as_text(value, &within.path_of(field))
    }

    /// A map of texts, such as labels; empty when it is missing.
    pub fn texts(&mut self, within: &Section<'_>, field: &str) -> BTreeMap<String, String> {
        let Some(section) = self.optional_section(within, field) else {
            return BTreeMap::new();
        };
        let mut texts = BTreeMap::new();
        for name in section.map.keys() {
            if let Some(text) = self.optional_text(&section, name) {
                texts.insert(name.clone(), text.to_owned());
            }
        }
        texts
    }

    /// Warns about fields that are not in `known`, and says which was probably meant.
    pub fn only(&mut self, within: &Section<'_>, known: &[&str]) {
        for name in within.map.keys() {
            if known.contains(&name.as_str()) {
                continue;
            }
            let path = within.path_of(name);
            let warning = Diagnostic::warning(
                self.code,
                format!("`{path}` is not a known field and is ignored"),
            );
            let help = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "take it away".to_owned(),
            };
            self.push_key(&path, warning.help(help));
        }
    }

    fn required<'v>(&mut self, within: &Section<'v>, field: &str) -> Option<&'v Value> {
        let value = present(within, field);
        if value.is_none() {
            let path = within.path_of(field);
            let error = Diagnostic::error(self.code, format!("`{path}` is missing"));
            if let Some(near) = nearest(field, within.map.keys().map(String::as_str)) {
                let error = error.help(format!("did you mean it by `{near}`?"));
                self.push_key(&within.path_of(near), error);
            } else {
                self.push(&path, error.help("add it"));
            }
        }
        value
    }

    fn section_at<'v>(&mut self, value: &'v Value, path: String) -> Option<Section<'v>> {
        let Value::Object(map) = value else {
            self.wrong(&path, "a map", value);
            return None;
        };
        Some(Section { map, path })
    }

    fn as_text<'v>(&mut self, value: &'v Value, path: &str) -> Option<&'v str> {
        let text = value.as_str();
        if text.is_none() {
            self.wrong(path, "text", value);
        }
        text
    }

    fn wrong(&mut self, path: &str, wanted: &str, value: &Value) {
        let subject = if path.is_empty() {
            "the manifest".to_owned()
        } else {
            format!("`{path}`")
        };
        let mut error = Diagnostic::error(
            self.code,
            format!("{subject} must be {wanted}, not {}", kind(value)),
        );
        if wanted == "text" && !value.is_array() && !value.is_object() {
            error = error.help(match value {
                Value::Bool(_) => {
                    "quote it: words such as `on`, `yes` and `n` are booleans otherwise"
                }
                _ => "quote it",
            });
        }
        self.push(path, error);
    }
}

fn present<'v>(within: &Section<'v>, field: &str) -> Option<&'v Value> {
    within.map.get(field).filter(|value| !value.is_null())
}

/// What a value is, for messages.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
