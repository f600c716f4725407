//! Packages there and back, and packages that mean harm.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::tarball::{self, File};
use crate::{
    Archive, Error, Image, Limits, NewLayer, Platform, Role, Run, image, index, oci_layout, xpkg,
};

const STREAM: &str =
    "---\napiVersion: meta.pkg.crossplane.io/v1\nkind: Configuration\nmetadata:\n  name: x\n---\n";

fn made(architecture: &str) -> Image {
    let run = Run {
        user: "2000:2000".to_owned(),
        ..Run::default()
    };
    let layers = vec![
        NewLayer::of_files(&[("usr/bin/function", 0o755, b"\x7fELF")]),
        NewLayer::of_package(STREAM),
        NewLayer::of_examples("kind: XNetwork\n"),
    ];
    image(&Platform::linux(architecture), run, layers)
}

fn read(bytes: Vec<u8>) -> Result<Archive, Error> {
    Archive::read(&Bytes::from(bytes), &Limits::default())
}

fn file<'a>(path: &'a str, bytes: &'a [u8]) -> File<'a> {
    File {
        path,
        mode: 0o644,
        bytes,
    }
}

#[test]
fn an_xpkg_comes_back_as_it_went() {
    let image = made("amd64");
    let bytes = xpkg(&image);
    assert_eq!(
        bytes,
        xpkg(&made("amd64")),
        "the same parts give the same bytes"
    );
    let archive = read(bytes).unwrap();
    let [back] = archive.images.as_slice() else {
        panic!("{archive:?}")
    };
    let limits = Limits::default();
    assert_eq!(back.package_yaml(&limits).unwrap(), STREAM);
    assert_eq!(
        back.examples_yaml(&limits).unwrap().unwrap(),
        "kind: XNetwork\n"
    );
    assert_eq!(back.config, image.config);
    assert_eq!(back.layers[1].role, Some(Role::Package));
    assert_eq!(
        back.manifest(),
        image.manifest(),
        "the manifest is rebuilt from labels alone"
    );
    assert_eq!(xpkg(back), xpkg(&image));
}

#[test]
fn diff_ids_are_of_the_unpacked_layers() {
    let image = made("arm64");
    for (layer, diff_id) in image.layers.iter().zip(&image.config.rootfs.diff_ids) {
        let unpacked = layer.unpack(&Limits::default()).unwrap();
        assert_eq!(crate::Digest::of(&unpacked).as_str(), diff_id);
    }
}

#[test]
fn a_layout_comes_back_with_all_its_images() {
    let images = [made("amd64"), made("arm64")];
    let archive = read(oci_layout(&images, BTreeMap::new(), Some("v1"))).unwrap();
    let platforms: Vec<_> = archive
        .images
        .iter()
        .map(|image| image.config.platform().to_string())
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    for (back, image) in archive.images.iter().zip(&images) {
        assert_eq!(back.manifest(), image.manifest());
        assert_eq!(back.package_yaml(&Limits::default()).unwrap(), STREAM);
    }
    assert_eq!(
        index(&archive.images, BTreeMap::new()),
        index(&images, BTreeMap::new())
    );
}

#[test]
fn crossplane_reads_the_first_member_for_linux_amd64() {
    let check = |members: &[&str], wanted: Option<usize>| {
        let images: Vec<Image> = members
            .iter()
            .map(|architecture| made(architecture))
            .collect();
        let index: crate::Index = serde_json::from_slice(&index(&images, BTreeMap::new())).unwrap();
        let found = index.installed().map(|member| member.digest.clone());
        assert_eq!(found, wanted.map(|at| index.manifests[at].digest.clone()));
    };
    check(&["arm64", "amd64"], Some(1));
    check(&["arm64"], None);
    let mut nameless: crate::Index =
        serde_json::from_slice(&index(&[made("arm64")], BTreeMap::new())).unwrap();
    nameless.manifests[0].platform = None;
    assert!(
        nameless.installed().is_some(),
        "no platform counts as linux/amd64"
    );
}

/// An image whose layers say nothing of what they are for, as a Dockerfile makes it.
fn plain(layers: &[&[File<'_>]]) -> Image {
    let limits = Limits::default();
    let layers = layers
        .iter()
        .map(|files| Bytes::from(tarball::write(files)))
        .map(|layer| (crate::Digest::of(&layer), layer))
        .collect::<Vec<_>>();
    let config = serde_json::json!({"architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|_| "sha256:00").collect::<Vec<_>>()}});
    Image::from_labels(config.to_string().into(), layers, Vec::new(), &limits).unwrap()
}

#[test]
fn without_annotations_the_flattened_files_are_searched() {
    let check = |layers: &[&[File<'_>]], wanted: Option<&str>| match plain(layers)
        .package_yaml(&Limits::default())
    {
        Ok(text) => assert_eq!(Some(text.as_str()), wanted),
        Err(Error::NoPackage) => assert_eq!(None, wanted),
        Err(other) => panic!("{other}"),
    };
    check(
        &[&[file("a", b"")], &[file("package.yaml", b"one")]],
        Some("one"),
    );
    check(
        &[
            &[file("package.yaml", b"one")],
            &[file("package.yaml", b"two")],
        ],
        Some("two"),
    );
    check(
        &[&[file("deep/down/package.yaml", b"one")], &[file("a", b"")]],
        Some("one"),
    );
    check(
        &[
            &[file("package.yaml", b"one")],
            &[file(".wh.package.yaml", b"")],
        ],
        None,
    );
    check(
        &[&[file("pkg/package.yaml", b"one")], &[file(".wh.pkg", b"")]],
        None,
    );
    check(&[&[file("a", b"")]], None);
}

#[test]
fn what_is_no_package_is_said_so() {
    for bytes in [
        Vec::new(),
        b"hello".to_vec(),
        vec![b'x'; 4096],
        tarball::write(&[file("a", b"b")]),
    ] {
        assert!(matches!(read(bytes), Err(Error::NotAPackage)));
    }
}

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
    use super::*;
    use proptest::prelude::*;

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
