//! Keys in cosign's formats: ECDSA on P-256, in PEM, the private one sealed with a password or not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use p256::SecretKey;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
    LineEnding,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const SEALED: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
const SEALED_BEFORE: &str = "ENCRYPTED COSIGN PRIVATE KEY";
/// The costs of scrypt that cosign writes and takes.
const COSTS: [u32; 3] = [1 << 15, 1 << 16, 1 << 17];
const COST: u32 = 1 << 16;

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no PEM, or holds something else.
    #[error("this is no key: {0}")]
    NotAKey(&'static str),
    /// It is of another kind.
    #[error(
        "the key is not an ECDSA key on P-256, which is what is supported; make one with `purlin package keygen`"
    )]
    OtherKind,
    /// It is sealed with another password.
    #[error("the password does not open the key")]
    Password,
}

/// A key that signs.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

// A Debug that tells nothing.
impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey").finish_non_exhaustive()
    }
}

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// What chance gives to seal a key with.
#[derive(Debug, Clone, Copy)]
pub struct Seal {
    /// For the password.
    pub salt: [u8; 32],
    /// For the box.
    pub nonce: [u8; 24],
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

impl PrivateKey {
    /// A key out of random bytes; `None` for the one in 2^32 that is no key: then ask chance again.
    pub fn from_random(bytes: &[u8; 32]) -> Option<Self> {
        Some(Self(SecretKey::from_slice(bytes).ok()?.into()))
    }

    /// Reads a PEM: sealed as cosign writes it, PKCS #8, or what openssl calls an EC key. `password` is asked for only
    /// when the key is sealed.
    pub fn read<E: From<KeyError>>(
        pem: &str,
        password: impl FnOnce() -> Result<String, E>,
    ) -> Result<Self, E> {
        let (label, body) =
            unwrap_pem(pem).ok_or(KeyError::NotAKey("a PEM with a private key is expected"))?;
        match label {
            SEALED | SEALED_BEFORE => {
                let der = open(&body, &password()?)?;
                let key = SigningKey::from_pkcs8_der(&der).map_err(|_| KeyError::OtherKind)?;
                Ok(Self(key))
            }
            "PRIVATE KEY" => {
                let key = SigningKey::from_pkcs8_der(&body).map_err(|_| KeyError::OtherKind)?;
                Ok(Self(key))
            }
            "EC PRIVATE KEY" => {
                let key = SecretKey::from_sec1_der(&body).map_err(|_| KeyError::OtherKind)?;
                Ok(Self(key.into()))
            }
            "RSA PRIVATE KEY" => Err(KeyError::OtherKind.into()),
            "PUBLIC KEY" => {
                Err(KeyError::NotAKey("it is a public key, and a private one is needed").into())
            }
            _ => Err(KeyError::NotAKey("a PEM with a private key is expected").into()),
        }
    }

    /// The PEM, sealed with a password, as cosign writes it.
    pub fn seal(&self, password: &str, chance: &Seal) -> String {
        let der = self
            .0
            .to_pkcs8_der()
            .expect("a key on P-256 has a PKCS #8 form");
        let opener = derive(password, &chance.salt, COST);
        let sealed = XSalsa20Poly1305::new(&opener.into())
            .encrypt(&chance.nonce.into(), der.as_bytes())
            .expect("a key is not too long to be sealed");
        let sealed = Sealed {
            kdf: Kdf {
                name: "scrypt".to_owned(),
                params: Params {
                    n: COST,
                    r: 8,
                    p: 1,
                },
                salt: STANDARD.encode(chance.salt),
            },
            cipher: Cipher {
                name: "nacl/secretbox".to_owned(),
                nonce: STANDARD.encode(chance.nonce),
            },
            ciphertext: STANDARD.encode(sealed),
        };
        wrap_pem(SEALED, &crate::build::json(&sealed))
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }

    /// The signature of a message: DER, in base64. The same message always gives the same signature.
    pub fn sign(&self, message: &[u8]) -> String {
        let signature: Signature = self.0.sign(message);
        STANDARD.encode(signature.to_der().as_bytes())
    }
}

impl PublicKey {
    /// Reads a PEM.
    pub fn read(pem: &str) -> Result<Self, KeyError> {
        let (label, body) =
            unwrap_pem(pem).ok_or(KeyError::NotAKey("a PEM with a public key is expected"))?;
        if label != "PUBLIC KEY" {
            return Err(KeyError::NotAKey("a PEM with a public key is expected"));
        }
        let key = VerifyingKey::from_public_key_der(&body).map_err(|_| KeyError::OtherKind)?;
        Ok(Self(key))
    }

    /// The PEM.
    pub fn to_pem(&self) -> String {
        self.0
            .to_public_key_pem(LineEnding::LF)
            .expect("a key on P-256 has a PEM form")
    }

    /// What tells the key from others: the SHA-256 of its DER form, in base64.
    pub fn hint(&self) -> String {
        let der = self
            .0
            .to_public_key_der()
            .expect("a key on P-256 has a DER form");
        STANDARD.encode(Sha256::digest(der.as_bytes()))
    }

