//! Which kinds do these files define, and which definition is meant?
//!
//! A repository may hold the same kind several times, for example once for each environment. The definition nearest in
//! the tree of folders is meant; when two are equally near and differ, none is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use purlin_schema::Schema;
use purlin_yaml::Document;
use serde_json::{Value, json};

use crate::{builtin, partial};

/// What an object is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Xrd,
    Crd,
    Composition,
    Other,
}

/// What an object is for, by its apiVersion and kind.
pub(crate) fn role(object: &Value) -> Role {
    let (group, _) = group_version(object["apiVersion"].as_str().unwrap_or_default());
    match (group, object["kind"].as_str().unwrap_or_default()) {
        ("apiextensions.crossplane.io", "CompositeResourceDefinition") => Role::Xrd,
        ("apiextensions.crossplane.io", "Composition" | "CompositionRevision") => Role::Composition,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Role::Crd,
        _ => Role::Other,
    }
}

/// The group and the version of an apiVersion.
pub(crate) fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// Where a kind comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A CRD of the files.
    Crd,
    /// The composites of an XRD.
    Composite,
    /// The claims of an XRD.
    Claim,
    /// Every control plane has it.
    Engine,
    /// A CRD that somebody else keeps.
    Known,
}

/// Gives the schema of a kind when it is needed.
pub type LoadSchema = dyn Fn() -> Option<Schema> + Send + Sync;

/// A version of a kind whose CRD is not among the documents.
#[derive(Clone)]
pub struct Known {
    /// Its group.
    pub group: String,
    /// Its version.
    pub version: String,
    /// Its kind.
    pub kind: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether its users should move on.
    pub deprecated: bool,
    /// The file it comes from; empty when it is not one of those that are checked.
    pub file: String,
    /// Tells two definitions of a kind from each other.
    pub digest: u64,
    /// Gives the schema.
    pub load: Arc<LoadSchema>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({}/{} {})", self.group, self.version, self.kind)
    }
}

/// A version of a kind that is defined.
#[derive(Debug)]
pub(crate) struct Defined {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) origin: Origin,
    /// Whether Compositions may refer to this version.
    pub(crate) referenceable: bool,
    /// Whether its objects are in namespaces.
    pub(crate) namespaced: bool,
    pub(crate) deprecated: bool,
    file: String,
    raw: Raw,
    schema: OnceLock<Option<Arc<Schema>>>,
}

#[derive(Debug)]
enum Raw {
    /// The schema of a version of the CRD that is this document.
    Document(usize, usize),
    Made(Value),
    Elsewhere(Known),
}

/// A Function that is installed.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) name: String,
    pub(crate) file: String,
}

/// All objects, and what they define.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) documents: Vec<Document>,
    pub(crate) defined: Vec<Defined>,
    by_kind: BTreeMap<(String, String), Vec<usize>>,
    /// The Functions that are installed.
    pub(crate) functions: Vec<Installed>,
    /// Files that kustomize merges into others.
    patches: BTreeSet<String>,
    /// Folders of tests, whose files are merged into what is there.
    tests: BTreeSet<String>,
    /// Kinds of XRDs that cannot be read: nothing is said about these.
    broken: BTreeSet<(String, String)>,
}

impl Set {
    pub(crate) fn of(documents: Vec<Document>, known: Vec<Known>) -> Self {
        let mut set = Self {
            documents,
            defined: Vec::new(),
            by_kind: BTreeMap::new(),
            functions: Vec::new(),
            patches: BTreeSet::new(),
            tests: BTreeSet::new(),
            broken: BTreeSet::new(),
        };
        for document in &set.documents {
            let (object, file) = (&document.value, document.places.file());
            patches(object, file, &mut set.patches);
            set.tests.extend(partial::tests(object, file));
        }
        let mut defined = Vec::new();
        for (at, document) in set.documents.iter().enumerate() {
            let object = &document.value;
            let file = document.places.file();
            if set.is_part(object, file) {
                continue;
            }
            match role(object) {
                Role::Xrd => {
                    let composite = purlin_schema::composite_crd(object).ok();
                    let claim = purlin_schema::claim_crd(object).ok().flatten();
                    let spec = &object["spec"];
                    let versions_of = spec["versions"].as_array();
                    let lacks_schema = versions_of
                        .is_some_and(|all| all.iter().any(|one| has_no_schema(&one["schema"])));
                    if composite.is_none() || lacks_schema {
                        for names in ["names", "claimNames"] {
                            let text =
                                |value: &Value| value.as_str().unwrap_or_default().to_owned();
                            let kind = text(&spec[names]["kind"]);
                            set.broken.insert((text(&spec["group"]), kind));
                        }
                    }
                    for (crd, origin) in [(composite, Origin::Composite), (claim, Origin::Claim)] {
                        if let Some(crd) = crd {
                            versions(&crd, origin, file, None, &mut defined);
                        }
                    }
                }
                Role::Crd => versions(object, Origin::Crd, file, Some(at), &mut defined),
                Role::Composition => {}
                Role::Other => installed(object, file, &mut set.functions),
            }
        }
        for crd in purlin_api::crds() {
            versions(&crd, Origin::Engine, "", None, &mut defined);
        }
        defined.extend(builtin::known().into_iter().map(elsewhere));
        let whole = known.into_iter().filter(|one| !set.is_partial(&one.file));
        defined.extend(whole.map(elsewhere));
        for (at, one) in defined.iter().enumerate() {
            let key = (one.group.clone(), one.kind.clone());
            set.by_kind.entry(key).or_default().push(at);
        }
        set.defined = defined;
        set
    }

