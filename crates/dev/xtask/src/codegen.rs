//! Turns `proto/` into `crates/pure/proto/src/generated`, with compilers written in Rust: no protoc, no git.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use prost::Message as _;

const FILES: [&str; 2] = ["fn/v1/run_function.proto", "fn/v1beta1/run_function.proto"];
const GENERATED: &str = "crates/pure/proto/src/generated";

/// Writes the generated files.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    let folder = root.join(GENERATED);
    fs::create_dir_all(&folder)?;
    for (name, content) in generate(root)? {
        fs::write(folder.join(&name), content).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

/// The generated files: what `write` writes, by name.
fn generate(root: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut compiler = protox::Compiler::new([root.join("proto")])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(FILES)?;
    let out = tempfile::tempdir()?;
    let mut config = prost_build::Config::new();
    config.btree_map(["."]).bytes(["."]);
    // What they show of themselves is in `redact.rs` of the crate, because it must not be secret.
    let messages = ["Resource", "CredentialData"];
    config.skip_debug(messages.map(|name| format!(".apiextensions.fn.proto.v1.{name}")));
    tonic_prost_build::configure()
        .out_dir(out.path())
        .codec_path("crate::Codec")
        // Objects keep their bytes; see docs/decisions/0001-proto-knows-object.md.
        .extern_path(".google.protobuf.Struct", "::purlin_object::Object")
        // The messages of v1beta1 are those of v1; only the service has another name.
        .extern_path(".apiextensions.fn.proto.v1beta1", "crate::v1")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    let mut files = BTreeMap::new();
    for version in ["v1", "v1beta1"] {
        // `fn` is a word of Rust, which prost escapes in file names too.
        let name = format!("apiextensions.r#fn.proto.{version}.rs");
        files.insert(format!("{version}.rs"), fs::read(out.path().join(name))?);
    }
    compiler.include_source_info(false);
    let descriptor = compiler.file_descriptor_set().encode_to_vec();
    files.insert("descriptor.bin".to_owned(), descriptor);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{GENERATED, generate};

    #[test]
    fn what_is_checked_in_is_what_is_generated() {
        let root = crate::root();
        for (name, content) in generate(&root).unwrap() {
            let held = fs::read(root.join(GENERATED).join(&name)).unwrap_or_default();
            assert!(
                held == content,
                "{GENERATED}/{name} is stale: run `cargo run -p purlin-xtask -- codegen`"
            );
        }
    }
}
