//! Reads a folder of a commit: its files, the objects in them, and everything that is wrong with them.

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics, Place, Severity, Sources};
use purlin_git::{EntryKind, Id, Limits, Repo};
use purlin_promotion::{Contents, Identity, Loaded};
use purlin_yaml::PlaceMap;
use serde_json::Value;

use crate::Result;

/// A folder, read and checked.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// What it holds.
    pub contents: Contents,
    /// Where each of the objects stands, in the order of `contents.objects`.
    pub places: Vec<PlaceMap>,
    /// What is wrong with it.
    pub findings: Diagnostics,
    /// The texts the findings point into, by their path in the repository.
    pub sources: Sources,
}

impl Folder {
    /// Reads the folder at `path` of a tree; what is not there is empty.
    pub(crate) fn read(repo: &Repo, root: Id, path: &str) -> Result<Self> {
        let mut folder = Self::default();
        let Some(tree) = repo.folder(root, path)? else {
            return Ok(folder);
        };
        let limits = Limits::default();
        let mut left = limits.total_bytes;
        for file in repo.files(tree, limits)? {
            let identity = Identity {
                id: file.id.to_string(),
                mode: mode(file.kind),
            };
            folder.contents.files.insert(file.path.clone(), identity);
            let full = format!("{path}/{}", file.path);
            match file.kind {
                EntryKind::File | EntryKind::Program => {
                    let bytes = repo.bytes(file.id, limits.file_bytes.min(left))?;
                    left = left.saturating_sub(bytes.len() as u64);
                    if let Ok(text) = String::from_utf8(bytes) {
                        folder.add_text(&file.path, full, text);
                    }
                }
                EntryKind::Link => folder.findings.push(
                    Diagnostic::warning(
                        "promotion/link",
                        "a symbolic link moves as it is and is not read",
                    )
                    .at(Place::new(full, 1, 1)),
                ),
                EntryKind::Submodule => folder.findings.push(
                    Diagnostic::error(
                        "promotion/submodule",
                        "a submodule inside a unit cannot be promoted",
                    )
                    .at(Place::new(full, 1, 1))
                    .help("copy its files into the unit"),
                ),
                EntryKind::Folder => {}
            }
        }
        folder.check_duplicates();
        Ok(folder)
    }

    fn add_text(&mut self, file: &str, full: String, text: String) {
        let name = file.rsplit('/').next().unwrap_or(file);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        if matches!(extension, Some("yaml" | "yml" | "json")) {
            let (documents, findings) = purlin_yaml::load(&full, &text);
            self.findings.extend(findings);
            // What has no kind is some tool's settings, not an object.
            for document in documents
                .into_iter()
                .filter(|d| d.value.get("kind").is_some())
            {
                self.contents.objects.push(Loaded {
                    file: file.to_owned(),
                    object: document.value,
                });
                self.places.push(document.places);
            }
            self.sources.insert(full, text.clone());
        }
        self.contents.texts.insert(file.to_owned(), text);
    }

    fn check_duplicates(&mut self) {
        let mut seen: BTreeMap<(String, String, String, String), Place> = BTreeMap::new();
        for (loaded, places) in self.contents.objects.iter().zip(&self.places) {
            let text = |pointer: &str| {
                let text = loaded.object.pointer(pointer).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            };
            let version = text("/apiVersion");
            let group = version
                .split_once('/')
                .map_or("", |(group, _)| group)
                .to_owned();
            let id = (
                group,
                text("/kind"),
                text("/metadata/namespace"),
                text("/metadata/name"),
            );
            if id.3.is_empty() {
                continue;
            }
            let place = places.nearest("metadata.name");
            if let Some(first) = seen.get(&id) {
                let message = format!("{} {} is already at {first}", id.1, id.3);
                self.findings.push(
                    Diagnostic::error("promotion/duplicate", message)
                        .at(place)
                        .help("keep one of them"),
                );
            } else {
                seen.insert(id, place);
            }
        }
    }

    /// Checks what the unit promises: its APIs and Compositions.
    pub(crate) fn check(&mut self) {
        for (loaded, places) in self.contents.objects.iter().zip(&self.places) {
            let kind = loaded.object.get("kind").and_then(Value::as_str);
            let version = loaded
                .object
                .get("apiVersion")
                .and_then(Value::as_str)
                .unwrap_or_default();
            match kind {
                Some("CompositeResourceDefinition")
                    if version.starts_with("apiextensions.crossplane.io/") =>
                {
                    self.findings
                        .extend(check_definition(&loaded.object, places));
                }
                Some("Composition") if version.starts_with("apiextensions.crossplane.io/") => {
                    let (_, findings) = purlin_composition::read(&loaded.object, Some(places));
                    self.findings.extend(findings);
                }
                _ => {}
            }
        }
        self.findings.sort();
    }

    /// Turns errors into warnings: what is wrong with the side that is replaced does not stop its replacement.
    pub(crate) fn as_warnings(&mut self) -> Vec<String> {
        let errors = self
            .findings
            .iter()
            .filter(|d| d.severity == Severity::Error);
        let problems = errors.map(ToString::to_string).collect();
        self.findings = std::mem::take(&mut self.findings)
            .into_iter()
            .map(|mut finding| {
                finding.severity = finding.severity.max(Severity::Warning);
                finding
            })
            .collect();
        problems
    }
}

fn check_definition(object: &Value, places: &PlaceMap) -> Vec<Diagnostic> {
    let mut errors = purlin_schema::check_xrd(object);
    if errors.is_empty() {
        errors.extend(
            purlin_schema::composite_crd(object)
                .err()
                .into_iter()
                .flatten(),
        );
        errors.extend(purlin_schema::claim_crd(object).err().into_iter().flatten());
    }
    let mut findings: Vec<Diagnostic> = errors
        .into_iter()
        .map(|error| {
            let (path, place) = if error.path == purlin_schema::WHOLE {
                (String::new(), places.start())
            } else {
                let place = places.nearest(&error.path);
                (format!("{}: ", error.path), place)
            };
            Diagnostic::error("promotion/definition", format!("{path}{}", error.message)).at(place)
        })
        .collect();
    findings.dedup();
    findings
}

fn mode(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Folder => "folder",
        EntryKind::File => "file",
        EntryKind::Program => "program",
        EntryKind::Link => "link",
        EntryKind::Submodule => "submodule",
    }
}
