//! Signatures in a registry, where cosign keeps them.

use bytes::Bytes;
use purlin_package::{
    BUNDLE, Descriptor, Digest, Payload, PrivateKey, PublicKey, RefVersion, Reference, SIGNATURE,
    bundle_image, is_bundle, names, payload, signature_image, signature_tag, signatures,
    signed_by_bundle,
};

use crate::client::{Client, Want};
use crate::error::Error;
use crate::pull::read_manifest;

/// Bytes of a payload or bundle.
const LARGEST: u64 = 1 << 20;
/// What refers to a package may be much; so many bundles are looked at.
const MOST: usize = 64;

/// What was signed.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The digest that the signature speaks of: of the index, when the reference names one.
    pub digest: Digest,
    /// Where the signature is.
    pub at: Reference,
    /// Whether all of it was there before.
    pub was_there: bool,
    /// Whether it is signed with a bundle as well.
    pub bundle: bool,
}

/// A package whose signature counts.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The digest that is vouched for.
    pub digest: Digest,
    /// What was signed, once for each signature at the tag that counts.
    pub payloads: Vec<Payload>,
    /// How many bundles count.
    pub bundles: usize,
}

impl Verified {
    /// How many signatures count.
    pub fn signatures(&self) -> usize {
        self.payloads.len() + self.bundles
    }
}

impl Client {
    /// Signs what a reference names now, at the tag of its signatures.
    ///
    /// It is signed with a bundle as well when `bundle` says so, or when there are bundles already: newer versions of cosign look at
    /// nothing else then.
    pub async fn sign(
        &self,
        reference: &Reference,
        key: &PrivateKey,
        bundle: bool,
    ) -> Result<Signed, Error> {
        let fetched = self.manifest_wanting(reference, Want::Push).await?;
        let subject = Descriptor::of(&fetched.media_type, &fetched.bytes);
        let digest = fetched.digest;
        let at = reference.with(RefVersion::Tag(signature_tag(&digest)));
        let mut was_there = self.sign_at_tag(&at, &digest, key).await?;
        let before = self.bundles(reference, &digest).await?;
        let bundle = bundle || !before.is_empty();
        let is_ours = |bytes: &Bytes| signed_by_bundle(&key.public(), &digest, bytes).is_ok();
        if bundle && !before.iter().any(is_ours) {
            let bytes = Bytes::from(purlin_package::bundle(key, &digest));
            let (config, manifest) = bundle_image(&subject, &bytes);
            self.put_blob(reference, &bytes).await?;
            self.put_blob(reference, &config).await?;
            self.put_referrer(reference, &digest, BUNDLE, manifest)
                .await?;
            was_there = false;
        }
        Ok(Signed {
            digest,
            at,
            was_there,
            bundle,
        })
    }

    /// Says whether the same signature was there before.
    async fn sign_at_tag(
        &self,
        at: &Reference,
        digest: &Digest,
        key: &PrivateKey,
    ) -> Result<bool, Error> {
        let before = match self.manifest_wanting(at, Want::Push).await {
            Ok(fetched) => Some(read_manifest(at, &fetched)?),
            Err(Error::NotFound(_)) => None,
            Err(other) => return Err(other),
        };
        let bytes = payload(&at.name(), digest);
        let signature = key.sign(&bytes);
        let Some((config, manifest)) = signature_image(before.as_ref(), &bytes, &signature) else {
            return Ok(true);
        };
        self.put_blob(at, &bytes.into()).await?;
        self.put_blob(at, &config).await?;
        self.put_manifest(at, names::OCI_MANIFEST, manifest).await?;
        Ok(false)
    }

    /// Makes sure that what a reference names now was signed with the other half of `key`: at the tag of its signatures, or by a
    /// bundle that refers to it.
    ///
    /// # Errors
    /// Also when the signature is missing, of something else, or by somebody else.
    pub async fn verify(&self, reference: &Reference, key: &PublicKey) -> Result<Verified, Error> {
        let digest = self.manifest(reference).await?.digest;
        let (payloads, mut bad) = self.at_tag(reference, &digest, key).await?;
        let mut bundles = 0;
        for bundle in self.bundles(reference, &digest).await? {
            match signed_by_bundle(key, &digest, &bundle) {
                Ok(()) => bundles += 1,
                Err(why) => bad.push(why),
            }
        }
        if bundles > 0 || !payloads.is_empty() {
            return Ok(Verified {
                digest,
                payloads,
                bundles,
            });
        }
        bad.sort_unstable();
        bad.dedup();
        let why = if bad.is_empty() {
            format!("{digest} has no signature")
        } else {
            format!("no signature of {digest} counts: {}", bad.join("; "))
        };
        Err(Error::Signature {
            reference: reference.to_string(),
            why,
        })
    }

