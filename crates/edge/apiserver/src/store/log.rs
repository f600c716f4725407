//! The durable copy of the store: one redb file, written in groups by one thread.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex, Once, PoisonError, mpsc};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde_json::Value;
use tokio::sync::watch;

use super::{Key, Object};

const OBJECTS: TableDefinition<'_, (&str, &str, &str), (u64, &[u8])> =
    TableDefinition::new("objects");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// How many writes one transaction takes at most.
const GROUP: usize = 2048;

/// The durable copy cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("cannot create {path}")]
    Create {
        path: String,
        source: std::io::Error,
    },
    #[error("cannot open {path}; is another server using this data directory?")]
    Busy { path: String },
    #[error("cannot open {path}")]
    Open { path: String, source: redb::Error },
    #[error(
        "{path} is damaged ({reason}); put back a copy of it, or move it away to begin with an empty store"
    )]
    Damaged { path: String, reason: String },
    #[error("the data directory can no longer be written: {reason}")]
    Write { reason: String },
}

/// What an opened log holds.
#[derive(Debug)]
pub(super) struct Kept {
    pub revision: Option<u64>,
    pub objects: Vec<(String, Key, u64, Value)>,
}

#[derive(Debug)]
struct Record {
    revision: u64,
    kind: super::KindId,
    key: Key,
    object: Option<Arc<Object>>,
}

#[derive(Debug, Clone)]
enum Progress {
    Reached(u64),
    Broken(Arc<str>),
}

#[derive(Debug)]
pub(super) struct Log {
    /// Gone once the log is closed.
    records: Mutex<Option<mpsc::Sender<Record>>>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    progress: watch::Sender<Progress>,
    done: watch::Receiver<Progress>,
}

impl Log {
    pub(super) fn open(directory: &Path) -> Result<(Self, Kept), LogError> {
        std::fs::create_dir_all(directory).map_err(|source| LogError::Create {
            path: directory.display().to_string(),
            source,
        })?;
        let path = directory.join("objects.redb");
        let (database, kept) = read(&path)?;
        let (send, receive) = mpsc::channel();
        let (progress, done) = watch::channel(Progress::Reached(0));
        let teller = progress.clone();
        let writer = std::thread::Builder::new()
            .name("purlin-store".into())
            .spawn(move || {
                write_groups(&database, &receive, &teller);
                drop(unpanicked(|| drop(database)));
            })
            .map_err(|source| LogError::Create {
                path: path.display().to_string(),
                source,
            })?;
        let log = Self {
            records: Mutex::new(Some(send)),
            writer: Mutex::new(Some(writer)),
            progress,
            done,
        };
        Ok((log, kept))
    }

    /// Everything up to this revision came from the log itself.
    pub(super) fn start(&self, revision: u64) {
        self.progress.send_replace(Progress::Reached(revision));
    }

    pub(super) fn append(
        &self,
        revision: u64,
        kind: &super::KindId,
        key: &Key,
        object: Option<&Arc<Object>>,
    ) {
        let record = Record {
            revision,
            kind: kind.clone(),
            key: key.clone(),
            object: object.cloned(),
        };
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records
            .as_ref()
            .is_none_or(|records| records.send(record).is_err())
        {
            tracing::error!(revision, "the store's writer is gone");
        }
    }

    /// Writes what is left and lets go of the file. Later writes are refused.
    pub(super) fn close(&self) {
        drop(
            self.records
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("the store's writer failed");
        }
        self.progress
            .send_replace(Progress::Broken("the server has stopped".into()));
    }

    pub(super) async fn reached(&self, revision: u64) -> Result<(), LogError> {
        let mut done = self.done.clone();
        let progress = done
            .wait_for(|p| match p {
                Progress::Reached(n) => *n >= revision,
                Progress::Broken(_) => true,
            })
            .await
            .map(|p| p.clone());
        match progress {
            Ok(Progress::Reached(_)) => Ok(()),
            Ok(Progress::Broken(reason)) => Err(LogError::Write {
                reason: reason.to_string(),
            }),
            Err(_) => Err(LogError::Write {
                reason: "its writer is gone".into(),
            }),
        }
    }
}

/// Opens the file and reads everything in it.
fn read(path: &Path) -> Result<(Database, Kept), LogError> {
    let shown = path.display().to_string();
    let damaged = |reason: String| LogError::Damaged {
        path: shown.clone(),
        reason,
    };
    let wrong = |source: redb::Error| match source {
        redb::Error::DatabaseAlreadyOpen => LogError::Busy {
            path: shown.clone(),
        },
        // redb says with this kind that the file is none of its own.
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            damaged(error.to_string())
        }
        redb::Error::Corrupted(reason) => damaged(reason),
        source => LogError::Open {
            path: shown.clone(),
            source,
        },
    };
    let database = unpanicked(|| Database::create(path))
        .map_err(damaged)?
        .map_err(|error| wrong(error.into()))?;
    let error = match unpanicked(|| load(&database)) {
        Ok(Ok(kept)) => return Ok((database, kept)),
        Ok(Err(Unread::Storage(error))) => wrong(error),
        Ok(Err(Unread::Object { place, source })) => {
            damaged(format!("the object {place} is not JSON: {source}"))
        }
        Err(reason) => damaged(reason),
    };
    // Closing a damaged file may panic as well; the first reason is the one to tell.
    drop(unpanicked(|| drop(database)));
    Err(error)
}

