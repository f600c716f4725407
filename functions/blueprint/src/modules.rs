//! How does a module that is a file of its own get into the inputs that use it?
//!
//! A function gets no files, so whoever packages or applies a Composition writes the modules into it before. Nothing here reads
//! files: the caller has the documents.

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics};
use serde_json::{Map, Value};

/// The group of everything here.
const GROUP: &str = "blueprint.fn.purlin.dev/";

/// Modules by name, as they are written into an input.
#[derive(Debug, Clone, Default)]
pub struct Modules(BTreeMap<String, Value>);

impl Modules {
    /// No modules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a document is the file of a module.
    pub fn is_module(document: &Value) -> bool {
        let api_version = document.get("apiVersion").and_then(Value::as_str);
        document.get("kind").and_then(Value::as_str) == Some("Module")
            && api_version.is_some_and(|api_version| api_version.starts_with(GROUP))
    }

    /// Adds the file of a module.
    ///
    /// # Errors
    /// It has no name, or one that is taken; the path is inside the document.
    pub fn add(&mut self, document: &Value) -> Result<(), Box<Diagnostic>> {
        let name = document.pointer("/metadata/name").and_then(Value::as_str);
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            let message = "the file of a module names it in metadata.name";
            let diagnostic = Diagnostic::error("blueprint/module", message);
            return Err(Box::new(diagnostic.path("metadata.name")));
        };
        let mut module = document.as_object().cloned().unwrap_or_default();
        module.retain(|key, _| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata"));
        if self.0.contains_key(name) {
            let message = format!("there are two modules with the name {name}");
            let diagnostic = Diagnostic::error("blueprint/module", message);
            return Err(Box::new(diagnostic.path("metadata.name")));
        }
        self.0.insert(name.to_owned(), Value::Object(module));
        Ok(())
    }

    /// Writes the modules that a Blueprint uses into it, with those that these use. Modules that it has already stay. Gives the
    /// names of those that were written.
    ///
    /// # Errors
    /// Modules that nobody has; the paths are inside the input.
    pub fn inline(&self, input: &mut Value) -> Result<Vec<String>, Diagnostics> {
        let mut found = Diagnostics::new();
        let mut added = Map::new();
        let own = input.get("modules").and_then(Value::as_object);
        let mut own: Map<String, Value> = own.cloned().unwrap_or_default();
        let mut open: Vec<(String, String)> = used(input, "use");
        for (name, module) in &own {
            open.extend(used(module, &format!("modules.{name}.use")));
        }
        while let Some((name, field)) = open.pop() {
            if own.contains_key(&name) {
                continue;
            }
            let Some(module) = self.0.get(&name) else {
                let message = format!("there is no module {name}");
                let diagnostic = Diagnostic::error("blueprint/no-such-module", message);
                let near = purlin_diag::nearest(&name, self.0.keys().map(String::as_str));
                found.push(diagnostic.path(field).help(match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => "give the file of the module, too".to_owned(),
                }));
                continue;
            };
            open.extend(used(module, &format!("modules.{name}.use")));
            own.insert(name.clone(), module.clone());
            added.insert(name, Value::Null);
        }
        if found.has_errors() {
            found.sort();
            return Err(found);
        }
        if !added.is_empty()
            && let Some(input) = input.as_object_mut()
        {
            input.insert("modules".to_owned(), Value::Object(own));
        }
        Ok(added.into_iter().map(|(name, _)| name).collect())
    }
}

/// Whether a step's input is a Blueprint.
pub fn is_blueprint(input: &Value) -> bool {
    let api_version = input.get("apiVersion").and_then(Value::as_str);
    input.get("kind").and_then(Value::as_str) == Some("Blueprint")
        && api_version.is_some_and(|api_version| api_version.starts_with(GROUP))
}

/// The names of the modules that are used, with the fields that say so.
fn used(from: &Value, at: &str) -> Vec<(String, String)> {
    let uses = from.get("use").and_then(Value::as_array);
    let uses = uses.into_iter().flatten().enumerate();
    uses.filter_map(|(place, one)| {
        let name = one.get("module").or_else(|| one.get("name"))?.as_str()?;
        Some((name.to_owned(), format!("{at}[{place}].module")))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn module(name: &str, uses: &Value) -> Value {
        json!({"apiVersion": "blueprint.fn.purlin.dev/v1alpha1", "kind": "Module", "metadata": {"name": name}, "use": uses, "outputs": {"of": name}})
    }

    #[test]
    fn what_is_used_is_written_in_with_what_that_uses() {
        let mut modules = Modules::new();
        for document in [
            module("a", &json!([{"name": "x", "module": "b"}])),
            module("b", &json!([])),
            module("c", &json!([])),
        ] {
            assert!(Modules::is_module(&document));
            modules.add(&document).unwrap();
        }
        assert!(modules.add(&module("a", &json!([]))).is_err());
        let mut input =
            json!({"use": [{"name": "a"}, {"name": "own"}], "modules": {"own": {"outputs": {}}}});
        assert_eq!(modules.inline(&mut input).unwrap(), ["a", "b"]);
        assert_eq!(
            input["modules"],
            json!({"a": {"use": [{"name": "x", "module": "b"}], "outputs": {"of": "a"}}, "b": {"use": [], "outputs": {"of": "b"}}, "own": {"outputs": {}}})
        );
        assert!(modules.inline(&mut input).unwrap().is_empty());
    }

    #[test]
    fn what_nobody_has_is_told_with_its_place() {
        let mut modules = Modules::new();
        modules.add(&module("network", &json!([]))).unwrap();
        let mut input = json!({"use": [{"name": "x", "module": "netwrok"}, {"name": "y"}]});
        let found = modules.inline(&mut input).unwrap_err();
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(told[0].contains("use[0].module") && told[0].contains("did you mean network?"));
        assert!(told[1].contains("use[1].module"));
        assert!(input.get("modules").is_none());
    }
}
