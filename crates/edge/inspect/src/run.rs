//! How are files checked, with what is remembered of them?
//!
//! What is found in a file depends on its bytes and on the definitions in all files. So a verdict is kept with a hash of all
//! definitions: a change of one Composition checks that Composition, a change of an XRD checks everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use purlin_check::{Checker, Kept, Known, LoadSchema, in_order};
use purlin_diag::Diagnostics;
use purlin_function::Functions;
use purlin_schema::Schema;
use purlin_yaml::Document;
use sha2::{Digest as _, Sha256};

use crate::files::{Files, Stamp};
use crate::memory::{self, Entry, KindEntry, Memory, Pack, VersionEntry};
use crate::read::{Content, Role, hex, read};
use crate::stored::first;
use crate::threads::each;

/// What a run is asked.
#[derive(Debug)]
pub struct Options<'o> {
    /// The functions of this process.
    pub functions: &'o Functions,
    /// Kinds that are known besides those of the files.
    pub known: Vec<Known>,
    /// What earlier runs remembered.
    pub memory: Option<Memory>,
}

/// What a run gives.
#[derive(Debug, Default)]
pub struct Inspected {
    /// Everything that was found, in the order of files and lines.
    pub found: Diagnostics,
    /// How many objects were looked at, of those there is something to say about.
    pub objects: usize,
    /// How many files hold manifests.
    pub manifests: usize,
    /// How many files look like templates of other programs.
    pub templates: usize,
    /// Why nothing could be remembered.
    pub forgetful: Option<String>,
}

/// One file of a run.
#[derive(Debug)]
struct Seen {
    path: PathBuf,
    name: String,
    stamp: Stamp,
    /// What is remembered, when it still holds.
    entry: Option<Entry>,
    /// What was read, when it was.
    content: Option<Content>,
}

impl Seen {
    fn hash(&self) -> &str {
        match (&self.content, &self.entry) {
            (Some(content), _) => &content.hash,
            (None, Some(entry)) => &entry.hash,
            (None, None) => "",
        }
    }

    fn role(&self) -> Role {
        match (&self.content, &self.entry) {
            (Some(content), _) => content.role,
            (None, Some(entry)) => entry.role,
            (None, None) => Role::Nothing,
        }
    }

    fn defines(&self) -> bool {
        match (&self.content, &self.entry) {
            (Some(content), _) => content.defines,
            (None, Some(entry)) => entry.defines,
            (None, None) => false,
        }
    }
}

/// Checks files.
pub fn inspect(files: Files, options: Options<'_>) -> Inspected {
    let Options {
        functions,
        known,
        memory,
    } = options;
    let mut inspected = Inspected {
        found: files.found,
        ..Inspected::default()
    };
    let listed: Vec<(PathBuf, Stamp)> = files.files.into_iter().collect();
    let mut seen = each(&listed, |(path, stamp)| look(path, *stamp, memory.as_ref()));
    let definitions = definitions(&seen, &known, functions);
    let verdicts = verdicts(&seen, &definitions, memory.as_ref());
    let known = known_of(&seen, known, memory.as_ref());
    let verdicts = judge(&mut seen, verdicts, known, functions);
    for (one, verdict) in seen.iter().zip(&verdicts) {
        match one.role() {
            Role::Template => inspected.templates += 1,
            Role::Manifests | Role::Kinds => inspected.manifests += 1,
            Role::Nothing => {}
        }
        let own = match (&one.content, &one.entry) {
            (Some(content), _) => content.found.clone(),
            (None, Some(entry)) => entry.found(&one.name).unwrap_or_default(),
            (None, None) => Diagnostics::new(),
        };
        inspected.found.extend(own);
        if let Some((objects, found)) = verdict {
            inspected.objects += objects;
            inspected.found.extend(found.clone());
        } else if one.role() == Role::Kinds {
            inspected.objects += 1;
        }
    }
    inspected.found = in_order(inspected.found);
    if let Some(memory) = &memory {
        let saved = remember(seen, &verdicts, &definitions, memory);
        inspected.forgetful = saved.err().map(|error| error.to_string());
    }
    inspected
}

/// What is remembered of a file, or else what is in it.
fn look(path: &Path, stamp: Stamp, memory: Option<&Memory>) -> Seen {
    let name = path.display().to_string();
    let entry = memory.and_then(|memory| memory.get(&name, stamp)).cloned();
    let entry = entry.filter(|entry| entry.found(&name).is_some());
    let content = entry.is_none().then(|| read(path));
    Seen {
        path: path.to_owned(),
        name,
        stamp,
        entry,
        content,
    }
}

