//! Which programs go into a package's images, and may they?

use std::collections::BTreeMap;
use std::path::PathBuf;

use purlin_package::{BadProgram, Meta, PackageKind, Program};

use super::build::Args;
use super::own;

/// Bytes of a function's program.
const LARGEST_PROGRAM: u64 = 1 << 30;

/// Parses `ARCH=FILE`.
pub(super) fn binary(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((architecture, file)) if !architecture.is_empty() && !file.is_empty() => {
            Ok((architecture.to_owned(), PathBuf::from(file)))
        }
        _ => Err("write ARCH=FILE, such as amd64=target/release/function".to_owned()),
    }
}

/// The programs of Purlin's own package.
pub(super) fn own_programs(args: &Args) -> Vec<(String, PathBuf)> {
    if !args.binary.is_empty() {
        return args.binary.clone();
    }
    let wanted: Vec<&str> = if args.arch.is_empty() {
        own::ARCHITECTURES.to_vec()
    } else {
        args.arch.iter().map(String::as_str).collect()
    };
    wanted
        .into_iter()
        .map(|architecture| {
            let found = own::binary(architecture);
            let place =
                found.unwrap_or_else(|| PathBuf::from(format!("purlin-linux-{architecture}")));
            (architecture.to_owned(), place)
        })
        .collect()
}

/// The programs, by architecture.
pub(super) type Programs = BTreeMap<String, Vec<u8>>;

/// Reads the programs; all that is wrong with them is told.
pub(super) fn read_programs(
    args: &Args,
    programs: &[(String, PathBuf)],
    meta: &Meta,
) -> anyhow::Result<Result<Programs, Vec<String>>> {
    let mut read = BTreeMap::new();
    let mut mistakes = Vec::new();
    let runs = matches!(meta.kind, PackageKind::Function | PackageKind::Provider);
    if runs && programs.is_empty() {
        mistakes.push(format!(
            "a {} needs its program: give --binary amd64=FILE and --binary arm64=FILE",
            meta.kind
        ));
    }
    for (architecture, path) in programs {
        if !args.arch.is_empty() && !args.arch.contains(architecture) {
            continue;
        }
        if !path.is_file() {
            mistakes.push(format!(
                "there is no program for {architecture} at {}: build a static one (`make package` does for Purlin itself) and give \
                 --binary {architecture}=FILE, or leave it out with --arch",
                path.display()
            ));
            continue;
        }
        let bytes = super::read(path, LARGEST_PROGRAM)?;
        match judge(&bytes, architecture, args.allow_dynamic) {
            Some(why) => mistakes.push(format!("{}: {why}", path.display())),
            None => {
                if read.insert(architecture.clone(), bytes).is_some() {
                    mistakes.push(format!("--binary {architecture}=… is there twice"));
                }
            }
        }
    }
    for architecture in &args.arch {
        if !programs.iter().any(|(of, _)| of == architecture) {
            mistakes.push(format!("--arch {architecture} has no --binary"));
        }
    }
    Ok(if mistakes.is_empty() {
        Ok(read)
    } else {
        Err(mistakes)
    })
}

/// Why this program cannot be in an image for that architecture.
fn judge(bytes: &[u8], architecture: &str, allow_dynamic: bool) -> Option<String> {
    let program = match Program::read(bytes) {
        Ok(program) => program,
        Err(
            bad @ (BadProgram::NotElf
            | BadProgram::NotRunnable
            | BadProgram::Cut
            | BadProgram::Machine(_)),
        ) => {
            return Some(bad.to_string());
        }
    };
    if program.architecture != architecture {
        return Some(format!(
            "it is a program for {}, not {architecture}",
            program.architecture
        ));
    }
    match program.loader {
        Some(loader) if !allow_dynamic => Some(format!(
            "it is not static: it needs {loader}, which is not in the image. Link it statically: for Rust build for a musl target, or with \
             -C target-feature=+crt-static"
        )),
        _ => None,
    }
}
