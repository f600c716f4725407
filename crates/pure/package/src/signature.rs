//! What is signed, and where the signature is kept: cosign's simple signing.
//!
//! The signature of a package is an image of its own in the same repository, at a tag made of the package's digest. Each of its
//! layers is a payload that says which digest is meant; the signature of the payload is an annotation of the layer.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::build::json;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::manifest::{Config, Descriptor, Manifest, RootFs, Run};
use crate::names;

/// The annotation with the signature.
pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const KIND: &str = "cosign container image signature";

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// What counts.
    pub critical: Critical,
    /// What the signer adds.
    #[serde(default)]
    pub optional: Option<BTreeMap<String, serde_json::Value>>,
}

/// The part that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Critical {
    /// As what it was signed.
    pub identity: Identity,
    /// What was signed.
    pub image: Signed,
    /// The kind of payload.
    #[serde(rename = "type")]
    pub kind: String,
}

/// As what it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Identity {
    /// Registry and repository.
    pub docker_reference: String,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Signed {
    /// The digest of a manifest or index.
    pub docker_manifest_digest: Digest,
}

/// The payload that says: `digest` is signed as `name` (registry and repository).
pub fn payload(name: &str, digest: &Digest) -> Vec<u8> {
    json(&Payload {
        critical: Critical {
            identity: Identity {
                docker_reference: name.to_owned(),
            },
            image: Signed {
                docker_manifest_digest: digest.clone(),
            },
            kind: KIND.to_owned(),
        },
        optional: None,
    })
}

/// The tag at which the signatures of a digest are.
pub fn signature_tag(digest: &Digest) -> String {
    format!("sha256-{}.sig", digest.hex())
}

/// The tag at which a registry that does not list what refers to a digest keeps that list.
pub fn referrers_tag(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

/// The configuration and the manifest of the image with these signatures: layers that are there already, and a new one.
/// `None` when the new one is among them.
pub fn signature_image(
    before: Option<&Manifest>,
    payload: &[u8],
    signature: &str,
) -> Option<(Bytes, Bytes)> {
    let mut layers = before
        .map(|manifest| manifest.layers.clone())
        .unwrap_or_default();
    let mut layer = Descriptor::of(names::SIMPLE_SIGNING, payload);
    layer
        .annotations
        .insert(SIGNATURE.to_owned(), signature.to_owned());
    let same = |one: &Descriptor| {
        one.digest == layer.digest
            && one.annotations.get(SIGNATURE) == layer.annotations.get(SIGNATURE)
    };
    if layers.iter().any(same) {
        return None;
    }
    layers.push(layer);
    let config = json(&Config {
        created: None,
        architecture: String::new(),
        os: String::new(),
        os_version: None,
        variant: None,
        config: Run::default(),
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: layers
                .iter()
                .map(|layer| layer.digest.to_string())
                .collect(),
        },
    });
    let manifest = json(&Manifest {
        schema_version: 2,
        media_type: names::OCI_MANIFEST.to_owned(),
        config: Descriptor::of(names::OCI_CONFIG, &config),
        layers,
        annotations: before
            .map(|manifest| manifest.annotations.clone())
            .unwrap_or_default(),
    });
    Some((config.into(), manifest.into()))
}

/// The payloads that this key signed for this digest, out of pairs of payload and signature; and why the others do not count.
pub fn signatures<'a>(
    key: &PublicKey,
    digest: &Digest,
    found: impl IntoIterator<Item = (&'a [u8], &'a str)>,
) -> (Vec<Payload>, Vec<&'static str>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (bytes, signature) in found {
        if !key.verifies(bytes, signature) {
            bad.push("it was signed with another key, or was changed since");
            continue;
        }
        // Only now: what nobody vouches for is not even parsed.
        match serde_json::from_slice::<Payload>(bytes) {
            Ok(payload) if payload.critical.image.docker_manifest_digest == *digest => {
                good.push(payload);
            }
            Ok(_) => bad.push("it is of another package"),
            Err(_) => bad.push("it does not say what was signed"),
        }
    }
    (good, bad)
}

#[cfg(test)]
mod tests {
    use crate::{
        Digest, Manifest, PrivateKey, payload, signature_image, signature_tag, signatures,
    };

    #[test]
    fn a_payload_is_what_cosign_writes() {
        let digest = Digest::of(b"");
        assert_eq!(
            String::from_utf8(payload("registry.example.org/acme/network", &digest)).unwrap(),
            format!(
                r#"{{"critical":{{"identity":{{"docker-reference":"registry.example.org/acme/network"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#
            )
        );
        assert_eq!(
            signature_tag(&digest),
            "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.sig"
        );
    }

    #[test]
    fn signatures_count_for_their_digest_and_key_only() {
        let (ours, theirs) = (
            PrivateKey::from_random(&[1; 32]).unwrap(),
            PrivateKey::from_random(&[2; 32]).unwrap(),
        );
        let (meant, other) = (Digest::of(b"meant"), Digest::of(b"other"));
        let check = |key: &PrivateKey, of: &Digest, wanted: Result<(), &str>| {
            let bytes = payload("registry.example.org/a", of);
            let signature = key.sign(&bytes);
            let (good, bad) = signatures(
                &ours.public(),
                &meant,
                [(bytes.as_slice(), signature.as_str())],
            );
            match wanted {
                Ok(()) => assert_eq!((good.len(), bad.len()), (1, 0)),
                Err(why) => assert_eq!((good.len(), bad), (0, vec![why])),
            }
        };
        check(&ours, &meant, Ok(()));
        check(
            &theirs,
            &meant,
            Err("it was signed with another key, or was changed since"),
        );
        check(&ours, &other, Err("it is of another package"));
    }

    #[test]
    fn a_second_signature_joins_the_first_and_the_same_one_changes_nothing() {
        let bytes = payload("registry.example.org/a", &Digest::of(b"a"));
        let (_, first) = signature_image(None, &bytes, "one").unwrap();
        let first: Manifest = serde_json::from_slice(&first).unwrap();
        assert!(signature_image(Some(&first), &bytes, "one").is_none());
        let (_, both) = signature_image(Some(&first), &bytes, "two").unwrap();
        let both: Manifest = serde_json::from_slice(&both).unwrap();
        assert_eq!(both.layers.len(), 2);
    }
}
