//! What does a Sigstore bundle vouch for? It is how newer versions of cosign keep a signature.
//!
//! The manifest of a bundle names what it is of as its `subject`; its only layer is the bundle. In that is an envelope (DSSE) around
//! an in-toto statement, which says which digests are meant, and what of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::build::json;
use crate::digest::Digest;
use crate::key::{PrivateKey, PublicKey};
use crate::manifest::Descriptor;
use crate::names;

/// Bytes of a bundle. One with a chain of certificates and an entry of a log has some ten thousand.
const LARGEST: usize = 1 << 20;
/// Signatures of one envelope that are looked at.
const MOST: usize = 16;
const STATEMENT: &str = "application/vnd.in-toto+json";
/// The statement that this is signed, and nothing else.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// The kind of bundle that cosign writes, and we.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Whether a media type, of a layer or of what refers to a package, is that of a bundle.
pub fn is_bundle(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.dev.sigstore.bundle")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    #[serde(default)]
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<serde::de::IgnoredAny>,
    #[serde(rename = "x509CertificateChain")]
    chain: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    #[serde(default)]
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    predicate_type: String,
    #[serde(default)]
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: Digests,
}

#[derive(Default, Deserialize)]
struct Digests {
    #[serde(default)]
    sha256: String,
}

/// Whether this bundle is the signature of what has this digest, by the owner of the key; and if not, why.
pub fn signed_by_bundle(
    key: &PublicKey,
    digest: &Digest,
    bytes: &[u8],
) -> Result<(), &'static str> {
    if bytes.len() > LARGEST {
        return Err("its bundle is larger than a bundle is");
    }
    let bundle: Bundle =
        serde_json::from_slice(bytes).map_err(|_| "its bundle cannot be understood")?;
    let envelope = bundle
        .dsse_envelope
        .ok_or("its bundle signs bytes, and not a package")?;
    let payload = STANDARD
        .decode(&envelope.payload)
        .map_err(|_| "its bundle cannot be understood")?;
    let message = enveloped(&envelope.payload_type, &payload);
    let known = envelope
        .signatures
        .iter()
        .take(MOST)
        .any(|one| key.verifies(&message, &one.sig));
    if !known {
        let material = &bundle.verification_material;
        return Err(
            if material.certificate.is_some() || material.chain.is_some() {
                "it was signed with a certificate (keyless), and not with a key: verify it with cosign"
            } else {
                "it was signed with another key, or was changed since"
            },
        );
    }
    // Only now: what nobody vouches for is not even parsed.
    if envelope.payload_type != STATEMENT {
        return Err("it does not say what was signed");
    }
    let statement: Statement =
        serde_json::from_slice(&payload).map_err(|_| "it does not say what was signed")?;
    if statement.predicate_type != SIGNED {
        return Err("it is an attestation, and not a signature");
    }
    let meant = statement
        .subject
        .iter()
        .any(|subject| subject.digest.sha256 == digest.hex());
    if meant {
        Ok(())
    } else {
        Err("it is of another package")
    }
}

/// The bundle with which the owner of a key signs what has this digest.
pub fn bundle(key: &PrivateKey, digest: &Digest) -> Vec<u8> {
    let statement = json(&json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": digest.hex()}}],
        "predicateType": SIGNED,
        "predicate": {},
    }));
    let signature = key.sign(&enveloped(STATEMENT, &statement));
    json(&json!({
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": key.public().hint()}},
        "dsseEnvelope": {
            "payload": STANDARD.encode(statement),
            "payloadType": STATEMENT,
            "signatures": [{"sig": signature}],
        },
    }))
}

/// The configuration and the manifest of a bundle that refers to `subject`.
pub fn bundle_image(subject: &Descriptor, bundle: &[u8]) -> (Bytes, Bytes) {
    // There is nothing to configure.
    let config = Bytes::from_static(b"{}");
    let manifest = json(&json!({
        "schemaVersion": 2,
        "mediaType": names::OCI_MANIFEST,
        "artifactType": BUNDLE,
        "config": Descriptor::of("application/vnd.oci.empty.v1+json", &config),
        "layers": [Descriptor::of(BUNDLE, bundle)],
        "subject": subject,
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": SIGNED,
        },
    }));
    (config, manifest.into())
}