    /// Whether a file holds parts of objects.
    pub(crate) fn is_partial(&self, file: &str) -> bool {
        partial::is_partial(file) || self.patches.contains(&plain(file))
    }

    /// Whether a definition or Composition is to be merged into another, or only compared with one.
    pub(crate) fn is_part(&self, object: &Value, file: &str) -> bool {
        self.is_partial(file) || partial::is_patch(file) && partial::is_part(object)
    }

    /// Whether an object of a file may be merged into another one that is there already.
    pub(crate) fn is_merged(&self, file: &str) -> bool {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.is_partial(file) || partial::is_patch(file) || self.tests.contains(folder)
    }

    /// All definitions of a kind, in any version.
    pub(crate) fn versions_of(&self, group: &str, kind: &str) -> impl Iterator<Item = &Defined> {
        let found = self.by_kind.get(&(group.to_owned(), kind.to_owned()));
        found.into_iter().flatten().map(|at| &self.defined[*at])
    }

    /// The kinds of a group.
    pub(crate) fn kinds_of<'s>(&'s self, group: &'s str) -> impl Iterator<Item = &'s str> {
        let start = (group.to_owned(), String::new());
        let found = self.by_kind.range(start..);
        found
            .map(|((of, kind), _)| (of.as_str(), kind.as_str()))
            .take_while(move |(of, _)| *of == group)
            .map(|(_, kind)| kind)
    }

    /// The versions of a kind that somebody in `file` can mean: none when the kind is defined in several places, of
    /// which none is near, as in a folder of unrelated examples.
    pub(crate) fn near_versions(&self, group: &str, kind: &str, file: &str) -> Vec<&Defined> {
        /// Folders up and down, from one file of a package to another.
        const NEAR: usize = 3;
        if self.is_broken(group, kind) {
            return Vec::new();
        }
        let all: Vec<&Defined> = self.versions_of(group, kind).collect();
        let mut files: Vec<&str> = all.iter().map(|one| one.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        if files.len() < 2 {
            return all;
        }
        let nearest = all.iter().map(|one| distance(file, one)).min();
        let nearest = nearest.filter(|nearest| *nearest <= NEAR);
        let near: Vec<&Defined> = all
            .into_iter()
            .filter(|one| Some(distance(file, one)) == nearest)
            .collect();
        // Two packages beside this one: neither is meant.
        let several = near.iter().any(|one| one.file != near[0].file);
        if several && nearest > Some(0) {
            return Vec::new();
        }
        near
    }

    /// Whether an XRD of this kind cannot be read.
    pub(crate) fn is_broken(&self, group: &str, kind: &str) -> bool {
        self.broken.contains(&(group.to_owned(), kind.to_owned()))
    }

    /// The definition somebody in `file` means.
    pub(crate) fn find(&self, api_version: &str, kind: &str, file: &str) -> Option<&Defined> {
        let (group, version) = group_version(api_version);
        if self.is_broken(group, kind) {
            return None;
        }
        let named = self.versions_of(group, kind);
        let all: Vec<&Defined> = named.filter(|one| one.version == version).collect();
        let nearest = all.iter().map(|one| distance(file, one)).min()?;
        let mut near = all.into_iter().filter(|one| distance(file, one) == nearest);
        let first = near.next()?;
        near.all(|other| self.same(other, first)).then_some(first)
    }

    /// The schema of a definition; `None` when it cannot be read.
    pub(crate) fn schema(&self, defined: &Defined) -> Option<Arc<Schema>> {
        let parse = || {
            Some(Arc::new(match &defined.raw {
                Raw::Elsewhere(known) => (known.load)()?,
                Raw::Document(..) | Raw::Made(_) => Schema::parse(self.raw(defined)?).ok()?,
            }))
        };
        defined.schema.get_or_init(parse).clone()
    }

    fn same(&self, one: &Defined, other: &Defined) -> bool {
        match (&one.raw, &other.raw) {
            (Raw::Elsewhere(one), Raw::Elsewhere(other)) => one.digest == other.digest,
            _ => match (self.raw(one), self.raw(other)) {
                (Some(raw), Some(other)) => raw == other,
                _ => self.schema(one) == self.schema(other),
            },
        }
    }

    fn raw<'a>(&'a self, defined: &'a Defined) -> Option<&'a Value> {
        match &defined.raw {
            Raw::Document(at, version) => {
                let version = &self.documents[*at].value["spec"]["versions"][*version];
                Some(&version["schema"]["openAPIV3Schema"])
            }
            Raw::Made(schema) => Some(schema),
            Raw::Elsewhere(_) => None,
        }
    }
}

/// Whether a version has something in place of its schema.
fn has_no_schema(schema: &Value) -> bool {
    let Value::Object(map) = schema else {
        return false;
    };
    !map.is_empty() && !map.contains_key("openAPIV3Schema")
}

/// The files that a kustomization merges into others.
fn patches(object: &Value, file: &str, patches: &mut BTreeSet<String>) {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    if !matches!(name, "kustomization.yaml" | "kustomization.yml") {
        return;
    }
    let paths = ["patches", "patchesStrategicMerge"]
        .iter()
        .filter_map(|field| object[field].as_array())
        .flatten()
        .filter_map(|patch| patch.as_str().or_else(|| patch["path"].as_str()));
    patches.extend(paths.map(|path| plain(&format!("{folder}/{path}"))));
}

/// A path without detours.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn installed(object: &Value, file: &str, functions: &mut Vec<Installed>) {
    let (group, _) = group_version(object["apiVersion"].as_str().unwrap_or_default());
    if group == "pkg.crossplane.io"
        && object["kind"] == "Function"
        && let Some(name) = object["metadata"]["name"].as_str()
    {
        functions.push(Installed {
            name: name.to_owned(),
            file: file.to_owned(),
        });
    }
}

