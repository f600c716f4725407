//! Reads images out of a tar archive: an `.xpkg` (what `docker save` writes) or an OCI layout.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::assemble::is_index_of;
use crate::digest::Digest;
use crate::error::Error;
use crate::image::Image;
use crate::limits::Limits;
use crate::manifest::{Index, parse};
use crate::names;
use crate::tarball;

/// The images of an archive.
#[derive(Debug, Clone)]
pub struct Archive {
    /// In the order the archive lists them. An `.xpkg` for one platform has one.
    pub images: Vec<Image>,
    /// The index of all of them, byte for byte, when a layout has one.
    pub index: Option<Bytes>,
}

impl Archive {
    /// Opens an `.xpkg`, or an OCI layout in a tar archive. Layers are not copied out of `bytes`.
    pub fn read(bytes: &Bytes, limits: &Limits) -> Result<Self, Error> {
        // A tar archive has blocks of 512 bytes; anything shorter is something else.
        if bytes.len() < 512 {
            return Err(Error::NotAPackage);
        }
        let files = tarball::files(bytes, limits).map_err(|error| match error {
            // A first block that is no header: no archive at all.
            Error::Archive(_) if !looks_like_tar(bytes) => Error::NotAPackage,
            other => other,
        })?;
        let mut opened = Opened {
            files,
            limits,
            digests: BTreeMap::new(),
            manifests: 0,
            json: 0,
        };
        let mut whole = None;
        let images = if let Some(list) = opened.files.get("manifest.json").cloned() {
            opened.saved(&list)?
        } else if let Some(index) = opened.files.get("index.json").cloned() {
            let mut images = Vec::new();
            opened.laid_out(&index, 2, &mut images)?;
            whole = opened.only_index(&index)?;
            images
        } else {
            return Err(Error::NotAPackage);
        };
        let index = whole.filter(|bytes| is_index_of(bytes, &images));
        Ok(Self { images, index })
    }
}

fn looks_like_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// An element of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// The files of an archive, and what was read of them: a small archive can name the same ones very often.
struct Opened<'l> {
    files: BTreeMap<String, Bytes>,
    limits: &'l Limits,
    /// By name, each made once.
    digests: BTreeMap<String, Digest>,
    /// How many images and indexes were named.
    manifests: usize,
    /// How many bytes of JSON were read.
    json: usize,
}

impl Opened<'_> {
    fn saved(&mut self, list: &[u8]) -> Result<Vec<Image>, Error> {
        let list: Vec<Saved> = parse("manifest.json", list, self.limits)?;
        let mut images = Vec::new();
        for one in list {
            self.one_more()?;
            let layers = one
                .layers
                .iter()
                .take(self.limits.layers + 1)
                .map(|name| Ok((self.digest(name)?, self.file(name)?)))
                .collect::<Result<Vec<_>, Error>>()?;
            let config = self.file(&one.config)?;
            self.read_json(config.len())?;
            let tags = one.repo_tags.unwrap_or_default();
            images.push(Image::from_labels(config, layers, tags, self.limits)?);
        }
        Ok(images)
    }

    fn laid_out(
        &mut self,
        index: &[u8],
        depth: usize,
        images: &mut Vec<Image>,
    ) -> Result<(), Error> {
        self.read_json(index.len())?;
        let index: Index = parse("the index", index, self.limits)?;
        for member in &index.manifests {
            self.one_more()?;
            let bytes = self.blob(&member.digest)?;
            if !names::is_index(&member.media_type) {
                self.read_json(bytes.len())?;
                let limits = self.limits;
                let image = Image::from_checked(bytes, limits, |digest| self.blob(digest))?;
                self.read_json(image.config_bytes.len())?;
                images.push(image);
            } else if depth > 0 {
                self.laid_out(&bytes, depth - 1, images)?;
            }
        }
        Ok(())
    }

    /// The index that the top of a layout names, when it names nothing else.
    fn only_index(&mut self, top: &[u8]) -> Result<Option<Bytes>, Error> {
        let top: Index = parse("the index", top, self.limits)?;
        match top.manifests.as_slice() {
            [one] if names::is_index(&one.media_type) => self.blob(&one.digest).map(Some),
            _ => Ok(None),
        }
    }

    fn file(&self, name: &str) -> Result<Bytes, Error> {
        let found = self.files.get(name).cloned();
        found.ok_or_else(|| Error::Missing(name.to_owned()))
    }

    fn digest(&mut self, name: &str) -> Result<Digest, Error> {
        if let Some(digest) = self.digests.get(name) {
            return Ok(digest.clone());
        }
        let digest = Digest::of(&self.file(name)?);
        self.digests.insert(name.to_owned(), digest.clone());
        Ok(digest)
    }

    /// A blob of an OCI layout, which is what its name says.
    fn blob(&mut self, digest: &Digest) -> Result<Bytes, Error> {
        let name = format!("blobs/sha256/{}", digest.hex());
        let actual = self.digest(&name)?;
        if actual != *digest {
            return Err(Error::Digest {
                named: digest.clone(),
                actual,
            });
        }
        self.file(&name)
    }

    fn one_more(&mut self) -> Result<(), Error> {
        self.manifests += 1;
        bound("an archive", self.manifests, self.limits.images, "images")
    }

    fn read_json(&mut self, bytes: usize) -> Result<(), Error> {
        self.json = self.json.saturating_add(bytes);
        let what = "the manifests and configurations of an archive";
        bound(what, self.json, self.limits.json_of_all, "bytes")
    }
}

fn bound(what: &'static str, count: usize, limit: usize, unit: &'static str) -> Result<(), Error> {
    if count <= limit {
        return Ok(());
    }
    Err(Error::TooMuch {
        what,
        limit: limit as u64,
        unit,
    })
}
