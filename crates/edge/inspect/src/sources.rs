//! Which kinds do a folder, a package or a cluster have?

use std::fs;
use std::path::Path;

use bytes::Bytes;
use purlin_api::meta::Gvk;
use purlin_check::{Kept, kept};
use purlin_package::{Archive, Limits, split};

use crate::files::{Files, find};

/// Bytes of one package file.
pub(crate) const LARGEST_PACKAGE: u64 = 1 << 30;

/// Why kinds could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path leads nowhere.
    #[error("{0}")]
    Path(String),
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A package is none.
    #[error("{0}")]
    Package(#[from] purlin_package::Error),
    /// A cluster does not answer.
    #[error("cannot read the CRDs of the cluster")]
    Cluster(#[source] purlin_kube::Error),
}

/// The kinds of a stream of manifests; what is neither a CRD nor an XRD is passed over.
pub fn from_stream(text: &str) -> Vec<Kept> {
    let mut kinds = Vec::new();
    // A package may be larger than what is read of YAML at once; its documents are not.
    for part in split(text) {
        if part.text.contains("Definition") {
            let (documents, _) = purlin_yaml::load("", part.text);
            kinds.extend(documents.iter().flat_map(|document| kept(&document.value)));
        }
    }
    kinds
}

/// The kinds of a package file.
///
/// # Errors
/// When it is none.
pub fn from_archive(bytes: Vec<u8>) -> Result<Vec<Kept>, Error> {
    let limits = Limits::default();
    let archive = Archive::read(&Bytes::from(bytes), &limits)?;
    let mut kinds = Vec::new();
    // Every platform brings the same package.
    if let Some(image) = archive.images.first() {
        kinds = from_stream(&image.package_yaml(&limits)?);
    }
    Ok(kinds)
}

/// The kinds of a file, a package file, or a folder of both.
///
/// # Errors
/// When something there cannot be read.
pub fn from_path(path: &Path) -> Result<Vec<Kept>, Error> {
    let files: Files = find(&[path.to_owned()]).map_err(|wrong| {
        let words: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        Error::Path(words.join("; "))
    })?;
    let mut kinds = Vec::new();
    for path in files.files.keys() {
        let bytes = fs::read(path).map_err(|source| Error::Read {
            path: path.display().to_string(),
            source,
        })?;
        if path.extension().is_some_and(|ending| ending == "xpkg") {
            kinds.extend(from_archive(bytes)?);
        } else {
            kinds.extend(from_stream(&String::from_utf8_lossy(&bytes)));
        }
    }
    Ok(kinds)
}

/// The kinds of a cluster, from its CRDs.
///
/// # Errors
/// When it cannot be reached, or does not let us look.
pub async fn from_cluster(file: Option<&Path>, context: Option<&str>) -> Result<Vec<Kept>, Error> {
    let client = purlin_kube::Client::connect(file, context)
        .await
        .map_err(Error::Cluster)?;
    let crd = Gvk::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    let kind = client.kind(&crd).await.map_err(Error::Cluster)?;
    let listed = client.list(&kind, "").await.map_err(Error::Cluster)?;
    Ok(listed.items.iter().flat_map(kept).collect())
}

#[cfg(test)]
mod tests {
    use purlin_package::{NewLayer, Platform, Run, image, xpkg};

    use super::*;

    const STREAM: &str = r"apiVersion: meta.pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-box}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.cloud.example}
spec:
  group: cloud.example
  names: {kind: Box, plural: boxes}
  scope: Cluster
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, description: words}}
---
apiVersion: apiextensions.crossplane.io/v1
kind: CompositeResourceDefinition
metadata: {name: xshops.acme.example}
spec:
  group: acme.example
  names: {kind: XShop, plural: xshops}
  claimNames: {kind: Shop, plural: shops}
  versions:
  - name: v1
    served: true
    referenceable: true
    schema: {openAPIV3Schema: {type: object}}
";

    #[test]
    fn a_package_brings_the_kinds_of_its_crds_and_xrds() {
        let layers = vec![NewLayer::of_package(STREAM)];
        let bytes = xpkg(&image(&Platform::linux("amd64"), Run::default(), layers));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provider.xpkg");
        fs::write(&path, &bytes).unwrap();
        let kinds = from_path(&path).unwrap();
        let names: Vec<&str> = kinds.iter().map(|kind| kind.kind.as_str()).collect();
        assert_eq!(names, ["Box", "XShop", "Shop"]);
        assert!(kinds[0].versions[0].schema.get("description").is_none());
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(from_path(&path), Err(Error::Package(_))));
    }
}