    /// Whether this signature, in base64, is of this message and by the key's owner.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let signature = STANDARD.decode(signature).ok();
        let signature = signature.and_then(|der| Signature::from_der(&der).ok());
        signature.is_some_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

fn open(json: &[u8], password: &str) -> Result<Vec<u8>, KeyError> {
    let wrong = |_| KeyError::NotAKey("its sealed form is not cosign's");
    let sealed: Sealed = serde_json::from_slice(json)
        .map_err(|_| KeyError::NotAKey("its sealed form is not cosign's"))?;
    let params = &sealed.kdf.params;
    // Any other cost may be a trap: the memory it takes is 1 KiB times the cost.
    let known = sealed.kdf.name == "scrypt"
        && COSTS.contains(&params.n)
        && (params.r, params.p) == (8, 1)
        && sealed.cipher.name == "nacl/secretbox";
    if !known {
        return Err(KeyError::NotAKey(
            "it is sealed in a way cosign does not use",
        ));
    }
    let salt = STANDARD.decode(&sealed.kdf.salt).map_err(wrong)?;
    let nonce = STANDARD.decode(&sealed.cipher.nonce).map_err(wrong)?;
    let nonce: [u8; 24] = nonce
        .try_into()
        .map_err(|_| KeyError::NotAKey("its sealed form is not cosign's"))?;
    let ciphertext = STANDARD.decode(&sealed.ciphertext).map_err(wrong)?;
    let opener = derive(password, &salt, params.n);
    XSalsa20Poly1305::new(&opener.into())
        .decrypt(&nonce.into(), ciphertext.as_slice())
        .map_err(|_| KeyError::Password)
}

fn derive(password: &str, salt: &[u8], cost: u32) -> [u8; 32] {
    let params = scrypt::Params::new(cost.ilog2().try_into().unwrap_or(u8::MAX), 8, 1)
        .expect("the costs in COSTS are powers of two");
    let mut key = [0; 32];
    scrypt::scrypt(password.as_bytes(), salt, &params, &mut key)
        .expect("32 bytes are a length scrypt gives");
    key
}

/// The label and the content of the first block of a PEM.
fn unwrap_pem(pem: &str) -> Option<(&str, Vec<u8>)> {
    // A key is some hundred bytes.
    if pem.len() > 64 << 10 {
        return None;
    }
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let packed: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    Some((label, STANDARD.decode(packed).ok()?))
}

fn wrap_pem(label: &str, content: &[u8]) -> String {
    let packed = STANDARD.encode(content);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (index, c) in packed.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem + "\n-----END " + label + "-----\n"
}

#[cfg(test)]
mod tests {
    use super::{KeyError, PrivateKey, PublicKey, Seal};

    fn key() -> PrivateKey {
        PrivateKey::from_random(&[7; 32]).unwrap()
    }

    fn password(text: &str) -> impl FnOnce() -> Result<String, KeyError> {
        let text = text.to_owned();
        move || Ok(text)
    }

    #[test]
    fn a_sealed_key_opens_with_its_password_only() {
        let pem = key().seal(
            "secret",
            &Seal {
                salt: [1; 32],
                nonce: [2; 24],
            },
        );
        assert!(pem.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
        let back = PrivateKey::read(&pem, password("secret")).unwrap();
        assert_eq!(back.public(), key().public());
        let wrong = PrivateKey::read(&pem, password("other")).unwrap_err();
        assert_eq!(wrong, KeyError::Password);
    }

    #[test]
    fn only_the_owner_of_the_key_signs() {
        let signature = key().sign(b"message");
        assert_eq!(
            signature,
            key().sign(b"message"),
            "signing has no chance in it"
        );
        let public = PublicKey::read(&key().public().to_pem()).unwrap();
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"massage", &signature));
        assert!(
            !PrivateKey::from_random(&[8; 32])
                .unwrap()
                .public()
                .verifies(b"message", &signature)
        );
        assert!(!public.verifies(b"message", "bm90IGEgc2lnbmF0dXJl"));
        assert!(!public.verifies(b"message", "!"));
    }

    #[test]
    fn an_unsealed_key_of_openssl_is_read() {
        // openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt
        let pem = include_str!("../tests/keys/p256.pem");
        let key = PrivateKey::read(pem, || -> Result<String, KeyError> {
            panic!("nothing to ask")
        })
        .unwrap();
        let public = PublicKey::read(include_str!("../tests/keys/p256.pub")).unwrap();
        assert_eq!(key.public(), public);
        let sec1 = include_str!("../tests/keys/sec1.pem");
        let key = PrivateKey::read(sec1, password("")).unwrap();
        assert_eq!(key.public(), public);
    }

    #[test]
    fn what_is_no_such_key_is_said_so() {
        for (pem, wanted) in [
            (
                "",
                KeyError::NotAKey("a PEM with a private key is expected"),
            ),
            (include_str!("../tests/keys/rsa.pem"), KeyError::OtherKind),
            (
                include_str!("../tests/keys/p256.pub"),
                KeyError::NotAKey("it is a public key, and a private one is needed"),
            ),
        ] {
            assert_eq!(PrivateKey::read(pem, password("")).unwrap_err(), wanted);
        }
        assert!(PublicKey::read(include_str!("../tests/keys/p256.pem")).is_err());
    }

    #[test]
    fn a_key_that_would_take_much_memory_is_refused() {
        let sealed = r#"{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":""},"cipher":{"name":"nacl/secretbox","nonce":""},"ciphertext":""}"#;
        let pem = super::wrap_pem(super::SEALED, sealed.as_bytes());
        let error = PrivateKey::read(&pem, password("")).unwrap_err();
        assert_eq!(
            error,
            KeyError::NotAKey("it is sealed in a way cosign does not use")
        );
    }
}
