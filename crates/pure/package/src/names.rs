//! The names that a package image is made of: files, keys and media types.

/// The file with the stream of objects, in the package layer.
pub const PACKAGE_FILE: &str = "package.yaml";
/// The file with examples, in the examples layer.
pub const EXAMPLES_FILE: &str = ".up/examples.yaml";
/// The annotation of a layer, whose value says what the layer is.
pub const ANNOTATION: &str = "io.crossplane.xpkg";
/// What an `.xpkg` file is called at the end.
pub const EXTENSION: &str = "xpkg";

/// An OCI index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The configuration of an OCI image.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A layer of an OCI image, compressed.
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// A layer of an OCI image, as it is.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// Docker's list of manifests.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// The layer of a signature: the signed payload.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Whether a media type is that of a list of manifests.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_INDEX)
}

/// Whether a media type is that of one image's manifest.
pub fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}
