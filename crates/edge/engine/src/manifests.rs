//! Applies files and folders of manifests, in an order in which they can work, and says what is wrong with them where.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use purlin_api::meta::{self, Gvk};
use purlin_composition::modules::Modules;
use purlin_diag::{Diagnostic, Diagnostics, Place, Sources};
use purlin_kube::{Client, Error, Retry};
use purlin_yaml::Document;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// The field manager of applied manifests.
const MANAGER: &str = "purlin-apply";
/// The largest file that is read.
const LARGEST: u64 = 16 << 20;
/// How deep folders are searched.
const DEEPEST: usize = 16;
/// How soon a manifest whose kind is not served yet is tried again.
const AGAIN: Duration = Duration::from_millis(50);
/// How often a manifest is applied that the API server says it failed on.
const TRIES: u32 = 5;

/// Manifests that were read, and the texts they come from.
#[derive(Debug, Default)]
pub struct Manifests {
    documents: Vec<Document>,
    /// The texts, so that findings can be shown in them.
    pub sources: Sources,
}

/// Reads files, and all `.yaml`, `.yml` and `.json` files under folders. Everything that is wrong is said at once.
pub fn read_manifests(paths: &[PathBuf]) -> (Manifests, Diagnostics) {
    let mut found = Diagnostics::new();
    let mut files = Vec::new();
    for path in paths {
        gather(path, 0, &mut files, &mut found);
    }
    let mut out = Manifests::default();
    for file in files {
        let name = file.display().to_string();
        let text = match read(&file) {
            Ok(text) => text,
            Err(why) => {
                found.push(unreadable(&file, &why));
                continue;
            }
        };
        let (documents, wrong) = purlin_yaml::load(&name, &text);
        wrong
            .iter()
            .for_each(|diagnostic| found.push(diagnostic.clone()));
        out.sources.insert(name, text);
        out.documents.extend(
            documents
                .into_iter()
                .flat_map(|document| unpack(document, &mut found)),
        );
    }
    let (modules, documents, mistakes) = Modules::take(std::mem::take(&mut out.documents));
    out.documents = documents;
    found.extend(mistakes);
    if !modules.is_empty() {
        let is_composition = |document: &&mut Document| rank(&document.value) == COMPOSITION;
        for document in out.documents.iter_mut().filter(is_composition) {
            let (_, missing) = modules.fill(&mut document.value, &mut document.places);
            found.extend(missing);
        }
    }
    // The sort is stable: what a file says first is applied first.
    out.documents.sort_by_key(|document| rank(&document.value));
    (out, found)
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(
        "apply/unreadable",
        format!("cannot read {}: {why}", path.display()),
    )
    .help("name a file or folder with YAML or JSON manifests")
}

fn read(file: &Path) -> Result<String, String> {
    let mut text = String::new();
    let opened = fs::File::open(file).map_err(|error| error.to_string())?;
    opened
        .take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if text.len() as u64 > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    Ok(text)
}

fn gather(path: &Path, depth: usize, files: &mut Vec<PathBuf>, found: &mut Diagnostics) {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return;
    }
    if depth > DEEPEST {
        found.push(unreadable(path, "folders are nested too deep"));
        return;
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            found.push(unreadable(path, &error.to_string()));
            return;
        }
    };
    let inside: BTreeSet<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    for path in inside {
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let manifest = path
            .extension()
            .is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
        if !hidden && (manifest || path.is_dir()) {
            gather(&path, depth + 1, files, found);
        }
    }
}

/// The manifests a document holds: itself, or the items of a List.
fn unpack(document: Document, found: &mut Diagnostics) -> Vec<Document> {
    let items = document.value.get("items").and_then(Value::as_array);
    if let Some(items) = items.filter(|_| meta::text(&document.value, &["kind"]).ends_with("List"))
    {
        let place = |index: usize| document.places.under(&format!("items[{index}]"));
        let each = items.iter().enumerate().filter_map(|(index, value)| {
            Some(Document {
                value: value.clone(),
                places: place(index)?,
            })
        });
        return each.collect();
    }
    let mut complete = true;
    let fields: [(&str, &[&str]); 3] = [
        ("apiVersion", &["apiVersion"]),
        ("kind", &["kind"]),
        ("metadata.name", &["metadata", "name"]),
    ];
    for (shown, path) in fields {
        if meta::text(&document.value, path).is_empty() {
            complete = false;
            found.push(
                Diagnostic::error("apply/incomplete", format!("a manifest without {shown}"))
                    .at(document.places.nearest(shown))
                    .help("every manifest needs apiVersion, kind and metadata.name"),
            );
        }
    }
    if complete {
        check(&document, found);
        vec![document]
    } else {
        Vec::new()
    }
}

