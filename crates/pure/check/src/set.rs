//! Which kinds do these files define, and which definition is meant?
//!
//! A repository may hold the same kind several times, for example once for each environment. The definition nearest in
//! the tree of folders is meant; when two are equally near and differ, none is.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use purlin_schema::Schema;
use purlin_yaml::Document;
use serde_json::Value;

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
    file: String,
    raw: Raw,
    schema: OnceCell<Option<Rc<Schema>>>,
}

#[derive(Debug)]
enum Raw {
    /// The schema of a version of the CRD that is this document.
    Document(usize, usize),
    Made(Value),
}

/// All objects, and what they define.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) documents: Vec<Document>,
    pub(crate) defined: Vec<Defined>,
    by_kind: BTreeMap<(String, String), Vec<usize>>,
    /// The names of the Functions that are installed.
    pub(crate) functions: Vec<String>,
}

impl Set {
    pub(crate) fn of(documents: Vec<Document>) -> Self {
        let mut set = Self {
            documents,
            defined: Vec::new(),
            by_kind: BTreeMap::new(),
            functions: Vec::new(),
        };
        let mut defined = Vec::new();
        for (at, document) in set.documents.iter().enumerate() {
            let object = &document.value;
            let file = document.places.file();
            match role(object) {
                Role::Xrd => {
                    let composite = purlin_schema::composite_crd(object).ok();
                    let claim = purlin_schema::claim_crd(object).ok().flatten();
                    for (crd, origin) in [(composite, Origin::Composite), (claim, Origin::Claim)] {
                        if let Some(crd) = crd {
                            versions(&crd, origin, file, None, &mut defined);
                        }
                    }
                }
                Role::Crd => versions(object, Origin::Crd, file, Some(at), &mut defined),
                Role::Composition => {}
                Role::Other => {
                    if object["kind"] == "Function"
                        && let Some(name) = object["metadata"]["name"].as_str()
                    {
                        set.functions.push(name.to_owned());
                    }
                }
            }
        }
        for crd in purlin_api::crds() {
            versions(&crd, Origin::Engine, "", None, &mut defined);
        }
        for (at, one) in defined.iter().enumerate() {
            let key = (one.group.clone(), one.kind.clone());
            set.by_kind.entry(key).or_default().push(at);
        }
        set.defined = defined;
        set
    }

    /// All definitions of a kind, in any version.
    pub(crate) fn versions_of(&self, group: &str, kind: &str) -> impl Iterator<Item = &Defined> {
        let found = self.by_kind.get(&(group.to_owned(), kind.to_owned()));
        found.into_iter().flatten().map(|at| &self.defined[*at])
    }

    /// The definition somebody in `file` means.
    pub(crate) fn find(&self, api_version: &str, kind: &str, file: &str) -> Option<&Defined> {
        let (group, version) = group_version(api_version);
        let named = self.versions_of(group, kind);
        let all: Vec<&Defined> = named.filter(|one| one.version == version).collect();
        let nearest = all.iter().map(|one| distance(file, &one.file)).min()?;
        let mut near = all
            .into_iter()
            .filter(|one| distance(file, &one.file) == nearest);
        let first = near.next()?;
        near.all(|other| self.raw(other) == self.raw(first))
            .then_some(first)
    }

    /// The schema of a definition; `None` when it cannot be read.
    pub(crate) fn schema(&self, defined: &Defined) -> Option<Rc<Schema>> {
        let parse = || Some(Rc::new(Schema::parse(self.raw(defined)).ok()?));
        defined.schema.get_or_init(parse).clone()
    }

    /// The schema somebody in `file` means.
    pub(crate) fn schema_of(
        &self,
        api_version: &str,
        kind: &str,
        file: &str,
    ) -> Option<Rc<Schema>> {
        self.schema(self.find(api_version, kind, file)?)
    }

    fn raw<'a>(&'a self, defined: &'a Defined) -> &'a Value {
        match &defined.raw {
            Raw::Document(at, version) => {
                let version = &self.documents[*at].value["spec"]["versions"][*version];
                &version["schema"]["openAPIV3Schema"]
            }
            Raw::Made(schema) => schema,
        }
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
        defined.push(Defined {
            group: text(&crd["spec"]["group"]),
            version: text(&version["name"]),
            kind: text(&crd["spec"]["names"]["kind"]),
            origin,
            referenceable: version["storage"] == true,
            file: file.to_owned(),
            raw: document.map_or_else(|| Raw::Made(schema.clone()), |at| Raw::Document(at, index)),
            schema: OnceCell::new(),
        });
    }
}

/// How many folders one goes up and down from one file to the other.
fn distance(from: &str, to: &str) -> usize {
    let folders = |file: &str| -> Vec<String> {
        let mut parts: Vec<String> = file.split('/').map(str::to_owned).collect();
        parts.pop();
        parts
    };
    let (from, to) = (folders(from), folders(to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    from.len() + to.len() - 2 * shared
}
