//! Which mistakes are in these manifests, before anything runs?
//!
//! [`check`] takes files and finds XRDs, CRDs, Compositions, claims, composites and packages in them by apiVersion and
//! kind. Schemas come from the same files. Where a schema is not known, or lets everything pass, nothing is said.

mod blueprint;
mod compose;
mod definition;
mod fit;
mod flow;
mod reach;
mod resources;
mod rules;
mod set;

#[cfg(test)]
mod tests;

use purlin_diag::{Diagnostic, Diagnostics};
use purlin_function::Functions;
use purlin_yaml::{Document, PlaceMap};

pub use rules::Cel;

use crate::set::{Role, Set};

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
    for (name, text) in files {
        let (read, problems) = purlin_yaml::load(name, text);
        documents.extend(read);
        found.extend(problems);
    }
    let set = Set::of(documents);
    let mut objects = 0;
    for document in &set.documents {
        let mut report = Report::new(&document.places);
        if look(&set, document, functions, &mut report) {
            objects += 1;
        }
        found.extend(report.found);
    }
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
    Checked {
        found: once,
        objects,
    }
}

/// Checks one object; says whether it is of a kind that is checked.
fn look(set: &Set, document: &Document, functions: &Functions, report: &mut Report<'_>) -> bool {
    match set::role(&document.value) {
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
