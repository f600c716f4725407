//! Why a package cannot be read.

use std::io;

use crate::Digest;

/// What is wrong with the bytes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is something else.
    #[error(
        "it is not a package: not a tar archive with manifest.json (.xpkg) or index.json (OCI layout)"
    )]
    NotAPackage,
    /// The archive is cut off or damaged.
    #[error("the archive cannot be read")]
    Archive(#[source] io::Error),
    /// A manifest, index or configuration is not what it should be.
    #[error("{what} is not valid")]
    Json {
        /// Which one.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// Something is named but not there.
    #[error("{0} is named but is not in the archive")]
    Missing(String),
    /// A blob is not what its name says.
    #[error(
        "the blob {named} has the digest {actual}: the archive is damaged or was tampered with"
    )]
    Digest {
        /// What it is called.
        named: Digest,
        /// What it is.
        actual: Digest,
    },
    /// A layer is cut off or damaged.
    #[error("the layer {layer} cannot be read")]
    Layer {
        /// Its digest.
        layer: Digest,
        /// Why.
        source: io::Error,
    },
    /// More than [`crate::Limits`] allow.
    #[error("{what}: more than {limit} {unit}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
        /// Counted in what.
        unit: &'static str,
    },
    /// The image is not a package.
    #[error("no layer of the image has a package.yaml: it is not a Crossplane package")]
    NoPackage,
    /// `package.yaml` is not UTF-8.
    #[error("package.yaml is not text")]
    NotText,
    /// The image is not consistent.
    #[error("the image has {layers} layers, but its configuration speaks of {diffs}")]
    LayerCount {
        /// In the manifest.
        layers: usize,
        /// In the configuration.
        diffs: usize,
    },
}

/// Travels through `io::Error` from where bytes are counted to where the layer is known.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{what}: more than {limit} {unit}")]
pub(crate) struct TooMuch {
    pub(crate) what: &'static str,
    pub(crate) limit: u64,
    pub(crate) unit: &'static str,
}

impl From<TooMuch> for Error {
    fn from(much: TooMuch) -> Self {
        Self::TooMuch {
            what: much.what,
            limit: much.limit,
            unit: much.unit,
        }
    }
}

impl Error {
    /// What reading an archive ended with.
    pub(crate) fn of_archive(source: io::Error) -> Self {
        match counted(&source) {
            Some(much) => much.into(),
            None => Self::Archive(source),
        }
    }

    /// What reading a layer ended with.
    pub(crate) fn of_layer(layer: &Digest, source: io::Error) -> Self {
        match counted(&source) {
            Some(much) => much.into(),
            None => Self::Layer {
                layer: layer.clone(),
                source,
            },
        }
    }
}

/// The bound that was passed; other libraries wrap errors of their readers, so the causes are looked at too.
fn counted(error: &io::Error) -> Option<TooMuch> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|e| e as _);
    while let Some(error) = cause {
        if let Some(much) = error.downcast_ref::<TooMuch>() {
            return Some(*much);
        }
        cause = match error.downcast_ref::<io::Error>() {
            Some(inner) => inner.get_ref().map(|e| e as _),
            None => error.source(),
        };
    }
    None
}