/// A hash of everything that the findings in a file may depend on besides the file.
fn definitions(seen: &[Seen], known: &[Known], functions: &Functions) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    for one in seen.iter().filter(|one| one.defines()) {
        add(&one.name);
        add(one.hash());
    }
    for one in known {
        add(&format!(
            "{} {} {} {} {}",
            one.group, one.version, one.kind, one.digest, one.file
        ));
    }
    for hosted in functions.hosted() {
        add(hosted.name);
    }
    hex(&hash.finalize())
}

type Judged = Option<(usize, Diagnostics)>;

/// What was found before, where that still holds. Files with the same bytes as before are not judged again, even when
/// they were written anew.
fn verdicts(seen: &[Seen], definitions: &str, memory: Option<&Memory>) -> Vec<Judged> {
    seen.iter()
        .map(|one| {
            let entry = match (&one.entry, &one.content) {
                (Some(entry), _) => Some(entry),
                (None, Some(content)) => memory?.same(&one.name, &content.hash),
                (None, None) => None,
            }?;
            entry.verdict(definitions, &one.name)
        })
        .collect()
}

/// Checks the files that have no verdict yet.
fn judge(
    seen: &mut [Seen],
    mut verdicts: Vec<Judged>,
    known: Vec<Known>,
    functions: &Functions,
) -> Vec<Judged> {
    let open: BTreeSet<usize> = seen
        .iter()
        .zip(&verdicts)
        .enumerate()
        .filter(|(_, (one, verdict))| one.role() == Role::Manifests && verdict.is_none())
        .map(|(index, _)| index)
        .collect();
    if open.is_empty() {
        return verdicts;
    }
    let needed: Vec<usize> = seen
        .iter()
        .enumerate()
        .filter(|(index, one)| {
            open.contains(index) || one.defines() && one.role() == Role::Manifests
        })
        .map(|(index, _)| index)
        .collect();
    let again = each(&needed, |index| {
        let one = &seen[*index];
        one.content.is_none().then(|| read(&one.path))
    });
    let mut documents: Vec<Document> = Vec::new();
    for (index, again) in needed.iter().zip(again) {
        let one = &mut seen[*index];
        let content = match again {
            Some(content) => one.content.insert(content),
            None => match &mut one.content {
                Some(content) => content,
                None => continue,
            },
        };
        documents.append(&mut content.documents);
    }
    let checker = Checker::new(documents, known, functions);
    let by_name: BTreeMap<&str, usize> = open
        .iter()
        .map(|index| (seen[*index].name.as_str(), *index))
        .collect();
    let objects: Vec<usize> = (0..checker.len())
        .filter(|object| by_name.contains_key(checker.file(*object)))
        .collect();
    let checked = each(&objects, |object| checker.check(*object));
    for index in &open {
        verdicts[*index] = Some((0, Diagnostics::new()));
    }
    for (object, (looked, found)) in objects.iter().zip(checked) {
        let Some(index) = by_name.get(checker.file(*object)) else {
            continue;
        };
        if let Some((objects, all)) = &mut verdicts[*index] {
            *objects += usize::from(looked);
            all.extend(found);
        }
    }
    verdicts
}

/// The kinds of the files that define nothing else, with a way to their schemas.
fn known_of(seen: &[Seen], mut known: Vec<Known>, memory: Option<&Memory>) -> Vec<Known> {
    let pack = memory.and_then(Memory::pack);
    for one in seen.iter().filter(|one| one.role() == Role::Kinds) {
        if let Some(content) = &one.content {
            for kind in &content.kinds {
                known.extend(fresh(kind, &one.name, &content.hash));
            }
        } else if let (Some(entry), Some(pack)) = (&one.entry, &pack) {
            for kind in &entry.kinds {
                known.extend(remembered(kind, one, &entry.hash, pack));
            }
        }
    }
    known
}

/// Tells definitions of one kind from each other.
fn digest(hash: &str, version: &str) -> u64 {
    first(&Sha256::digest(format!("{hash} {version}")))
}

/// A kind of a package or a cluster, for checks.
pub fn known(kind: &Kept) -> Vec<Known> {
    let texts = kind.versions.iter().map(|one| one.schema.to_string());
    let hash = texts.collect::<String>();
    fresh(kind, "", &hash)
}

fn fresh(kind: &Kept, file: &str, hash: &str) -> Vec<Known> {
    let versions = kind.versions.iter().map(|version| {
        let schema = Arc::new(version.schema.clone());
        let load: Arc<LoadSchema> = Arc::new(move || Schema::parse(&schema).ok());
        Known {
            group: kind.group.clone(),
            version: version.name.clone(),
            kind: kind.kind.clone(),
            namespaced: kind.namespaced,
            deprecated: version.deprecated,
            file: file.to_owned(),
            digest: digest(hash, &version.name),
            load,
        }
    });
    versions.collect()
}