/// Says what is wrong with the engine's own kinds, all of it, before any server sees them.
fn check(document: &Document, found: &mut Diagnostics) {
    let (manifest, places) = (&document.value, &document.places);
    match meta::text(manifest, &["kind"]) {
        "Composition" => {
            let (_, wrong) = purlin_composition::read(manifest, Some(places));
            wrong
                .iter()
                .for_each(|diagnostic| found.push(diagnostic.clone()));
        }
        "CompositeResourceDefinition" => {
            let mut wrong = purlin_schema::check_xrd(manifest);
            if wrong.is_empty() {
                wrong.extend(
                    purlin_schema::composite_crd(manifest)
                        .err()
                        .into_iter()
                        .flatten(),
                );
                wrong.extend(
                    purlin_schema::claim_crd(manifest)
                        .err()
                        .into_iter()
                        .flatten(),
                );
            }
            for error in wrong {
                found.push(
                    Diagnostic::error("apply/definition", error.to_string())
                        .at(places.nearest(&error.path))
                        .path(error.path),
                );
            }
        }
        _ => {}
    }
}

const COMPOSITION: u8 = 4;

/// What has to be there first.
fn rank(manifest: &Value) -> u8 {
    match meta::text(manifest, &["kind"]) {
        "Namespace" => 0,
        "CustomResourceDefinition" => 1,
        "CompositeResourceDefinition" => 2,
        "Function" | "FunctionRevision" | "Secret" | "ConfigMap" => 3,
        "Composition" => COMPOSITION,
        _ => 5,
    }
}

impl Manifests {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Applies every manifest, waiting for kinds that others of them define. Answers what was refused, and where it is
    /// written.
    pub async fn apply(&self, client: &Client, patience: Duration) -> Diagnostics {
        let end = Instant::now() + patience;
        let mut found = Diagnostics::new();
        let mut left: Vec<(&Document, u32)> = self.documents.iter().map(|one| (one, 1)).collect();
        loop {
            let mut waiting = Vec::new();
            let last_try = Instant::now() >= end;
            for (document, tries) in left {
                match apply(client, &document.value).await {
                    Ok(()) => {}
                    Err(error) if !last_try && self.may_pass(&error, tries) => {
                        waiting.push((document, tries + 1));
                    }
                    Err(error) => refused(document, &error, &mut found),
                }
            }
            if waiting.is_empty() {
                return found;
            }
            left = waiting;
            sleep(AGAIN).await;
        }
    }

    /// Whether waiting may help: the namespace is still being made, or the kind is, by another manifest. An API server
    /// answers some mistakes in a manifest with 500 (a key twice in an apply), so that is not believed for long.
    fn may_pass(&self, error: &Error, tries: u32) -> bool {
        match error {
            Error::Api { code: 500, .. } => tries < TRIES,
            Error::NotServed(gvk) => self.documents.iter().any(|d| defines(&d.value, gvk)),
            other => matches!(other.retry(), Retry::Gone | Retry::Later | Retry::Conflict),
        }
    }
}

/// Whether a manifest defines a kind.
fn defines(manifest: &Value, gvk: &Gvk) -> bool {
    let names = match meta::text(manifest, &["kind"]) {
        "CustomResourceDefinition" => &["names"][..],
        "CompositeResourceDefinition" => &["names", "claimNames"][..],
        _ => return false,
    };
    meta::text(manifest, &["spec", "group"]) == gvk.group
        && names
            .iter()
            .any(|names| meta::text(manifest, &["spec", names, "kind"]) == gvk.kind)
}

async fn apply(client: &Client, manifest: &Value) -> Result<(), Error> {
    let gvk = Gvk::new(
        meta::text(manifest, &["apiVersion"]),
        meta::text(manifest, &["kind"]),
    );
    let kind = client.kind(&gvk).await?;
    let mut manifest = manifest.clone();
    if kind.namespaced && meta::namespace(&manifest).is_empty() {
        meta::object_mut(&mut manifest, &["metadata"]).insert("namespace".into(), "default".into());
    }
    client.apply(&kind, &manifest, MANAGER, "").await.map(drop)
}

