//! Reads images out of a tar archive: an `.xpkg` (what `docker save` writes) or an OCI layout.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

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
        let images = if let Some(list) = files.get("manifest.json") {
            saved(list, &files, limits)?
        } else if let Some(index) = files.get("index.json") {
            let mut images = Vec::new();
            laid_out(index, &files, limits, 2, &mut images)?;
            images
        } else {
            return Err(Error::NotAPackage);
        };
        Ok(Self { images })
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

fn saved(
    list: &[u8],
    files: &BTreeMap<String, Bytes>,
    limits: &Limits,
) -> Result<Vec<Image>, Error> {
    let list: Vec<Saved> = parse("manifest.json", list, limits)?;
    bound_images(list.len(), limits)?;
    let file = |name: &String| {
        files
            .get(name)
            .cloned()
            .ok_or_else(|| Error::Missing(name.clone()))
    };
    let mut images = Vec::new();
    for one in list {
        let layers = one.layers.iter().map(file).collect::<Result<Vec<_>, _>>()?;
        let tags = one.repo_tags.unwrap_or_default();
        images.push(Image::from_labels(
            file(&one.config)?,
            layers,
            tags,
            limits,
        )?);
    }
    Ok(images)
}

fn laid_out(
    index: &[u8],
    files: &BTreeMap<String, Bytes>,
    limits: &Limits,
    depth: usize,
    images: &mut Vec<Image>,
) -> Result<(), Error> {
    let index: Index = parse("the index", index, limits)?;
    let blob = |digest: &Digest| {
        let name = format!("blobs/sha256/{}", digest.hex());
        files.get(&name).cloned().ok_or(Error::Missing(name))
    };
    for member in &index.manifests {
        bound_images(images.len() + 1, limits)?;
        let bytes = blob(&member.digest)?;
        let actual = Digest::of(&bytes);
        if actual != member.digest {
            return Err(Error::Digest {
                named: member.digest.clone(),
                actual,
            });
        }
        if names::is_index(&member.media_type) {
            if depth > 0 {
                laid_out(&bytes, files, limits, depth - 1, images)?;
            }
        } else {
            images.push(Image::from_manifest(bytes, limits, blob)?);
        }
    }
    Ok(())
}

fn bound_images(count: usize, limits: &Limits) -> Result<(), Error> {
    if count > limits.images {
        return Err(Error::TooMuch {
            what: "an archive",
            limit: limits.images as u64,
            unit: "images",
        });
    }
    Ok(())
}
