//! Which calls are kept in a folder, for support and for replay? Each one once, up to a bound, without secrets.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use purlin_function::recorded::Recorded;
use purlin_function::{RunFunctionRequest, RunFunctionResponse};

use crate::ServeError;

/// How many bytes a folder may hold, however large requests are.
const MAX_BYTES: u64 = 256 << 20;

/// Where to keep calls, and how many.
#[derive(Debug, Clone)]
pub struct Record {
    /// The folder; made when it is not there.
    pub folder: PathBuf,
    /// How many calls it may hold, counting those of earlier runs.
    pub limit: usize,
    /// The version of the program, for the record.
    pub version: String,
}

/// Writes calls into a folder. Failing to do so never fails a call.
#[derive(Debug)]
pub(crate) struct Recorder {
    record: Record,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Hashes of the requests that were kept: controllers ask the same again and again.
    seen: HashSet<u64>,
    /// How many files there are, of this run and of earlier ones.
    files: usize,
    bytes: u64,
    /// The number of the next file.
    next: usize,
    /// Nothing is kept any more, and the log says why.
    done: bool,
}

impl Recorder {
    /// Makes the folder, and counts what is in it.
    pub(crate) fn open(record: Record) -> Result<Self, ServeError> {
        let kept = make_folder(&record.folder)
            .and_then(|()| count(&record.folder))
            .map_err(|source| ServeError::Record {
                folder: record.folder.clone(),
                source,
            })?;
        tracing::warn!(
            folder = %record.folder.display(),
            limit = record.limit,
            "recording requests and answers: without connection details, credentials and the data of Secrets, with all else"
        );
        Ok(Self {
            record,
            kept: Mutex::new(kept),
        })
    }

    /// Keeps a call, unless its request was kept already or the folder is full.
    pub(crate) fn keep(
        &self,
        protocol: &str,
        function: &str,
        request: &RunFunctionRequest,
        response: &RunFunctionResponse,
    ) {
        if self.lock().done {
            return;
        }
        let call = Recorded::new(&self.record.version, protocol, function, request, response);
        let mut hasher = DefaultHasher::new();
        (protocol, function, call.request_json().to_string()).hash(&mut hasher);
        let Ok(text) = serde_json::to_string_pretty(&call) else {
            return;
        };
        let Some(number) = self
            .lock()
            .number(hasher.finish(), text.len(), self.record.limit)
        else {
            return;
        };
        let function = if function.is_empty() {
            "none"
        } else {
            function
        };
        let path = self
            .record
            .folder
            .join(format!("{number:04}-{function}.json"));
        if let Err(error) = write(&path, &text) {
            self.lock().done = true;
            tracing::warn!(path = %path.display(), %error, "cannot record, and will not try again");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The number of the file for a request, if it should be kept.
    fn number(&mut self, hash: u64, size: usize, limit: usize) -> Option<usize> {
        let bytes = self
            .bytes
            .saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        if self.done || self.seen.contains(&hash) {
            return None;
        }
        if self.files >= limit || bytes > MAX_BYTES {
            self.done = true;
            tracing::warn!(
                calls = self.files,
                bytes = self.bytes,
                "recorded as much as was asked for"
            );
            return None;
        }
        self.seen.insert(hash);
        let number = self.next;
        self.next += 1;
        self.files += 1;
        self.bytes = bytes;
        Some(number)
    }
}

/// A folder that only its owner may read; one that is there stays as it is.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// What earlier runs left.
fn count(folder: &Path) -> io::Result<Kept> {
    let mut kept = Kept {
        seen: HashSet::new(),
        files: 0,
        bytes: 0,
        next: 1,
        done: false,
    };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| {
            let (number, _) = name.strip_suffix(".json")?.split_once('-')?;
            number.parse::<usize>().ok()
        });
        if let Some(number) = number {
            kept.files += 1;
            kept.bytes += entry.metadata()?.len();
            kept.next = kept.next.max(number.saturating_add(1));
        }
    }
    Ok(kept)
}

/// Under another name first: who reads the folder sees whole files only.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    drop(file);
    fs::rename(&partial, path)
}
