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
                    let bytes = match repo.bytes(file.id, limits.file_bytes.min(left)) {
                        Ok(bytes) => bytes,
                        Err(purlin_git::Error::TooLarge { .. }) => {
                            folder.findings.push(too_large(full, limits, left));
                            continue;
                        }
                        Err(error) => return Err(error.into()),
                    };
                    left = left.saturating_sub(bytes.len() as u64);
                    folder.add(&file.path, full, bytes);
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
        folder.check_objects();
        folder.check_duplicates();
        Ok(folder)
    }

    fn add(&mut self, file: &str, full: String, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => self.add_text(file, full, text),
            Err(error) if is_manifest(file) => {
                let end = error.utf8_error().valid_up_to();
                let good = error.as_bytes().get(..end).unwrap_or_default();
                let good = String::from_utf8_lossy(good);
                let line = good.matches('\n').count() + 1;
                let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                let place = Place::new(
                    full,
                    u32::try_from(line).unwrap_or(u32::MAX),
                    u32::try_from(column).unwrap_or(u32::MAX),
                );
                self.findings.push(
                    Diagnostic::error("promotion/encoding", "the manifest is not UTF-8")
                        .at(place)
                        .help("save it as UTF-8"),
                );
            }
            // An image, an archive: it moves as it is.
            Err(_) => {}
        }
    }

    fn add_text(&mut self, file: &str, full: String, text: String) {
        if is_manifest(file) {
            let (documents, findings) = purlin_yaml::load(&full, &text);
            self.findings.extend(findings);
            for document in documents.into_iter().filter(|d| !d.value.is_null()) {
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

    /// Everything in a manifest must be an object, or whoever syncs the folder fails on it. Where a tool makes the
    /// manifests, only that tool knows what its other files are, and they are left out.
    fn check_objects(&mut self) {
        let made = self.contents.files.keys().any(|file| is_recipe(file));
        let loaded = std::mem::take(&mut self.contents.objects);
        let places = std::mem::take(&mut self.places);
        for (loaded, places) in loaded.into_iter().zip(places) {
            if let Some(finding) = object_problem(&loaded.object, &places) {
                let theirs = made || is_settings(&loaded.file);
                if !theirs {
                    self.findings.push(finding);
                }
                if !theirs || loaded.object.get("kind").is_none() {
                    continue;
                }
            }
            self.contents.objects.push(loaded);
            self.places.push(places);
        }
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
        self.as_warnings_except(&[])
    }

    /// The same; those with one of these codes become warnings too, but are not counted among the problems.
    pub(crate) fn as_warnings_except(&mut self, codes: &[&str]) -> Vec<String> {
        let errors = self
            .findings
            .iter()
            .filter(|d| d.severity == Severity::Error && !codes.contains(&d.code.0));
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

fn too_large(full: String, limits: Limits, left: u64) -> Diagnostic {
    let message = if left < limits.file_bytes {
        format!(
            "the files up to this one are larger than {} MiB together, which is all that is read",
            limits.total_bytes >> 20
        )
    } else {
        format!(
            "the file is larger than {} MiB, which is all that is read",
            limits.file_bytes >> 20
        )
    };
    Diagnostic::error("promotion/too-large", message)
        .at(Place::new(full, 1, 1))
        .help("keep it outside the environment's folder, and refer to it there")
}

fn is_manifest(file: &str) -> bool {
    let name = name(file);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("yaml" | "yml" | "json"))
}

/// Whether a file tells a tool how to make manifests of the others.
fn is_recipe(file: &str) -> bool {
    matches!(
        name(file),
        "kustomization.yaml" | "kustomization.yml" | "Kustomization" | "Chart.yaml"
    )
}

/// Whether a file is some tool's settings by its name: `.yamllint.yaml` and the like.
fn is_settings(file: &str) -> bool {
    name(file).starts_with('.')
}

fn name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// Why a document is not an object of the API server.
fn object_problem(object: &Value, places: &PlaceMap) -> Option<Diagnostic> {
    let help = "every document of a manifest has apiVersion, kind and metadata.name; what is no manifest belongs \
                outside the unit";
    let wrong = |message: String, place: Place| {
        Some(
            Diagnostic::error("promotion/object", message)
                .at(place)
                .help(help),
        )
    };
    if !object.is_object() {
        let message = format!(
            "a manifest must be a mapping, not {}",
            purlin_yaml::kind(object)
        );
        return wrong(message, places.start());
    }
    let has = |pointer: &str| {
        let text = object.pointer(pointer).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty())
    };
    let named = has("/metadata/name") || has("/metadata/generateName");
    // A list has no name of its own.
    let list = object.get("items").is_some_and(Value::is_array);
    let missing: Vec<&str> = [
        ("apiVersion", has("/apiVersion")),
        ("kind", has("/kind")),
        ("metadata.name", named || list),
    ]
    .into_iter()
    .filter_map(|(field, there)| (!there).then_some(field))
    .collect();
    let first = missing.first()?;
    let place = places.value(first).unwrap_or_else(|| places.nearest(first));
    wrong(
        format!("the object has no usable {}", missing.join(" and no ")),
        place,
    )
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
