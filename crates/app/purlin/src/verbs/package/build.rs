//! `purlin package build`

use std::path::{Path, PathBuf};

use purlin_diag::{Diagnostics, Severity, Sources};
use purlin_package::{
    Contents, Image, Meta, PackageKind, Platform, Runtime, function_image, names, plain_image,
    split,
};

use super::gather::{self, Without};
use super::modules;
use super::output::{Format, write_all};
use super::own::Own;
use super::programs::{Programs, binary, own_programs, read_programs};
use crate::exit::Exit;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Make a Function package. Without --package-root it is function-purlin, Purlin's own functions.
    #[arg(long, conflicts_with = "configuration")]
    function: bool,
    /// Make a Configuration package, of the XRDs and Compositions below --package-root.
    #[arg(long)]
    configuration: bool,
    /// Only these of Purlin's own functions, such as patch-and-transform. Whatever comes without an input goes to the first.
    #[arg(
        long,
        value_name = "FUNCTION,…",
        value_delimiter = ',',
        requires = "function",
        conflicts_with_all = ["configuration", "package_root"]
    )]
    only: Vec<String>,
    /// How the package of Purlin's own functions is called [default: the function's name when it is --only one, else function-purlin].
    #[arg(
        long,
        value_name = "NAME",
        requires = "function",
        conflicts_with_all = ["configuration", "package_root"]
    )]
    name: Option<String>,
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
    pub(super) binary: Vec<(String, PathBuf)>,
    /// Only for this architecture; may be repeated [default: all of --binary].
    #[arg(long, value_name = "ARCH")]
    pub(super) arch: Vec<String>,
    /// Take programs that need a loader, too. An image of them runs nowhere: it is only to look at.
    #[arg(long)]
    pub(super) allow_dynamic: bool,
    /// Where the package goes [default: a name made of its name and digest, in the package's folder]. Of several platforms each has
    /// a file, with the architecture before the ending.
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(super) package_file: Option<PathBuf>,
    /// What to write.
    #[arg(long, value_enum, default_value = "xpkg")]
    pub(super) format: Format,
    /// What to do about findings of `purlin check` in a Configuration.
    #[arg(long, value_enum, default_value = "warn")]
    check: Check,
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
    /// None for what runs nothing.
    programs: Programs,
    /// The program in the image, and what always follows its name.
    command: (&'static str, Vec<String>),
}

pub(super) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let is_own = args.function && args.package_root.is_none();
    let root = args
        .package_root
        .clone()
        .unwrap_or_else(|| PathBuf::from("."));
    let mut parts = if is_own {
        match own_parts(args, ui) {
            Ok(parts) => parts,
            Err(exit) => return Ok(exit),
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
    let images = images(&parts);
    write_all(args, &root, &parts.meta, &images, ui)?;
    Ok(Exit::Done)
}

fn own_parts(args: &Args, ui: &Ui) -> Result<Parts, Exit> {
    if Path::new("crossplane.yaml").exists() {
        ui.say("note: this makes the package of Purlin's own functions; for the one in this folder add --package-root .");
    }
    if !args.ignore.is_empty() || args.examples_root.is_some() {
        ui.say("error: --ignore and --examples-root belong to --package-root");
        return Err(Exit::Misuse);
    }
    let own = Own::new(&args.only, args.name.as_deref()).map_err(|mistakes| {
        for mistake in &mistakes {
            ui.say(format_args!("error: --only: {mistake}"));
        }
        Exit::Misuse
    })?;
    let stream = own.stream();
    let (contents, found) = Contents::read([(names::PACKAGE_FILE, stream.as_str())]);
    let Some(meta) = contents.meta.filter(|_| !found.has_errors()) else {
        // All of it is ours, but for the name.
        for mistake in &found {
            ui.say(format_args!("error: --name: {}", mistake.message));
        }
        return Err(Exit::Misuse);
    };
    Ok(Parts {
        meta,
        stream,
        examples: None,
        programs: Programs::new(),
        command: ("purlin", own.arguments()),
    })
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
    let filled = modules::fill(&files);
    let (mut contents, mut found) = contents(filled.as_ref().map_or(&files, |filled| &filled.bare));
    if let Some(filled) = &filled {
        found.extend(filled.found.iter().cloned());
        if !found.has_errors() {
            contents = self::contents(&filled.whole).0;
        }
    }
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
        programs: Programs::new(),
        command: ("function", Vec::new()),
    }))
}

fn contents(files: &[(String, String)]) -> (Contents, Diagnostics) {
    let texts = (files.iter()).map(|(name, text)| (name.as_str(), text.as_str()));
    Contents::read(texts)
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

fn images(parts: &Parts) -> Vec<Image> {
    if parts.programs.is_empty() {
        return vec![plain_image(&parts.stream, parts.examples.as_deref())];
    }
    let (name, arguments) = &parts.command;
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