    /// What the signatures at the tag of a digest say.
    async fn at_tag(
        &self,
        reference: &Reference,
        digest: &Digest,
        key: &PublicKey,
    ) -> Result<(Vec<Payload>, Vec<&'static str>), Error> {
        let at = reference.with(RefVersion::Tag(signature_tag(digest)));
        let fetched = match self.manifest(&at).await {
            Ok(fetched) => fetched,
            Err(Error::NotFound(_)) => return Ok((Vec::new(), Vec::new())),
            Err(other) => return Err(other),
        };
        let manifest = read_manifest(&at, &fetched)?;
        let mut found = Vec::new();
        for layer in &manifest.layers {
            if layer.media_type != names::SIMPLE_SIGNING {
                continue;
            }
            let Some(signature) = layer.annotations.get(SIGNATURE) else {
                continue;
            };
            let size = layer.size.min(LARGEST);
            let bytes = self.blob(&at, &layer.digest, size).await?;
            found.push((bytes, signature));
        }
        let pairs = found
            .iter()
            .map(|(bytes, signature)| (bytes.as_ref(), signature.as_str()));
        Ok(signatures(key, digest, pairs))
    }

    /// The bundles that refer to a digest.
    async fn bundles(&self, reference: &Reference, digest: &Digest) -> Result<Vec<Bytes>, Error> {
        let listed = self.referrers(reference, digest, BUNDLE).await?;
        let listed = listed
            .iter()
            .filter(|one| one.artifact_type.as_deref().is_none_or(is_bundle));
        let mut found = Vec::new();
        for one in listed.take(MOST) {
            let at = reference.with(RefVersion::Digest(one.digest.clone()));
            let manifest = match self.manifest(&at).await {
                Ok(fetched) if names::is_manifest(&fetched.media_type) => {
                    read_manifest(&at, &fetched)?
                }
                // Somebody may be removing it.
                Ok(_) | Err(Error::NotFound(_)) => continue,
                Err(other) => return Err(other),
            };
            let bundles = manifest.layers.iter();
            for layer in bundles.filter(|layer| is_bundle(&layer.media_type)) {
                let size = layer.size.min(LARGEST);
                found.push(self.blob(&at, &layer.digest, size).await?);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use bytes::Bytes;
    use purlin_package::{
        Archive, Digest, Limits, PrivateKey, PublicKey, RefVersion, Reference, names,
    };
    use purlin_package::{referrers_tag, signature_tag};
    use purlin_testkit::{Registry, root};
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

    use super::Client;
    use crate::{Credentials, Error, Options};

    /// What cosign 3 wrote into a registry: a package, and what it signed it with.
    fn recorded(name: &str) -> Bytes {
        let path: PathBuf = root().join("tests/fixtures/cosign").join(name);
        std::fs::read(path).unwrap().into()
    }

    /// A registry with that package, and nothing that vouches for it.
    async fn with_package(registry: &Registry) -> (Client, Reference) {
        let client = Client::new(Credentials::anonymous(), Options::default()).unwrap();
        let reference = format!("{}/acme/signed:v1", registry.address());
        let reference = Reference::parse(&reference).unwrap();
        let archive = Archive::read(&recorded("package.tar"), &Limits::default()).unwrap();
        let pushed = client
            .push(&reference, &archive.images, &BTreeMap::new())
            .await;
        drop(pushed.unwrap());
        (client, reference)
    }

    #[tokio::test]
    async fn signatures_that_cosign_made_are_found_at_the_tag_and_in_bundles() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start(folder.path());
        let (client, at) = with_package(&registry).await;
        let key = String::from_utf8(recorded("cosign.pub").to_vec()).unwrap();
        let key = PublicKey::read(&key).unwrap();
        let digest = client.manifest(&at).await.unwrap().digest;
        let count = async || match client.verify(&at, &key).await {
            Ok(verified) => Ok(verified.signatures()),
            Err(Error::Signature { why, .. }) => Err(why),
            Err(other) => panic!("{other}"),
        };
        let put = async |version: RefVersion, kind: &str, manifest: &str, blobs: &[&str]| {
            for blob in blobs {
                client.put_blob(&at, &recorded(blob)).await.unwrap();
            }
            let place = at.with(version);
            let bytes = recorded(manifest);
            client.put_manifest(&place, kind, bytes).await.unwrap();
        };
        assert!(count().await.unwrap_err().contains("has no signature"));

        // What is an attestation says nothing of who made the package.
        client.put_blob(&at, &Bytes::from("{}")).await.unwrap();
        for name in ["attestation", "bundle"] {
            let manifest = format!("{name}.manifest.json");
            let version = Digest::of(&recorded(&manifest));
            let version = RefVersion::Digest(version);
            let bundle = format!("{name}.json");
            put(version, names::OCI_MANIFEST, &manifest, &[&bundle]).await;
        }
        let tag = RefVersion::Tag(referrers_tag(&digest));
        put(tag, names::OCI_INDEX, "referrers.json", &[]).await;
        assert_eq!(count().await, Ok(1));

        let tag = RefVersion::Tag(signature_tag(&digest));
        let blobs = ["signature.payload.json", "signature.config.json"];
        put(tag, names::OCI_MANIFEST, "signature.manifest.json", &blobs).await;
        assert_eq!(count().await, Ok(2));

        // Who signs now has to be seen by those who look at bundles only.
        let ours = PrivateKey::from_random(&[5; 32]).unwrap();
        for was_there in [false, true] {
            let signed = client.sign(&at, &ours, false).await.unwrap();
            assert_eq!((signed.was_there, signed.bundle), (was_there, true));
        }
        let verified = client.verify(&at, &ours.public()).await.unwrap();
        assert_eq!((verified.payloads.len(), verified.bundles), (1, 1));
        assert_eq!(count().await, Ok(2), "the others stay");
    }

    #[tokio::test]
    async fn a_bundle_is_written_when_one_asks_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start(folder.path());
        let (client, at) = with_package(&registry).await;
        let ours = PrivateKey::from_random(&[5; 32]).unwrap();
        for (bundle, wanted) in [(false, 0), (true, 1), (true, 1)] {
            drop(client.sign(&at, &ours, bundle).await.unwrap());
            let verified = client.verify(&at, &ours.public()).await.unwrap();
            assert_eq!((verified.payloads.len(), verified.bundles), (1, wanted));
        }
    }

    /// A registry that lists what refers to a digest itself, as far as verifying needs it.
    async fn listing() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = tokio::io::BufReader::new(stream);
                let mut asked = String::new();
                stream.read_line(&mut asked).await.unwrap();
                let mut line = String::new();
                while stream.read_line(&mut line).await.unwrap() > 2 {
                    line.clear();
                }
                let path = asked.split(' ').nth(1).unwrap();
                let (status, body) = answer_of(path);
                let head = format!(
                    "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(&body).await.unwrap();
            }
        });
        address
    }

    fn answer_of(path: &str) -> (&'static str, Bytes) {
        let by_digest = ["bundle.json", "bundle.manifest.json", "attestation.json"];
        let by_digest = by_digest
            .into_iter()
            .chain(["attestation.manifest.json"])
            .find(|name| path.ends_with(Digest::of(&recorded(name)).as_str()));
        if path.ends_with("/manifests/v1") {
            let archive = Archive::read(&recorded("package.tar"), &Limits::default()).unwrap();
            ("200 OK", archive.images[0].manifest())
        } else if path.ends_with("?artifactType=application/vnd.dev.sigstore.bundle.v0.3%2Bjson") {
            ("200 OK", recorded("referrers.json"))
        } else if let Some(name) = by_digest {
            ("200 OK", recorded(name))
        } else {
            ("404 Not Found", Bytes::new())
        }
    }

    #[tokio::test]
    async fn a_registry_that_lists_what_refers_to_a_package_is_asked_for_it() {
        let reference = format!("{}/acme/signed:v1", listing().await);
        let reference = Reference::parse(&reference).unwrap();
        let client = Client::new(Credentials::anonymous(), Options::default()).unwrap();
        let key = String::from_utf8(recorded("cosign.pub").to_vec()).unwrap();
        let key = PublicKey::read(&key).unwrap();
        let verified = client.verify(&reference, &key).await.unwrap();
        assert_eq!((verified.payloads.len(), verified.bundles), (0, 1));
    }
}
