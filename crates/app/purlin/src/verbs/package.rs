//! `purlin package build|push|pull|inspect|sign|verify|keygen`

mod build;
mod gather;
mod inspect;
mod keys;
mod modules;
mod output;
mod own;
mod programs;
mod registry;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use purlin_package::{Archive, Limits};

use crate::exit::Exit;
use crate::ui::Ui;

pub(super) use registry::Registry;

/// Bytes of a package file. Whatever is larger is no package.
const LARGEST: u64 = 2 << 30;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a package: a Function with its programs, or a Configuration of XRDs and Compositions.
    Build(build::Args),
    /// Put packages into a registry. Several, one for each platform, become one index.
    Push(registry::PushArgs),
    /// Get a package out of a registry.
    Pull(registry::PullArgs),
    /// Show what is in a package, in a file or in a registry.
    Inspect(inspect::Args),
    /// Sign a package in a registry, as cosign does.
    Sign(registry::SignArgs),
    /// Make sure that a package in a registry was signed with a key.
    Verify(registry::VerifyArgs),
    /// Make a pair of keys to sign and verify with, as cosign does.
    Keygen(keys::Args),
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    match &args.action {
        Action::Build(args) => build::run(args, ui),
        Action::Push(args) => registry::push(args, ui),
        Action::Pull(args) => registry::pull(args, ui),
        Action::Inspect(args) => inspect::run(args, ui),
        Action::Sign(args) => registry::sign(args, ui),
        Action::Verify(args) => registry::verify(args, ui),
        Action::Keygen(args) => keys::run(args, ui),
    }
}

/// Opens a package file.
fn open(path: &Path) -> anyhow::Result<Archive> {
    let bytes = read(path, LARGEST)?;
    Archive::read(&bytes.into(), &Limits::default()).with_context(|| format!("{}", path.display()))
}

/// Reads a file, unless it is too large.
fn read(path: &Path, largest: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let size = std::fs::metadata(path).with_context(cannot)?.len();
    if size > largest {
        bail!("{} is larger than {largest} bytes", path.display());
    }
    std::fs::read(path).with_context(cannot)
}

/// Writes a file as a whole or not at all: beside it first, then in its place.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, bytes).with_context(cannot)?;
    std::fs::rename(&beside, path).with_context(cannot)
}

/// How many bytes, for people.
fn size(bytes: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "shown with one digit after the point"
    )]
    let number = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", number / 1024.0),
        _ => format!("{:.1} MiB", number / 1_048_576.0),
    }
}
