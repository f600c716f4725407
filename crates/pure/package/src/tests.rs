//! Packages there and back.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::tarball::{self, File};
use crate::{
    Archive, Error, Image, Limits, NewLayer, Platform, Role, Run, image, index, oci_layout, xpkg,
};

const STREAM: &str =
    "---\napiVersion: meta.pkg.crossplane.io/v1\nkind: Configuration\nmetadata:\n  name: x\n---\n";

pub(crate) fn made(architecture: &str) -> Image {
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

pub(crate) fn read(bytes: Vec<u8>) -> Result<Archive, Error> {
    Archive::read(&Bytes::from(bytes), &Limits::default())
}

pub(crate) fn file<'a>(path: &'a str, bytes: &'a [u8]) -> File<'a> {
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
pub(crate) fn plain(layers: &[&[File<'_>]]) -> Image {
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
fn what_crossplanes_command_line_makes_is_read() {
    let built = include_bytes!("../../../../tests/fixtures/crossplane-cli/configuration.xpkg");
    let pushed = include_bytes!("../../../../tests/fixtures/crossplane-cli/pushed.tar");
    let limits = Limits::default();

    let archive = read(built.to_vec()).unwrap();
    let [image] = archive.images.as_slice() else {
        panic!("{archive:?}")
    };
    assert_eq!(image.config.platform().to_string(), "no platform");
    let roles: Vec<_> = image.layers.iter().map(|layer| layer.role).collect();
    assert_eq!(roles, [Some(Role::Package), Some(Role::Examples)]);
    let stream = image.package_yaml(&limits).unwrap();
    let (contents, found) = crate::Contents::read([("package.yaml", stream.as_str())]);
    assert!(!found.has_errors(), "{found:?}");
    let mut names: Vec<_> = contents.objects.iter().map(|one| &one.name).collect();
    names.sort();
    assert_eq!(names, ["network", "xnetworks.platform.acme.example"]);
    let examples = image.examples_yaml(&limits).unwrap().unwrap();
    assert!(examples.contains("kind: Network"), "{examples}");
    let back = read(xpkg(image)).unwrap();
    assert_eq!(back.images[0].package_yaml(&limits).unwrap(), stream);

    let archive = read(pushed.to_vec()).unwrap();
    let index = archive.index.clone().unwrap();
    let again = read(crate::oci_layout_as(&archive.images, index.clone())).unwrap();
    assert_eq!(again.index, Some(index), "the index stays as it was");
    let platforms: Vec<_> = archive
        .images
        .iter()
        .map(|image| image.config.platform().to_string())
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    for image in &archive.images {
        assert_eq!(image.manifest_type(), crate::names::DOCKER_MANIFEST);
        assert_eq!(image.config.config.entrypoint, ["/usr/bin/purlin", "serve"]);
        let stream = image.package_yaml(&limits).unwrap();
        assert!(stream.contains("name: function-purlin"), "{stream}");
    }
}
