//! `purlin package build`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use purlin_diag::{Diagnostics, Severity, Sources};
use purlin_package::{
    BadProgram, Contents, Digest, Image, Meta, PackageKind, Platform, Program, Runtime,
    friendly_id, function_image, names, oci_layout, plain_image, split, xpkg,
};

use super::gather::{self, Without};
use super::own;
use crate::exit::Exit;
use crate::ui::Ui;

/// Bytes of a function's program.
const LARGEST_PROGRAM: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Make a Function package. Without --package-root it is function-purlin, Purlin's own functions.
    #[arg(long, conflicts_with = "configuration")]
    function: bool,
    /// Make a Configuration package, of the XRDs and Compositions below --package-root.
    #[arg(long)]
    configuration: bool,
    /// The folder with crossplane.yaml and the objects of the package [default: .].
    #[arg(short = 'f', long, value_name = "DIR")]
    package_root: Option<PathBuf>,
    /// The folder with examples, which travel in a layer of their own [default: examples in the package's folder].
    #[arg(short, long, value_name = "DIR")]
    examples_root: Option<PathBuf>,
    /// Files and folders below the package's folder that are no part of it; `*` and `**` are wild.
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    ignore: Vec<String>,
    /// A static program of the function, as ARCH=FILE: amd64=target/…/function.
    #[arg(long, value_name = "ARCH=FILE", value_parser = binary)]
    binary: Vec<(String, PathBuf)>,
    /// Only for this architecture; may be repeated [default: all of --binary].
    #[arg(long, value_name = "ARCH")]
    arch: Vec<String>,
    /// Take programs that need a loader, too. An image of them runs nowhere: it is only to look at.
    #[arg(long)]
    allow_dynamic: bool,
    /// Where the package goes [default: a name made of its name and digest, in the package's folder]. Of several platforms each has
    /// a file, with the architecture before the ending.
    #[arg(short = 'o', long, value_name = "FILE")]
    package_file: Option<PathBuf>,
    /// What to write.
    #[arg(long, value_enum, default_value = "xpkg")]
    format: Format,
    /// What to do about findings of `purlin check` in a Configuration.
    #[arg(long, value_enum, default_value = "warn")]
    check: Check,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// An .xpkg for each platform, as Crossplane's tools take it.
    Xpkg,
    /// One OCI layout in a tar archive, with all platforms.
    Oci,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Check {
    /// Do not look for them.
    Off,
    /// Tell them, and make the package.
    Warn,
    /// Make no package when one is an error.
    Strict,
}

/// What goes into the images.
struct Parts {
    meta: Meta,
    stream: String,
    examples: Option<String>,
    /// The programs, by architecture; none for what runs nothing.
    programs: BTreeMap<String, Vec<u8>>,
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let is_own = args.function && args.package_root.is_none();
    let root = args
        .package_root
        .clone()
        .unwrap_or_else(|| PathBuf::from("."));
    let mut parts = if is_own {
        match own_parts(args, ui) {
            Some(parts) => parts,
            None => return Ok(Exit::Misuse),
        }
    } else {
        if !root.is_dir() {
            ui.say(format_args!("error: there is no folder {}", root.display()));
            return Ok(Exit::Misuse);
        }
        match read_parts(args, &root, ui)? {
            Ok(parts) => parts,
            Err(exit) => return Ok(exit),
        }
    };
    if let Some(mistake) = wanted_kind(args, &parts) {
        ui.say(format_args!("error: {mistake}"));
        return Ok(Exit::Misuse);
    }
    let programs = if is_own {
        own_programs(args)
    } else {
        args.binary.clone()
    };
    match read_programs(args, &programs, &parts.meta)? {
        Ok(read) => parts.programs = read,
        Err(mistakes) => {
            for mistake in mistakes {
                ui.say(format_args!("error: {mistake}"));
            }
            return Ok(Exit::Misuse);
        }
    }
    if parts.meta.kind == PackageKind::Function && !parts.programs.contains_key("amd64") {
        ui.say("warning: there is no program for amd64: Crossplane reads that image, also on clusters of arm64 alone, and will not install this");
    }
    let images = images(&parts, is_own);
    write_all(args, &root, &parts.meta, &images, ui)?;
    Ok(Exit::Done)
}

fn binary(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((architecture, file)) if !architecture.is_empty() && !file.is_empty() => {
            Ok((architecture.to_owned(), PathBuf::from(file)))
        }
        _ => Err("write ARCH=FILE, such as amd64=target/release/function".to_owned()),
    }
}

