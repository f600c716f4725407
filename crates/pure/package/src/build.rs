//! Puts a package image together: layers, configuration, labels. The same parts always give the same bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::digest::Digest;
use crate::gzip;
use crate::image::{Image, Layer, Role, label};
use crate::manifest::{Config, Platform, RootFs, Run};
use crate::names;
use crate::tarball::{self, File};

/// The time in everything made here: a build says what is in it, not when it ran.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// A layer before it is part of an image: the archive, packed, and the digest of the archive itself.
#[derive(Debug, Clone)]
pub struct NewLayer {
    /// Compressed.
    pub bytes: Bytes,
    /// The digest of the archive before it was compressed.
    pub diff_id: Digest,
    /// What it is for.
    pub role: Option<Role>,
}

impl NewLayer {
    /// A layer with files: path, mode, content.
    pub fn of_files(files: &[(&str, u32, &[u8])]) -> Self {
        let files: Vec<File<'_>> = files
            .iter()
            .map(|(path, mode, bytes)| File {
                path,
                mode: *mode,
                bytes,
            })
            .collect();
        Self::pack(&files, None)
    }

    /// The layer with `package.yaml`.
    pub fn of_package(stream: &str) -> Self {
        Self::of_stream(names::PACKAGE_FILE, stream, Role::Package)
    }

    /// The layer with examples.
    pub fn of_examples(stream: &str) -> Self {
        Self::of_stream(names::EXAMPLES_FILE, stream, Role::Examples)
    }

    fn of_stream(path: &str, stream: &str, role: Role) -> Self {
        let file = File {
            path,
            mode: 0o644,
            bytes: stream.as_bytes(),
        };
        Self::pack(&[file], Some(role))
    }

    fn pack(files: &[File<'_>], role: Option<Role>) -> Self {
        let archive = tarball::write(files);
        Self {
            bytes: gzip::compress(&archive),
            diff_id: Digest::of(&archive),
            role,
        }
    }
}

/// An image of these layers, the lowest first. Labels in `run` that say which layer is which are added.
pub fn image(platform: &Platform, mut run: Run, layers: Vec<NewLayer>) -> Image {
    let mut diff_ids = Vec::new();
    let mut finished = Vec::new();
    for layer in layers {
        let digest = Digest::of(&layer.bytes);
        if let Some(role) = layer.role {
            run.labels.insert(label(&digest), role.as_str().to_owned());
        }
        diff_ids.push(layer.diff_id.to_string());
        finished.push(Layer {
            bytes: layer.bytes,
            digest,
            media_type: names::OCI_LAYER_GZIP.to_owned(),
            role: layer.role,
        });
    }
    let config = Config {
        created: Some(CREATED.to_owned()),
        architecture: platform.architecture.clone(),
        os: platform.os.clone(),
        os_version: platform.os_version.clone(),
        variant: platform.variant.clone(),
        config: run,
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids,
        },
    };
    Image {
        config_bytes: json(&config).into(),
        config,
        layers: finished,
        annotations: BTreeMap::new(),
        tags: Vec::new(),
        manifest_bytes: None,
    }
}

/// The `.xpkg`: what `docker save` would write of this image.
pub fn xpkg(image: &Image) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Saved<'a> {
        config: String,
        repo_tags: Option<&'a [String]>,
        layers: &'a [String],
    }
    let config = Digest::of(&image.config_bytes).to_string();
    let names: Vec<String> = image
        .layers
        .iter()
        .map(|layer| {
            let ending = if gzip::is_gzip(&layer.bytes) {
                "tar.gz"
            } else {
                "tar"
            };
            format!("{}.{ending}", layer.digest.hex())
        })
        .collect();
    let list = json(&[Saved {
        config: config.clone(),
        repo_tags: (!image.tags.is_empty()).then_some(&image.tags),
        layers: &names,
    }]);
    let mut files = vec![plain(&config, &image.config_bytes)];
    let mut written: Vec<&String> = Vec::new();
    for (name, layer) in names.iter().zip(&image.layers) {
        // The same layer twice is one file.
        if !written.contains(&name) {
            files.push(plain(name, &layer.bytes));
            written.push(name);
        }
    }
    files.push(plain("manifest.json", &list));
    tarball::write(&files)
}

pub(crate) fn plain<'a>(path: &'a str, bytes: &'a [u8]) -> File<'a> {
    File {
        path,
        mode: 0o644,
        bytes,
    }
}

/// JSON of our own types.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("our types have text keys only")
}
