//! Manifests and indexes for images: what is pushed to a registry, or laid out in files.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::build::{json, plain};
use crate::digest::Digest;
use crate::gzip;
use crate::image::Image;
use crate::manifest::{Descriptor, Index, Manifest};
use crate::names;
use crate::tarball;

impl Image {
    /// The manifest: the one the image came with, byte for byte, or a new one (of the OCI family) that says for each layer
    /// what it is for.
    pub fn manifest(&self) -> Bytes {
        if let Some(bytes) = &self.manifest_bytes {
            return bytes.clone();
        }
        let layers = self.layers.iter().map(|layer| {
            let media_type = match layer.media_type.as_str() {
                "" if gzip::is_gzip(&layer.bytes) => names::OCI_LAYER_GZIP,
                "" => names::OCI_LAYER,
                given => given,
            };
            let mut described = Descriptor::of(media_type, &layer.bytes);
            if let Some(role) = layer.role {
                described
                    .annotations
                    .insert(names::ANNOTATION.to_owned(), role.as_str().to_owned());
            }
            described
        });
        let manifest = Manifest {
            schema_version: 2,
            media_type: names::OCI_MANIFEST.to_owned(),
            config: Descriptor::of(names::OCI_CONFIG, &self.config_bytes),
            layers: layers.collect(),
            annotations: self.annotations.clone(),
        };
        json(&manifest).into()
    }

    /// The media type of [`Image::manifest`].
    pub fn manifest_type(&self) -> String {
        let given = self.manifest_bytes.as_ref().and_then(|bytes| {
            let manifest: Manifest = serde_json::from_slice(bytes).ok()?;
            Some(manifest.media_type).filter(|given| !given.is_empty())
        });
        given.unwrap_or_else(|| names::OCI_MANIFEST.to_owned())
    }
}

/// An index of these images, in this order, each with the platform of its configuration.
pub fn index(images: &[Image], annotations: BTreeMap<String, String>) -> Vec<u8> {
    let manifests = images.iter().map(|image| {
        let mut described = Descriptor::of(&image.manifest_type(), &image.manifest());
        described.platform = Some(image.config.platform());
        described
    });
    json(&Index {
        schema_version: 2,
        media_type: names::OCI_INDEX.to_owned(),
        manifests: manifests.collect(),
        annotations,
    })
}

/// Whether an index names these images and nothing else, so that it can stand for them as it is.
pub fn is_index_of(bytes: &[u8], images: &[Image]) -> bool {
    let Ok(index) = serde_json::from_slice::<Index>(bytes) else {
        return false;
    };
    let held: BTreeSet<Digest> = images
        .iter()
        .map(|image| Digest::of(&image.manifest()))
        .collect();
    let named: BTreeSet<Digest> = index.manifests.into_iter().map(|one| one.digest).collect();
    named == held
}

/// The media type of an index.
pub fn index_type(bytes: &[u8]) -> String {
    let index = serde_json::from_slice::<Index>(bytes).ok();
    let given = index.map(|index| index.media_type);
    given
        .filter(|given| names::is_index(given))
        .unwrap_or_else(|| names::OCI_INDEX.to_owned())
}

/// An OCI layout in a tar archive: `index.json` names one thing, under `tag` when that is given. With one image that is its
/// manifest, else an index of all.
pub fn oci_layout(
    images: &[Image],
    annotations: BTreeMap<String, String>,
    tag: Option<&str>,
) -> Vec<u8> {
    let several = images.len() != 1;
    let index = several.then(|| index(images, annotations).into());
    laid_out(images, index, tag)
}

/// The OCI layout of images that came with this index, which stays as it is: its digest is what was signed.
pub fn oci_layout_as(images: &[Image], index: Bytes) -> Vec<u8> {
    laid_out(images, Some(index), None)
}

fn laid_out(images: &[Image], index: Option<Bytes>, tag: Option<&str>) -> Vec<u8> {
    let mut blobs: BTreeMap<String, Bytes> = BTreeMap::new();
    let mut keep = |bytes: Bytes| {
        let name = format!("blobs/sha256/{}", Digest::of(&bytes).hex());
        blobs.insert(name, bytes);
    };
    for image in images {
        keep(image.config_bytes.clone());
        keep(image.manifest());
        for layer in &image.layers {
            keep(layer.bytes.clone());
        }
    }
    let mut top = match (index, images.first()) {
        (None, Some(only)) => Descriptor::of(&only.manifest_type(), &only.manifest()),
        (index, _) => {
            let bytes = index.unwrap_or_default();
            let described = Descriptor::of(&index_type(&bytes), &bytes);
            keep(bytes);
            described
        }
    };
    if let Some(tag) = tag {
        top.annotations.insert(
            "org.opencontainers.image.ref.name".to_owned(),
            tag.to_owned(),
        );
    }
    let index = json(&Index {
        schema_version: 2,
        media_type: names::OCI_INDEX.to_owned(),
        manifests: vec![top],
        annotations: BTreeMap::new(),
    });
    let mut files = vec![
        plain("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        plain("index.json", &index),
    ];
    files.extend(blobs.iter().map(|(name, bytes)| plain(name, bytes)));
    tarball::write(&files)
}

/// The platforms that several images are for, each more than once.
pub fn twice(images: &[Image]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    images
        .iter()
        .map(|image| image.config.platform().to_string())
        .filter(|platform| !seen.insert(platform.clone()))
        .collect()
}
