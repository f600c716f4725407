//! Which texts does the command line name?

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use purlin_yaml::Limits;

use crate::inputs::Texts;

/// A file's name, as the user gave it, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The name, for messages.
    pub name: String,
    /// What is in it.
    pub content: String,
}

/// The files of one run. A path may be a file, a folder (its `.yaml` and `.yml` files, not those in folders below), or
/// `-` for standard input.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The composite.
    pub xr: PathBuf,
    /// The Composition.
    pub composition: PathBuf,
    /// Modules that Blueprints of the Composition use.
    pub modules: Vec<PathBuf>,
    /// The Functions.
    pub functions: Option<PathBuf>,
    /// Composed resources that exist already.
    pub observed: Option<PathBuf>,
    /// Objects that functions may ask for.
    pub required: Vec<PathBuf>,
    /// A folder of OpenAPI documents that functions may ask for.
    pub schemas: Option<PathBuf>,
    /// Secrets for functions.
    pub credentials: Option<PathBuf>,
    /// The definition of the composite.
    pub xrd: Option<PathBuf>,
    /// What the context holds under a key at the start.
    pub context: Vec<(String, PathBuf)>,
}

/// A file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system says no.
    #[error("cannot read {path}")]
    Io {
        /// Which file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It holds more than any manifest.
    #[error("{path} is larger than {limit} bytes")]
    TooLarge {
        /// Which file.
        path: String,
        /// How much is allowed.
        limit: usize,
    },
    /// It is not text.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// Which file.
        path: String,
    },
    /// Only one file is expected.
    #[error("{path} is a folder; name one file")]
    Folder {
        /// Which.
        path: String,
    },
}

impl ReadError {
    /// Whether the command line names what cannot be meant: the world is as it should be.
    pub fn is_misuse(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Folder { .. } => true,
            Self::TooLarge { .. } | Self::NotText { .. } => false,
        }
    }
}

/// Reads every file the command line names.
///
/// # Errors
/// Every file that cannot be read.
pub fn read_files(files: &Files) -> Result<Texts, Vec<ReadError>> {
    let mut reader = Reader::default();
    let xr = reader.one(&files.xr);
    let composition = reader.one(&files.composition);
    let mut modules = Vec::new();
    for path in &files.modules {
        modules.extend(reader.all(Some(path)));
    }
    let functions = reader.all(files.functions.as_deref());
    let observed = reader.all(files.observed.as_deref());
    let mut required = Vec::new();
    for path in &files.required {
        required.extend(reader.all(Some(path)));
    }
    let schemas = files
        .schemas
        .as_deref()
        .map(|folder| reader.schemas(folder));
    let credentials = reader.all(files.credentials.as_deref());
    let xrd = files.xrd.as_deref().and_then(|path| reader.one(path));
    let mut context = Vec::new();
    for (key, path) in &files.context {
        context.extend(reader.one(path).map(|text| (key.clone(), text)));
    }
    match (xr, composition) {
        (Some(xr), Some(composition)) if reader.wrong.is_empty() => Ok(Texts {
            xr,
            composition,
            modules,
            functions,
            observed,
            required,
            schemas: schemas.unwrap_or_default(),
            credentials,
            xrd,
            context,
        }),
        _ => Err(reader.wrong),
    }
}

/// Reads a file, or the YAML files of a folder in the order of their names.
///
/// # Errors
/// Every file that cannot be read.
pub fn read_path(path: &Path) -> Result<Vec<Text>, Vec<ReadError>> {
    let mut reader = Reader::default();
    let texts = reader.all(Some(path));
    if reader.wrong.is_empty() {
        Ok(texts)
    } else {
        Err(reader.wrong)
    }
}

/// Reads files, and remembers which could not be.
#[derive(Default)]
struct Reader {
    wrong: Vec<ReadError>,
}

impl Reader {
    fn take<T>(&mut self, read: Result<T, ReadError>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                self.wrong.push(error);
                None
            }
        }
    }

    fn one(&mut self, path: &Path) -> Option<Text> {
        self.take(read_file(path))
    }

    fn all(&mut self, path: Option<&Path>) -> Vec<Text> {
        let Some(path) = path else {
            return Vec::new();
        };
        if !path.is_dir() {
            return self.one(path).into_iter().collect();
        }
        let is_yaml = |path: &Path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            matches!(extension, Some("yaml" | "yml"))
        };
        let entries = self.take(entries(path)).unwrap_or_default();
        let files = entries
            .iter()
            .filter(|entry| entry.is_file() && is_yaml(entry));
        files.filter_map(|entry| self.one(entry)).collect()
    }

    /// The `*.json` files of a folder and the folders below it.
    fn schemas(&mut self, folder: &Path) -> Vec<Text> {
        let mut texts = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in self.take(entries(&folder)).unwrap_or_default() {
                let is_link = entry.is_symlink();
                if entry.is_dir() && !is_link {
                    folders.push(entry);
                } else if entry
                    .extension()
                    .is_some_and(|extension| extension == "json")
                {
                    texts.extend(self.one(&entry));
                }
            }
        }
        texts
    }
}

/// Reads one file.
///
/// # Errors
/// When it is a folder, or cannot be read.
pub fn read_file(path: &Path) -> Result<Text, ReadError> {
    if path.is_dir() {
        return Err(ReadError::Folder {
            path: path.display().to_string(),
        });
    }
    if path == Path::new("-") {
        return read_from(io::stdin().lock(), "<stdin>".to_owned());
    }
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|source| ReadError::Io {
        path: name.clone(),
        source,
    })?;
    read_from(file, name)
}

fn read_from(reader: impl io::Read, name: String) -> Result<Text, ReadError> {
    let limit = Limits::default().bytes;
    let mut bytes = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader
        .take(bound)
        .read_to_end(&mut bytes)
        .map_err(|source| ReadError::Io {
            path: name.clone(),
            source,
        })?;
    if bytes.len() > limit {
        return Err(ReadError::TooLarge { path: name, limit });
    }
    match String::from_utf8(bytes) {
        Ok(content) => Ok(Text { name, content }),
        Err(_) => Err(ReadError::NotText { path: name }),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let failed = |source| ReadError::Io {
        path: folder.display().to_string(),
        source,
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    Ok(entries)
}