fn remembered(kind: &KindEntry, one: &Seen, hash: &str, pack: &Arc<File>) -> Vec<Known> {
    let versions = kind.versions.iter().map(|version| Known {
        group: kind.group.clone(),
        version: version.name.clone(),
        kind: kind.kind.clone(),
        namespaced: kind.namespaced,
        deprecated: version.deprecated,
        file: one.name.clone(),
        digest: digest(hash, &version.name),
        load: load(kind, version, one, pack),
    });
    versions.collect()
}

/// Reads a schema of the pack, or of the file when the pack is damaged.
fn load(kind: &KindEntry, version: &VersionEntry, one: &Seen, pack: &Arc<File>) -> Arc<LoadSchema> {
    let (pack, path) = (Arc::clone(pack), one.path.clone());
    let (version, kind) = (version.clone(), (kind.group.clone(), kind.kind.clone()));
    Arc::new(move || {
        let kept = memory::text(&pack, &version);
        if let Some(value) = kept.and_then(|text| serde_json::from_slice(&text).ok()) {
            return Schema::parse(&value).ok();
        }
        let kinds = read(&path).kinds.into_iter();
        let mut same = kinds.filter(|one| (&one.group, &one.kind) == (&kind.0, &kind.1));
        let versions = same.next()?.versions;
        let found = versions.iter().find(|one| one.name == version.name)?;
        Schema::parse(&found.schema).ok()
    })
}

/// Remembers what was seen, when there is anything new.
fn remember(
    seen: Vec<Seen>,
    verdicts: &[Judged],
    definitions: &str,
    memory: &Memory,
) -> std::io::Result<()> {
    let changed = |one: &Seen, verdict: &Judged| {
        let known = one.entry.as_ref();
        let judged = known.and_then(|entry| entry.verdict(definitions, &one.name));
        known.is_none() || verdict.is_some() && judged.is_none()
    };
    let same = memory.files() == seen.len();
    if same
        && !seen
            .iter()
            .zip(verdicts)
            .any(|(one, verdict)| changed(one, verdict))
    {
        return Ok(());
    }
    let new_kinds = |one: &Seen| {
        let content = one.content.as_ref().filter(|_| one.entry.is_none());
        content.is_some_and(|content| !content.kinds.is_empty())
    };
    let kinds_changed = seen.iter().any(new_kinds);
    let mut pack = Pack::default();
    let mut entries = BTreeMap::new();
    for (one, verdict) in seen.into_iter().zip(verdicts) {
        let name = one.name.clone();
        let Some(mut entry) = entry(&one) else {
            continue;
        };
        if let Some((objects, found)) = verdict {
            entry.set_verdict(definitions, *objects, found);
        }
        if kinds_changed && !packed(&one, &mut entry, memory, &mut pack) {
            continue;
        }
        entries.insert(name, entry);
    }
    memory.save(entries, kinds_changed.then_some(&pack))
}

/// What is to be remembered of a file; nothing when it could not be read.
fn entry(one: &Seen) -> Option<Entry> {
    if let Some(entry) = &one.entry {
        return Some(entry.clone());
    }
    let content = one
        .content
        .as_ref()
        .filter(|content| !content.hash.is_empty())?;
    let hash = content.hash.clone();
    let mut entry = Entry::new(one.stamp, hash, content.role, content.defines);
    entry.set_found(&content.found);
    Some(entry)
}

/// Puts the schemas of a file into a new pack; says whether all are in.
fn packed(one: &Seen, entry: &mut Entry, memory: &Memory, pack: &mut Pack) -> bool {
    if one.entry.is_some() {
        let Some(old) = memory.pack() else {
            return entry.kinds.is_empty();
        };
        for version in entry.kinds.iter_mut().flat_map(|kind| &mut kind.versions) {
            let Some(text) = memory::text(&old, version) else {
                return false;
            };
            (version.offset, version.length, version.sum) = pack.add(&text);
        }
        return true;
    }
    let kinds = one.content.as_ref().map(|content| content.kinds.as_slice());
    for kind in kinds.unwrap_or_default() {
        let versions = kind.versions.iter().map(|version| {
            let (offset, length, sum) = pack.add(version.schema.to_string().as_bytes());
            VersionEntry {
                name: version.name.clone(),
                deprecated: version.deprecated,
                offset,
                length,
                sum,
            }
        });
        let versions = versions.collect();
        entry.kinds.push(KindEntry {
            group: kind.group.clone(),
            kind: kind.kind.clone(),
            namespaced: kind.namespaced,
            versions,
        });
    }
    true
}