fn refused(document: &Document, error: &Error, found: &mut Diagnostics) {
    let at = |path: &str| -> Place { document.places.nearest(path) };
    let say = |message: String, place: Place| Diagnostic::error("apply/refused", message).at(place);
    match error {
        Error::Api { causes, .. } if !causes.is_empty() => {
            for (field, message) in causes {
                found.push(say(format!("{field}: {message}"), at(field)).path(field.clone()));
            }
        }
        Error::NotServed(gvk) => found.push(
            say(format!("nothing serves {gvk}"), at("kind"))
                .help("apply its CustomResourceDefinition or CompositeResourceDefinition too, or correct apiVersion and kind"),
        ),
        other => found.push(say(other.to_string(), at("metadata.name"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn definitions_come_before_what_they_define() {
        let folder = folder(&[
            (
                "a/claim.yaml",
                "apiVersion: e.org/v1\nkind: Thing\nmetadata: {name: t}\n",
            ),
            (
                "b.yml",
                "apiVersion: x/v1\nkind: Namespace\nmetadata: {name: c}\n---\napiVersion: x/v1\nkind: CustomResourceDefinition\nmetadata: {name: d}\n",
            ),
            (".hidden.yaml", "not: [a manifest"),
            ("notes.txt", "nothing"),
        ]);
        let (manifests, found) = read_manifests(&[folder.path().to_path_buf()]);
        assert!(found.is_empty(), "{found:?}");
        let kinds: Vec<&str> = manifests
            .documents
            .iter()
            .map(|d| meta::text(&d.value, &["kind"]))
            .collect();
        assert_eq!(kinds, ["Namespace", "CustomResourceDefinition", "Thing"]);
    }

    #[test]
    fn modules_are_written_into_the_compositions_that_use_them() {
        let group = "apiVersion: blueprint.fn.purlin.dev/v1alpha1";
        let module = format!("{group}\nkind: Module\nmetadata: {{name: m}}\noutputs: {{a: 1}}\n");
        let composition = "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: c}\nspec:\n  \
             compositeTypeRef: {apiVersion: e.org/v1, kind: X}\n  mode: Pipeline\n  pipeline:\n  - step: a\n    \
             functionRef: {name: f}\n    input: {apiVersion: blueprint.fn.purlin.dev/v1alpha1, kind: Blueprint, use: [{name: m}]}\n";
        let both = folder(&[("c.yaml", composition), ("m.yaml", &module)]);
        let (manifests, found) = read_manifests(&[both.path().to_path_buf()]);
        assert!(found.is_empty(), "{found:?}");
        let [one] = &manifests.documents[..] else {
            panic!("{:?}", manifests.documents);
        };
        let input = &one.value["spec"]["pipeline"][0]["input"];
        assert_eq!(input["modules"]["m"]["outputs"]["a"], 1);
    }

    #[test]
    fn compositions_and_definitions_are_checked_before_a_server_sees_them() {
        let folder = folder(&[
            (
                "c.yaml",
                "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: c}\nspec:\n  \
                 compositeTypeRef: {apiVersion: e.org/v1, kind: X}\n  mode: Resources\n  pipeline:\n  - step: a\n    \
                 functionRef: {}\n",
            ),
            (
                "d.yaml",
                "apiVersion: apiextensions.crossplane.io/v1\nkind: CompositeResourceDefinition\nmetadata: {name: \
                 wrong}\nspec:\n  group: e.org\n  names: {kind: X, plural: Xs}\n",
            ),
        ]);
        let (_, found) = read_manifests(&[folder.path().to_path_buf()]);
        let all: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(
            all.iter()
                .any(|d| d.contains("c.yaml:6:") && d.contains("mode")),
            "{all:#?}"
        );
        assert!(
            all.iter()
                .any(|d| d.contains("c.yaml:9:") && d.contains("name")),
            "{all:#?}"
        );
        assert!(
            all.iter()
                .any(|d| d.contains("d.yaml:") && d.contains("versions")),
            "{all:#?}"
        );
    }

    #[test]
    fn all_mistakes_are_said_at_once_with_their_places() {
        let folder = folder(&[
            ("a.yaml", "kind: Thing\nmetadata: {}\n"),
            ("b.yaml", "a: [1\n"),
        ]);
        let paths = [
            folder.path().to_path_buf(),
            PathBuf::from("/does/not/exist.yaml"),
        ];
        let (manifests, found) = read_manifests(&paths);
        assert!(manifests.is_empty());
        let all: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(
            all.iter()
                .any(|d| d.contains("a.yaml:1:1") && d.contains("apiVersion")),
            "{all:?}"
        );
        assert!(
            all.iter()
                .any(|d| d.contains("a.yaml:2:1") && d.contains("metadata.name")),
            "{all:?}"
        );
    }
}
