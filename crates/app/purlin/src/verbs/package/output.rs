//! Where does a package go that was built, and in which form?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use purlin_package::{Digest, Image, Meta, friendly_id, names, oci_layout, xpkg};

use super::build::Args;
use crate::ui::Ui;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// An .xpkg for each platform, as Crossplane's tools take it.
    Xpkg,
    /// One OCI layout in a tar archive, with all platforms.
    Oci,
}

/// Writes the images into files, and prints the names of those.
pub(super) fn write_all(
    args: &Args,
    root: &Path,
    meta: &Meta,
    images: &[Image],
    ui: &Ui,
) -> anyhow::Result<()> {
    if args.format == Format::Oci {
        let bytes = oci_layout(images, BTreeMap::new(), None);
        let path = args.package_file.clone().unwrap_or_else(|| {
            root.join(format!(
                "{}.tar",
                friendly_id(&meta.name, Digest::of(&bytes).hex())
            ))
        });
        super::write(&path, &bytes)?;
        ui.data(format_args!("{}\n", path.display()))?;
        return Ok(());
    }
    let several = images.len() > 1;
    for image in images {
        let architecture = &image.config.architecture;
        let path = match &args.package_file {
            Some(file) if several => with_architecture(file, architecture),
            Some(file) => file.clone(),
            None => {
                let digest = Digest::of(&image.manifest());
                let name = if several {
                    friendly_id(&format!("{}-{architecture}", meta.name), digest.hex())
                } else {
                    friendly_id(&meta.name, digest.hex())
                };
                root.join(format!("{name}.{}", names::EXTENSION))
            }
        };
        let bytes = xpkg(image);
        super::write(&path, &bytes)?;
        let packed: usize = image.layers.iter().map(|layer| layer.bytes.len()).sum();
        ui.say(format_args!(
            "{} {} for {}: {} compressed, manifest {}",
            meta.kind,
            meta.name,
            image.config.platform(),
            super::size(packed as u64),
            Digest::of(&image.manifest())
        ));
        ui.data(format_args!("{}\n", path.display()))
            .context("cannot print")?;
    }
    Ok(())
}

/// `function.xpkg` becomes `function-arm64.xpkg`.
fn with_architecture(file: &Path, architecture: &str) -> PathBuf {
    let ending = file
        .extension()
        .map_or(names::EXTENSION.into(), |ending| ending.to_string_lossy());
    let stem = file
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    file.with_file_name(format!("{stem}-{architecture}.{ending}"))
}