fn elsewhere(known: Known) -> Defined {
    Defined {
        group: known.group.clone(),
        version: known.version.clone(),
        kind: known.kind.clone(),
        origin: if known.file.is_empty() {
            Origin::Known
        } else {
            Origin::Crd
        },
        referenceable: false,
        namespaced: known.namespaced,
        deprecated: known.deprecated,
        file: known.file.clone(),
        raw: Raw::Elsewhere(known),
        schema: OnceLock::new(),
    }
}

fn versions(
    crd: &Value,
    origin: Origin,
    file: &str,
    document: Option<usize>,
    defined: &mut Vec<Defined>,
) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions = crd["spec"]["versions"].as_array();
    for (index, version) in versions.into_iter().flatten().enumerate() {
        let schema = &version["schema"]["openAPIV3Schema"];
        if !schema.is_object() {
            continue;
        }
        let raw = || match origin {
            Origin::Composite | Origin::Claim => with_other_fields(schema.clone()),
            Origin::Crd | Origin::Engine | Origin::Known => schema.clone(),
        };
        defined.push(Defined {
            group: text(&crd["spec"]["group"]),
            version: text(&version["name"]),
            kind: text(&crd["spec"]["names"]["kind"]),
            origin,
            referenceable: version["storage"] == true,
            namespaced: crd["spec"]["scope"] == "Namespaced",
            deprecated: version["deprecated"] == true,
            file: file.to_owned(),
            raw: document.map_or_else(|| Raw::Made(raw()), |at| Raw::Document(at, index)),
            schema: OnceLock::new(),
        });
    }
}

/// Fields that composites have in other versions of Crossplane.
fn with_other_fields(mut schema: Value) -> Value {
    if let Some(fields) = schema["properties"]["spec"]["properties"].as_object_mut() {
        for field in [
            "crossplane",
            "environmentConfigRefs",
            "publishConnectionDetailsTo",
        ] {
            fields
                .entry(field)
                .or_insert_with(|| json!({"x-kubernetes-preserve-unknown-fields": true}));
        }
    }
    schema
}

/// How far a definition is from a file: those of the files come first, then the engine's own, then what is kept.
fn distance(from: &str, defined: &Defined) -> usize {
    match defined.origin {
        Origin::Engine => usize::MAX - 1,
        Origin::Known => usize::MAX,
        Origin::Crd | Origin::Composite | Origin::Claim => folders_between(from, &defined.file),
    }
}

/// How many folders one goes up and down from one file to the other.
pub(crate) fn folders_between(from: &str, to: &str) -> usize {
    fn folders(file: &str) -> impl Iterator<Item = &str> {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        folder.split('/').filter(|name| !matches!(*name, "" | "."))
    }
    let shared = folders(from)
        .zip(folders(to))
        .take_while(|(a, b)| a == b)
        .count();
    folders(from).count() + folders(to).count() - 2 * shared
}
