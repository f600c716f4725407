//! Which mistakes are in these manifests, before anything runs?
//!
//! [`check`] takes files and finds XRDs, CRDs, Compositions, claims, composites and packages in them by apiVersion and
//! kind. Schemas come from the same files. Where a schema is not known, or lets everything pass, nothing is said.

mod blueprint;
mod builtin;
mod compose;
mod definition;
mod fit;
mod flow;
mod format;
mod hooks;
mod kept;
mod kinds;
mod legacy;
pub mod manifest;
mod modules;
mod others;
mod outline;
mod partial;
mod reach;
mod resources;
mod rules;
mod set;
mod skeleton;
mod templates;
mod trail;
mod waits;

#[cfg(test)]
mod tests;

use purlin_composition::modules::Modules;
use purlin_diag::{Diagnostic, Diagnostics};
use purlin_function::Functions;
use purlin_yaml::{Document, PlaceMap};
use serde_json::Value;

pub use kept::{Kept, KeptVersion, check_crd, defines, is_crd, kept};
pub use rules::Cel;
pub use set::{Known, LoadSchema};

use crate::set::{Role, Set};

/// The code of notes that say what is not checked because no schema is known.
pub const NO_SCHEMA: &str = "check/no-schema";

/// The code of notes on what nobody uses.
pub const UNUSED: &str = "check/unused";

/// What a check gives.
#[derive(Debug, Default)]
pub struct Checked {
    /// Everything that was found, in the order of files and lines.
    pub found: Diagnostics,
    /// How many objects were looked at, of those there is something to say about.
    pub objects: usize,
}

/// Checks files, each a name and a text, with the functions of this process.
pub fn check<'t>(
    files: impl IntoIterator<Item = (&'t str, &'t str)>,
    functions: &Functions,
) -> Checked {
    let mut found = Diagnostics::new();
    let mut documents = Vec::new();
    for (name, text) in files
        .into_iter()
        .filter(|(_, text)| !manifest::is_ytt(text))
    {
        let (read, problems) = purlin_yaml::load(name, text);
        documents.extend(read);
        found.extend(manifest::of_manifests(text, problems).1);
    }
    let checker = Checker::new(documents, Vec::new(), functions);
    let mut objects = 0;
    for index in 0..checker.len() {
        let (looked, more) = checker.check(index);
        objects += usize::from(looked);
        found.extend(more);
    }
    Checked {
        found: in_order(found),
        objects,
    }
}

/// Orders findings by file and line, each once.
pub fn in_order(mut found: Diagnostics) -> Diagnostics {
    found.sort();
    let mut once = Diagnostics::new();
    for finding in found {
        let told = once
            .iter()
            .rev()
            .take_while(|told| told.place == finding.place);
        let told = told
            .filter(|told| told.code == finding.code && told.message == finding.message)
            .count();
        if told == 0 {
            once.push(finding);
        }
    }
    once
}

/// Checks documents one by one, in any order and from any thread.
#[derive(Debug)]
pub struct Checker<'f> {
    set: Set,
    functions: &'f Functions,
}

impl<'f> Checker<'f> {
    /// Takes the documents that are checked, and the kinds that are known besides. Lists become what is in them.
    pub fn new(documents: Vec<Document>, known: Vec<Known>, functions: &'f Functions) -> Self {
        let mut documents: Vec<Document> = documents.into_iter().flat_map(unpacked).collect();
        write_modules(&mut documents);
        Self {
            set: Set::of(documents, known),
            functions,
        }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.set.documents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.set.documents.is_empty()
    }

    /// The file of an object.
    pub fn file(&self, index: usize) -> &str {
        let document = self.set.documents.get(index);
        document.map_or("", |document| document.places.file())
    }

    /// Checks one object: whether it is of a kind that is checked, and what is wrong.
    pub fn check(&self, index: usize) -> (bool, Diagnostics) {
        let Some(document) = self.set.documents.get(index) else {
            return (false, Diagnostics::new());
        };
        let mut report = Report::new(&document.places);
        let looked = look(&self.set, document, self.functions, &mut report);
        (looked, report.found)
    }
}

