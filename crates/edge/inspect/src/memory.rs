//! What did an earlier run see in these files?
//!
//! An index says of every file what it held and what was found; a pack beside it holds the schemas of kinds, of which a run
//! reads only those it needs. Both are thrown away whenever something about them is odd: they only save time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use purlin_diag::{Code, Diagnostic, Diagnostics, Place, Severity};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::files::Stamp;
use crate::read::{Role, hex};
use crate::stored::{first, write};

/// Folder below the cache.
const FOLDER: &str = "checks";
/// Runs that are remembered: those of other folders and arguments.
const RUNS: usize = 32;
/// Bytes of one index.
const LARGEST: u64 = 256 << 20;
/// A file changed so shortly before it was read may have changed again within the same tick of its clock.
const TICK: u64 = 2_000_000_000;

/// A finding, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Finding(
    u8,
    String,
    String,
    Option<(u32, u32, u32)>,
    Option<String>,
    Option<String>,
);

/// The schema of a version of a kind, in the pack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VersionEntry {
    pub(crate) name: String,
    pub(crate) deprecated: bool,
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) sum: u64,
}

/// A kind, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KindEntry {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespaced: bool,
    pub(crate) versions: Vec<VersionEntry>,
}

/// What a check found, as long as all definitions are the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Verdict {
    definitions: String,
    pub(crate) objects: usize,
    found: Vec<Finding>,
}

/// What was in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    size: u64,
    modified: u64,
    seen: u64,
    pub(crate) hash: String,
    pub(crate) role: Role,
    pub(crate) defines: bool,
    pub(crate) kinds: Vec<KindEntry>,
    found: Vec<Finding>,
    verdict: Option<Verdict>,
}

impl Entry {
    pub(crate) fn new(stamp: Stamp, hash: String, role: Role, defines: bool) -> Self {
        Self {
            size: stamp.size,
            modified: stamp.modified,
            seen: now(),
            hash,
            role,
            defines,
            kinds: Vec::new(),
            found: Vec::new(),
            verdict: None,
        }
    }

    /// Whether it is still about the file as it is.
    fn holds(&self, stamp: Stamp) -> bool {
        self.size == stamp.size
            && self.modified == stamp.modified
            && self.modified.saturating_add(TICK) <= self.seen
    }

    pub(crate) fn set_found(&mut self, found: &Diagnostics) {
        self.found = found.iter().map(shorten).collect();
    }

    /// What was wrong with the file whatever the others say.
    pub(crate) fn found(&self, file: &str) -> Option<Diagnostics> {
        whole(&self.found, file)
    }

    pub(crate) fn set_verdict(&mut self, definitions: &str, objects: usize, found: &Diagnostics) {
        self.verdict = Some(Verdict {
            definitions: definitions.to_owned(),
            objects,
            found: found.iter().map(shorten).collect(),
        });
    }

    /// What a check found, when the definitions were the same.
    pub(crate) fn verdict(&self, definitions: &str, file: &str) -> Option<(usize, Diagnostics)> {
        let verdict = self.verdict.as_ref()?;
        let same = verdict.definitions == definitions;
        Some((verdict.objects, whole(&verdict.found, file)?)).filter(|_| same)
    }
}

fn shorten(finding: &Diagnostic) -> Finding {
    let place = finding.place.as_ref();
    Finding(
        match finding.severity {
            Severity::Error => 0,
            Severity::Warning => 1,
            Severity::Note => 2,
        },
        finding.code.0.to_owned(),
        finding.message.clone(),
        place.map(|place| (place.line, place.column, place.length)),
        finding.path.clone(),
        finding.help.clone(),
    )
}

fn whole(found: &[Finding], file: &str) -> Option<Diagnostics> {
    let file: Arc<str> = file.into();
    found
        .iter()
        .map(|Finding(severity, code, message, place, path, help)| {
            let code = known(code)?;
            let mut finding = match severity {
                0 => Diagnostic::error(code.0, message),
                1 => Diagnostic::warning(code.0, message),
                2 => Diagnostic::note(code.0, message),
                _ => return None,
            };
            finding.place = place.map(|(line, column, length)| {
                Place::new(Arc::clone(&file), line, column).with_length(length)
            });
            finding.path.clone_from(path);
            finding.help.clone_from(help);
            Some(finding)
        })
        .collect()
}

/// A code lives as long as the program; there are not many.
fn known(code: &str) -> Option<Code> {
    const MOST: usize = 1000;
    static KNOWN: LazyLock<Mutex<BTreeSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(code) = known.get(code) {
        return Some(Code(code));
    }
    if known.len() >= MOST || code.len() > 64 {
        return None;
    }
    let code: &'static str = Box::leak(code.to_owned().into_boxed_str());
    known.insert(code);
    Some(Code(code))
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    /// The program that wrote it.
    stamp: String,
    /// The pack that belongs to it.
    pack: String,
    entries: BTreeMap<String, Entry>,
}

