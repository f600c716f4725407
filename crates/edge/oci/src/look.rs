//! What is behind a reference? Reads manifests, configurations and the package layer, but not what runs.

use purlin_package::{
    Config, Digest, Image, Index, Limits, Manifest, Platform, RefVersion, Reference, Role, names,
};

use crate::client::{Client, Fetched};
use crate::error::Error;
use crate::pull::{read_index, read_manifest};

/// What is behind a reference.
#[derive(Debug, Clone)]
pub struct Look {
    /// What the reference names.
    pub digest: Digest,
    /// The index, when it is one.
    pub index: Option<Index>,
    /// The images.
    pub members: Vec<Member>,
    /// `package.yaml` as Crossplane finds it; the error when it does not.
    pub package_yaml: Result<String, String>,
}

/// One image.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its manifest's digest.
    pub digest: Digest,
    /// What it is for.
    pub platform: Platform,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its configuration.
    pub config: Config,
}

impl Client {
    /// Looks at a package.
    pub async fn look(&self, reference: &Reference) -> Result<Look, Error> {
        let top = self.manifest(reference).await?;
        if !names::is_index(&top.media_type) {
            let member = self.member(reference, &top).await?;
            let package_yaml = self.package_yaml(reference, &top, &member.manifest).await?;
            return Ok(Look {
                digest: top.digest,
                index: None,
                members: vec![member],
                package_yaml,
            });
        }
        let index = read_index(reference, &top)?;
        let mut members = Vec::new();
        let mut package_yaml =
            Err("no image is for linux/amd64, which is the one Crossplane reads".to_owned());
        let installed = index.installed().map(|member| member.digest.clone());
        for listed in index
            .manifests
            .iter()
            .filter(|listed| names::is_manifest(&listed.media_type))
        {
            let at = reference.with(RefVersion::Digest(listed.digest.clone()));
            let fetched = self.manifest(&at).await?;
            let member = self.member(reference, &fetched).await?;
            if installed.as_ref() == Some(&listed.digest) {
                package_yaml = self
                    .package_yaml(reference, &fetched, &member.manifest)
                    .await?;
            }
            members.push(member);
        }
        Ok(Look {
            digest: top.digest,
            index: Some(index),
            members,
            package_yaml,
        })
    }

    async fn member(&self, reference: &Reference, fetched: &Fetched) -> Result<Member, Error> {
        let manifest = read_manifest(reference, fetched)?;
        let wanted = &manifest.config;
        let bytes = self
            .blob(reference, &wanted.digest, wanted.size.min(4 << 20))
            .await?;
        let config: Config = serde_json::from_slice(&bytes).map_err(|error| Error::Protocol {
            host: reference.registry.clone(),
            what: format!("the configuration of {reference} is not valid: {error}"),
        })?;
        Ok(Member {
            digest: fetched.digest.clone(),
            platform: config.platform(),
            manifest,
            config,
        })
    }

    /// Only the annotated layer is read, when there is one; else all of them.
    async fn package_yaml(
        &self,
        reference: &Reference,
        fetched: &Fetched,
        manifest: &Manifest,
    ) -> Result<Result<String, String>, Error> {
        let limits = Limits::default();
        let annotated = manifest.layers.iter().any(is_package);
        let mut blobs = std::collections::BTreeMap::new();
        for layer in &manifest.layers {
            if !annotated || is_package(layer) {
                blobs.insert(
                    layer.digest.clone(),
                    self.blob(reference, &layer.digest, layer.size).await?,
                );
            }
        }
        let config = self
            .blob(reference, &manifest.config.digest, manifest.config.size)
            .await?;
        blobs.insert(manifest.config.digest.clone(), config);
        let mut partial = manifest.clone();
        partial
            .layers
            .retain(|layer| blobs.contains_key(&layer.digest));
        let bytes = if partial.layers.len() == manifest.layers.len() {
            fetched.bytes.clone()
        } else {
            serde_json::to_vec(&partial).unwrap_or_default().into()
        };
        let image = Image::from_manifest(bytes, &limits, |digest| {
            let found = blobs.get(digest).cloned();
            found.ok_or_else(|| purlin_package::Error::Missing(digest.to_string()))
        })?;
        Ok(image
            .package_yaml(&limits)
            .map_err(|error| error.to_string()))
    }
}

fn is_package(layer: &purlin_package::Descriptor) -> bool {
    layer.annotations.get(names::ANNOTATION).map(String::as_str) == Some(Role::Package.as_str())
}
