//! Is this a package? The objects of one, from the author's files or from `package.yaml`, held against the linter of its kind.

use std::collections::BTreeMap;

use purlin_diag::{Diagnostic, Diagnostics, Place, nearest};
use purlin_yaml::{Document, Fields, Limits as YamlLimits};
use serde_json::Value;

use crate::kinds::{META_GROUP, PackageKind, is_known, meta_versions, versions_of};
use crate::limits::Limits;
use crate::meta::{self, Meta};
use crate::split::{Part, split};

/// What is in a package.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The meta object, when there is one and it can be read.
    pub meta: Option<Meta>,
    /// The meta object's text.
    meta_text: String,
    /// The others, in order.
    pub objects: Vec<PackageObject>,
}

/// An object that a package brings.
#[derive(Debug, Clone)]
pub struct PackageObject {
    /// Its apiVersion.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name; empty when it has none.
    pub name: String,
    /// What it says.
    pub value: Value,
    /// As the author wrote it.
    text: String,
    place: Place,
}

impl Contents {
    /// Reads the objects of these files, in this order, and says everything that keeps them from being a package.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Self, Diagnostics) {
        let mut reader = Reader::default();
        for (name, text) in files {
            reader.file(name, text);
        }
        reader.finish()
    }

    /// The stream for `package.yaml`: the meta object, then the others, as their authors wrote them.
    pub fn stream(&self) -> String {
        let mut stream = String::from("---\n");
        let texts =
            std::iter::once(&self.meta_text).chain(self.objects.iter().map(|object| &object.text));
        for text in texts.filter(|text| !text.is_empty()) {
            stream.push_str(text);
            stream.push_str("\n---\n");
        }
        stream
    }
}

#[derive(Default)]
struct Reader {
    contents: Contents,
    meta_places: Vec<(Place, PackageKind)>,
    found: Diagnostics,
    first_file: Option<String>,
}

impl Reader {
    fn file(&mut self, name: &str, text: &str) {
        self.first_file.get_or_insert_with(|| name.to_owned());
        let limits = YamlLimits {
            bytes: usize::try_from(Limits::default().package).unwrap_or(usize::MAX),
            nodes: 20_000_000,
            ..YamlLimits::default()
        };
        let (documents, problems) = purlin_yaml::load_with(name, text, &limits);
        self.found.extend(problems);
        let parts = split(text);
        let mut taken = None;
        for document in &documents {
            let start = document.places.start();
            let at = parts.partition_point(|part| part.line <= start.line);
            let Some(part) = at.checked_sub(1).and_then(|at| parts.get(at)) else {
                continue;
            };
            // `...` ends a document as well, but not everybody who reads packages knows that.
            if taken == Some(part.line) {
                let error = Diagnostic::error(
                    "package/separator",
                    "this document is not separated by `---`",
                );
                self.found
                    .push(error.at(start).help("put `---` on a line before it"));
                continue;
            }
            taken = Some(part.line);
            self.document(document, part);
        }
    }

    fn document(&mut self, document: &Document, part: &Part<'_>) {
        let mut fields = Fields::new(meta::SHAPE, Some(&document.places));
        if let Some(root) = fields.root(&document.value) {
            let api_version = fields.text(&root, "apiVersion");
            let kind = fields.text(&root, "kind");
            if let (Some(api_version), Some(kind)) = (api_version, kind) {
                if group_of(api_version) == META_GROUP {
                    self.meta(&mut fields, document, part, (api_version, kind));
                } else {
                    self.object(&mut fields, document, part, (api_version, kind));
                }
            }
        }
        let places = &document.places;
        self.found
            .extend(fields.into_found().into_iter().map(|one| {
                let exact = match (&one.path, one.within) {
                    (Some(path), Some((start, end))) => places.range(path, start, end),
                    _ => None,
                };
                match exact {
                    Some(place) => one.at(place),
                    None => one,
                }
            }));
    }

    fn meta(
        &mut self,
        fields: &mut Fields<'_>,
        document: &Document,
        part: &Part<'_>,
        (api_version, word): (&str, &str),
    ) {
        let Some(kind) = meta::package_kind(fields, "package/unknown-kind", "kind", word) else {
            return;
        };
        let version = api_version
            .split_once('/')
            .map_or("", |(_, version)| version);
        let known = meta_versions(kind);
        if !known.contains(&version) {
            let error = Diagnostic::error(
                "package/unknown-kind",
                format!("there is no {kind} of {META_GROUP} in version `{version}`"),
            );
            fields.push(
                "apiVersion",
                error.help(format!("write `{META_GROUP}/{}`", known[0])),
            );
        }
        let root = fields.root(&document.value);
        let read = root.and_then(|root| meta::read(fields, &root, kind, api_version));
        if self.meta_places.is_empty() {
            self.contents.meta = read;
            self.contents.meta_text = tidy(part.text);
        }
        self.meta_places.push((document.places.start(), kind));
    }