/// The memory of runs with the same arguments in the same folder.
#[derive(Debug)]
pub struct Memory {
    folder: PathBuf,
    name: String,
    stamp: String,
    index: Index,
    pack: Option<Arc<File>>,
}

impl Memory {
    /// Opens what is remembered below a cache folder. `stamp` is of this program, `key` of what it was asked.
    pub fn open(cache: &Path, stamp: &str, key: &str) -> Self {
        let folder = cache.join(FOLDER);
        let name = hex(&Sha256::digest(key))
            .chars()
            .take(16)
            .collect::<String>();
        let index = read_index(&folder.join(format!("{name}.json"))).unwrap_or_default();
        let index = if index.stamp == stamp {
            index
        } else {
            Index::default()
        };
        let pack = File::open(folder.join(format!("{name}.pack"))).ok();
        let pack = pack.filter(|pack| {
            let mut id = vec![0; index.pack.len()];
            !id.is_empty() && pack.read_exact_at(&mut id, 0).is_ok() && id == index.pack.as_bytes()
        });
        Self {
            folder,
            name,
            stamp: stamp.to_owned(),
            index,
            pack: pack.map(Arc::new),
        }
    }

    /// What is known of a file as it is now.
    pub(crate) fn get(&self, file: &str, stamp: Stamp) -> Option<&Entry> {
        let entry = self.index.entries.get(file)?;
        let kept = entry.kinds.is_empty() || self.pack.is_some();
        (entry.holds(stamp) && kept).then_some(entry)
    }

    /// What is known of a file with these bytes.
    pub(crate) fn same(&self, file: &str, hash: &str) -> Option<&Entry> {
        let entry = self.index.entries.get(file)?;
        (entry.hash == hash && !hash.is_empty()).then_some(entry)
    }

    /// How many files are remembered.
    pub(crate) fn files(&self) -> usize {
        self.index.entries.len()
    }

    /// The pack, to read schemas of.
    pub(crate) fn pack(&self) -> Option<Arc<File>> {
        self.pack.clone()
    }

    /// Remembers these files instead. `pack` is given when the kinds changed.
    pub(crate) fn save(
        &self,
        entries: BTreeMap<String, Entry>,
        pack: Option<&Pack>,
    ) -> io::Result<()> {
        let index = Index {
            stamp: self.stamp.clone(),
            pack: match pack {
                Some(pack) => pack.id(),
                None => self.index.pack.clone(),
            },
            entries,
        };
        if let Some(pack) = pack {
            let mut bytes = index.pack.clone().into_bytes();
            bytes.extend_from_slice(&pack.bytes);
            write(&self.folder.join(format!("{}.pack", self.name)), &bytes)?;
        }
        let path = self.folder.join(format!("{}.json", self.name));
        write(&path, &serde_json::to_vec(&index)?)?;
        self.forget_old();
        Ok(())
    }

    /// Keeps the newest runs only.
    fn forget_old(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<(SystemTime, PathBuf)> = entries
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        // A run has two files.
        let old = files.len().saturating_sub(2 * RUNS);
        for (_, path) in files.into_iter().take(old) {
            drop(fs::remove_file(path));
        }
    }
}

fn read_index(path: &Path) -> Option<Index> {
    let mut file = File::open(path).ok()?;
    if file.metadata().ok()?.len() > LARGEST {
        return None;
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Schemas, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    bytes: Vec<u8>,
}

impl Pack {
    /// How long the name of a pack is.
    const ID: u64 = 64;

    /// Adds a schema; gives where it stands and what it adds up to.
    pub(crate) fn add(&mut self, text: &[u8]) -> (u64, u32, u64) {
        let offset = Self::ID + self.bytes.len() as u64;
        self.bytes.extend_from_slice(text);
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        (offset, length, sum(text))
    }

    fn id(&self) -> String {
        hex(&Sha256::digest(&self.bytes))
    }
}

/// What a schema adds up to.
pub(crate) fn sum(text: &[u8]) -> u64 {
    first(&Sha256::digest(text))
}

/// Reads a schema of a pack; nothing when it is not what was written.
pub(crate) fn text(pack: &File, version: &VersionEntry) -> Option<Vec<u8>> {
    const LARGEST: u32 = 64 << 20;
    if version.length > LARGEST {
        return None;
    }
    let mut bytes = vec![0; version.length as usize];
    pack.read_exact_at(&mut bytes, version.offset).ok()?;
    (sum(&bytes) == version.sum).then_some(bytes)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}
