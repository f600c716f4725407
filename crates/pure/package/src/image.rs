//! One image in memory: its configuration and its layers, each known by its digest.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::digest::Digest;
use crate::error::Error;
use crate::limits::Limits;
use crate::manifest::{Config, Manifest, parse};
use crate::names;

/// What a layer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Has `package.yaml`.
    Package,
    /// Has examples.
    Examples,
}

impl Role {
    /// The word for it, in annotations and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Package => "base",
            Self::Examples => "upbound",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Package, Self::Examples]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// A layer: a tar archive, usually compressed.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The archive as it travels.
    pub bytes: Bytes,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// What kind of archive; empty when the file does not say, as in an `.xpkg`.
    pub media_type: String,
    /// What it is for, when somebody says so.
    pub role: Option<Role>,
}

/// An image.
#[derive(Debug, Clone)]
pub struct Image {
    /// The configuration, byte for byte.
    pub config_bytes: Bytes,
    /// What it says.
    pub config: Config,
    /// The layers, the lowest first.
    pub layers: Vec<Layer>,
    /// What its manifest says of the whole.
    pub annotations: BTreeMap<String, String>,
    /// The names it is tagged with in the archive.
    pub tags: Vec<String>,
    /// The manifest, byte for byte, when it came with one. An `.xpkg` has none.
    pub manifest_bytes: Option<Bytes>,
}

impl Image {
    /// Puts an image together from what a manifest names. `blob` finds a blob by its digest.
    pub fn from_manifest(
        bytes: Bytes,
        limits: &Limits,
        mut blob: impl FnMut(&Digest) -> Result<Bytes, Error>,
    ) -> Result<Self, Error> {
        let mut seen = BTreeMap::new();
        Self::from_checked(bytes, limits, |digest| {
            if let Some(bytes) = seen.get(digest) {
                return Ok(Bytes::clone(bytes));
            }
            let bytes = checked(digest, blob(digest)?)?;
            seen.insert(digest.clone(), bytes.clone());
            Ok(bytes)
        })
    }

    /// The same when `blob` gives only what has the digest.
    pub(crate) fn from_checked(
        bytes: Bytes,
        limits: &Limits,
        mut blob: impl FnMut(&Digest) -> Result<Bytes, Error>,
    ) -> Result<Self, Error> {
        let manifest: Manifest = parse("the manifest", &bytes, limits)?;
        bound_layers(manifest.layers.len(), limits)?;
        let config_bytes = blob(&manifest.config.digest)?;
        let config = parse("the configuration", &config_bytes, limits)?;
        let mut layers = Vec::new();
        for layer in &manifest.layers {
            layers.push(Layer {
                bytes: blob(&layer.digest)?,
                digest: layer.digest.clone(),
                media_type: layer.media_type.clone(),
                role: layer
                    .annotations
                    .get(names::ANNOTATION)
                    .and_then(|word| Role::parse(word)),
            });
        }
        Ok(Self {
            config_bytes,
            config,
            layers,
            annotations: manifest.annotations,
            tags: Vec::new(),
            manifest_bytes: Some(bytes),
        })
    }

    /// Puts an image together as it is in an `.xpkg`, where labels of the configuration say which layer is which.
    pub(crate) fn from_labels(
        config_bytes: Bytes,
        layers: Vec<(Digest, Bytes)>,
        tags: Vec<String>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        bound_layers(layers.len(), limits)?;
        let config: Config = parse("the configuration", &config_bytes, limits)?;
        let diffs = config.rootfs.diff_ids.len();
        if diffs != layers.len() {
            return Err(Error::LayerCount {
                layers: layers.len(),
                diffs,
            });
        }
        let labels = &config.config.labels;
        let layers = layers.into_iter().map(|(digest, bytes)| {
            let role = labels
                .get(&label(&digest))
                .and_then(|word| Role::parse(word));
            Layer {
                bytes,
                digest,
                media_type: String::new(),
                role,
            }
        });
        Ok(Self {
            layers: layers.collect(),
            config_bytes,
            config,
            annotations: BTreeMap::new(),
            tags,
            manifest_bytes: None,
        })
    }
}

/// The label that says what the layer with this digest is for.
pub(crate) fn label(layer: &Digest) -> String {
    format!("{}:{layer}", names::ANNOTATION)
}

fn checked(named: &Digest, bytes: Bytes) -> Result<Bytes, Error> {
    let actual = Digest::of(&bytes);
    if actual == *named {
        Ok(bytes)
    } else {
        Err(Error::Digest {
            named: named.clone(),
            actual,
        })
    }
}

fn bound_layers(count: usize, limits: &Limits) -> Result<(), Error> {
    if count > limits.layers {
        return Err(Error::TooMuch {
            what: "an image",
            limit: limits.layers as u64,
            unit: "layers",
        });
    }
    Ok(())
}
