//! Finds `package.yaml` in an image, the way Crossplane does.
//!
//! The first layer annotated as the package is opened. Without one, all layers are flattened as for a container, and the
//! first file of that name wins, in whatever folder it is.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};

use bytes::Bytes;

use crate::entries::walk;
use crate::error::{Error, TooMuch};
use crate::gzip;
use crate::image::{Image, Layer, Role};
use crate::limits::Limits;
use crate::names;

impl Image {
    /// The stream of objects.
    pub fn package_yaml(&self, limits: &Limits) -> Result<String, Error> {
        let package = self
            .layers
            .iter()
            .find(|layer| layer.role == Some(Role::Package));
        let bytes = match package {
            Some(layer) => file_of(layer, names::PACKAGE_FILE, limits)?,
            None => flattened(&self.layers, limits)?,
        };
        let bytes = bytes.ok_or(Error::NoPackage)?;
        String::from_utf8(bytes).map_err(|_| Error::NotText)
    }

    /// The stream of examples, when the image has some.
    pub fn examples_yaml(&self, limits: &Limits) -> Result<Option<String>, Error> {
        let Some(layer) = self
            .layers
            .iter()
            .find(|layer| layer.role == Some(Role::Examples))
        else {
            return Ok(None);
        };
        let bytes = file_of(layer, names::EXAMPLES_FILE, limits)?;
        bytes
            .map(|bytes| String::from_utf8(bytes).map_err(|_| Error::NotText))
            .transpose()
    }
}

impl Layer {
    /// The layer's archive, decompressed.
    pub fn unpack(&self, limits: &Limits) -> Result<Bytes, Error> {
        let mut whole = Vec::new();
        gzip::decompress(&self.bytes, limits)
            .read_to_end(&mut whole)
            .map_err(|error| Error::of_layer(&self.digest, error))?;
        Ok(whole.into())
    }
}

/// The first file of a layer with the base name of `wanted`.
fn file_of(layer: &Layer, wanted: &str, limits: &Limits) -> Result<Option<Vec<u8>>, Error> {
    let base = base_of(wanted);
    let stream = gzip::decompress(&layer.bytes, limits);
    walk(stream, limits, |entry, file| {
        if entry.kind.is_file() && base_of(&entry.name) == base {
            return content(file, limits).map(Some);
        }
        Ok(None)
    })
    .map_err(|error| Error::of_layer(&layer.digest, error))
}

fn flattened(layers: &[Layer], limits: &Limits) -> Result<Option<Vec<u8>>, Error> {
    // What is hidden from lower layers: true for whole trees (a file or a whiteout stands there).
    let mut seen: BTreeMap<String, bool> = BTreeMap::new();
    let (mut names, left) = (0, Cell::new(limits.image));
    for layer in layers.iter().rev() {
        let stream = gzip::decompress_some(&layer.bytes, limits, &left);
        let found = walk(stream, limits, |entry, file| {
            let (name, kind) = (entry.name, entry.kind);
            let base = base_of(&name);
            let (hidden, removed) = match base.strip_prefix(".wh.") {
                Some(of) => (sibling(&name, of), true),
                None => (name.clone(), false),
            };
            if is_below_hidden(&hidden, &seen) || seen.contains_key(&hidden) {
                return Ok(None);
            }
            names += name.len();
            for (count, limit, what) in [
                (seen.len() + 1, limits.entries, "files"),
                (names, limits.names, "bytes of names"),
            ] {
                if count > limit {
                    return Err(io::Error::other(TooMuch {
                        what: "an image",
                        limit: limit as u64,
                        unit: what,
                    }));
                }
            }
            seen.insert(hidden, removed || !kind.is_dir());
            if !removed && kind.is_file() && base == names::PACKAGE_FILE {
                return content(file, limits).map(Some);
            }
            Ok(None)
        });
        let found = found.map_err(|error| Error::of_layer(&layer.digest, error))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn is_below_hidden(name: &str, seen: &BTreeMap<String, bool>) -> bool {
    let mut path = name;
    while let Some((parent, _)) = path.rsplit_once('/') {
        if seen.get(parent) == Some(&true) {
            return true;
        }
        path = parent;
    }
    false
}

fn base_of(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, base)| base)
}

fn sibling(name: &str, base: &str) -> String {
    match name.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{base}"),
        None => base.to_owned(),
    }
}

fn content(file: &mut dyn Read, limits: &Limits) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limits.package.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits.package {
        return Err(io::Error::other(TooMuch {
            what: "package.yaml",
            limit: limits.package,
            unit: "bytes",
        }));
    }
    Ok(bytes)
}
