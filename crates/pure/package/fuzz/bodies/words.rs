//! Any bytes as what stands around a package: refused, or the same again when it is written.

use std::sync::LazyLock;

use purlin_package::{
    Constraint, Digest, KeyError, PrivateKey, PublicKey, Reference, Version, dns_label,
    friendly_id, signed_by_bundle,
};

static KEY: LazyLock<PublicKey> =
    LazyLock::new(|| PrivateKey::from_random(&[7; 32]).expect("a key").public());

pub(crate) fn run(bytes: &[u8]) {
    let signed = signed_by_bundle(&KEY, &Digest::of(b""), bytes);
    assert!(signed.is_err(), "nobody else has the key");
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(reference) = Reference::parse(text) {
        // A tag beside a digest is not written.
        let again = Reference::parse(&reference.to_string()).expect("what is written can be read");
        assert_eq!(again.name(), reference.name(), "{text}");
        assert_eq!(again.version, reference.version, "{text}");
    }
    let only_before = Version::parse("1.2.3-a").expect("a version");
    if let Ok(constraint) = Constraint::parse(text)
        && !text.contains('-')
    {
        assert!(!constraint.allows(&only_before), "{text}");
    }
    if let Some(version) = Version::parse(text) {
        let written = version.to_string();
        assert_eq!(Version::parse(&written), Some(version), "{text}");
    }
    for label in [dns_label(text), friendly_id(text, text)] {
        assert!(label.len() <= 63, "{label}");
    }
    // With a password, opening a sealed key takes a tenth of a second.
    let sealed = || Err::<String, _>(KeyError::Password);
    drop(PrivateKey::read(text, sealed));
    drop(PublicKey::read(text));
}
