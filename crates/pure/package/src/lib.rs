//! What is inside an .xpkg?
//!
//! A package is a container image with one more layer, whose only file is `package.yaml`: a stream of one meta object
//! (Configuration, Provider or Function) and the objects it brings. An `.xpkg` is such an image in a file.
//!
//! [`Archive::read`] opens an `.xpkg` (or an OCI layout in a tar archive), [`Image::package_yaml`] finds the stream the way
//! Crossplane does, and [`Contents::read`] (or [`split`]) takes it
//! apart. Everything that is read is bounded by [`Limits`]. [`NewLayer`], [`image`],
//! [`xpkg`], [`index`] and [`oci_layout`] go the other way; the same input always gives the same bytes.
//! Takes and gives bytes; knows no files and no registries.

mod archive;
mod assemble;
mod build;
mod bundle;
mod constraint;
mod contents;
mod digest;
mod elf;
mod entries;
mod error;
mod function;
mod gzip;
mod image;
mod key;
mod kinds;
mod limits;
mod lookup;
mod manifest;
mod meta;
mod name;
pub mod names;
mod reference;
mod signature;
mod split;
mod tarball;
mod version;

#[cfg(test)]
mod contents_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

pub use archive::Archive;
pub use assemble::{index, index_type, is_index_of, oci_layout, oci_layout_as, twice};
pub use build::{NewLayer, image, xpkg};
pub use bundle::{BUNDLE, bundle, bundle_image, is_bundle, signed_by_bundle};
pub use constraint::{BadConstraint, Constraint};
pub use contents::{Contents, PackageObject};
pub use digest::Digest;
pub use elf::{BadProgram, Program};
pub use error::Error;
pub use function::{Runtime, function_image, input_crd, plain_image};
pub use image::{Image, Layer, Role};
pub use key::{KeyError, PrivateKey, PublicKey, Seal};
pub use kinds::PackageKind;
pub use limits::Limits;
pub use manifest::{Config, Descriptor, Index, Manifest, Platform, Run};
pub use meta::{Dependency, Meta};
pub use name::{dns_label, friendly_id};
pub use reference::{BadReference, RefVersion, Reference};
pub use signature::{
    Payload, SIGNATURE, payload, referrers_tag, signature_image, signature_tag, signatures,
};
pub use split::{Part, split};
pub use version::Version;
