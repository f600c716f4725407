//! Puts a package into a registry.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use purlin_package::{Digest, Image, RefVersion, Reference, index, index_type, is_index_of, twice};

use crate::client::Client;
use crate::error::Error;

/// What was put where.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// What the tag now names.
    pub digest: Digest,
    /// The images behind it.
    pub manifests: Vec<Digest>,
    /// Blobs that were sent.
    pub sent: usize,
    /// Blobs that were there.
    pub kept: usize,
}

impl Client {
    /// Pushes one image as the tag, or several as an index at the tag. `annotations` go to the manifest, or to the index.
    pub async fn push(
        &self,
        reference: &Reference,
        images: &[Image],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        is_tag(reference)?;
        if images.is_empty() {
            return Err(Error::Refused("there is nothing to push".to_owned()));
        }
        if let Some(platform) = twice(images).first() {
            return Err(Error::Refused(format!(
                "two of the packages are for {platform}: an index has one for each platform"
            )));
        }
        let (sent, kept) = self.push_blobs(reference, images).await?;
        let (digest, manifests) = match images {
            [image] => {
                let digest = self.push_one(reference, image, annotations).await?;
                (digest.clone(), vec![digest])
            }
            several => {
                let index = index(several, annotations.clone()).into();
                self.push_index(reference, several, index).await?
            }
        };
        Ok(Pushed {
            digest,
            manifests,
            sent,
            kept,
        })
    }

    /// Pushes images with the index they came with, so that the digest stays, and with it what was signed.
    pub async fn push_as(
        &self,
        reference: &Reference,
        images: &[Image],
        index: Bytes,
    ) -> Result<Pushed, Error> {
        is_tag(reference)?;
        if !is_index_of(&index, images) {
            let why = "the index names other images than there are";
            return Err(Error::Refused(why.to_owned()));
        }
        let (sent, kept) = self.push_blobs(reference, images).await?;
        let (digest, manifests) = self.push_index(reference, images, index).await?;
        Ok(Pushed {
            digest,
            manifests,
            sent,
            kept,
        })
    }

    /// Says how many were sent, and how many were there.
    async fn push_blobs(
        &self,
        reference: &Reference,
        images: &[Image],
    ) -> Result<(usize, usize), Error> {
        let (mut sent, mut kept) = (0, 0);
        let mut seen = BTreeSet::new();
        for image in images {
            let layers = image.layers.iter().map(|layer| &layer.bytes);
            for blob in layers.chain([&image.config_bytes]) {
                if !seen.insert(Digest::of(blob)) {
                    continue;
                }
                if self.put_blob(reference, blob).await? {
                    sent += 1;
                } else {
                    kept += 1;
                }
            }
        }
        Ok((sent, kept))
    }

    async fn push_one(
        &self,
        reference: &Reference,
        image: &Image,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Digest, Error> {
        let mut image = image.clone();
        if !annotations.is_empty() {
            image.annotations.extend(annotations.clone());
            image.manifest_bytes = None;
        }
        self.put_manifest(reference, &image.manifest_type(), image.manifest())
            .await
    }

    async fn push_index(
        &self,
        reference: &Reference,
        images: &[Image],
        index: Bytes,
    ) -> Result<(Digest, Vec<Digest>), Error> {
        let mut manifests = Vec::new();
        for image in images {
            let bytes = image.manifest();
            let digest = Digest::of(&bytes);
            let at = reference.with(RefVersion::Digest(digest.clone()));
            self.put_manifest(&at, &image.manifest_type(), bytes)
                .await?;
            manifests.push(digest);
        }
        let kind = index_type(&index);
        let digest = self.put_manifest(reference, &kind, index).await?;
        Ok((digest, manifests))
    }
}

fn is_tag(reference: &Reference) -> Result<(), Error> {
    match reference.version {
        RefVersion::Tag(_) => Ok(()),
        RefVersion::Digest(_) => Err(Error::Refused(format!(
            "{reference} is a digest, and a package cannot be pushed to one: give a tag"
        ))),
    }
}