/// Runs what reads or writes the file; a panic becomes the reason it gives.
///
/// redb checks few of the pages it reads, and panics on some corruptions instead of returning an error.
fn unpanicked<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    thread_local! {
        static GUARDED: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    // The reason is told in the error: the panic is not reported on its own.
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                usual(info);
            }
        }));
    });
    let before = GUARDED.replace(true);
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome.map_err(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        format!("its pages do not fit together: {first}")
    })
}

/// Why the objects in an open file cannot be read.
enum Unread {
    Storage(redb::Error),
    Object {
        place: String,
        source: serde_json::Error,
    },
}

impl<E: Into<redb::Error>> From<E> for Unread {
    fn from(error: E) -> Self {
        Self::Storage(error.into())
    }
}

fn load(database: &Database) -> Result<Kept, Unread> {
    // Opening the tables in a write transaction creates them in a new file.
    let write = database.begin_write()?;
    write.open_table(OBJECTS)?;
    write.open_table(META)?;
    write.commit()?;
    let read = database.begin_read()?;
    let meta = read.open_table(META)?;
    let revision = meta.get("revision")?.map(|v| v.value());
    let mut objects = Vec::new();
    let table = read.open_table(OBJECTS)?;
    for row in table.iter()? {
        let (key, stored) = row?;
        let (kind, namespace, name) = key.value();
        let (revision, bytes) = stored.value();
        let value = serde_json::from_slice(bytes).map_err(|source| Unread::Object {
            place: format!("{kind} {namespace}/{name}"),
            source,
        })?;
        objects.push((kind.to_owned(), Key::new(namespace, name), revision, value));
    }
    Ok(Kept { revision, objects })
}

fn write_groups(
    database: &Database,
    records: &mpsc::Receiver<Record>,
    progress: &watch::Sender<Progress>,
) {
    while let Ok(first) = records.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = records.try_recv()
        {
            group.push(next);
        }
        let written = unpanicked(|| write_group(database, &group).map_err(|e| e.to_string()));
        match written.and_then(|written| written) {
            Ok(revision) => {
                progress.send_replace(Progress::Reached(revision));
            }
            Err(error) => {
                tracing::error!(%error, "cannot write to the data directory");
                progress.send_replace(Progress::Broken(error.into()));
                return;
            }
        }
    }
}

fn write_group(database: &Database, group: &[Record]) -> Result<u64, redb::Error> {
    let write = database.begin_write()?;
    let mut last = 0;
    {
        let mut objects = write.open_table(OBJECTS)?;
        for record in group {
            last = record.revision;
            let key = (
                &*record.kind,
                record.key.namespace.as_str(),
                record.key.name.as_str(),
            );
            match &record.object {
                None => drop(objects.remove(key)?),
                Some(object) => {
                    let bytes = object.value.to_string();
                    drop(objects.insert(key, (record.revision, bytes.as_bytes()))?);
                }
            }
        }
        write.open_table(META)?.insert("revision", last)?;
    }
    write.commit()?;
    Ok(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A file with a few hundred objects, closed.
    fn filled(directory: &Path) -> Vec<u8> {
        let (log, _) = Log::open(directory).expect("a new store");
        for revision in 1..300 {
            let object = Object {
                revision,
                definition: 0,
                value: json!({"data": {"text": "x".repeat(200)}}),
            };
            let key = Key::new("default", &format!("object-{revision}"));
            log.append(
                revision,
                &"/configmaps".into(),
                &key,
                Some(&Arc::new(object)),
            );
        }
        log.close();
        std::fs::read(directory.join("objects.redb")).expect("the file")
    }

    /// Bytes without a pattern, the same every time.
    fn noise(bytes: &mut [u8], seed: usize) {
        let mut state = u64::try_from(seed).unwrap_or_default() + 0x9E37_79B9_7F4A_7C15;
        for byte in bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_be_bytes()[0];
        }
    }

    fn reopened(directory: &Path, bytes: &[u8]) -> Result<(), String> {
        std::fs::write(directory.join("objects.redb"), bytes).expect("the file");
        let (log, _) = Log::open(directory).map_err(|error| error.to_string())?;
        log.close();
        Ok(())
    }

    #[test]
    fn a_damaged_file_is_an_error_that_says_what_to_do() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let whole = filled(directory.path());
        assert_eq!(reopened(directory.path(), &whole), Ok(()));
        // Every used page after the header but the first, at once and one by one, and the header.
        let used = whole
            .chunks(4096)
            .enumerate()
            .filter(|(_, page)| page.iter().any(|b| *b != 0));
        let pages: Vec<usize> = used.map(|(n, _)| n * 4096).collect();
        let mut cases = vec![pages.clone(), pages[1..].to_vec(), pages[2..].to_vec()];
        cases.extend(pages.iter().step_by(4).map(|page| vec![*page]));
        let mut refused = 0;
        for (number, case) in cases.iter().enumerate() {
            let mut bytes = whole.clone();
            for start in case {
                noise(&mut bytes[*start..start + 4096], number + start);
            }
            let outcome = reopened(directory.path(), &bytes);
            assert!(number >= 3 || outcome.is_err(), "case {number}");
            if let Err(text) = outcome {
                refused += 1;
                assert!(text.contains("objects.redb is damaged"), "{text}");
                assert!(text.contains("put back a copy of it"), "{text}");
                assert!(!text.contains("another server"), "{text}");
            }
        }
        assert!(refused > 5, "{refused} of {}", cases.len());
    }
}
