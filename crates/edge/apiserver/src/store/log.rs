//! The durable copy of the store: one redb file, written in groups by one thread.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

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
    Open { path: String, source: redb::Error },
    #[error("cannot read the stored objects")]
    Read { source: redb::Error },
    #[error("cannot decode the stored object {kind} {namespace}/{name}")]
    Decode {
        kind: String,
        namespace: String,
        name: String,
        source: serde_json::Error,
    },
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
        let database = Database::create(&path).map_err(|source| LogError::Open {
            path: path.display().to_string(),
            source: source.into(),
        })?;
        let kept = load(&database)?;
        let (send, receive) = mpsc::channel();
        let (progress, done) = watch::channel(Progress::Reached(0));
        let teller = progress.clone();
        let writer = std::thread::Builder::new()
            .name("purlin-store".into())
            .spawn(move || {
                write_groups(&database, &receive, &teller);
                drop(database);
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

fn load(database: &Database) -> Result<Kept, LogError> {
    fn wrong(source: impl Into<redb::Error>) -> LogError {
        LogError::Read {
            source: source.into(),
        }
    }
    // Opening the tables in a write transaction creates them in a new file.
    let write = database.begin_write().map_err(wrong)?;
    write.open_table(OBJECTS).map_err(wrong)?;
    write.open_table(META).map_err(wrong)?;
    write.commit().map_err(wrong)?;
    let read = database.begin_read().map_err(wrong)?;
    let meta = read.open_table(META).map_err(wrong)?;
    let revision = meta.get("revision").map_err(wrong)?.map(|v| v.value());
    let mut objects = Vec::new();
    let table = read.open_table(OBJECTS).map_err(wrong)?;
    for row in table.iter().map_err(wrong)? {
        let (key, stored) = row.map_err(wrong)?;
        let (kind, namespace, name) = key.value();
        let (revision, bytes) = stored.value();
        let value = serde_json::from_slice(bytes).map_err(|source| LogError::Decode {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
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
        match write_group(database, &group) {
            Ok(revision) => {
                progress.send_replace(Progress::Reached(revision));
            }
            Err(error) => {
                tracing::error!(%error, "cannot write to the data directory");
                progress.send_replace(Progress::Broken(error.to_string().into()));
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