/// What is signed of an envelope: its type and content, each with its length, so that neither can pass for the other.
fn enveloped(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::{bundle, bundle_image, enveloped, is_bundle, signed_by_bundle};
    use crate::{Descriptor, Digest, Index, Manifest, PrivateKey, PublicKey};

    const KEY: &str = include_str!("../../../../tests/fixtures/cosign/cosign.pub");
    const BUNDLE: &[u8] = include_bytes!("../../../../tests/fixtures/cosign/bundle.json");
    const ATTESTATION: &[u8] = include_bytes!("../../../../tests/fixtures/cosign/attestation.json");
    const REFERRERS: &[u8] = include_bytes!("../../../../tests/fixtures/cosign/referrers.json");
    const MANIFEST: &[u8] =
        include_bytes!("../../../../tests/fixtures/cosign/bundle.manifest.json");

    fn digest() -> Digest {
        let hex = "d921e95f7cd525a0e35fb5484ee6db8b7d0dc7e9c16065b3d5e5a34599140796";
        Digest::parse(&format!("sha256:{hex}")).unwrap()
    }

    #[test]
    fn what_cosign_signed_counts_for_its_package_and_key_only() {
        let key = PublicKey::read(KEY).unwrap();
        assert_eq!(signed_by_bundle(&key, &digest(), BUNDLE), Ok(()));
        assert_eq!(
            signed_by_bundle(&key, &Digest::of(b"other"), BUNDLE),
            Err("it is of another package")
        );
        let other = PrivateKey::from_random(&[9; 32]).unwrap().public();
        assert_eq!(
            signed_by_bundle(&other, &digest(), BUNDLE),
            Err("it was signed with another key, or was changed since")
        );
        assert_eq!(
            signed_by_bundle(&key, &digest(), ATTESTATION),
            Err("it is an attestation, and not a signature")
        );
    }

    #[test]
    fn what_refers_to_a_package_says_that_it_is_a_bundle() {
        let index: Index = serde_json::from_slice(REFERRERS).unwrap();
        assert_eq!(index.manifests.len(), 2);
        for one in &index.manifests {
            assert!(is_bundle(one.artifact_type.as_deref().unwrap()), "{one:?}");
        }
        let manifest: Manifest = serde_json::from_slice(MANIFEST).unwrap();
        assert!(is_bundle(&manifest.layers[0].media_type));
        assert!(!is_bundle("application/vnd.oci.image.manifest.v1+json"));
    }

    #[test]
    fn our_bundles_are_laid_out_as_cosigns_are() {
        let key = PrivateKey::from_random(&[3; 32]).unwrap();
        let ours = bundle(&key, &digest());
        assert_eq!(signed_by_bundle(&key.public(), &digest(), &ours), Ok(()));
        let fields = |bytes: &[u8]| {
            let value: Value = serde_json::from_slice(bytes).unwrap();
            let mut names = Vec::new();
            below("", &value, &mut names);
            names
        };
        assert_eq!(fields(&ours), fields(BUNDLE));
        let subject = Descriptor::of(crate::names::OCI_MANIFEST, b"x");
        let (_, manifest) = bundle_image(&subject, &ours);
        let mut theirs = fields(MANIFEST);
        // Theirs says twice what it is, and when it was made: the same input gives the same bytes here.
        theirs.retain(|name| !name.ends_with("created") && name != ".config.artifactType");
        assert_eq!(fields(&manifest), theirs);
        let hint = PublicKey::read(KEY).unwrap().hint();
        assert!(String::from_utf8_lossy(BUNDLE).contains(&hint), "{hint}");
    }

    /// The paths of all fields.
    fn below(path: &str, value: &Value, names: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    below(&format!("{path}.{name}"), value, names);
                }
            }
            Value::Array(list) => {
                for value in list {
                    below(&format!("{path}[]"), value, names);
                }
            }
            _ => names.push(path.to_owned()),
        }
        names.sort();
    }

    /// A bundle of ours around this statement.
    fn around(key: &PrivateKey, kind: &str, statement: &Value) -> Value {
        let payload = statement.to_string();
        let signature = key.sign(&enveloped(kind, payload.as_bytes()));
        json!({"dsseEnvelope": {"payload": STANDARD.encode(&payload), "payloadType": kind, "signatures": [{"sig": signature}]}})
    }

    #[test]
    fn nothing_else_that_the_owner_signed_is_a_signature_of_the_package() {
        let key = PrivateKey::from_random(&[3; 32]).unwrap();
        let statement = json!({"predicateType": super::SIGNED, "subject": [{}, {"digest": {"sha256": digest().hex()}}]});
        let check = |bundle: &Value, wanted: Result<(), &str>| {
            let bytes = serde_json::to_vec(bundle).unwrap();
            assert_eq!(signed_by_bundle(&key.public(), &digest(), &bytes), wanted);
        };
        check(&around(&key, super::STATEMENT, &statement), Ok(()));
        check(
            &around(&key, "text/plain", &statement),
            Err("it does not say what was signed"),
        );
        check(
            &around(&key, super::STATEMENT, &json!([1])),
            Err("it does not say what was signed"),
        );
        check(
            &json!({"messageSignature": {}}),
            Err("its bundle signs bytes, and not a package"),
        );
        check(&json!(1), Err("its bundle cannot be understood"));
        let mut moved = around(&key, super::STATEMENT, &statement);
        moved["dsseEnvelope"]["payloadType"] = json!("application/vnd.in-toto+json ");
        check(
            &moved,
            Err("it was signed with another key, or was changed since"),
        );
        let mut keyless = moved;
        keyless["verificationMaterial"] = json!({"certificate": {"rawBytes": ""}});
        check(
            &keyless,
            Err(
                "it was signed with a certificate (keyless), and not with a key: verify it with cosign",
            ),
        );
    }
}
