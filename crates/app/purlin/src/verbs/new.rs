//! `purlin new`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::exit::Exit;
use crate::ui::Ui;

include!(concat!(env!("OUT_DIR"), "/kit.rs"));

/// The files of a function's project: path and text, with `__NAME__`, `__CRATE__` and `__SDK__` to be filled in.
const FUNCTION: &[(&str, &str)] = &[
    (
        ".gitignore",
        include_str!("../../scaffold/function/gitignore.in"),
    ),
    (
        "Cargo.toml",
        include_str!("../../scaffold/function/Cargo.toml.in"),
    ),
    (
        "README.md",
        include_str!("../../scaffold/function/README.md.in"),
    ),
    (
        "src/lib.rs",
        include_str!("../../scaffold/function/src/lib.rs.in"),
    ),
    (
        "src/main.rs",
        include_str!("../../scaffold/function/src/main.rs.in"),
    ),
    (
        "tests/greetings.rs",
        include_str!("../../scaffold/function/tests/greetings.rs.in"),
    ),
    (
        "package/crossplane.yaml",
        include_str!("../../scaffold/function/package/crossplane.yaml.in"),
    ),
    (
        "package/input/input.yaml",
        include_str!("../../scaffold/function/package/input/input.yaml.in"),
    ),
    (
        "example/xr.yaml",
        include_str!("../../scaffold/function/example/xr.yaml.in"),
    ),
    (
        "example/composition.yaml",
        include_str!("../../scaffold/function/example/composition.yaml.in"),
    ),
    (
        "example/functions.yaml",
        include_str!("../../scaffold/function/example/functions.yaml.in"),
    ),
];

/// Start something new.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a project for a composition function in Rust: it builds, has tests, and can be served and packaged.
    Function {
        /// Its name, with or without `function-` before it.
        name: String,
        /// Where to put it; a folder of its name unless said otherwise.
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
        /// Use the function kit of a checkout of Purlin, instead of a copy in the project.
        #[arg(long, value_name = "DIR")]
        sdk: Option<PathBuf>,
    },
    /// Bring the copy of the function kit in a project up to this version of purlin.
    Sdk {
        /// The project.
        #[arg(default_value = ".", value_name = "DIR")]
        path: PathBuf,
    },
}

pub(crate) fn run(args: &Args, ui: &Ui) -> anyhow::Result<Exit> {
    let made = match &args.what {
        What::Function { name, path, sdk } => function(name, path.as_deref(), sdk.as_deref(), ui),
        What::Sdk { path } => update(path, ui),
    };
    match made {
        Ok(()) => Ok(Exit::Done),
        Err(Refused::Misuse(mistake)) => {
            ui.say(format_args!("error: {mistake}"));
            Ok(Exit::Misuse)
        }
        Err(Refused::World(error)) => Err(error),
    }
}

/// Why nothing was made.
enum Refused {
    Misuse(String),
    World(anyhow::Error),
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self::World(error)
    }
}

fn function(name: &str, path: Option<&Path>, sdk: Option<&Path>, ui: &Ui) -> Result<(), Refused> {
    let name = name.strip_prefix("function-").unwrap_or(name);
    if !is_label(name) {
        return Err(Refused::Misuse(format!(
            "{name:?} cannot be the name of a function: use lower-case letters, digits and dashes, beginning with a \
             letter, at most 50 of them"
        )));
    }
    let folder = path.map_or_else(
        || PathBuf::from(format!("function-{name}")),
        Path::to_path_buf,
    );
    if folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(Refused::Misuse(format!(
            "{} is there already and not empty; choose another folder with --path",
            folder.display()
        )));
    }
    let kit = match sdk {
        Some(sdk) => checkout(sdk)?,
        None => "sdk".to_owned(),
    };
    let crate_name = format!("function_{}", name.replace('-', "_"));
    for (file, text) in FUNCTION {
        let text = text
            .replace("__NAME__", name)
            .replace("__CRATE__", &crate_name)
            .replace("__SDK__", &kit);
        write(&folder.join(file), text.as_bytes())?;
    }
    if sdk.is_none() {
        write_kit(&folder)?;
    }
    ui.say(format_args!(
        "made {0}. Next:\n  cd {0}\n  cargo test\n  cargo run -- --insecure --address 127.0.0.1:9443\nREADME.md says how to render with it and package it.",
        folder.display()
    ));
    Ok(())
}

/// The function kit of a checkout, as a path that is right from anywhere.
fn checkout(folder: &Path) -> Result<String, Refused> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("cannot find {}", folder.display()))?;
    if !folder.join("crates/pure/function/Cargo.toml").is_file() {
        return Err(Refused::Misuse(format!(
            "{} is no checkout of Purlin: crates/pure/function is not there",
            folder.display()
        )));
    }
    let text = folder.to_str().map(str::to_owned);
    text.ok_or_else(|| Refused::Misuse(format!("{} is no UTF-8", folder.display())))
}

fn update(project: &Path, ui: &Ui) -> Result<(), Refused> {
    let kit = project.join("sdk");
    if !kit.join("crates/pure/function/Cargo.toml").is_file() {
        return Err(Refused::Misuse(format!(
            "there is no copy of the function kit in {}: give the folder of a project that `purlin new function` made",
            project.display()
        )));
    }
    fs::remove_dir_all(&kit).with_context(|| format!("cannot remove {}", kit.display()))?;
    write_kit(project)?;
    ui.say(format_args!(
        "{} is of purlin {} now",
        kit.display(),
        env!("CARGO_PKG_VERSION")
    ));
    Ok(())
}

fn write_kit(project: &Path) -> anyhow::Result<()> {
    let kit = project.join("sdk");
    for (file, bytes) in KIT {
        write(&kit.join(file), bytes)?;
    }
    Ok(())
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = || -> io::Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, bytes)
    };
    written().with_context(|| format!("cannot write {}", file.display()))
}

/// Whether it can stand in the name of a package, a group and a crate.
fn is_label(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= 50
        && name.bytes().all(allowed)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
}