/// Writes modules that are files of their own into the Blueprints that use them: of several with a name the nearest in the tree of
/// folders. Which are missing is for the function to tell.
fn write_modules(documents: &mut [Document]) {
    let modules: Vec<Document> = (documents.iter())
        .filter(|document| Modules::is_module(&document.value))
        .cloned()
        .collect();
    if modules.is_empty() {
        return;
    }
    for document in documents {
        if set::role(&document.value) != set::Role::Composition {
            continue;
        }
        let mut near: Vec<&Document> = modules.iter().collect();
        near.sort_by_key(|module| {
            set::folders_between(document.places.file(), module.places.file())
        });
        let mut known = Modules::new();
        for module in near {
            // The first of a name is the nearest.
            drop(known.add(module));
        }
        drop(known.fill(&mut document.value, &mut document.places));
    }
}

/// The objects of a list, or the object itself.
fn unpacked(document: Document) -> Vec<Document> {
    let Value::Object(map) = &document.value else {
        return vec![document];
    };
    let list = map.get("kind").and_then(Value::as_str) == Some("List");
    let Some(Value::Array(items)) = map.get("items").filter(|_| list) else {
        return vec![document];
    };
    let items = items.iter().enumerate().filter_map(|(index, item)| {
        Some(Document {
            value: item.clone(),
            places: document.places.under(&format!("items[{index}]"))?,
        })
    });
    items.collect()
}

/// Checks one object; says whether it is of a kind that is checked.
fn look(set: &Set, document: &Document, functions: &Functions, report: &mut Report<'_>) -> bool {
    let role = set::role(&document.value);
    if role != Role::Other && set.is_part(&document.value, document.places.file()) {
        return false;
    }
    fit::identity(&document.value, "", role != Role::Other, report);
    match role {
        Role::Xrd => definition::xrd(set, document, report),
        Role::Crd => definition::crd(document, report),
        Role::Composition => compose::check(set, document, functions, report),
        Role::Other => return fit::object(set, document, report),
    }
    true
}

/// Collects what is found in one document, with its places.
pub(crate) struct Report<'a> {
    pub(crate) places: &'a PlaceMap,
    pub(crate) found: Diagnostics,
}

impl<'a> Report<'a> {
    fn new(places: &'a PlaceMap) -> Self {
        Self {
            places,
            found: Diagnostics::new(),
        }
    }

    /// Adds what was found in a part, each as `change` leaves it.
    pub(crate) fn extend(&mut self, part: Self, change: impl Fn(Diagnostic) -> Diagnostic) {
        self.found.extend(part.found.into_iter().map(change));
    }

    /// Adds a finding about the value at `path`, or about what should be there.
    pub(crate) fn at(&mut self, path: &str, finding: Diagnostic) {
        let place = self.places.nearest(path);
        self.found.push(finding.at(place).path(path));
    }

    /// Adds a finding about the name of the field at `path`.
    pub(crate) fn key(&mut self, path: &str, finding: Diagnostic) {
        let place = self.places.key(path);
        let place = place.unwrap_or_else(|| self.places.nearest(path));
        self.found.push(finding.at(place).path(path));
    }

    /// Adds a finding about a part of the text at `path`.
    pub(crate) fn part(&mut self, path: &str, part: (usize, usize), finding: Diagnostic) {
        let place = self.places.range(path, part.0, part.1);
        let place = place.unwrap_or_else(|| self.places.nearest(path));
        self.found.push(finding.at(place).path(path));
    }
}

/// A field below another, by the rules of [`purlin_yaml::parse_path`].
pub(crate) fn below(parent: &str, name: &str) -> String {
    if name.contains(['.', '[', ']']) {
        format!("{parent}[{name}]")
    } else if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

/// A path inside another value.
pub(crate) fn join(parent: &str, inside: &str) -> String {
    if inside.is_empty() || inside.starts_with('[') || parent.is_empty() {
        format!("{parent}{inside}")
    } else {
        format!("{parent}.{inside}")
    }
}
