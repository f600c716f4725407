//! Packages that mean harm.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::tarball;
use crate::tests::{file, made, plain, read};
use crate::{Archive, Error, Limits, NewLayer, Platform, Run, image, oci_layout, xpkg};

#[test]
fn damage_is_found() {
    let whole = xpkg(&made("amd64"));
    for cut in [600, whole.len() / 2, whole.len() - 1500] {
        read(whole[..cut].to_vec()).unwrap_err();
    }
    let layout = oci_layout(&[made("amd64")], BTreeMap::new(), None);
    let at = layout
        .windows(4)
        .position(|bytes| bytes == b"2000")
        .unwrap();
    let mut changed = layout;
    changed[at] = b'3';
    assert!(matches!(read(changed), Err(Error::Digest { .. })));
    let missing = br#"[{"Config":"sha256:00","RepoTags":null,"Layers":["a.tar.gz"]}]"#;
    assert!(matches!(
        read(tarball::write(&[file("manifest.json", missing)])),
        Err(Error::Missing(_))
    ));
}

#[test]
fn a_layer_that_unpacks_to_far_too_much_is_stopped() {
    let zeros = vec![0; 40 << 20];
    let bomb = image(
        &Platform::linux("amd64"),
        Run::default(),
        vec![NewLayer::of_files(&[("zeros", 0o644, &zeros)])],
    );
    let archive = read(xpkg(&bomb)).unwrap();
    let error = archive.images[0]
        .package_yaml(&Limits::default())
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooMuch {
                unit: "times its compressed size",
                ..
            }
        ),
        "{error:?}"
    );

    let small = Limits {
        layer: 1 << 20,
        ..Limits::default()
    };
    let error = archive.images[0].package_yaml(&small).unwrap_err();
    assert!(
        matches!(error, Error::TooMuch { limit, .. } if limit == 1 << 20),
        "{error:?}"
    );
}

/// A layout whose top index holds these, and these blobs besides.
fn layout(manifests: &serde_json::Value, blobs: &[&[u8]]) -> Vec<u8> {
    let index = serde_json::json!({"schemaVersion": 2, "manifests": manifests}).to_string();
    let names: Vec<String> = blobs
        .iter()
        .map(|blob| format!("blobs/sha256/{}", crate::Digest::of(blob).hex()))
        .collect();
    let mut files = vec![file("index.json", index.as_bytes())];
    files.extend(names.iter().zip(blobs).map(|(name, blob)| file(name, blob)));
    tarball::write(&files)
}

#[test]
fn indexes_that_hold_many_indexes_are_not_followed_for_ever() {
    let mut inner = "{\"schemaVersion\": 2}".to_owned();
    let mut blobs = vec![inner.clone()];
    let mut members = serde_json::Value::Null;
    for _ in 0..3 {
        let descriptor = serde_json::json!({"mediaType": crate::names::OCI_INDEX,
            "digest": crate::Digest::of(inner.as_bytes()), "size": inner.len()});
        members = vec![descriptor; 50].into();
        inner = serde_json::json!({"schemaVersion": 2, "manifests": members}).to_string();
        blobs.push(inner.clone());
    }
    let blobs: Vec<&[u8]> = blobs.iter().map(String::as_bytes).collect();
    let error = read(layout(&members, &blobs)).unwrap_err();
    assert!(
        matches!(error, Error::TooMuch { unit: "images", .. }),
        "{error:?}"
    );
}

#[test]
fn a_configuration_that_many_images_share_is_counted_each_time() {
    let config = serde_json::json!({"config": {"Labels": {"a": "x".repeat(3 << 20)}}}).to_string();
    let one = serde_json::json!({"Config": "c", "Layers": []});
    let list = serde_json::Value::from(vec![one; 10]).to_string();
    let archive = [
        file("manifest.json", list.as_bytes()),
        file("c", config.as_bytes()),
    ];
    let error = read(tarball::write(&archive)).unwrap_err();
    assert!(
        matches!(error, Error::TooMuch { limit, .. } if limit == 16 << 20),
        "{error:?}"
    );
}

#[test]
fn layers_that_are_searched_share_what_they_may_unpack_to() {
    let zeros = vec![0; 1 << 20];
    let files = [file("zeros", &zeros)];
    let image = plain(&[files.as_slice(); 5]);
    let limits = Limits {
        image: 4 << 20,
        ..Limits::default()
    };
    let error = image.package_yaml(&limits).unwrap_err();
    assert!(
        matches!(error, Error::TooMuch { limit, .. } if limit == limits.image),
        "{error:?}"
    );
    assert!(matches!(
        image.package_yaml(&Limits::default()),
        Err(Error::NoPackage)
    ));
}

#[test]
fn every_bound_holds() {
    let check = |limits: Limits| {
        let bytes = Bytes::from(oci_layout(
            &[made("amd64"), made("arm64")],
            BTreeMap::new(),
            None,
        ));
        let error = Archive::read(&bytes, &limits)
            .and_then(|archive| archive.images[0].package_yaml(&limits))
            .unwrap_err();
        assert!(
            matches!(error, Error::TooMuch { .. }),
            "{limits:?}: {error:?}"
        );
    };
    check(Limits {
        entries: 3,
        ..Limits::default()
    });
    check(Limits {
        names: 100,
        ..Limits::default()
    });
    check(Limits {
        json_of_all: 1000,
        ..Limits::default()
    });
    check(Limits {
        layers: 2,
        ..Limits::default()
    });
    check(Limits {
        images: 1,
        ..Limits::default()
    });
    check(Limits {
        package: 10,
        ..Limits::default()
    });
    check(Limits {
        json: 100,
        ..Limits::default()
    });
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(at in 0usize..6000, with in any::<u8>()) {
            let mut bytes = xpkg(&made("amd64"));
            let at = at % bytes.len();
            bytes[at] = with;
            if let Ok(archive) = read(bytes) {
                for image in archive.images {
                    drop(image.package_yaml(&Limits::default()));
                }
            }
        }
    }
}
