//! Any bytes as an archive: refused, or images whose parts are within the limits and can be written and read again.

use bytes::Bytes;
use purlin_package::{Archive, Image, Limits, split, xpkg};

/// So small that an input of some kilobytes reaches all of them.
const LIMITS: Limits = Limits {
    entries: 64,
    names: 4 << 10,
    layers: 8,
    images: 6,
    layer: 1 << 20,
    image: 2 << 20,
    ratio: 200,
    package: 16 << 10,
    json: 8 << 10,
    json_of_all: 24 << 10,
};

pub(crate) fn run(bytes: &[u8]) {
    let archive = mended(bytes);
    let Ok(read) = Archive::read(&archive, &LIMITS) else {
        return;
    };
    assert!(read.images.len() <= LIMITS.images);
    for image in &read.images {
        let stream = look(image);
        // What came without a manifest is written as it was read.
        if image.manifest_bytes.is_none() {
            let written = Bytes::from(xpkg(image));
            let wide = Limits::default();
            let again = Archive::read(&written, &wide).expect("what is written can be read");
            assert_eq!(again.images[0].layers.len(), image.layers.len());
            assert_eq!(again.images[0].manifest(), image.manifest());
            assert_eq!(look(&again.images[0]), stream);
        }
    }
}

fn look(image: &Image) -> Option<String> {
    assert!(image.layers.len() <= LIMITS.layers);
    drop(image.examples_yaml(&LIMITS));
    drop(image.config.platform().to_string());
    for layer in &image.layers {
        if let Ok(whole) = layer.unpack(&LIMITS) {
            assert!(whole.len() as u64 <= LIMITS.layer);
        }
    }
    let stream = image.package_yaml(&LIMITS).ok()?;
    assert!(stream.len() as u64 <= LIMITS.package);
    for part in split(&stream) {
        assert!(stream.contains(part.text));
    }
    Some(stream)
}

/// Puts the checksums into everything that looks like a header: no fuzzer guesses them, and a liar has them right.
fn mended(bytes: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes.into()
}
