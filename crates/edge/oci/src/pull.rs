//! Gets a package out of a registry.

use std::collections::BTreeMap;

use bytes::Bytes;
use purlin_package::{
    Digest, Image, Index, Limits, Manifest, Platform, RefVersion, Reference, is_index_of, names,
};

use crate::client::{Client, Fetched};
use crate::error::Error;

/// Which images of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one Crossplane installs.
    Installed,
    /// The one for a platform.
    Platform(Platform),
    /// All.
    All,
}

/// What was pulled.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// What the reference names: an index or a manifest.
    pub digest: Digest,
    /// The images.
    pub images: Vec<Image>,
    /// The index of all of them, byte for byte, when all were pulled.
    pub index: Option<Bytes>,
}

impl Client {
    /// Pulls a package. A single manifest is pulled whatever its platform.
    pub async fn pull(&self, reference: &Reference, which: &Which) -> Result<Pulled, Error> {
        let top = self.manifest(reference).await?;
        let digest = top.digest.clone();
        if !names::is_index(&top.media_type) {
            let image = self.pull_image(reference, top).await?;
            return Ok(Pulled {
                digest,
                images: vec![image],
                index: None,
            });
        }
        let index = read_index(reference, &top)?;
        let (mut images, mut held) = (Vec::new(), 0);
        for wanted in choose(reference, &index, which)? {
            let at = reference.with(RefVersion::Digest(wanted));
            let fetched = self.manifest(&at).await?;
            let image = self.pull_image(reference, fetched).await?;
            held += image
                .layers
                .iter()
                .map(|layer| layer.bytes.len() as u64)
                .sum::<u64>();
            not_more(reference, held, Limits::default().image)?;
            images.push(image);
        }
        let index = (*which == Which::All && is_index_of(&top.bytes, &images)).then_some(top.bytes);
        Ok(Pulled {
            digest,
            images,
            index,
        })
    }

    async fn pull_image(&self, reference: &Reference, fetched: Fetched) -> Result<Image, Error> {
        let manifest = read_manifest(reference, &fetched)?;
        let mut blobs: BTreeMap<Digest, Bytes> = BTreeMap::new();
        for wanted in manifest.layers.iter().chain([&manifest.config]) {
            if !blobs.contains_key(&wanted.digest) {
                let bytes = self.blob(reference, &wanted.digest, wanted.size).await?;
                blobs.insert(wanted.digest.clone(), bytes);
            }
        }
        let image = Image::from_manifest(fetched.bytes, &Limits::default(), |digest| {
            let found = blobs.get(digest).cloned();
            found.ok_or_else(|| purlin_package::Error::Missing(digest.to_string()))
        })?;
        Ok(image)
    }
}

fn choose(reference: &Reference, index: &Index, which: &Which) -> Result<Vec<Digest>, Error> {
    let members = || {
        let known = index
            .manifests
            .iter()
            .filter_map(|member| member.platform.as_ref());
        known
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let one = |found: Option<&purlin_package::Descriptor>, wanted: &str| match found {
        Some(member) => Ok(vec![member.digest.clone()]),
        None => Err(Error::Refused(format!(
            "{reference} has no image for {wanted}; it has: {}",
            members()
        ))),
    };
    match which {
        Which::Installed => one(index.installed(), "linux/amd64, which Crossplane reads"),
        Which::Platform(platform) => {
            let found = index.manifests.iter().find(|member| {
                member.platform.as_ref().is_some_and(|of| {
                    of.os == platform.os && of.architecture == platform.architecture
                })
            });
            one(found, &platform.to_string())
        }
        Which::All => {
            let images = index
                .manifests
                .iter()
                .filter(|member| names::is_manifest(&member.media_type));
            Ok(images.map(|member| member.digest.clone()).collect())
        }
    }
}

pub(crate) fn read_index(reference: &Reference, fetched: &Fetched) -> Result<Index, Error> {
    let index: Index = serde_json::from_slice(&fetched.bytes)
        .map_err(|error| wrong(reference, "its index", &error))?;
    let most = Limits::default().images;
    if index.manifests.len() > most {
        return Err(Error::Refused(format!(
            "{reference} has more than {most} images"
        )));
    }
    Ok(index)
}

pub(crate) fn read_manifest(reference: &Reference, fetched: &Fetched) -> Result<Manifest, Error> {
    let manifest: Manifest = serde_json::from_slice(&fetched.bytes)
        .map_err(|error| wrong(reference, "its manifest", &error))?;
    let most = Limits::default().layers;
    if manifest.layers.len() > most {
        return Err(Error::Refused(format!(
            "{reference} has more than {most} layers"
        )));
    }
    let sizes = manifest.layers.iter().map(|layer| layer.size);
    let whole = sizes.fold(0, u64::saturating_add);
    not_more(reference, whole, Limits::default().layer)?;
    Ok(manifest)
}

/// Layers are held in memory, those of all images that are pulled together.
fn not_more(reference: &Reference, bytes: u64, limit: u64) -> Result<(), Error> {
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: reference.to_string(),
        limit,
    })
}

fn wrong(reference: &Reference, what: &str, error: &serde_json::Error) -> Error {
    Error::Protocol {
        host: reference.registry.clone(),
        what: format!("{what} of {reference} is not valid: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use purlin_package::{Digest, Reference};

    use super::{Fetched, read_manifest};

    #[test]
    fn layers_that_are_too_large_together_are_not_fetched() {
        let digest = Digest::of(b"");
        let descriptor =
            |size: u64| format!(r#"{{"mediaType":"x","digest":"{digest}","size":{size}}}"#);
        let check = |layer: u64, wanted: bool| {
            let (config, layer) = (descriptor(2), descriptor(layer));
            let text = format!(
                r#"{{"schemaVersion":2,"config":{config},"layers":[{layer},{layer},{layer}]}}"#
            );
            let fetched = Fetched {
                media_type: String::new(),
                digest: digest.clone(),
                bytes: text.into(),
            };
            let at = Reference::parse("localhost:5000/acme/network:v1").unwrap();
            assert_eq!(read_manifest(&at, &fetched).is_ok(), wanted);
        };
        check(500 << 20, true);
        check(700 << 20, false);
        check(u64::MAX, false);
    }
}