    fn object(
        &mut self,
        fields: &mut Fields<'_>,
        document: &Document,
        part: &Part<'_>,
        (api_version, kind): (&str, &str),
    ) {
        if !is_known(api_version, kind) {
            fields.push("kind", unknown(api_version, kind));
            return;
        }
        let root = fields.root(&document.value);
        let metadata = root.and_then(|root| fields.section(&root, "metadata"));
        let name = metadata.and_then(|metadata| fields.text(&metadata, "name"));
        let place = document.places.value("kind");
        self.contents.objects.push(PackageObject {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: name.unwrap_or_default().to_owned(),
            value: document.value.clone(),
            text: tidy(part.text),
            place: place.unwrap_or_else(|| document.places.start()),
        });
    }

    fn finish(mut self) -> (Contents, Diagnostics) {
        match self.meta_places.as_slice() {
            [] => {
                let error = Diagnostic::error(
                    "package/no-meta",
                    "no file says what the package is: a Configuration, Provider or Function of meta.pkg.crossplane.io",
                );
                let place = self.first_file.take().map(|file| Place::new(file, 1, 1));
                self.found.push(
                    error
                        .at(place)
                        .help("add crossplane.yaml with apiVersion: meta.pkg.crossplane.io/v1"),
                );
            }
            [(_, kind)] => {
                let kind = *kind;
                self.lint(kind);
            }
            [(first, _), others @ ..] => {
                for (place, _) in others {
                    let error = Diagnostic::error(
                        "package/two-metas",
                        format!("a package has one meta object, and the first one is at {first}"),
                    );
                    self.found.push(
                        error
                            .at(place.clone())
                            .help("take one away, or leave out its file with --ignore"),
                    );
                }
            }
        }
        self.duplicates();
        self.found.sort();
        (self.contents, self.found)
    }

    fn lint(&mut self, kind: PackageKind) {
        let allowed = kind.allowed();
        for object in &self.contents.objects {
            if allowed.contains(&object.kind.as_str()) {
                continue;
            }
            let error = Diagnostic::error(
                "package/kind-not-allowed",
                format!("a {kind} package cannot bring a {}", object.kind),
            );
            self.found.push(error.at(object.place.clone()).help(format!(
                "it may bring {}; leave this file out with --ignore, or put it into another package",
                allowed.join(", ")
            )));
        }
    }

    fn duplicates(&mut self) {
        let mut seen: BTreeMap<(&str, &str), &Place> = BTreeMap::new();
        for object in &self.contents.objects {
            if object.name.is_empty() {
                continue;
            }
            let key = (object.kind.as_str(), object.name.as_str());
            if let Some(first) = seen.get(&key) {
                let warning = Diagnostic::warning(
                    "package/duplicate",
                    format!(
                        "{} {} is here twice; the first one is at {first}",
                        object.kind, object.name
                    ),
                );
                self.found
                    .push(warning.at(object.place.clone()).help("take one away"));
            } else {
                seen.insert(key, &object.place);
            }
        }
    }
}

fn unknown(api_version: &str, kind: &str) -> Diagnostic {
    let error = Diagnostic::error(
        "package/unknown-kind",
        format!("`{api_version}`, kind `{kind}` cannot be in a package"),
    );
    let versions = versions_of(kind);
    if !versions.is_empty() {
        return error.help(format!("write apiVersion: {}", versions.join(" or ")));
    }
    let known = PackageKind::ALL
        .iter()
        .flat_map(|kind| kind.allowed().iter().copied());
    error.help(match nearest(kind, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "leave the file out with --ignore; examples belong into the folder of --examples-root"
                .to_owned()
        }
    })
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// The text of a document without the empty lines around it, and with plain line ends.
fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let start = text.find(|c: char| c != '\n').unwrap_or(0);
    // Spaces before the first word are its indentation.
    let text = text.get(start..).unwrap_or_default().trim_end();
    text.strip_suffix("\n...").unwrap_or(text).to_owned()
}