fn own_parts(args: &Args, ui: &Ui) -> Option<Parts> {
    if Path::new("crossplane.yaml").exists() {
        ui.say("note: this makes the package of Purlin's own functions; for the one in this folder add --package-root .");
    }
    let stream = own::stream();
    let (contents, _) = Contents::read([(names::PACKAGE_FILE, stream.as_str())]);
    if !args.ignore.is_empty() || args.examples_root.is_some() {
        ui.say("error: --ignore and --examples-root belong to --package-root");
        return None;
    }
    Some(Parts {
        meta: contents.meta?,
        stream,
        examples: None,
        programs: BTreeMap::new(),
    })
}

fn own_programs(args: &Args) -> Vec<(String, PathBuf)> {
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

/// Reads the author's files; what is wrong with them is told here.
fn read_parts(args: &Args, root: &Path, ui: &Ui) -> anyhow::Result<Result<Parts, Exit>> {
    let examples_root = args
        .examples_root
        .clone()
        .unwrap_or_else(|| root.join("examples"));
    if args.examples_root.is_some() && !examples_root.is_dir() {
        ui.say(format_args!(
            "error: there is no folder {}",
            examples_root.display()
        ));
        return Ok(Err(Exit::Misuse));
    }
    let without = Without {
        patterns: &args.ignore,
        folder: Some(examples_root.clone()),
    };
    let files = gather::files(root, &without)?;
    let example_files = if examples_root.is_dir() {
        gather::files(&examples_root, &Without::default())?
    } else {
        Vec::new()
    };
    let borrowed = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let (contents, mut found) = Contents::read(borrowed);
    let broken = found.has_errors();
    let is_configuration = contents
        .meta
        .as_ref()
        .is_some_and(|meta| meta.kind == PackageKind::Configuration);
    let mut checked = Diagnostics::new();
    if args.check != Check::Off && !broken && is_configuration {
        checked = check(&files, &example_files);
    }
    let refused = broken || args.check == Check::Strict && checked.has_errors();
    found.extend(checked);
    found.sort();
    if !found.is_empty() {
        let mut sources = Sources::new();
        for (name, text) in files.iter().chain(&example_files) {
            sources.insert(name.clone(), text.clone());
        }
        ui.report(&found, &sources);
    }
    let Some(meta) = contents.meta.clone().filter(|_| !refused) else {
        return Ok(Err(Exit::Differs));
    };
    Ok(Ok(Parts {
        stream: contents.stream(),
        meta,
        examples: joined(&example_files),
        programs: BTreeMap::new(),
    }))
}

/// What `purlin check` finds, examples included. Only errors stay errors that would stop the package under --check strict.
fn check(files: &[(String, String)], examples: &[(String, String)]) -> Diagnostics {
    let all = files.iter().chain(examples);
    let texts = all.map(|(name, text)| (name.as_str(), text.as_str()));
    let report = purlin_check::check(texts, &crate::hosted::functions());
    // Notes are for whoever asks for them.
    let told = report
        .found
        .into_iter()
        .filter(|one| one.severity != Severity::Note);
    told.collect()
}

/// The documents of these files, as one stream.
fn joined(files: &[(String, String)]) -> Option<String> {
    let mut stream = String::new();
    for (_, text) in files {
        for part in split(text) {
            stream.push_str("---\n");
            stream.push_str(part.text.trim_matches('\n').trim_end());
            stream.push('\n');
        }
    }
    (!stream.is_empty()).then_some(stream)
}

fn wanted_kind(args: &Args, parts: &Parts) -> Option<String> {
    let kind = parts.meta.kind;
    let wanted = match (args.function, args.configuration) {
        (true, _) => PackageKind::Function,
        (_, true) => PackageKind::Configuration,
        (false, false) => kind,
    };
    if kind != wanted {
        return Some(format!(
            "crossplane.yaml describes a {kind}, not a {wanted}"
        ));
    }
    let runs = matches!(kind, PackageKind::Function | PackageKind::Provider);
    let asked = !args.binary.is_empty() || !args.arch.is_empty();
    if asked && !runs {
        return Some(format!(
            "a {kind} runs nothing: leave out --binary and --arch"
        ));
    }
    None
}

type Programs = BTreeMap<String, Vec<u8>>;

fn read_programs(
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

fn images(parts: &Parts, is_own: bool) -> Vec<Image> {
    if parts.programs.is_empty() {
        return vec![plain_image(&parts.stream, parts.examples.as_deref())];
    }
    let (name, arguments): (&str, &[&str]) = if is_own {
        ("purlin", &["serve"])
    } else {
        ("function", &[])
    };
    let images = parts.programs.iter().map(|(architecture, binary)| {
        let runtime = Runtime {
            binary,
            name,
            arguments,
        };
        function_image(
            &Platform::linux(architecture),
            &runtime,
            &parts.stream,
            parts.examples.as_deref(),
        )
    });
    images.collect()
}

fn write_all(
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
