//! What is inside an .xpkg?
//!
//! A package is a container image with one more layer, whose only file is `package.yaml`: a stream of one meta object
//! (Configuration, Provider or Function) and the objects it brings. An `.xpkg` is such an image in a file.
//!
//! [`Archive::read`] opens an `.xpkg` (or an OCI layout in a tar archive), [`Image::package_yaml`] finds the stream the way
//! Crossplane does, and [`split`] takes it apart. Everything that is read is bounded by [`Limits`]. [`NewLayer`], [`image`],
//! [`xpkg`], [`index`] and [`oci_layout`] go the other way; the same input always gives the same bytes.
//! Takes and gives bytes; knows no files and no registries.

mod archive;
mod assemble;
mod build;
mod digest;
mod error;
mod gzip;
mod image;
mod limits;
mod lookup;
mod manifest;
pub mod names;
mod split;
mod tarball;
#[cfg(test)]
mod tests;

pub use archive::Archive;
pub use assemble::{index, oci_layout, twice};
pub use build::{NewLayer, image, xpkg};
pub use digest::Digest;
pub use error::Error;
pub use image::{Image, Layer, Role};
pub use limits::Limits;
pub use manifest::{Config, Descriptor, Index, Manifest, Platform, Run};
pub use split::{Part, split};
