//! Signatures in a registry, where cosign keeps them.

use purlin_package::{
    Digest, Payload, PrivateKey, PublicKey, RefVersion, Reference, SIGNATURE, names, payload,
    signature_image, signature_tag, signatures,
};

use crate::client::{Client, Want};
use crate::error::Error;
use crate::pull::read_manifest;

/// What was signed.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The digest that the signature speaks of: of the index, when the reference names one.
    pub digest: Digest,
    /// Where the signature is.
    pub at: Reference,
    /// Whether the same signature was there before.
    pub was_there: bool,
}

/// A package whose signature counts.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The digest that is vouched for.
    pub digest: Digest,
    /// What was signed, once for each signature that counts.
    pub payloads: Vec<Payload>,
}

impl Client {
    /// Signs what a reference names now.
    pub async fn sign(&self, reference: &Reference, key: &PrivateKey) -> Result<Signed, Error> {
        let digest = self.manifest_wanting(reference, Want::Push).await?.digest;
        let at = reference.with(RefVersion::Tag(signature_tag(&digest)));
        let before = match self.manifest_wanting(&at, Want::Push).await {
            Ok(fetched) => Some(read_manifest(&at, &fetched)?),
            Err(Error::NotFound(_)) => None,
            Err(other) => return Err(other),
        };
        let bytes = payload(&reference.name(), &digest);
        let signature = key.sign(&bytes);
        let Some((config, manifest)) = signature_image(before.as_ref(), &bytes, &signature) else {
            return Ok(Signed {
                digest,
                at,
                was_there: true,
            });
        };
        self.put_blob(&at, &bytes.into()).await?;
        self.put_blob(&at, &config).await?;
        self.put_manifest(&at, names::OCI_MANIFEST, manifest)
            .await?;
        Ok(Signed {
            digest,
            at,
            was_there: false,
        })
    }

    /// Makes sure that what a reference names now was signed with the other half of `key`.
    ///
    /// # Errors
    /// Also when the signature is missing, of something else, or by somebody else.
    pub async fn verify(&self, reference: &Reference, key: &PublicKey) -> Result<Verified, Error> {
        let digest = self.manifest(reference).await?.digest;
        let at = reference.with(RefVersion::Tag(signature_tag(&digest)));
        let none = |why: String| Error::Signature {
            reference: reference.to_string(),
            why,
        };
        let fetched = match self.manifest(&at).await {
            Ok(fetched) => fetched,
            Err(Error::NotFound(_)) => return Err(none(format!("{digest} has no signature"))),
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
            let bytes = self
                .blob(&at, &layer.digest, layer.size.min(1 << 20))
                .await?;
            found.push((bytes, signature));
        }
        let pairs = found
            .iter()
            .map(|(bytes, signature)| (bytes.as_ref(), signature.as_str()));
        let (payloads, bad) = signatures(key, &digest, pairs);
        match (payloads.is_empty(), bad.first()) {
            (false, _) => Ok(Verified { digest, payloads }),
            (true, Some(why)) => Err(none(format!("no signature of {digest} counts: {why}"))),
            (true, None) => Err(none(format!("{digest} has no signature"))),
        }
    }
}
