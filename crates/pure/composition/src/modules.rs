//! How does a module that is a file of its own get into the inputs that use it?
//!
//! A function gets no files, so whoever packages or applies a Composition writes the modules into it before. Nothing here reads
//! files: the caller has the documents.

use std::collections::{BTreeMap, BTreeSet};

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_yaml::{Document, PlaceMap};
use serde_json::{Map, Value};

/// The group of everything here.
const GROUP: &str = "blueprint.fn.purlin.dev/";

/// Modules by name, as their files say them.
#[derive(Debug, Clone, Default)]
pub struct Modules(BTreeMap<String, Module>);

#[derive(Debug, Clone)]
struct Module {
    /// As it is written into an input.
    value: Value,
    places: PlaceMap,
}

impl Modules {
    /// No modules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the modules out of documents. Gives the other documents, and what is wrong with the modules.
    pub fn take(documents: Vec<Document>) -> (Self, Vec<Document>, Diagnostics) {
        let mut modules = Self::new();
        let mut found = Diagnostics::new();
        let mut others = Vec::with_capacity(documents.len());
        for document in documents {
            if Self::is_module(&document.value) {
                if let Err(mistake) = modules.add(&document) {
                    found.push(*mistake);
                }
            } else {
                others.push(document);
            }
        }
        (modules, others, found)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a document is the file of a module.
    pub fn is_module(document: &Value) -> bool {
        let api_version = document.get("apiVersion").and_then(Value::as_str);
        document.get("kind").and_then(Value::as_str) == Some("Module")
            && api_version.is_some_and(|api_version| api_version.starts_with(GROUP))
    }

    /// Adds the file of a module. Two files may say the same.
    ///
    /// # Errors
    /// It has no name, or one that is taken by another.
    pub fn add(&mut self, document: &Document) -> Result<(), Box<Diagnostic>> {
        let mistake = |message: String| {
            let diagnostic = Diagnostic::error("blueprint/module", message);
            let place = document.places.nearest("metadata.name");
            Box::new(diagnostic.path("metadata.name").at(place))
        };
        let name = (document.value.pointer("/metadata/name")).and_then(Value::as_str);
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(mistake(
                "the file of a module names it in metadata.name".to_owned(),
            ));
        };
        let mut value = document.value.as_object().cloned().unwrap_or_default();
        value.retain(|key, _| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata"));
        let module = Module {
            value: Value::Object(value),
            places: document.places.clone(),
        };
        match self.0.get(name) {
            Some(held) if held.value != module.value => Err(mistake(format!(
                "there are two modules with the name {name}; the other one is in {}",
                held.places.file()
            ))),
            Some(_) => Ok(()),
            None => {
                self.0.insert(name.to_owned(), module);
                Ok(())
            }
        }
    }

    /// Writes the modules that the Blueprints of a Composition use into them, with those that these use. Modules that are there
    /// already stay. Says whether any was written, and which are used and nobody has.
    pub fn fill(&self, composition: &mut Value, places: &mut PlaceMap) -> (bool, Diagnostics) {
        let steps = composition.pointer_mut("/spec/pipeline");
        let steps = steps.and_then(Value::as_array_mut).into_iter().flatten();
        let (mut any, mut found) = (false, Diagnostics::new());
        for (index, step) in steps.enumerate() {
            let Some(input) = step.get_mut("input").filter(|input| is_blueprint(input)) else {
                continue;
            };
            let at = format!("spec.pipeline[{index}].input");
            let (added, missing) = self.inline(input);
            for name in added {
                any = true;
                if let Some(module) = self.0.get(&name) {
                    places.graft(&format!("{at}.modules[{name}]"), &module.places);
                }
            }
            found.extend(missing.into_iter().map(|mut mistake| {
                let path = format!("{at}.{}", mistake.path.unwrap_or_default());
                let place = places.nearest(&path);
                mistake.path = Some(path);
                mistake.at(place)
            }));
        }
        (any, found)
    }

    /// Writes modules into a Blueprint. Gives the names of those that were written, and the uses of those that nobody has, with
    /// paths inside the input.
    fn inline(&self, input: &mut Value) -> (Vec<String>, Diagnostics) {
        let mut found = Diagnostics::new();
        let mut added = BTreeSet::new();
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
            open.extend(used(&module.value, &format!("modules.{name}.use")));
            own.insert(name.clone(), module.value.clone());
            added.insert(name);
        }
        if !added.is_empty()
            && let Some(input) = input.as_object_mut()
        {
            input.insert("modules".to_owned(), Value::Object(own));
        }
        found.sort();
        (added.into_iter().collect(), found)
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
    use purlin_yaml::{Document, load};
    use serde_json::{Value, json};

    use super::Modules;

    fn documents(file: &str, text: &str) -> Vec<Document> {
        load(file, text).0
    }

    fn module(name: &str, body: &str) -> String {
        format!(
            "apiVersion: blueprint.fn.purlin.dev/v1alpha1\nkind: Module\nmetadata: {{name: {name}}}\n{body}\n---\n"
        )
    }

    /// A Composition whose only step is a Blueprint.
    fn composition(input: &str) -> Document {
        let text = format!(
            "kind: Composition\nspec:\n  pipeline:\n  - step: a\n    input:\n      \
             apiVersion: blueprint.fn.purlin.dev/v1alpha1\n      kind: Blueprint\n      {input}\n"
        );
        documents("composition.yaml", &text).remove(0)
    }

    fn modules(text: &str) -> Modules {
        let (modules, others, found) = Modules::take(documents("modules.yaml", text));
        assert!(others.is_empty() && found.is_empty(), "{found:?}");
        modules
    }

    #[test]
    fn what_is_used_is_written_in_with_what_that_uses_and_keeps_its_places() {
        let a = module("a", "use: [{name: x, module: b}]\noutputs: {of: a}");
        let modules = modules(&(a + &module("b", "outputs: {of: b}") + &module("c", "use: []")));
        let mut one =
            composition("use: [{name: a}, {name: own}]\n      modules: {own: {outputs: {}}}");
        let (any, found) = modules.fill(&mut one.value, &mut one.places);
        assert!(any && found.is_empty(), "{found:?}");
        assert_eq!(
            one.value["spec"]["pipeline"][0]["input"]["modules"],
            json!({"a": {"use": [{"name": "x", "module": "b"}], "outputs": {"of": "a"}}, "b": {"outputs": {"of": "b"}}, "own": {"outputs": {}}})
        );
        let place = |path: &str| {
            let place = one.places.nearest(path);
            format!("{}:{}", place.file, place.line)
        };
        let input = "spec.pipeline[0].input";
        assert_eq!(
            place(&format!("{input}.modules.b.outputs.of")),
            "modules.yaml:10"
        );
        assert_eq!(
            place(&format!("{input}.modules.own.outputs")),
            "composition.yaml:9"
        );
        // Nothing is left to do.
        assert!(!modules.fill(&mut one.value, &mut one.places).0);
    }

    #[test]
    fn what_nobody_has_is_told_with_its_place() {
        let modules = modules(&module("network", "outputs: {}"));
        let mut one = composition("use: [{name: a, module: netwrok}, {name: b}]");
        let (any, found) = modules.fill(&mut one.value, &mut one.places);
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(
            told[0].contains("yaml:8:31") && told[0].contains("did you mean network?"),
            "{told:?}"
        );
        assert!(told[1].contains("no module b") && told[1].contains("composition.yaml:8"));
        assert!(
            !any && one.value["spec"]["pipeline"][0]["input"]
                .get("modules")
                .is_none()
        );
    }

    #[test]
    fn modules_have_names_of_their_own() {
        let text = module("a", "outputs: {x: 1}") + &module("a", "outputs: {x: 2}");
        let nameless = "apiVersion: blueprint.fn.purlin.dev/v1alpha1\nkind: Module\n";
        let (_, others, found) = Modules::take(documents("m.yaml", &(text + nameless)));
        assert!(others.is_empty());
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(
            told[0].contains("m.yaml:8") && told[0].contains("two modules with the name a"),
            "{told:?}"
        );
        assert!(
            told[1].contains("m.yaml:11") && told[1].contains("metadata.name"),
            "{told:?}"
        );
        // The same file twice is no mistake.
        let twice = module("a", "outputs: {x: 1}").repeat(2);
        let (modules, _, found) = Modules::take(documents("m.yaml", &twice));
        assert!(found.is_empty() && !modules.is_empty());
        assert!(!Modules::is_module(&Value::Null));
    }
}
